from __future__ import annotations

import sqlite3

import pytest

from evals.comparing import is_ordered, is_query, spelled_out, statements, to_sqlite


@pytest.mark.parametrize(
    ("sql", "ordered"),
    [
        ("SELECT a FROM t ORDER BY a", True),
        ("SELECT a FROM t ORDER BY a LIMIT 3", True),
        ("SELECT a FROM (SELECT a FROM t ORDER BY a)", False),
        ("SELECT a FROM t WHERE b = (SELECT max(b) FROM t ORDER BY b LIMIT 1)", False),
        ("SELECT a, row_number() OVER (ORDER BY a) FROM t", False),
        ("SELECT a FROM t UNION SELECT b FROM u ORDER BY 1", True),
        ("(SELECT a FROM t ORDER BY a)", True),
        ("WITH x AS (SELECT a FROM t ORDER BY a) SELECT a FROM x", False),
        ("SELECT a FROM t WHERE ((( ORDER BY a", True),
        ("SELECT a FROM (SELECT ORDER BY a) WHERE ((", False),
    ],
)
def test_only_the_outermost_order_counts(sql: str, ordered: bool) -> None:
    assert is_ordered(sql, "sqlite") is ordered


def test_a_query_is_one_statement_that_reads() -> None:
    assert is_query("SELECT 1;", "postgres")
    assert is_query("WITH x AS (SELECT 1) SELECT * FROM x", "postgres")
    for text in (
        "DROP TABLE t",
        "SELECT 1; SELECT 2",
        "COPY t TO '/tmp/t'",
        "CREATE TABLE t AS SELECT 1",
        "",
    ):
        assert not is_query(text, "postgres")


def test_statements_end_at_semicolons_outside_quotes() -> None:
    text = "SELECT ';' AS \"a;b\"; -- one; two\nSELECT 2 /* ; */;; "
    assert statements(text) == ["SELECT ';' AS \"a;b\"", "-- one; two\nSELECT 2 /* ; */"]


def test_braces_stand_for_every_choice_the_fullest_first() -> None:
    said = spelled_out("SELECT {a.x, a.y}, count(*) FROM a GROUP BY {}")
    assert said == [
        "SELECT a.x, a.y, count(*) FROM a GROUP BY a.x, a.y",
        "SELECT a.x, count(*) FROM a GROUP BY a.x",
        "SELECT a.y, count(*) FROM a GROUP BY a.y",
    ]
    assert spelled_out("SELECT 1") == ["SELECT 1"]
    assert len(spelled_out("SELECT {a,b}, {c,d}")) == 9
    assert len(spelled_out("SELECT {a,b,c,d,e,f,g,h,i}")) == 64
    assert spelled_out("SELECT {}") == []


def test_a_statement_for_postgresql_is_said_in_sqlite_without_schemas() -> None:
    said = to_sqlite("SELECT s.name FROM shop.staff AS s WHERE s.name ILIKE '%a%'")
    assert said is not None
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE staff (name)")
        connection.executemany("INSERT INTO staff VALUES (?)", [("ANA",), ("Bob",)])
        assert connection.execute(said).fetchall() == [("ANA",)]
    connection.close()
    assert to_sqlite("SELECT FROM WHERE") is None
