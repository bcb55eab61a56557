"""What the documents state, as text in each language: rules from the constants, figures from the warehouse."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from demo.constants import (
    AGENT_COMMISSION,
    BATTERY_CALLS_A_YEAR,
    CAUSES,
    COMPANY,
    COMPANY_JA,
    COOLING_OFF_DAYS,
    FUEL_LITRES,
    GRACE_DAYS,
    GRADE_MAX,
    GRADE_NEW,
    GRADE_RISE,
    HOTLINE,
    LAST_DAY,
    LOCKOUT_MINUTES,
    MANAGER_AUTHORITY,
    NEW_CAR_MONTHS,
    PAY_WITHIN_DAYS,
    PREMIER_RISE,
    PRODUCTS,
    RENEWAL_NOTICE_DAYS,
    REPORT_DATE,
    REPORT_MONTH,
    REPORT_WITHIN_DAYS,
    ROADSIDE_LINE,
)
from demo.figures import Figures, Part, figures
from demo.further_facts import further_facts
from demo.prefectures import PREFECTURES
from demo.wording import Language, day, month, percent, table, yen

VALID_FROM = date(2026, 4, 1)

_HEADS = {
    "en": ("Plan", "Cause", "Prefecture", "Fiscal year", "Earned premium", "Incurred loss", "Claims", "Loss ratio",
           "Claim frequency", "Severity"),
    "ja": ("プラン", "事故原因", "都道府県", "年度", "既経過保険料", "発生損害額", "事故件数", "損害率", "事故頻度", "平均損害額"),
}  # fmt: skip


def facts(warehouse: Path, language: Language) -> dict[str, str]:
    """Every `{name}` that the templates may use."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = figures(connection)
        more = further_facts(connection, language)
    return {**_rules(language), **_plans(language), **_report(found, language), **more}


def _rules(language: Language) -> dict[str, str]:
    english = language == "en"
    drops = {cause.grade_drop for cause in CAUSES}
    numbers = {
        "report_days": REPORT_WITHIN_DAYS, "pay_days": PAY_WITHIN_DAYS, "cooling_days": COOLING_OFF_DAYS,
        "notice_days": RENEWAL_NOTICE_DAYS, "grace_days": GRACE_DAYS, "grade_new": GRADE_NEW,
        "grade_max": GRADE_MAX, "rise": GRADE_RISE, "drop_big": max(drops), "drop_small": min(drops),
        "fuel": FUEL_LITRES, "lockout": LOCKOUT_MINUTES, "new_car_months": NEW_CAR_MONTHS,
        "hotline": HOTLINE, "roadside_line": ROADSIDE_LINE,
    }  # fmt: skip
    premier = next(p for p in PRODUCTS if p.name == "Premier")
    times = {1: "once", 2: "twice"}.get(BATTERY_CALLS_A_YEAR, f"{BATTERY_CALLS_A_YEAR} times")
    return {
        **{name: str(value) for name, value in numbers.items()},
        "company": COMPANY if english else COMPANY_JA,
        "valid_from": day(VALID_FROM, language),
        "report_date": day(REPORT_DATE, language),
        "last_day": day(LAST_DAY, language),
        "authority": yen(MANAGER_AUTHORITY, language),
        "battery": times if english else f"{BATTERY_CALLS_A_YEAR}回",
        "base_premier_next": yen(round(premier.base_premium * (1 + PREMIER_RISE)), language),
    }


def _plans(language: Language) -> dict[str, str]:
    english = language == "en"
    nothing, unlimited = ("none", "unlimited") if english else ("なし", "無制限")
    result: dict[str, str] = {}
    for plan in PRODUCTS:
        days = f"{plan.rental_days} days" if english else f"{plan.rental_days}日"
        stated = {
            "deductible": yen(plan.deductible, language) if plan.deductible else nothing,
            "property": yen(plan.property_limit, language) if plan.property_limit else unlimited,
            "injury": yen(plan.injury_limit, language),
            "towing": f"{plan.towing_km} km" if english else f"{plan.towing_km}km",
            "rental": days if plan.rental_days else nothing,
            "legal": yen(plan.legal_limit, language) if plan.legal_limit else nothing,
            "own": plan.own_damage if english else plan.own_damage_ja,
            "base": yen(plan.base_premium, language),
            "commission": percent(AGENT_COMMISSION[plan.name], language),
        }
        result |= {f"{name}_{plan.name.lower()}": text for name, text in stated.items()}
    return result


def _report(found: Figures, language: Language) -> dict[str, str]:
    so_far, month_ = found.so_far, found.month
    return {
        **_tables(found, language),
        "report_month": month(REPORT_MONTH, language),
        "premier_share": percent(found.premier_share, language),
        "month_earned": yen(month_.earned, language),
        "month_incurred": yen(month_.incurred, language),
        "month_ratio": percent(month_.loss_ratio, language),
        "month_claims": str(month_.claims),
        "ytd_earned": yen(so_far.earned, language),
        "ytd_incurred": yen(so_far.incurred, language),
        "ytd_ratio": percent(so_far.loss_ratio, language),
        "ytd_frequency": percent(so_far.frequency, language),
        "ytd_severity": yen(round(so_far.severity), language),
        "lr_2024": percent(found.by_year[2024].loss_ratio, language),
        "lr_2025": percent(found.by_year[2025].loss_ratio, language),
    }


def _tables(found: Figures, language: Language) -> dict[str, str]:
    english = language == "en"
    names = {p.name: p.name if english else p.name_ja for p in (*PRODUCTS, *CAUSES, *PREFECTURES)}
    plan, cause, place, year, earned, loss, count, ratio, often, cost = _HEADS[language]

    def counted(first: str, parts: dict[str, Part]) -> str:
        lines = [
            (names[name], str(part.claims), yen(part.incurred, language)) for name, part in parts.items()
        ]
        return table((first, count, loss), lines)

    plans = [
        (
            names[name],
            yen(part.earned, language),
            yen(part.incurred, language),
            percent(part.loss_ratio, language),
        )
        for name, part in found.by_product.items()
    ]
    years = [
        (
            str(number) if english else f"{number}年度",
            percent(part.loss_ratio, language),
            percent(part.frequency, language),
            yen(round(part.severity), language),
        )
        for number, part in found.by_year.items()
    ]
    return {
        "by_product": table((plan, earned, loss, ratio), plans),
        "by_cause": counted(cause, found.by_cause),
        "by_prefecture": counted(place, found.by_prefecture),
        "by_year": table((year, ratio, often, cost), years),
    }
