"""What the newer documents state: campaigns, trips, calls, the first half of the year, and the rate table."""

from __future__ import annotations

from typing import Any

import duckdb

from demo.campaigns import CAMPAIGNS, GOALS
from demo.constants import PRODUCTS, REASONS, VEHICLE_CLASSES
from demo.prefectures import REGIONS
from demo.trips import NIGHT_FROM, NIGHT_UPTO
from demo.wording import Language, day, percent, table, yen

BRIEFED = "Spring Start 2026"
"""The campaign that has a brief of its own."""
HALF = ("2026-04-01", "2026-10-01")

_HEADS = {
    "en": ("Campaign", "Goal", "Contacts", "Conversions", "Conversion rate", "Cost", "Region", "Trips",
           "Hard brakes per 100 km", "Reason", "Calls", "Vehicle class"),
    "ja": ("キャンペーン", "目的", "接触件数", "成約件数", "成約率", "費用", "地域", "走行回数", "100kmあたりの急ブレーキ",
           "問い合わせ理由", "件数", "車種"),
}  # fmt: skip


def further_facts(connection: duckdb.DuckDBPyConnection, language: Language) -> dict[str, str]:
    """Every further `{name}` that the templates may use."""
    return {
        **_campaigns(connection, language),
        **_trips(connection, language),
        **_calls(connection, language),
        **_half(connection, language),
        "rate_table": _rates(language),
    }


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    return connection.execute(sql, list(values)).fetchall()


def _campaigns(connection: duckdb.DuckDBPyConnection, language: Language) -> dict[str, str]:
    english = language == "en"
    names = {c.name: c.name if english else c.name_ja for c in CAMPAIGNS}
    rows = _rows(
        connection,
        "SELECT campaign, c.goal, count(*), count(*) FILTER (converted), sum(cost_yen)::BIGINT"
        " FROM campaign_contacts AS r JOIN campaigns AS c USING (campaign_id) GROUP BY ALL ORDER BY min(first_day)",
    )
    lines = [
        (
            names[name],
            goal if english else GOALS[goal][0],
            f"{contacts:,}",
            f"{won:,}",
            percent(won / contacts, language),
            yen(cost, language),
        )
        for name, goal, contacts, won, cost in rows
    ]
    won_by = {name: (cost / won, name) for name, goal, _, won, cost in rows if goal == "Acquisition" and won}
    cheapest = min(won_by.values(), default=(0.0, BRIEFED))
    reached = {name: (contacts, won, cost) for name, _, contacts, won, cost in rows}
    contacts, won, cost = reached.get(BRIEFED, (0, 0, 0))
    brief = next(c for c in CAMPAIGNS if c.name == BRIEFED)
    return {
        "campaign_table": table(_HEADS[language][:6], lines),
        "cheapest_campaign": names[cheapest[1]],
        "cheapest_cpa": yen(round(cheapest[0]), language),
        "brief_name": names[BRIEFED],
        "brief_first": day(brief.first, language),
        "brief_last": day(brief.last, language),
        "brief_contact_cost": yen(brief.cost, language),
        "brief_contacts": f"{contacts:,}",
        "brief_won": f"{won:,}",
        "brief_rate": percent(won / contacts if contacts else 0.0, language),
        "brief_cost": yen(cost, language),
        "brief_cpa": yen(round(cost / won) if won else 0, language),
    }


def _trips(connection: duckdb.DuckDBPyConnection, language: Language) -> dict[str, str]:
    rows = _rows(
        connection,
        "SELECT region, count(*), sum(hard_brakes)::DOUBLE, sum(distance_km)::DOUBLE, count(*) FILTER (at_night)"
        " FROM trips JOIN prefectures USING (prefecture) GROUP BY region ORDER BY region",
    )
    count, brakes, km, night = (sum(row[i] for row in rows) for i in (1, 2, 3, 4))
    head = _HEADS[language]
    lines = [
        (region if language == "en" else REGIONS[region], f"{trips:,}", f"{100 * braked / driven:.2f}")
        for region, trips, braked, driven, _ in rows
        if driven
    ]
    return {
        "trip_table": table((head[6], head[7], head[8]), lines),
        "trip_count": f"{count:,}",
        "trip_braking": f"{100 * brakes / km if km else 0:.2f}",
        "trip_night": percent(night / count if count else 0.0, language),
        "night_from": f"{NIGHT_FROM}:00" if language == "en" else f"{NIGHT_FROM}時",
        "night_upto": f"{NIGHT_UPTO}:00" if language == "en" else f"{NIGHT_UPTO}時",
    }


def _calls(connection: duckdb.DuckDBPyConnection, language: Language) -> dict[str, str]:
    rows = _rows(
        connection,
        "SELECT reason, count(*), avg(wait_seconds) FROM calls"
        " WHERE called_at >= '2026-10-01' AND called_at < '2026-11-01' GROUP BY 1 ORDER BY 2 DESC, 1",
    )
    names = {r.name: r.name if language == "en" else r.name_ja for r in REASONS}
    total = sum(count for _, count, _ in rows)
    head = _HEADS[language]
    return {
        "call_table": table(
            (head[9], head[10]), [(names[reason], f"{count:,}") for reason, count, _ in rows]
        ),
        "call_count": f"{total:,}",
        "call_wait": f"{sum(count * wait for _, count, wait in rows) / total if total else 0:.0f}",
        "complaint_count": f"{sum(count for reason, count, _ in rows if reason == 'Complaint'):,}",
    }


def _half(connection: duckdb.DuckDBPyConnection, language: Language) -> dict[str, str]:
    earned, policies = _rows(
        connection,
        "SELECT coalesce(sum(earned_yen), 0)::BIGINT, count(DISTINCT policy_id) FROM premiums"
        " WHERE month >= $1 AND month < $2",
        *HALF,
    )[0]
    incurred = _rows(
        connection,
        "SELECT coalesce(sum(incurred_yen), 0)::BIGINT FROM claims WHERE occurred_on >= $1 AND occurred_on < $2",
        *HALF,
    )[0][0]
    return {
        "half_earned": yen(earned, language),
        "half_ratio": percent(incurred / earned if earned else 0.0, language),
        "half_policies": f"{policies:,}",
    }


def _rates(language: Language) -> str:
    """Yearly yen before place, age and grade: the base premium of the plan times the factor of the vehicle."""
    english = language == "en"
    head = (_HEADS[language][11], *(p.name if english else p.name_ja for p in PRODUCTS))
    return table(
        head,
        [
            (
                v.name if english else v.name_ja,
                *(f"{round(p.base_premium * v.factor / 10) * 10}" for p in PRODUCTS),
            )
            for v in VEHICLE_CLASSES
        ],
    )
