"""What the guard says is read, beside SQLite's authorizer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from evals.proving.bases import SqliteBase
from evals.proving.guards import Asked, verdict
from evals.proving.lineage import compared, read_by_sqlite
from retrieval.types import Principal
from tests.evals.little_sets import make_sqlite
from tests.evals.proving.bakery import QUERIES, SCRIPT

VIEW = "CREATE VIEW grown AS SELECT name, age FROM baker WHERE age > 30;"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteBase]:
    path = make_sqlite(tmp_path_factory.mktemp("lineage") / "bakery.sqlite", SCRIPT + VIEW)
    with closing(SqliteBase(path)) as found:
        yield found


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        *((sql, None) for sql in QUERIES),
        ("SELECT 1 FROM skill", "no column"),
        ("SELECT name FROM grown", "view"),
        ("SELECT * FROM grown, skill", "view"),
        ("SELECT bread FROM skill JOIN baker USING (baker_id)", "USING"),
        ("SELECT * FROM skill NATURAL JOIN baker", None),
        ("SELECT * FROM (SELECT * FROM baker) WHERE age = 1", None),
        ("SELECT * FROM skill RIGHT JOIN baker USING (baker_id)", "USING"),
        (
            "WITH skill AS MATERIALIZED (SELECT name FROM baker) SELECT COUNT(*) FROM skill",
            "WITH of a table's name",
        ),
        ("SELECT b.* FROM baker b WHERE EXISTS (SELECT * FROM skill s WHERE s.baker_id = b.baker_id)", None),
    ],
)
def test_both_say_the_same(base: SqliteBase, sql: str, rule: str | None) -> None:
    said = verdict(sql, Asked(base.catalog, Principal("kim")))
    assert said.allowed, said.violations
    read = read_by_sqlite(base.connection, sql, base.catalog)
    assert read is not None
    found = compared(sql, said.tables, said.columns, read, base.catalog)
    assert found.problem == ""
    assert rule is None or rule in found.rules


def test_what_is_left_out_or_made_up_is_told(base: SqliteBase) -> None:
    sql = "SELECT b.name FROM baker AS b JOIN skill AS s ON s.baker_id = b.baker_id"
    read = read_by_sqlite(base.connection, sql, base.catalog)
    assert read is not None
    right = ("baker.name", "baker.baker_id", "skill.baker_id")
    assert compared(sql, ("baker", "skill"), right, read, base.catalog).same
    assert (
        "SQLite alone reads: skill.baker_id"
        in compared(sql, ("baker", "skill"), right[:2], read, base.catalog).problem
    )
    assert (
        "the guard alone names: branch"
        in compared(sql, ("baker", "skill", "branch"), right, read, base.catalog).problem
    )
    assert "SQLite alone reads: skill" in compared(sql, ("baker",), right[:2], read, base.catalog).problem
    assert read_by_sqlite(base.connection, "SELECT none FROM baker", base.catalog) is None
