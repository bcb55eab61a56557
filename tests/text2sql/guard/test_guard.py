"""The guard as a whole: never open, always with a reason, a place and a way out."""

from __future__ import annotations

import time
from typing import Any

import pytest

import text2sql.guard as guard_module
from retrieval.types import Principal
from tests.text2sql.guard.cases import shop
from text2sql.guard import SqlGuard
from text2sql.guard.allowlist import DIALECTS, allowlist
from text2sql.guard.lines import check_lines
from text2sql.policy import parse
from text2sql.types import Catalog, Column, Dialect, Profile, Table, Verdict

CALLER = Principal("ana")


def check(sql: Any, dialect: Dialect = "sqlite") -> Verdict:
    return SqlGuard().check(sql, shop(dialect), CALLER)


def refused(sql: str, dialect: Dialect = "sqlite") -> tuple[str, int, int]:
    violation = check(sql, dialect).violations[0]
    assert violation.position is not None
    return violation.code, violation.position.line, violation.position.column


# Never open.


@pytest.mark.parametrize(
    "step", ["read", "check_wording", "check_nodes", "check_functions", "write_policies", "write_out"]
)
def test_whatever_breaks_inside_is_a_refusal(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise MemoryError("secret detail")

    monkeypatch.setattr(guard_module, step, broken)
    verdict = check("SELECT name FROM stores")
    assert not verdict.allowed
    assert verdict.sql == ""
    assert verdict.violations[0].code == "internal"
    assert "secret" not in verdict.violations[0].message


@pytest.mark.parametrize("sql", [None, 3, b"SELECT 1", ["SELECT 1"]])
def test_what_is_not_text_is_refused(sql: Any) -> None:
    assert check(sql).violations[0].code == "not_text"


@pytest.mark.parametrize(
    "sql", ["", "   \n\t", ";", ";;", "/* only */", "SELECT 1\x00", "\ufeff", "\x1a\x1b", "🙂", "'"]
)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_odd_texts_are_refused(sql: str, dialect: Dialect) -> None:
    assert not check(sql, dialect).allowed


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
        "SELECT " + "NOT " * 5_000 + "1",
        "SELECT " + "- " * 5_000 + "1",
        "SELECT " + "CASE WHEN 1 THEN " * 2_000 + "1" + " END" * 2_000,
        "SELECT * FROM " + "(SELECT * FROM " * 1_000 + "stores" + ")" * 1_000,
        "SELECT 1" + " UNION SELECT 1" * 3_000,
        "SELECT " + "1 + " * 9_000 + "1",
        "SELECT '" + "x" * 60_000 + "'",
        "SELECT * FROM stores WHERE " + " AND ".join(["region = 'x'"] * 1_500),
    ],
    ids=lambda sql: sql[:24],
)
def test_deep_and_long_statements_end_in_time(sql: str) -> None:
    started = time.monotonic()
    verdict = check(sql)
    assert time.monotonic() - started < 20
    assert verdict.allowed or verdict.violations[0].code in ("too_deep", "too_long", "syntax")


def test_an_unknown_dialect_is_refused() -> None:
    catalog = Catalog("oracle", shop("sqlite").tables)  # type: ignore[arg-type]
    assert SqlGuard().check("SELECT 1", catalog, CALLER).violations[0].code == "dialect"


# Places and ways out.


def test_positions_are_of_the_draft() -> None:
    assert refused("SELECT name,\n  nmae\nFROM stores") == ("unknown_column", 2, 3)
    assert refused("SELECT name\nFROM stores AS s\nJOIN payroll AS p ON 1 = 1") == ("unknown_table", 3, 6)
    assert refused("SELECT x.name FROM stores AS s") == ("unknown_source", 1, 8)
    assert refused("SELECT 1;\nDROP TABLE stores") == ("many_statements", 1, 9)
    assert refused("SELECT FROBNICATE(name) FROM stores") == ("function", 1, 8)
    assert refused("SELECT name FROM stores ORDER BY name WHERE 1 = 1")[0::2] == ("syntax", 39)
    assert refused("SELECT name FROM stores WHERE (1 = 1")[0] == "syntax"


def test_a_way_out_is_offered() -> None:
    violation = check("SELECT nmae FROM stores").violations[0]
    assert violation.suggestions == ("name",)
    assert "Did you mean name?" in violation.message
    assert check("SELECT * FROM store").violations[0].suggestions[0] == "stores"
    assert check("SELECT store_id FROM stores JOIN sales ON 1 = 1").violations[0].suggestions == (
        "stores.store_id",
        "sales.store_id",
    )
    assert "reads or loads files" in check("SELECT load_extension('x')").violations[0].message


def test_a_verdict_says_what_was_proved() -> None:
    verdict = check(
        "SELECT s.name, COUNT(*) FROM stores AS s JOIN sales AS x ON x.store_id = s.store_id GROUP BY s.store_id, s.name"
    )
    assert verdict.tables == ("stores", "sales")
    assert set(verdict.columns) == {"stores.name", "stores.store_id", "sales.store_id"}
    assert [step.name for step in verdict.checks] == [
        "one statement",
        "only reads",
        "names resolve",
        "rewritten and read back",
    ]
    failed = check("SELECT nmae FROM stores")
    assert [step.passed for step in failed.checks] == [True, True, False]


def test_schemas_are_written_out() -> None:
    tables = (
        Table("sales", (Column("id", "INTEGER"),), schema="shop"),
        Table("Odd One", (Column("Id", "INTEGER"),), schema="shop"),
    )
    catalog = Catalog("postgres", tables, default_schema="shop")
    assert SqlGuard().check("SELECT id FROM sales", catalog, CALLER).sql == "SELECT id FROM shop.sales"
    quoted = SqlGuard().check('SELECT id FROM "Odd One"', catalog, CALLER)
    assert quoted.sql == 'SELECT "Id" FROM shop."Odd One"'
    assert not SqlGuard().check("SELECT id FROM public.sales", catalog, CALLER).allowed


def test_two_tables_that_differ_by_case_are_two_tables() -> None:
    tables = (Table("secret", (Column("a", "int"),)), Table("Secret", (Column("b", "int"),)))
    verdict = SqlGuard().check("SELECT a FROM secret", Catalog("postgres", tables), CALLER)
    assert verdict.allowed is False or verdict.sql == "SELECT a FROM secret"


# Warnings.


def warned(sql: str, catalog: Catalog) -> list[str]:
    verdict = SqlGuard().check(sql, catalog, CALLER)
    assert verdict.allowed, verdict.violations
    return [warning.code for warning in verdict.warnings]


def test_a_value_that_is_not_there() -> None:
    region = Column("region", "TEXT", "text", profile=Profile(distinct=2, values=("Kanto", "Kansai")))
    catalog = Catalog("sqlite", (Table("stores", (region, Column("name", "TEXT", "text"))),))
    verdict = SqlGuard().check("SELECT name FROM stores WHERE region = 'Kantō'", catalog, CALLER)
    assert verdict.warnings[0].code == "literal_absent"
    assert verdict.warnings[0].suggestions[0] == "Kanto"
    assert warned("SELECT name FROM stores WHERE region IN ('Kanto', 'Mars')", catalog) == ["literal_absent"]
    assert warned("SELECT name FROM stores WHERE region = 'Kanto' OR name = 'Mars'", catalog) == []
    narrow = parse("tables: {stores: {grants: [{roles: [everyone], rows: \"region = 'Kanto'\"}]}}")
    assert (
        SqlGuard().check("SELECT name FROM stores WHERE region = 'x'", catalog, CALLER, narrow).warnings == ()
    )


def test_tables_that_nothing_joins() -> None:
    catalog = shop("sqlite")
    assert warned("SELECT stores.name FROM stores, sales", catalog) == ["cartesian"]
    assert (
        warned("SELECT stores.name FROM stores, sales WHERE stores.store_id = sales.store_id", catalog) == []
    )
    assert warned("SELECT s.name FROM stores AS s JOIN sales AS x USING (store_id)", catalog) == []
    assert (
        warned("SELECT name FROM stores CROSS JOIN (SELECT MAX(amount) AS m FROM sales) AS t", catalog) == []
    )


def test_rows_that_a_join_repeats() -> None:
    catalog = shop("sqlite")
    sql = "SELECT SUM({}) FROM stores AS s JOIN sales AS x ON x.store_id = s.store_id"
    assert warned(sql.format("s.store_id"), catalog) == ["fan_out"]
    assert warned(sql.format("x.amount"), catalog) == []


def test_columns_beside_an_aggregate() -> None:
    assert warned("SELECT name, COUNT(*) FROM stores GROUP BY region", shop("sqlite")) == ["ungrouped"]
    # The key determines the name: nothing is ungrouped, though every group is one row.
    assert warned("SELECT name, COUNT(*) FROM stores GROUP BY store_id", shop("sqlite")) == ["group_of_one"]


# Speed.


def test_the_cost_does_not_grow_with_the_catalogue() -> None:
    many = tuple(Table(f"t{i}", (Column("id", "int"), Column("name", "text"))) for i in range(10_000))
    small, large = Catalog("sqlite", many[:10]), Catalog("sqlite", many)
    guard, sql = SqlGuard(), "SELECT a.name FROM t1 AS a JOIN t2 AS b ON a.id = b.id WHERE a.name = 'x'"

    def cost(catalog: Catalog) -> float:
        guard.check(sql, catalog, CALLER)
        best = []
        for _ in range(30):
            started = time.process_time()
            guard.check(sql, catalog, CALLER)
            best.append(time.process_time() - started)
        return min(best)

    assert cost(large) < 3 * cost(small) + 0.002


# Lines.


def test_lines_of_json() -> None:
    lines = [
        '{"id": 1, "sql": "SELECT name FROM stores"}',
        "not json",
        '{"id": "x"}',
        "[1]",
        "",
        '{"id": "y", "sql": 3}',
        '{"id": "z", "sql": "DROP TABLE stores"}',
    ]
    found = list(check_lines(lines, dialect="sqlite", catalog=shop("sqlite"), principal=CALLER))
    assert [line["id"] for line in found] == [1, 2, "x", 4, "y", "z"]
    assert [line["allowed"] for line in found] == [True, False, False, False, False, False]
    assert found[0]["sql"] == "SELECT name FROM stores"
    assert found[0]["tables"] == ["stores"]
    assert found[0]["columns"] == ["stores.name"]
    assert found[0]["policy"] is None
    assert found[1]["violations"][0]["code"] == "not_json"
    assert found[5]["violations"][0] == {
        "code": "not_a_query",
        "message": "DROP is not a query; only SELECT runs here.",
        "position": {"line": 1, "column": 1},
        "subject": "DROP",
        "suggestions": [],
    }


def test_lines_of_a_dialect_we_do_not_know() -> None:
    found = list(
        check_lines(['{"id": 1, "sql": "SELECT 1"}'], dialect="oracle", catalog=None, principal=CALLER)
    )
    assert found[0]["allowed"] is False
    assert found[0]["violations"][0]["code"] == "dialect"


# The lists themselves.


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_lists_read_and_do_not_contradict_themselves(dialect: Dialect) -> None:
    allowed = allowlist(dialect)
    kinds = {kind for function in allowed.functions.values() for kind, _ in function.kinds}
    assert kinds <= {"aggregate", "window", "scalar", "generator", "table", "sized", "formatted"}
    assert not allowed.functions.keys() & allowed.excluded.keys()
    assert all(numbers for function in allowed.functions.values() for _, numbers in function.kinds)
    assert "Insert" not in allowed.nodes
    assert "Placeholder" not in allowed.nodes
    assert "hint" not in allowed.nodes["Select"]
    assert "locks" not in allowed.nodes["Select"]
    assert "into" not in allowed.nodes["Select"]


def test_an_unknown_dialect_has_no_list() -> None:
    with pytest.raises(KeyError):
        allowlist("oracle")
