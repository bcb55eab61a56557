"""The warehouse adds up: keys, money, dates, and the same seed the same rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from demo.building import SEED
from demo.claims import earned_in_year
from demo.constants import FIRST_DAY, LAST_DAY, LOSS_RATIOS, PRODUCTS
from demo.warehouse import TABLES, build_warehouse, fingerprints
from text2sql.types import Catalog

Query = Callable[..., list[tuple[Any, ...]]]
FACTS = ("policies", "premiums", "claims", "payments", "calls")


def test_the_same_seed_gives_the_same_rows_and_keys_change_nothing(tmp_path: Path) -> None:
    one, other, keyless = (tmp_path / f"{name}.duckdb" for name in ("one", "other", "keyless"))
    build_warehouse(one, 120, 42)
    build_warehouse(other, 120, 42)
    build_warehouse(keyless, 120, 42, keys=False)
    assert fingerprints(one) == fingerprints(other) == fingerprints(keyless)
    another = tmp_path / "another.duckdb"
    build_warehouse(another, 120, 43)
    seeded = set(TABLES) - {"dates", "prefectures", "products", "channels", "campaigns"}
    assert {t for t in TABLES if fingerprints(another)[t] != fingerprints(one)[t]} == seeded


def test_a_path_with_a_quote_and_a_space_is_only_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "it's a folder"
    folder.mkdir()
    build_warehouse(folder / "w.duckdb", 3, 1)
    assert (folder / "w.duckdb").is_file()


def test_a_thousand_customers_take_seconds(tmp_path: Path) -> None:
    started = time.monotonic()
    build_warehouse(tmp_path / "w.duckdb", 1000, SEED)
    assert time.monotonic() - started < 20


def test_every_table_is_there_and_has_rows(query: Query) -> None:
    names = {row[0] for row in query("SELECT table_name FROM duckdb_tables()")}
    assert names == set(TABLES)
    for table in TABLES:
        assert query(f"SELECT count(*) FROM {table}")[0][0] > 0, table


def test_keys_are_declared(catalog: Catalog) -> None:
    for name in TABLES:
        table = catalog.table(name)
        assert table is not None
        assert table.primary_key, name
    claims = catalog.table("claims")
    assert claims is not None
    declared = {key.columns for key in claims.foreign_keys if not key.inferred}
    assert declared >= {("policy_id",), ("product",), ("prefecture",), ("channel",), ("agent_id",)}


@pytest.mark.parametrize("table", FACTS)
@pytest.mark.parametrize(
    ("column", "dimension"),
    [("product", "products"), ("prefecture", "prefectures"), ("channel", "channels"), ("agent_id", "agents")],
)
def test_facts_refer_to_what_exists(query: Query, table: str, column: str, dimension: str) -> None:
    orphans = query(f"SELECT count(*) FROM {table} ANTI JOIN {dimension} USING ({column})")
    assert orphans == [(0,)]


@pytest.mark.parametrize(
    ("table", "parent", "key"),
    [
        ("premiums", "policies", "policy_id"),
        ("claims", "policies", "policy_id"),
        ("calls", "policies", "policy_id"),
        ("payments", "claims", "claim_id"),
    ],
)
def test_facts_repeat_what_their_parent_says(query: Query, table: str, parent: str, key: str) -> None:
    """Row rules look at a table's own columns: they must say the same on every table."""
    for column in ("product", "prefecture", "channel", "agent_id"):
        unlike = query(
            f"SELECT count(*) FROM {table} JOIN {parent} USING ({key}) WHERE {table}.{column} <> {parent}.{column}"
        )
        assert unlike == [(0,)], column
    assert query(f"SELECT count(*) FROM {table} ANTI JOIN {parent} USING ({key})") == [(0,)]


def test_a_policy_belongs_to_one_customer_and_place(query: Query) -> None:
    for column in ("prefecture", "agent_id", "channel", "customer_name", "birth_date"):
        split = query(
            f"SELECT count(*) FROM (SELECT customer_id FROM policies GROUP BY 1 HAVING count(DISTINCT {column}) > 1)"
        )
        assert split == [(0,)], column


def test_an_agent_sells_through_their_own_channel(query: Query) -> None:
    assert query(
        "SELECT count(*) FROM policies JOIN agents USING (agent_id) WHERE policies.channel <> agents.channel"
    ) == [(0,)]


def test_every_full_year_earns_its_premium_exactly(query: Query) -> None:
    rows = query(
        """SELECT count(*), count(*) FILTER (sum_earned <> annual_premium_yen) FROM (
            SELECT policy_id, annual_premium_yen, sum(earned_yen) AS sum_earned
            FROM policies JOIN premiums USING (policy_id)
            WHERE start_date >= $1 AND status = 'Expired' GROUP BY ALL)""",
        FIRST_DAY,
    )
    assert rows[0][0] > 1000
    assert rows[0][1] == 0


def test_written_less_refunds_is_what_is_earned_in_the_end(query: Query) -> None:
    rows = query(
        """SELECT count(*) FILTER (status = 'Cancelled'), count(*) FILTER (written <> earned) FROM (
            SELECT policy_id, any_value(status) AS status, sum(written_yen) AS written, sum(earned_yen) AS earned
            FROM policies JOIN premiums USING (policy_id)
            WHERE start_date >= $1 AND status <> 'Active' GROUP BY policy_id)""",
        FIRST_DAY,
    )
    assert rows[0][0] > 20
    assert rows[0][1] == 0


def test_exposure_is_the_days_covered_inside_the_period(query: Query) -> None:
    unlike = query(
        """SELECT count(*) FROM (
            SELECT policy_id, sum(exposure_days) AS days,
                least(coalesce(any_value(cancelled_on), any_value(end_date)), $2::DATE + 1)
                - greatest(any_value(start_date), $1::DATE) AS expected
            FROM policies JOIN premiums USING (policy_id) GROUP BY policy_id)
        WHERE days <> expected""",
        FIRST_DAY,
        LAST_DAY,
    )
    assert unlike == [(0,)]
    assert query("SELECT min(exposure_days) >= 0, max(exposure_days) FROM premiums") == [(True, 31)]


def test_no_row_of_a_month_lies_outside_the_cover(query: Query) -> None:
    assert query("SELECT min(month), max(month), count(*) FILTER (day(month) <> 1) FROM premiums") == [
        (FIRST_DAY, LAST_DAY.replace(day=1), 0)
    ]
    assert query("SELECT count(*) FROM premiums WHERE earned_yen < 0") == [(0,)]


def test_the_numpy_side_and_the_sql_side_earn_the_same(tmp_path: Path) -> None:
    """Claims are scaled by premiums earned in numpy; the warehouse earns in SQL."""
    path = tmp_path / "w.duckdb"
    book = build_warehouse(path, 150, 8)
    with duckdb.connect(str(path), read_only=True) as connection:
        for year in LOSS_RATIOS:
            sql = "SELECT sum(earned_yen)::BIGINT FROM premiums WHERE month >= $1 AND month < $2"
            found = connection.execute(sql, [f"{year}-04-01", f"{year + 1}-04-01"]).fetchall()
            assert found == [(earned_in_year(book.policies, year),)]


def test_claims_add_up(query: Query) -> None:
    wrong = """SELECT claim_id FROM claims WHERE
        paid_yen + reserve_yen <> incurred_yen
        OR least(paid_yen, reserve_yen, incurred_yen, deductible_yen) < 0
        OR (status = 'Rejected' AND incurred_yen <> 0)
        OR (status <> 'Rejected' AND loss_yen - deductible_yen <> incurred_yen)
        OR (status = 'Closed' AND reserve_yen <> 0)
        OR (status = 'Open') <> (closed_on IS NULL)
        OR reported_on < occurred_on OR closed_on < reported_on
        OR greatest(occurred_on, reported_on, closed_on) > $1 OR occurred_on < $2"""
    assert query(wrong, LAST_DAY, FIRST_DAY) == []
    assert dict(query("SELECT status, count(*) FROM claims GROUP BY 1")).keys() == {
        "Open",
        "Closed",
        "Rejected",
    }


def test_the_deductible_is_the_plans_and_only_on_the_own_vehicle(query: Query) -> None:
    rows = query(
        "SELECT DISTINCT product, cause, deductible_yen FROM claims WHERE status <> 'Rejected' ORDER BY ALL"
    )
    plans = {p.name: p.deductible for p in PRODUCTS}
    own = {"Single-vehicle accident", "Parking accident", "Weather", "Glass damage", "Theft"}
    assert len(rows) > 10
    for product, cause, deductible in rows:
        assert deductible == (plans[product] if cause in own else 0), (product, cause)


def test_payments_are_what_claims_say_was_paid(query: Query) -> None:
    unlike = query(
        """SELECT claims.claim_id FROM claims LEFT JOIN (
            SELECT claim_id, sum(amount_yen) AS amount, min(paid_on) AS first, max(paid_on) AS last
            FROM payments GROUP BY 1) AS paid USING (claim_id)
        WHERE coalesce(amount, 0) <> paid_yen OR amount > incurred_yen OR first < reported_on
            OR last > coalesce(closed_on, $1)""",
        LAST_DAY,
    )
    assert unlike == []
    assert query("SELECT min(amount_yen) > 0 FROM payments") == [(True,)]
    assert query("SELECT max(n) > 1 FROM (SELECT count(*) AS n FROM payments GROUP BY claim_id)") == [(True,)]


def test_status_and_outcome_agree_with_the_dates(query: Query) -> None:
    wrong = """SELECT policy_id FROM policies WHERE
        (status = 'Active') <> (cancelled_on IS NULL AND end_date > $1)
        OR (status = 'Cancelled') <> (cancelled_on IS NOT NULL)
        OR (renewal_outcome = 'Not due') <> (status = 'Active')
        OR (renewal_outcome = 'Cancelled') <> (status = 'Cancelled')
        OR cancelled_on NOT BETWEEN start_date AND end_date OR start_date > $1"""
    assert query(wrong, LAST_DAY) == []
    renewed = (
        "(SELECT DISTINCT previous_policy_id AS policy_id FROM policies WHERE previous_policy_id IS NOT NULL)"
    )
    assert query(
        f"SELECT count(*) FROM policies LEFT JOIN {renewed} AS r USING (policy_id)"
        " WHERE (renewal_outcome = 'Renewed') <> (r.policy_id IS NOT NULL)"
    ) == [(0,)]


def test_age_bands_agree_with_birth_dates(query: Query) -> None:
    wrong = """SELECT count(*) FROM (
        SELECT age_band, date_sub('year', birth_date, start_date) AS age FROM policies)
        WHERE age_band <> CASE WHEN age < 30 THEN '18-29' WHEN age < 40 THEN '30-39' WHEN age < 50 THEN '40-49'
            WHEN age < 60 THEN '50-59' WHEN age < 70 THEN '60-69' ELSE '70+' END OR age < 18"""
    assert query(wrong) == [(0,)]


def test_calls_come_in_opening_hours_and_claims_begin_with_one(query: Query) -> None:
    assert query(
        "SELECT count(*) FROM calls WHERE hour(called_at) NOT BETWEEN 9 AND 17 OR called_at::DATE > $1",
        LAST_DAY,
    ) == [(0,)]
    reports = query("SELECT count(*) FROM calls WHERE reason = 'Claim report'")
    assert reports == query("SELECT count(*) FROM claims")
    cancellations = query("SELECT count(*) FROM calls WHERE reason = 'Cancellation'")
    assert cancellations == query("SELECT count(*) FROM policies WHERE status = 'Cancelled'")


def test_the_calendar_knows_fiscal_years(query: Query) -> None:
    days = query(
        "SELECT date::VARCHAR, fiscal_year, fiscal_quarter, weekday, is_weekend FROM dates"
        " WHERE date IN ('2026-03-31', '2026-04-01', '2026-11-15') ORDER BY date"
    )
    assert days == [
        ("2026-03-31", 2025, 4, "Tuesday", False),
        ("2026-04-01", 2026, 1, "Wednesday", False),
        ("2026-11-15", 2026, 3, "Sunday", True),
    ]
    assert query("SELECT count(*) FROM policies ANTI JOIN dates ON dates.date = policies.start_date") == [
        (0,)
    ]


def test_the_business_is_plausible_every_fiscal_year(query: Query) -> None:
    rows = query(
        """WITH p AS (SELECT year(month - INTERVAL 3 MONTH) AS y, sum(earned_yen) AS earned,
                sum(exposure_days) / 365 AS years FROM premiums GROUP BY 1),
            c AS (SELECT year(occurred_on - INTERVAL 3 MONTH) AS y, sum(incurred_yen) AS incurred,
                count(*) FILTER (status <> 'Rejected') AS claims FROM claims GROUP BY 1),
            r AS (SELECT year(end_date - INTERVAL 3 MONTH) AS y, avg((renewal_outcome = 'Renewed')::INT) AS kept
                FROM policies WHERE renewal_outcome IN ('Renewed', 'Lapsed') GROUP BY 1)
        SELECT y, incurred / earned, claims / years, incurred / claims, kept FROM p JOIN c USING (y) JOIN r USING (y)
        ORDER BY y"""
    )
    assert [row[0] for row in rows] == [2023, 2024, 2025, 2026]
    for year, loss_ratio, frequency, severity, retention in rows:
        assert loss_ratio == pytest.approx(LOSS_RATIOS[year], abs=0.0005)
        assert 0.04 < frequency < 0.08
        assert 400_000 < severity < 1_200_000
        assert 0.85 < retention < 0.92
