"""What a policy writes into a statement: where, how tight, and with what bound."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import duckdb
import pytest

from retrieval.types import Principal
from tests.text2sql.guard.cases import SCHEMA, shop
from text2sql.guard import SqlGuard
from text2sql.guard.allowlist import DIALECTS
from text2sql.policy import Policy, parse
from text2sql.types import Dialect, Verdict

POLICY = parse(
    """
    name: shop
    salt: pepper
    attributes: {regions: {type: text, list: true}, seller_id: {type: integer}}
    tables:
      sales:
        discoverable: true
        grants:
          - {roles: [analyst], masks: {buyer: 'null', sold_on: year, note: partial, amount: {bucket: 100}}, hide: [seller_id]}
          - {roles: [seller], rows: "seller_id = :seller_id"}
          - {roles: [hasher], masks: {buyer: hash, store_id: hash}}
      stores:
        grants:
          - {roles: [manager], rows: "region IN (:regions) OR region = 'Online'"}
          - {roles: [analyst, hasher, seller]}
      products: {grants: [{roles: [everyone]}]}
      sellers: {discoverable: true, grants: [{roles: [boss]}]}
    """
)
ANALYST = Principal("ana", roles=("analyst",))
MANAGER = Principal("ken", roles=("manager",), attributes={"regions": ["Kanto", "O'Brien"]})
SELLER = Principal("sue", roles=("seller",), attributes={"seller_id": 7})


def check(
    sql: str, caller: Principal, dialect: Dialect = "sqlite", policy: Policy | None = POLICY
) -> Verdict:
    return SqlGuard().check(sql, shop(dialect), caller, policy)


def allowed(sql: str, caller: Principal, dialect: Dialect = "sqlite") -> Verdict:
    verdict = check(sql, caller, dialect)
    assert verdict.allowed, verdict.violations
    return verdict


def test_a_list_is_one_parameter_a_value_and_or_stays_inside() -> None:
    verdict = allowed("SELECT name FROM stores WHERE opened > '2020' OR 1 = 1", MANAGER)
    assert verdict.sql == (
        'SELECT name FROM (SELECT "name", "opened" FROM stores '
        'WHERE "region" IN (:policy_0_regions_0, :policy_0_regions_1) OR "region" = \'Online\') AS stores '
        "WHERE opened > '2020' OR 1 = 1"
    )
    assert verdict.parameters == {"policy_0_regions_0": "Kanto", "policy_0_regions_1": "O'Brien"}
    assert verdict.policy == "shop v1"
    assert list(verdict.row_rules) == ["stores"]
    assert "O'Brien" not in verdict.sql


@pytest.mark.parametrize(
    ("dialect", "holder"),
    [
        ("sqlite", ":policy_0_seller_id_0"),
        ("duckdb", "$policy_0_seller_id_0"),
        ("postgres", "%(policy_0_seller_id_0)s"),
        ("redshift", "%(policy_0_seller_id_0)s"),
        ("athena", ":policy_0_seller_id_0"),
    ],
)
def test_parameters_as_each_driver_binds_them(dialect: Dialect, holder: str) -> None:
    verdict = allowed("SELECT COUNT(*) FROM sales WHERE note LIKE '%x%'", SELLER, dialect)
    assert holder in verdict.sql
    assert verdict.parameters == {"policy_0_seller_id_0": 7}
    percent = "'%%x%%'" if dialect in ("postgres", "redshift") else "'%x%'"
    assert percent in verdict.sql


def test_without_parameters_percent_signs_stay_as_they_are() -> None:
    verdict = check("SELECT name FROM stores WHERE name LIKE '%x%'", ANALYST, "postgres")
    assert "'%x%'" in verdict.sql
    assert verdict.parameters == {}


SCANS = [
    "SELECT * FROM sales",
    "SELECT p.label FROM products AS p LEFT JOIN sales AS s ON s.product_id = p.product_id",
    "SELECT label FROM products WHERE EXISTS (SELECT 1 FROM sales WHERE sales.product_id = products.product_id)",
    "SELECT label FROM products WHERE product_id IN (SELECT product_id FROM sales)",
    "SELECT label, (SELECT SUM(amount) FROM sales AS x WHERE x.product_id = p.product_id) FROM products AS p",
    "WITH s AS (SELECT * FROM sales) SELECT COUNT(*) FROM s",
    "SELECT label FROM products UNION ALL SELECT note FROM sales",
    "SELECT COUNT(*) FROM (SELECT DISTINCT product_id FROM sales) AS d",
    "SELECT a.sale_id FROM sales AS a JOIN sales AS b ON a.sale_id = b.sale_id",
    "SELECT label FROM products ORDER BY (SELECT MAX(amount) FROM sales)",
    "SELECT label FROM products GROUP BY label HAVING COUNT(*) > (SELECT COUNT(*) FROM sales)",
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM sales) THEN 1 ELSE 0 END FROM products",
]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("sql", SCANS)
def test_every_scan_is_written_over(sql: str, dialect: Dialect) -> None:
    verdict = allowed(sql, SELLER, dialect)
    scans = sql.count("FROM sales") + sql.count("JOIN sales")
    assert verdict.sql.count('WHERE "seller_id" = ') == scans
    assert "sales" in verdict.tables[-1] or "sales" in verdict.tables[0]


def test_masks_and_hidden_columns_on_sqlite() -> None:
    rows = _run_sqlite(allowed("SELECT * FROM sales ORDER BY sale_id", ANALYST))
    assert list(rows[0]) == [
        "sale_id",
        "store_id",
        "product_id",
        "buyer",
        "sold_on",
        "units",
        "amount",
        "note",
    ]
    assert [tuple(row.values())[3:] for row in rows] == [
        (None, "2024-01-01", 2, 200, "f***"),
        (None, "2023-01-01", 1, -100, "***"),
        (None, None, None, None, None),
    ]


def test_masks_on_duckdb_keep_their_types() -> None:
    verdict = allowed("SELECT buyer, sold_on, amount, note FROM sales ORDER BY sale_id", ANALYST, "duckdb")
    with duckdb.connect() as connection:
        connection.execute(re.sub(r" REFERENCES \w+ \(\w+\)", "", SCHEMA))
        _fill(connection)
        relation = connection.execute(verdict.sql, dict(verdict.parameters))
        assert [str(column[1]) for column in relation.description] == [
            "VARCHAR",
            "DATE",
            "DECIMAL(12,2)",
            "VARCHAR",
        ]
        shown = [[None if v is None else str(v) for v in row] for row in relation.fetchall()]
    assert shown[0] == [None, "2024-01-01", "200.00", "f***"]
    assert shown[1] == [None, "2023-01-01", "-100.00", "***"]
    assert shown[2] == [None, None, None, None]


def test_hash_is_salted_and_the_salt_is_bound() -> None:
    caller = Principal("h", roles=("hasher",))
    verdict = allowed("SELECT buyer, store_id FROM sales ORDER BY sale_id LIMIT 1", caller, "duckdb")
    assert verdict.parameters == {"policy_salt": "pepper"}
    with duckdb.connect() as connection:
        connection.execute(re.sub(r" REFERENCES \w+ \(\w+\)", "", SCHEMA))
        _fill(connection)
        buyer, store = connection.execute(verdict.sql, dict(verdict.parameters)).fetchall()[0]
        wanted = connection.execute("SELECT sha256('pepper' || 'Anna'), sha256('pepper' || '1')").fetchall()[
            0
        ]
    assert (buyer, store) == wanted
    assert _run_sqlite(allowed("SELECT buyer FROM sales LIMIT 1", caller))[0]["buyer"] is None


def test_two_grants_show_each_row_at_its_best() -> None:
    both = Principal("x", roles=("analyst", "seller"), attributes={"seller_id": 7})
    rows = _run_sqlite(allowed("SELECT sale_id, buyer, seller_id, amount FROM sales ORDER BY sale_id", both))
    assert [tuple(row.values()) for row in rows] == [
        (1, "Anna", 7, 250),
        (2, None, None, -100),
        (3, None, None, None),
    ]


def test_masked_columns_are_compared_masked() -> None:
    assert _run_sqlite(allowed("SELECT sale_id FROM sales WHERE amount = 250", ANALYST)) == []
    assert len(_run_sqlite(allowed("SELECT sale_id FROM sales WHERE amount = 200", ANALYST))) == 1


def test_a_hidden_column_and_a_hidden_table_are_not_there() -> None:
    hidden = check("SELECT seller_id FROM sales", ANALYST).violations[0]
    absent = check("SELECT nonsense_id FROM sales", ANALYST).violations[0]
    assert hidden.code == absent.code == "unknown_column"
    assert "seller_id" not in hidden.suggestions
    refused = check("SELECT * FROM stores", Principal("n")).violations[0]
    nowhere = check("SELECT * FROM nowhere", Principal("n")).violations[0]
    assert refused.message.replace("stores", "nowhere") == nowhere.message


def test_withheld_is_said_for_what_may_be_known_of() -> None:
    assert check("SELECT * FROM sellers", ANALYST).withheld == ("sellers",)
    assert check("SELECT * FROM stores", Principal("n")).withheld == ()
    assert check("SELECT * FROM nowhere", Principal("n")).withheld == ()


def test_an_empty_list_admits_nothing() -> None:
    verdict = check("SELECT name FROM stores", Principal("m", roles=("manager",), attributes={"regions": []}))
    assert verdict.violations[0].code == "unknown_table"


def test_a_cte_called_like_a_table_never_catches_the_scan() -> None:
    sql = "WITH sales AS (SELECT 1 AS sale_id) SELECT m.amount FROM main.sales AS m"
    verdict = allowed(sql, SELLER)
    assert "FROM main.sales WHERE" in verdict.sql
    verdict = allowed("WITH sales AS (SELECT * FROM sales) SELECT COUNT(*) FROM sales", SELLER, "postgres")
    assert "FROM public.sales WHERE" in verdict.sql
    verdict = allowed("WITH sales AS (SELECT * FROM sales) SELECT COUNT(*) FROM sales", SELLER, "athena")
    assert "FROM sales WHERE" in verdict.sql
    assert verdict.sql.startswith('WITH "sales_1" AS ')
    assert verdict.sql.endswith('FROM "sales_1" AS sales')


def test_schema_qualified_columns_follow_the_rewriting() -> None:
    assert _run_sqlite(allowed("SELECT main.sales.amount FROM main.sales", SELLER)) == [{"amount": 250}]


def test_rowid_is_not_there() -> None:
    assert check("SELECT rowid FROM sales", SELLER).violations[0].code == "unknown_column"
    assert check("SELECT rowid FROM products", SELLER).violations[0].code == "unknown_column"


def test_a_policy_over_a_missing_column_fails_closed() -> None:
    broken = parse("tables: {sales: {grants: [{roles: [everyone], rows: 'colour = 1'}]}}")
    assert check("SELECT * FROM sales", SELLER, policy=broken).violations[0].code == "policy_broken"


def test_no_policy_says_so() -> None:
    verdict = check("SELECT * FROM sales", SELLER, policy=None)
    assert verdict.allowed
    assert verdict.policy is None


def _fill(connection: Any) -> None:
    connection.execute(
        "INSERT INTO sales VALUES (1, 1, 1, 7, 'Anna', '2024-05-06', 2, 250, 'fragile'), "
        "(2, 2, 1, 8, 'Bo', '2023-12-31', 1, -5, 'ok'), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"
    )


def _run_sqlite(verdict: Verdict) -> list[dict[str, Any]]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    _fill(connection)
    cursor = connection.execute(verdict.sql, dict(verdict.parameters))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]
