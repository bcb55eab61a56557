"""The proof itself: that our guard passes it, and that it finds guards that are broken on purpose with few statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from evals.proving.bases import DuckdbBase, SqliteBase
from evals.proving.drawing import drawn
from evals.proving.guards import Asked, Refusal, Rewritten, bunmyaku
from evals.proving.planted import MISTAKES
from evals.proving.policies import posed
from evals.proving.proof import Proof, counted
from retrieval.types import Principal
from tests.evals.proving.bakery import QUERIES, duckdb_file, sqlite_file
from text2sql.policy import parse

Base = SqliteBase | DuckdbBase
SEEDS = range(1, 41)


@pytest.fixture(scope="module", params=["sqlite", "duckdb"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    folder = tmp_path_factory.mktemp("bakery")
    opened: Callable[[], Base] = {
        "sqlite": lambda: SqliteBase(sqlite_file(folder)),
        "duckdb": lambda: DuckdbBase(duckdb_file(folder)),
    }[request.param]
    with closing(opened()) as found:
        yield found


def test_our_guard_is_proved(base: Base) -> None:
    proof = Proof(bunmyaku, base)
    pairs = []
    for seed in SEEDS[:12]:
        under = drawn(base.catalog, base.data, seed)
        found = proof.pairs(under, QUERIES)
        assert [pair.failure(under) for pair in found if pair.outcome == "differs"] == []
        pairs += found
    outcomes = counted(pairs)
    assert sum(outcomes["equal"].values()) > len(pairs) * 0.6
    assert "refused" not in outcomes
    assert "excluded" not in outcomes
    assert outcomes["equal"].get("both_fail", 0) < len(pairs) * 0.1


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_guard_that_is_broken_is_found(base: Base, mistake: str) -> None:
    proof = Proof(MISTAKES[mistake], base)
    found = 0
    for seed in SEEDS:
        under = drawn(base.catalog, base.data, seed)
        found += sum(pair.outcome == "differs" for pair in proof.pairs(under, QUERIES))
        if found:
            break
    assert found, f"forty policies and {len(QUERIES)} statements do not tell"


def test_a_guard_that_refuses_what_is_there_is_found(base: Base) -> None:
    def shy(sql: str, asked: Asked) -> Rewritten | Refusal:
        if asked.policy is not None:
            return Refusal("unknown_table", "There is no such table.")
        return Rewritten(sql)

    under = drawn(base.catalog, base.data, 1)
    outcomes = {pair.outcome for pair in Proof(shy, base).pairs(under, QUERIES)}
    assert "differs" in outcomes

    def cautious(sql: str, asked: Asked) -> Rewritten | Refusal:
        return Refusal("too_long") if asked.policy is not None else Rewritten(sql)

    outcomes = {pair.outcome for pair in Proof(cautious, base).pairs(under, QUERIES)}
    assert "refused" in outcomes

    # A guard that breaks refuses with and without a policy: that is no judgement either.
    found = Proof(lambda sql, asked: Refusal("internal", "KeyError"), base).pairs(under, QUERIES[:2])
    assert [(pair.outcome, pair.problem) for pair in found] == [("differs", "KeyError")] * 2


def test_what_changes_by_itself_and_what_is_refused_anyway_is_left_out_and_told(tmp_path: Path) -> None:
    with closing(SqliteBase(sqlite_file(tmp_path))) as base:
        under = drawn(base.catalog, base.data, 1)
        pairs = Proof(bunmyaku, base).pairs(
            under, ["SELECT random()", "DELETE FROM baker", "SELECT no FROM baker"]
        )
    assert [pair.outcome for pair in pairs] == ["excluded"] * 3
    assert pairs[0].how.startswith("changes by itself")
    assert {pair.how for pair in pairs[1:]} == {"refused without a policy too"}


def test_a_with_query_is_judged_where_it_is_written(base: Base) -> None:
    """SQLite and DuckDB read none that is not used: a name in it that the caller has not may be refused, no other."""
    text = "tables: {baker: {grants: [{roles: [everyone], rows: all, hide: [wage]}]}, branch: {grants: [{roles: [everyone], rows: all}]}}"
    under = posed(parse(text), text, Principal("kim"), base.catalog)
    lost = "WITH rich AS (SELECT wage FROM baker), few AS (SELECT age FROM baker) SELECT name FROM branch"
    (pair,) = Proof(bunmyaku, base).pairs(under, [lost])
    assert (pair.outcome, pair.how) == (
        "refused_rightly",
        "in a WITH query, which is read only where it is used",
    )

    def shy(sql: str, asked: Asked) -> Rewritten | Refusal:
        return bunmyaku(sql, asked) if asked.policy is None else Refusal("unknown_column", "none", "age")

    there = "WITH few AS (SELECT age FROM baker) SELECT name FROM branch"
    assert [pair.outcome for pair in Proof(shy, base).pairs(under, [there])] == ["differs"]
