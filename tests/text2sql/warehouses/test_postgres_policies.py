"""Policies on PostgreSQL itself: what the guard writes runs there, and says nothing of rows that are not the caller's."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.commands import status
from app.settings import Settings
from retrieval.types import Principal
from tests.text2sql.guard.queries import QueryMaker
from tests.text2sql.guard.shopdata import COLUMNS, policy_of, rows, rules, visible
from tests.text2sql.guard.test_years import NOT_DATES, YEARS
from tests.text2sql.warehouses.postgres_server import OwnServer
from text2sql.errors import WarehouseError
from text2sql.guard import SqlGuard
from text2sql.policy import Policy, parse, visible_catalog
from text2sql.types import Limits, Verdict
from text2sql.warehouses.postgres import PostgresWarehouse

SCRIPT = """
CREATE SCHEMA shop;
CREATE TYPE shop.state AS ENUM ('open', 'closed');
CREATE TYPE shop."Mood" AS ENUM ('good', 'bad');
CREATE DOMAIN shop.mail AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE shop.orders (
    id integer, code text, state shop.state, mood shop."Mood", mail shop.mail, uid uuid, ip inet, price money,
    name varchar(20), born date, seen timestamptz, age smallint, amount numeric(8, 2), tags text[], info jsonb, "氏名" text);
INSERT INTO shop.orders SELECT i, (ARRAY['12', '13', 'abc'])[i], 'open', 'bad', 'secret' || i || '@x', gen_random_uuid(),
    '10.9.8.7', 98.7, 'secret', '1987-06-05', '2024-05-06 07:08Z', 37, 41.5, '{secret}', '{"secret": 1}', '山田花子'
    FROM generate_series(1, 3) i;
CREATE TABLE shop."Bills" (id integer, secret text);
CREATE TABLE shop.bills (id integer, amount integer);
CREATE SCHEMA "SHOP";
CREATE TABLE "SHOP".orders (id integer, code text);
INSERT INTO "SHOP".orders VALUES (99, 'another schema');
CREATE TABLE shop.regions (id integer, "Region" text, region text);
CREATE TABLE shop.clerks (id integer PRIMARY KEY, name text, region text, note json);
INSERT INTO shop.clerks VALUES (1, 'a', 'North', '{"k": [1, {"z": "v"}]}'), (2, 'b', 'South', '{}'), (3, 'c', 'North', '{"k": 2}');
CREATE TABLE shop.takings (clerk integer, x integer);
INSERT INTO shop.takings VALUES (1, 5), (1, 6), (3, 7), (3, 8);
ANALYZE;
"""
MASKS = ("'null'", "hash", "partial", "year", "{bucket: 10}")
SHOWN = {"secret", "10.9.8.7", "山田花子", "1987-06-05", "98.70", "41.50"}
CALLER = Principal("u", roles=("a",), attributes={"codes": ["12", "13"]})


@pytest.fixture(scope="module")
def shop(postgres: OwnServer) -> Iterator[PostgresWarehouse]:
    with PostgresWarehouse(postgres.url(postgres.fresh("policies", SCRIPT), schemas="shop")) as warehouse:
        yield warehouse


def policy(rows: str, masks: str = "{}") -> Policy:
    return parse(
        f"""
        salt: 100%
        attributes: {{codes: {{type: text, list: true}}}}
        tables:
          shop.orders: {{grants: [{{roles: [a], rows: "{rows}", masks: {masks}}}]}}
          shop.bills: {{grants: [{{roles: [a]}}]}}
          shop.clerks: {{grants: [{{roles: [a], rows: "region = 'North'"}}]}}
          shop.takings: {{grants: [{{roles: [a], rows: "x > 5"}}]}}
          shop.regions: {{grants: [{{roles: [a], rows: "region = 'North'"}}]}}
        """
    )


def check(shop: PostgresWarehouse, sql: str, chosen: Policy | None) -> Verdict:
    return SqlGuard().check(sql, shop.catalog(), CALLER, chosen)


def run(shop: PostgresWarehouse, sql: str, chosen: Policy | None) -> list[dict[str, Any]]:
    verdict = check(shop, sql, chosen)
    assert verdict.allowed, verdict.violations
    return shop.run(verdict.sql, Limits(), verdict.parameters).rows()


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("other", ["", *MASKS], ids=lambda other: f"beside {other or 'nothing'}")
def test_every_mask_runs_on_every_type(shop: PostgresWarehouse, mask: str, other: str) -> None:
    """Alone, and where another grant shows some of the rows in another way."""
    table = shop.catalog().table("shop.orders")
    assert table is not None
    for column in (c.name for c in table.columns if c.name not in ("id", "code")):
        grants = f"- {{roles: [a], rows: 'id > 1', masks: {{{column}: {mask}}}}}"
        if other:
            grants += f"\n            - {{roles: [a], rows: 'id < 2', masks: {{{column}: {other}}}}}"
        text = f"tables:\n        shop.orders:\n          grants:\n            {grants}"
        (shown,) = {
            str(row["x"])
            for row in run(shop, f'SELECT "{column}" AS x FROM shop.orders WHERE id = 2', parse(text))
        }
        assert not any(secret in shown for secret in SHOWN), column


@pytest.mark.parametrize("rows", ["id = 1", "UPPER(LOWER(UPPER(LOWER(code)))) = '12' AND id > 0"])
@pytest.mark.parametrize(
    "condition",
    [
        "1 / (2 - o.id) > 0",
        "CAST(o.code AS integer) = 12",
        "o.id = (SELECT o.id FROM shop.orders p WHERE o.id > 2)",
    ],
)
def test_a_row_of_others_cannot_make_a_query_fail(shop: PostgresWarehouse, rows: str, condition: str) -> None:
    chosen = policy(rows)
    run(shop, f"SELECT o.id FROM shop.orders o WHERE {condition}", chosen)
    run(shop, f"SELECT a.id FROM shop.orders a JOIN shop.orders o ON a.id = o.id AND {condition}", chosen)


def test_where_nothing_can_fail_the_index_is_used(shop: PostgresWarehouse) -> None:
    for sql in (
        "SELECT state, sum(amount / age) AS x FROM shop.orders WHERE born >= CAST('2024-01-01' AS date) GROUP BY state",
        "SELECT date_trunc('month', born) AS m, count(*) FROM shop.orders WHERE name LIKE 'a%' GROUP BY 1 ORDER BY 1",
    ):
        assert "OFFSET" not in check(shop, sql, policy("id = 1")).sql
    assert (
        "OFFSET" not in check(shop, "SELECT 1 / id AS x FROM shop.orders WHERE 1 / id > 0", policy("all")).sql
    )


_JOINED = "FROM shop.clerks s LEFT JOIN shop.takings t ON t.clerk = s.id"


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT s.id, s.name, sum(t.x) AS x {_JOINED} GROUP BY s.id",
        f"SELECT s.id, upper(name) || region AS n, sum(t.x) AS x {_JOINED} GROUP BY 1 ORDER BY s.region, name",
        f"SELECT sum(t.x) AS x {_JOINED} GROUP BY s.id HAVING s.name > '' ORDER BY s.name",
        f"SELECT s.id AS k, s.name, count(*) AS x {_JOINED} GROUP BY k",
        f"SELECT s.name, count(*) AS n, (SELECT max(x) FROM shop.takings z WHERE z.clerk = s.id AND s.region > '') AS m {_JOINED} GROUP BY s.id",
        "WITH w AS (SELECT clerks.name, count(*) AS n FROM shop.clerks GROUP BY clerks.id) SELECT * FROM w",
        "SELECT b.name, count(*) AS n FROM shop.clerks AS b(a, name) GROUP BY b.a",
        f"SELECT s.name, t.clerk, count(*) AS n {_JOINED} GROUP BY s.id, ROLLUP (t.clerk)",
    ],
)
def test_what_a_grouped_key_determines_runs_as_on_a_copy(
    postgres: OwnServer, shop: PostgresWarehouse, sql: str
) -> None:
    found = run(shop, sql, policy("all"))
    copy = """CREATE SCHEMA shop; CREATE TABLE shop.clerks (id integer PRIMARY KEY, name text, region text, note json);
        INSERT INTO shop.clerks VALUES (1, 'a', 'North', '{}'), (3, 'c', 'North', '{}');
        CREATE TABLE shop.takings (clerk integer, x integer);
        INSERT INTO shop.takings VALUES (1, 6), (3, 7), (3, 8);"""
    with PostgresWarehouse(postgres.url(postgres.fresh("grouped", copy), schemas="shop")) as own:
        wanted = run(own, sql, None)
    assert sorted(map(str, found)) == sorted(map(str, wanted)) != []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name, count(*) AS n FROM shop.clerks GROUP BY abs(id)",
        "SELECT name, count(*) AS n FROM shop.clerks GROUP BY ROLLUP (id)",
        "SELECT id, note, count(*) AS n FROM shop.clerks GROUP BY id",
        "SELECT b.name, count(*) AS n FROM shop.clerks AS b(a, id) GROUP BY b.id",
    ],
)
def test_what_no_key_determines_is_refused(shop: PostgresWarehouse, sql: str) -> None:
    assert not check(shop, sql, policy("all")).allowed


def test_a_masked_key_determines_nothing(shop: PostgresWarehouse) -> None:
    masked = parse("tables: {shop.clerks: {grants: [{roles: [a], masks: {id: {bucket: 10}}}]}}")
    sql = "SELECT name, count(*) AS n FROM shop.clerks GROUP BY id"
    assert [v.code for v in check(shop, sql, masked).violations] == ["ungrouped"]


def test_a_key_that_was_inferred_determines_nothing(postgres: OwnServer) -> None:
    script = "CREATE TABLE stores (store_id integer, name text); INSERT INTO stores VALUES (1, 'a'), (2, 'a'), (3, 'b')"
    with PostgresWarehouse(postgres.url(postgres.fresh("keyless", script))) as own:
        (table,) = own.catalog().tables
        assert (table.primary_key, table.key_inferred) == (("store_id",), True)
        sql = "SELECT name, count(*) AS n FROM stores GROUP BY store_id"
        assert [v.code for v in check(own, sql, None).violations] == ["ungrouped"]


def test_a_year_is_shown_of_texts_that_are_dates_alone(postgres: OwnServer) -> None:
    values = ", ".join(f"($${text}$$)" for text in (*YEARS, *NOT_DATES))
    script = f"CREATE TABLE days (day text); INSERT INTO days VALUES {values}"
    masked = parse("tables: {days: {grants: [{roles: [a], masks: {day: year}}]}}")
    with PostgresWarehouse(postgres.url(postgres.fresh("days", script))) as own:
        shown = [row["day"] for row in run(own, "SELECT day FROM days", masked)]
    assert shown == [*YEARS.values(), *(None for _ in NOT_DATES)]


@pytest.mark.parametrize(
    "pattern",
    [r"'ab%\'", r"'ab%' || '\'", "'ab%' || CHR(92)", "'ab%!' ESCAPE '!'", r"'ab%\\\'"],
)
def test_a_pattern_that_fails_where_it_matches_is_refused(shop: PostgresWarehouse, pattern: str) -> None:
    """PostgreSQL tries it on its statistics, whatever rows the query reads."""
    assert not check(shop, f"SELECT id FROM shop.orders WHERE code LIKE {pattern}", policy("id = 1")).allowed


@pytest.mark.parametrize("pattern", [r"'ab\\'", r"'50\%'", "'a' || '%'", "'a!%' ESCAPE '!'", "'%' || name"])
def test_other_patterns_run(shop: PostgresWarehouse, pattern: str) -> None:
    assert run(shop, f"SELECT id FROM shop.orders WHERE code LIKE {pattern}", policy("id = 1")) == []


def test_a_text_that_looks_like_a_parameter_is_not_filled_in(shop: PostgresWarehouse) -> None:
    verdict = check(shop, "SELECT '%(policy_0_codes_0)s' AS x FROM shop.orders", policy("code IN (:codes)"))
    assert [v.code for v in verdict.violations] == ["placeholder"]
    assert run(shop, "SELECT '%(x)s %s 5%' AS x FROM shop.orders", policy("id = 1 AND code IN (:codes)")) == [
        {"x": "%(x)s %s 5%"}
    ]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("note -> 'k' ->> 0", "1"),
        ("note #>> '{k,0}'", "1"),
        ("CAST(note #> '{k,1}' AS text)", '{"z": "v"}'),
        ("note #>> '{k,1,z}'", "v"),
        ("CAST(note AS jsonb) ? 'k'", True),
        ("NOT CAST(note AS jsonb) ? 'x'", True),
        ("CAST(note AS jsonb) ?| ARRAY['x', 'k']", True),
        ("CAST(note AS jsonb) ?& ARRAY['x', 'k']", False),
        ('CAST(note AS jsonb) @> $${"k": [1]}$$', True),
        (r"E'a\nb\'c\\ ''d'", "a\nb'c\\ 'd"),
        ("E'%(policy_1)s 5%'", "%(policy_1)s 5%"),
        (r"$$it's \n$$", r"it's \n"),
        ("$tag$ $$ $tag$", " $$ "),
        ("E''", ""),
    ],
)
def test_json_and_other_spellings_of_strings_run(
    shop: PostgresWarehouse, expression: str, value: object
) -> None:
    sql = f"SELECT {expression} AS x FROM shop.clerks WHERE id = 1"
    verdict = check(shop, sql, policy("all"))
    assert verdict.allowed, verdict.violations
    assert not any(word in verdict.sql for word in (" E'", "$tag$", "$${", "$$it"))
    assert run(shop, sql, policy("all")) == [{"x": value}]


@pytest.mark.parametrize(
    "text", [r"E'\x41'", r"E'\101'", r"E'\u0041'", r"E'\q'", "E'a' 'b'", "$$a$$ $$b$$", "$1"]
)
def test_strings_of_codes_are_refused(shop: PostgresWarehouse, text: str) -> None:
    assert not check(shop, f"SELECT {text} AS x FROM shop.clerks", policy("all")).allowed


def test_a_placeholder_in_another_spelling_is_not_filled_in(shop: PostgresWarehouse) -> None:
    for text in ("$$%(policy_0_codes_0)s$$", "E'%(policy_0_codes_0)s'", r"E'%(pol\x69cy_0_codes_0)s'"):
        sql = f"SELECT {text} AS x FROM shop.orders"
        assert not check(shop, sql, policy("code IN (:codes)")).allowed


def test_tables_that_case_alone_tells_are_listed_for_the_administrator(
    shop: PostgresWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.catalog().left_out == ("shop.Bills", "shop.bills")
    assert visible_catalog(policy("all"), shop.catalog(), CALLER).left_out == ()
    monkeypatch.setattr(status, "open_warehouse", lambda *_, **__: _Kept(shop))
    found = status._warehouse(Settings(home=Path("nowhere"), warehouse="postgresql://here/shop"))
    assert found["tables_left_out"] == ["shop.Bills", "shop.bills"]


class _Kept:
    """The warehouse, for somebody who would close it."""

    def __init__(self, warehouse: PostgresWarehouse) -> None:
        self.catalog = warehouse.catalog

    def close(self) -> None:
        return


@pytest.mark.parametrize("name", ['shop."Bills"', "shop.bills", "bills", '"Bills"', "shop.BILLS"])
def test_names_that_differ_in_case_alone_are_not_there(shop: PostgresWarehouse, name: str) -> None:
    for chosen in (policy("all"), None):
        assert [v.code for v in check(shop, f"SELECT * FROM {name}", chosen).violations] == ["unknown_table"]
    assert not [t for t in shop.catalog().tables if t.name.lower() == "bills"]


def test_another_schema_is_not_read_under_the_name_of_this_one(shop: PostgresWarehouse) -> None:
    """To the engine `"SHOP"` is another schema than `shop`, whether or not there is one."""
    assert run(shop, "SELECT code FROM SHOP.orders", policy("id = 1")) == [{"code": "12"}]
    assert run(shop, 'SELECT "shop".orders.code FROM "shop".orders', None)[0] == {"code": "12"}
    refused = check(shop, 'SELECT code FROM "SHOP".orders', policy("id = 1"))
    assert [v.code for v in refused.violations] == ["unknown_table"]


def test_a_rule_over_a_column_that_case_alone_tells_is_broken(shop: PostgresWarehouse) -> None:
    assert [v.code for v in check(shop, "SELECT id FROM shop.regions", policy("all")).violations] == [
        "policy_broken"
    ]


def test_rewritten_on_everything_is_the_draft_on_the_copy(postgres: OwnServer) -> None:
    """The proof of tests/text2sql/guard/test_differential.py, on PostgreSQL."""
    data = rows()
    callers = (
        Principal("k", attributes={"regions": ("Kanto", "O'Brien % _"), "seller": 2}),
        Principal("s", attributes={"regions": ("Tohoku",), "seller": 4}),
    )
    full, ran = postgres.fresh("everything"), 0
    with postgres.connect(full) as whole, postgres.connect(postgres.fresh("copies")) as copy:
        for table, columns in COLUMNS.items():
            fill(whole, "public", table, list(columns), [list(row.values()) for row in data[table]])
        with (
            PostgresWarehouse(postgres.url(full)) as everything,
            PostgresWarehouse(postgres.url("copies")) as own,
        ):
            for seed in range(40):
                rng = random.Random(seed)
                chosen = {t: rng.sample(rules(t), rng.choice([1, 1, 2])) for t in COLUMNS}
                caller = rng.choice(callers)
                copy.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
                for table, grants in chosen.items():
                    columns, seen = visible(table, data[table], grants, caller)
                    fill(copy, "public", table, columns, list(seen))
                catalog = own.refresh()
                for _ in range(5):
                    draft = QueryMaker(rng).query()
                    verdict = SqlGuard().check(draft, everything.catalog(), caller, policy_of(chosen))
                    alone = SqlGuard().check(draft, catalog, caller)
                    if not verdict.allowed:
                        assert not alone.allowed
                        continue
                    assert outcome(everything, verdict) == outcome(own, alone), f"{draft}\n{verdict.sql}"
                    ran += 1
    assert ran > 100


def fill(connection: Any, schema: str, table: str, columns: list[str], values: list[list[Any]]) -> None:
    spelled = ", ".join(f"{c} {COLUMNS[table][c]}" for c in columns)
    connection.execute(f"CREATE TABLE {schema}.{table} ({spelled})".encode())
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(columns))
        cursor.executemany(f"INSERT INTO {schema}.{table} VALUES ({marks})".encode(), values)


def outcome(warehouse: PostgresWarehouse, verdict: Verdict) -> Counter[Any] | str:
    """Rows in any order, or that the engine refused."""
    try:
        found = warehouse.run(verdict.sql, Limits(), verdict.parameters).table
    except WarehouseError:
        return "refused"
    return Counter(zip(*(map(str, c.to_pylist()) for c in found.columns), strict=True))
