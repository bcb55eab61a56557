"""Random policies, and that Python's reading of a predicate is each engine's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from evals.errors import EvalError
from evals.proving.bases import DuckdbBase, SqliteBase
from evals.proving.copies import parts, quoted
from evals.proving.drawing import drawn
from evals.proving.policies import posed
from retrieval.types import Principal
from tests.evals.little_sets import make_sqlite
from tests.evals.proving.bakery import duckdb_file, sqlite_file
from text2sql.policy import parse, problems

ODD = """
CREATE TABLE odd (id INTEGER, code TEXT, mixed INT, loose, folded TEXT COLLATE NOCASE);
INSERT INTO odd VALUES (1, '7', 7, '7', 'Abc'), (2, '07', 'seven', 7, 'aBC'), (3, NULL, 7.5, NULL, 'b'),
  (4, 'x''y', '7', 1.5, NULL), (5, '7', NULL, x'07', 'ABC'), (6, 'X%_', -3, 'x', 'abd');
"""
ASKED = (
    "code = 7", "code < 8", "mixed = '7'", "mixed > 6", "mixed IN (7, 'seven')", "mixed < 'a'", "loose = 7", "loose = '7'",
    "loose > 1", "folded = 'ABC'", "folded > 'abc'", "code LIKE 'x%'", "mixed LIKE '7%'", "NOT (code = '7' OR mixed IS NULL)",
    "code IN (7, '07')", "id BETWEEN 2 AND 4 AND NOT folded = 'b'", "COALESCE(mixed, 7) = 7", "id + 1 < mixed", "NOT loose IS NULL",
    "LOWER(code) = 'x%_'", "id * 2 - 1 > 5 OR code IS NULL AND mixed > 7",
)  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SqliteBase, DuckdbBase]]:
    folder = tmp_path_factory.mktemp("bases")
    with closing(SqliteBase(sqlite_file(folder))) as one, closing(DuckdbBase(duckdb_file(folder))) as other:
        yield one, other


def test_the_same_seed_is_the_same_policy_and_each_fits_the_catalogue(
    both: tuple[SqliteBase, DuckdbBase],
) -> None:
    for base in both:
        for seed in range(40):
            first = drawn(base.catalog, base.data, seed)
            assert first.yaml == drawn(base.catalog, base.data, seed).yaml
            assert problems(first.policy, base.catalog) == []
            # Read back from its YAML, it means the same.
            again = posed(first.policy, first.yaml, first.principal, base.catalog)
            assert [p.rows for p in parts(base.catalog, base.data, first, {})] == [
                p.rows for p in parts(base.catalog, base.data, again, {})
            ]


def test_policies_are_of_every_kind(both: tuple[SqliteBase, DuckdbBase]) -> None:
    base = both[1]
    text = "".join(drawn(base.catalog, base.data, seed).yaml for seed in range(150))
    for part in ("bucket", "partial", "hash", "year", "'null'", "hide", "discoverable", " IN (:", "LIKE", "BETWEEN", "NOT (",
                 " OR ", " AND ", "IS NULL", "< ", "salt", "list: true", "auditor", ":nobody"):  # fmt: skip
        assert part in text, part


def test_the_rows_of_a_predicate_are_those_that_the_engine_finds(both: tuple[SqliteBase, DuckdbBase]) -> None:
    """The predicates of random policies, asked of the engine itself, with the caller's attributes as parameters."""
    seen: Counter[str] = Counter()
    for base in both:
        sign = ":" if isinstance(base, SqliteBase) else "$"
        for seed in range(80):
            under = drawn(base.catalog, base.data, seed)
            for part in parts(base.catalog, base.data, under, {}):
                texts, bound = [], {}
                for grant in under.policy.grants(part.table, under.principal):
                    text = grant.rows if grant.predicate else "TRUE"
                    for name, values in under.bound.items():
                        if f":{name}" in text:
                            marks = [f"{name}_{i}" for i in range(len(values))]
                            bound |= dict(zip(marks, values, strict=True))
                            text = text.replace(f":{name}", ", ".join(f"{sign}{mark}" for mark in marks))
                    texts.append(f"({text})")
                count = base.full(
                    f"SELECT COUNT(*) FROM {quoted(part.table.name)} WHERE {' OR '.join(texts)}", bound
                )
                assert count.rows[0][0] == len(part.rows), under.yaml
                seen["narrowed"] += len(part.rows) < len(base.data[part.table.qualified])
    assert seen["narrowed"] > 50


@pytest.mark.parametrize("rows", ASKED)
def test_a_predicate_over_awkward_values_is_read_as_sqlite_reads_it(tmp_path: Path, rows: str) -> None:
    text = f'tables:\n  odd:\n    grants:\n      - roles: [everyone]\n        rows: "{rows}"\n'
    with closing(SqliteBase(make_sqlite(tmp_path / "odd.sqlite", ODD))) as base:
        under = posed(parse(text), text, Principal("kim"), base.catalog)
        (part,) = parts(base.catalog, base.data, under, base.collations)
        wanted = base.full(f"SELECT id FROM odd WHERE {rows}")
    assert wanted.failure == ""
    assert [row[0] for row in part.rows] == [row[0] for row in wanted.rows]


def test_what_python_cannot_follow_is_said(tmp_path: Path) -> None:
    text = 'tables:\n  odd:\n    grants:\n      - {roles: [everyone], rows: "CASE WHEN id = 1 THEN 1 ELSE 0 END = 1"}\n'
    with (
        closing(SqliteBase(make_sqlite(tmp_path / "odd.sqlite", ODD))) as base,
        pytest.raises(EvalError, match="CASE"),
    ):
        posed(parse(text), text, Principal("kim"), base.catalog)
