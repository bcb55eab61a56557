"""The lists of functions and types against the engines themselves: nothing unclassified, nothing that is not there."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from functools import cache
from typing import Any

import duckdb
import pytest

from retrieval.postgres.database import Database
from retrieval.types import Principal
from text2sql.ddl import catalog_from_ddl
from text2sql.guard import SqlGuard
from text2sql.guard.allowlist import DIALECTS, Allowlist, allowlist
from text2sql.types import Dialect, Verdict

DDL = "CREATE TABLE t (a INTEGER, b TEXT, c REAL, d TEXT, e INTEGER);"
CALLER = Principal("ana")
LANGUAGE = {
    "duckdb": "array case cast coalesce columns date exists extract grouping grouping_id ifnull not percentile_cont percentile_disc "
    "try try_cast",
    "postgres": "array case cast coalesce current_date current_time current_timestamp exists extract greatest grouping json_array json_object "
    "json_arrayagg json_exists json_objectagg json_query json_scalar json_table json_value least localtime localtimestamp not nullif row trim",
    "sqlite": "cast exists not",
}
"""Written like functions, but known to no catalogue: they are the parser's own."""
NUMBERS = range(7)


@cache
def check(sql: str, dialect: Dialect) -> Verdict:
    return SqlGuard().check(sql, catalog_from_ddl(DDL, dialect), CALLER)


def classified(allowed: Allowlist, name: str) -> bool:
    return name in allowed.functions or bool(allowed.why_not(name))


# What the engines have.


def sqlite_functions() -> dict[str, set[str]]:
    connection = sqlite3.connect(":memory:")
    names = {str(row[0]) for row in connection.execute("PRAGMA function_list")}
    tables = {str(row[0]) for row in connection.execute("PRAGMA module_list")}
    return {"function": {n for n in names if n[0].isalpha()}, "table": tables}


Signatures = dict[str, list[tuple[int, int, bool]]]
"""Name -> fewest and most arguments that are declared, and whether more may follow."""


@cache
def duckdb_functions() -> Signatures:
    rows = (
        duckdb.connect()
        .execute("SELECT function_name, len(parameters), varargs, function_type FROM duckdb_functions()")
        .fetchall()
    )
    found: Signatures = defaultdict(list)
    for name, number, more, kind in rows:
        if (name[0].isalpha() and " " not in name) or name[0] == "_":
            # The engine tells of the longest form of lag and lead alone.
            fewest = 1 if name in ("lag", "lead") else number
            found[name.lower()].append(
                (fewest, number, more is not None) if kind != "pragma" else (-1, -1, False)
            )
    return found


def postgres_functions(database: Database) -> Signatures:
    with database.connection() as connection:
        rows = connection.execute(
            "SELECT proname, pronargs - pronargdefaults, pronargs, provariadic <> 0 FROM pg_proc "
            "WHERE pronamespace = 'pg_catalog'::regnamespace"
        ).fetchall()
    found: Signatures = defaultdict(list)
    for name, fewest, most, more in rows:
        # A variadic parameter stands for one or more; what takes nothing besides is declared apart.
        found[str(name).lower()].append((int(fewest), int(most), bool(more)))
    return found


def takes(signatures: list[tuple[int, int, bool]], number: int) -> bool:
    return any(low <= number <= high or (more and number >= low) for low, high, more in signatures)


# Nothing unclassified.


def test_every_function_of_sqlite_is_classified() -> None:
    found = sqlite_functions()
    allowed = allowlist("sqlite")
    assert [n for n in sorted(found["function"] | found["table"]) if not classified(allowed, n)] == []


def test_every_function_of_duckdb_is_classified() -> None:
    allowed = allowlist("duckdb")
    found = duckdb_functions()
    assert len(found) > 1_000
    assert [n for n in sorted(found) if not classified(allowed, n)] == []


def test_every_function_of_postgres_is_classified(database: Database) -> None:
    allowed = allowlist("postgres")
    found = postgres_functions(database)
    assert len(found) > 2_500
    assert [n for n in sorted(found) if not classified(allowed, n)] == []
    assert [n for n in allowed.functions if n not in found and n not in LANGUAGE["postgres"].split()] == []
    assert set(_wrong_numbers(allowed, found)) <= {
        f"unnest({number})" for number in NUMBERS
    }  # in FROM, it takes many


def _wrong_numbers(allowed: Allowlist, found: Signatures) -> list[str]:
    """Names that are allowed with a number of arguments that the engine does not know."""
    return [
        f"{name}({number})"
        for name, function in allowed.functions.items()
        for number in NUMBERS
        if name in found
        and function.kind(number)
        and not takes(found[name], number)
        and name not in allowed.in_order
        and name not in LANGUAGE[allowed.dialect].split()
    ]


def test_nothing_is_allowed_that_duckdb_does_not_have() -> None:
    allowed, found = allowlist("duckdb"), duckdb_functions()
    assert [n for n in allowed.functions if n not in found and n not in LANGUAGE["duckdb"].split()] == []
    # Of these the last argument may be left out, or is named, which the engine's list does not say.
    assert set(_wrong_numbers(allowed, found)) == {"to_base(2)", "reservoir_quantile(2)", "unnest(2)"}
    assert duckdb.connect().execute("SELECT to_base(10, 2)").fetchall() == [("1010",)]
    assert duckdb.connect().execute("SELECT reservoir_quantile(1, 0.5)").fetchall() == [(1,)]
    assert duckdb.connect().execute("SELECT unnest([[1]], recursive := true)").fetchall() == [(1,)]


@pytest.mark.parametrize("dialect", ["athena", "redshift"])
def test_engines_out_of_reach_have_long_lists_and_reasons(dialect: Dialect) -> None:
    allowed = allowlist(dialect)
    assert len(allowed.functions) > 300
    assert all(len(why) > 8 for why in allowed.excluded.values())


# SQLite says itself what it takes.

FORMS = (
    "SELECT {call} FROM t",
    "SELECT {distinct} FROM t",
    "SELECT {call} OVER (ORDER BY a) FROM t",
    "SELECT {distinct} OVER (ORDER BY a) FROM t",
    "SELECT {call} FILTER (WHERE a > 1) FROM t",
    "SELECT {call} FILTER (WHERE a > 1) OVER (ORDER BY a) FROM t",
    "SELECT a FROM t WHERE {call} > 1",
    "SELECT a FROM t GROUP BY {call}",
    "SELECT SUM({call}) FROM t",
    "SELECT a, COUNT(*) FROM t GROUP BY a HAVING {call} > 1",
    "SELECT a FROM t ORDER BY {call}",
    "SELECT a FROM t GROUP BY a ORDER BY {call}",
    "SELECT a FROM t JOIN (SELECT 1 AS z) ON {call} > 1",
    "SELECT a FROM t WHERE a > (SELECT {call})",
    "SELECT {call} AS y FROM t WHERE y > 1",
    "SELECT * FROM {call}",
    "SELECT a FROM t LIMIT {call}",
)
STRICTER = {"unbounded"}
"""Codes of what is refused though SQLite would begin to run it."""


def _statements(names: list[str], forms: tuple[str, ...]) -> list[str]:
    made: list[str] = []
    for name in names:
        for number in range(6):
            arguments = ", ".join("abcde"[:number])
            call, distinct = f"{name}({arguments})", f"{name}(DISTINCT {arguments})"
            made.extend(form.format(call=call, distinct=distinct) for form in forms)
    return made


def _names(dialect: Dialect) -> list[str]:
    """What this dialect allows and excludes, and what the others know."""
    own = allowlist(dialect)
    others = {n for d in DIALECTS for n in allowlist(d).functions}
    excluded = {n for n in own.excluded if not n.endswith("*")} if dialect == "sqlite" else set()
    return sorted(own.functions.keys() | excluded | others)


def _disagreements(names: list[str], forms: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Statements that pass and fail in SQLite, and those that are refused and would run."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(DDL)
    guard, catalog = SqlGuard(), catalog_from_ddl(DDL, "sqlite")
    passed, refused = [], []
    for sql in _statements(names, forms):
        verdict = guard.check(sql, catalog, CALLER)
        try:
            connection.execute(f"EXPLAIN {sql}")
            runs = True
        except sqlite3.Error:
            runs = False
        if verdict.allowed and not runs:
            passed.append(sql)
        elif runs and not verdict.allowed and not _on_purpose(verdict):
            refused.append(f"{sql}: {verdict.violations[0].message}")
    return passed, refused


def _on_purpose(verdict: Verdict) -> bool:
    found = verdict.violations[0]
    return found.code in STRICTER or (
        found.code == "function" and bool(allowlist("sqlite").why_not(found.subject))
    )


ODD = (
    "()",
    "DISTINCT",
    "json_extract(a)",
    "like(a, b, c)",
    "match(a, b)",
    "json_object(",
    "json_insert(",
    "json_remove(a)",
    "json_replace(",
    "json_set(",
)
"""Forms that SQLite lets through and nobody writes: nothing in the brackets, DISTINCT before a scalar's arguments;
and odd numbers of arguments that it finds wrong only when it runs."""


def test_sqlite_and_the_guard_agree_on_every_call() -> None:
    passed, refused = _disagreements(_names("sqlite"), FORMS[:1])
    assert passed == []
    assert [r for r in refused if not any(odd in r for odd in ODD)] == []


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, 24))])
def test_sqlite_and_the_guard_agree_on_every_place_of_a_call(part: int) -> None:
    passed, refused = _disagreements(_names("sqlite")[part::24], FORMS)
    assert passed == []
    assert [r for r in refused if not any(odd in r for odd in ODD)] == []


# Types.


def duckdb_types() -> list[str]:
    rows = duckdb.connect().execute("SELECT DISTINCT lower(type_name) FROM duckdb_types()").fetchall()
    return sorted(str(row[0]) for row in rows)


def postgres_types(database: Database) -> list[str]:
    with database.connection() as connection:
        rows = connection.execute(
            "SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace "
            "AND typtype <> 'c' AND typcategory <> 'A' AND typtype <> 'p' ORDER BY 1"
        ).fetchall()
    return [str(row[0]) for row in rows]


def _unclassified_types(names: list[str], dialect: Dialect) -> list[str]:
    """Types that are neither allowed nor excluded, or both."""
    excluded = allowlist(dialect).excluded_types
    return [
        name
        for name in names
        if check(f"SELECT CAST(NULL AS {_written(name)}) AS x FROM t", dialect).allowed == (name in excluded)
    ]


def _written(name: str) -> str:
    return {"char": '"char"', "bit": "bit(3)"}.get(name, name)


def test_every_type_of_duckdb_is_classified() -> None:
    assert _unclassified_types([n for n in duckdb_types() if n not in ("char", "bit")], "duckdb") == []


def test_every_type_of_postgres_is_classified(database: Database) -> None:
    assert _unclassified_types(postgres_types(database), "postgres") == []


@pytest.mark.parametrize("dialect", ["postgres", "redshift"])
def test_no_type_reads_the_catalogue(dialect: Dialect) -> None:
    for name in (
        "regclass",
        "regproc",
        "regrole",
        "regtype",
        "oid",
        "xid",
        "tid",
        "name",
        "pg_catalog.regclass",
        "mood",
    ):
        for sql in (f"SELECT CAST('t' AS {name}) FROM t", f"SELECT 't'::{name} FROM t"):
            assert not check(sql, dialect).allowed, sql


# Where OVER, FILTER and WITHIN GROUP may stand.


@pytest.mark.parametrize(
    ("sql", "dialect", "code"),
    [
        ("SELECT UPPER(b) OVER () FROM t", "postgres", "window"),
        ("SELECT UPPER(b) FILTER (WHERE a > 1) FROM t", "duckdb", "arguments"),
        ("SELECT ROW_NUMBER() FILTER (WHERE a > 1) OVER () FROM t", "postgres", "arguments"),
        ("SELECT COUNT(DISTINCT a) OVER () FROM t", "postgres", "window"),
        ("SELECT COUNT(DISTINCT a) OVER () FROM t", "duckdb", ""),
        ("SELECT SUM(a) WITHIN GROUP (ORDER BY a) FROM t", "postgres", "arguments"),
        ("SELECT PERCENTILE_CONT(0.5) FROM t", "postgres", "arguments"),
        ("SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a) FROM t", "postgres", ""),
        ("SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a) FILTER (WHERE a > 1) FROM t", "postgres", ""),
        ("SELECT MODE() WITHIN GROUP (ORDER BY a) FROM t", "duckdb", ""),
        ("SELECT LISTAGG(b, ',') WITHIN GROUP (ORDER BY a) FROM t", "athena", ""),
        ("SELECT LISTAGG(b, ',') FROM t", "redshift", ""),
        ("SELECT SUM(a) FILTER (WHERE a > 1) OVER (ORDER BY a) FROM t", "sqlite", ""),
        ("SELECT SUBSTRING(b FROM 2 FOR 3), POSITION('x' IN b) FROM t", "postgres", ""),
        ("SELECT SUBSTRING(b) FROM t", "postgres", "arguments"),
    ],
)
def test_what_stands_after_a_call(sql: str, dialect: Dialect, code: str) -> None:
    verdict = check(sql, dialect)
    assert "".join(v.code for v in verdict.violations) == code


# What to write instead.


@pytest.mark.parametrize(
    ("call", "dialect", "offered"),
    [
        ("YEAR(b)", "sqlite", "strftime('%Y', …)"),
        ("DATEDIFF(b, d)", "sqlite", "julianday(a) - julianday(b)"),
        ("STDDEV(a)", "sqlite", "sqrt(avg(x * x) - avg(x) * avg(x))"),
        ("LEFT(b, 2)", "sqlite", "substr(…, 1, n)"),
        ("TO_CHAR(b, 'YYYY')", "sqlite", "strftime('%Y-%m-%d', …)"),
        ("ISNULL(a, 1)", "sqlite", "coalesce(…, …)"),
        ("IFNULL(a, 1)", "postgres", "coalesce(…, …)"),
        ("GROUP_CONCAT(b)", "postgres", "string_agg(…, ', ')"),
        ("NVL(a, 1)", "duckdb", "coalesce(…, …)"),
        ("STRING_AGG(b, ',')", "athena", "array_join(array_agg(…), ', ')"),
        ("IFNULL(a, 1)", "redshift", "nvl(…, …)"),
    ],
)
def test_a_refused_function_is_answered_in_the_dialect(call: str, dialect: Dialect, offered: str) -> None:
    violation = check(f"SELECT {call} FROM t", dialect).violations[0]
    assert violation.code == "function"
    assert offered in violation.suggestions
    assert offered in violation.message


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_counterpart_is_of_what_the_dialect_allows_or_names_what_it_does_not(dialect: Dialect) -> None:
    allowed = allowlist(dialect)
    assert [n for n in allowed.counterparts if n in allowed.functions] == []
    called: Any = [
        word.rpartition(" ")[2].lstrip("(")
        for ways in allowed.counterparts.values()
        for way in ways
        for word in way.split("(")[:-1]
    ]
    words = {"over", "in", "by", "from", "filter", "group", ""}
    assert {
        n
        for n in called
        if n.isidentifier() and n.lower() not in words and n.lower() not in allowed.functions
    } == set()
