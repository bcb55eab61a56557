"""The one loop from drafts to rows: a real guard and warehouse; what drafts is scripted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from retrieval.types import Context, Principal
from text2sql.attempting import (
    Attempted,
    Checked,
    Engine,
    Executed,
    Revised,
    attempt,
    attempting,
    key,
)
from text2sql.errors import QueryCancelled, QueryTimeout, WarehouseUnavailable
from text2sql.guard import SqlGuard
from text2sql.problems import problems_of
from text2sql.types import (
    Decline,
    Draft,
    Drafting,
    Estimate,
    FailedDraft,
    Limits,
    ModelCall,
    ResultSet,
    Reviser,
    Verdict,
    Violation,
    Warehouse,
)
from text2sql.warehouses import open_warehouse

ANA = Principal("ana")
CONTEXT = Context("q", ANA, "en", (), 0, 1000)
GOOD = "SELECT COUNT(*) AS n FROM sale"


def drafts(*statements: str, **more: Any) -> Drafting:
    return Drafting(tuple(Draft(sql, "model", 0.7) for sql in statements), **more)


class Scripted:
    """A reviser that says what it was told to, and notes what it was asked."""

    def __init__(self, *revisions: Drafting) -> None:
        self.revisions = list(revisions)
        self.asked: list[tuple[FailedDraft, ...]] = []

    @property
    def fallback(self) -> Scripted:
        return self

    def draft(self, question: str, context: Context, n: int = 1) -> Drafting:
        raise AssertionError("the loop only revises")

    def revise(self, question: str, context: Context, failed: Sequence[FailedDraft]) -> Drafting:
        self.asked.append(tuple(failed))
        return self.revisions.pop(0)


class Stopping:
    """A warehouse that plans everything and stops every run in one way."""

    def __init__(self, inner: Warehouse, error: Exception) -> None:
        self.inner, self.error, self.runs = inner, error, 0
        self.dialect, self.catalog = inner.dialect, inner.catalog

    def explain(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Estimate:
        return self.inner.explain(sql, parameters)

    def run(self, sql: str, limits: Limits, parameters: Mapping[str, Any] | None = None) -> ResultSet:
        self.runs += 1
        raise self.error


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript(
            "CREATE TABLE sale (id INTEGER, amount INTEGER); INSERT INTO sale VALUES (1, 10);"
        )
    opened = open_warehouse(tmp_path / "shop.db")
    yield opened
    opened.close()


def walk(
    warehouse: Any, drafting: Drafting, drafter: Any = None, limits: Limits | None = None, rounds: int = 3
) -> Attempted:
    engine = Engine(warehouse, SqlGuard(), None, limits or Limits())
    return attempt("q", CONTEXT, drafting, ANA, engine, drafter=drafter, rounds=rounds)


def test_a_good_draft_comes_to_rows(warehouse: Warehouse) -> None:
    done = walk(warehouse, drafts(GOOD))
    assert done.result is not None
    assert done.result.rows() == [{"n": 1}]
    assert (len(done.attempts), done.chosen, done.withheld) == (1, done.attempts[0].draft, ())
    assert done.attempts[0].estimate is not None
    assert done.seconds.keys() == {"guard", "run"}


def test_every_step_is_told_as_it_happens(warehouse: Warehouse) -> None:
    engine = Engine(warehouse, SqlGuard(), None, Limits())
    drafter = Scripted(drafts(GOOD))
    steps = list(attempting("q", CONTEXT, drafts("SELECT x FROM sale"), ANA, engine, drafter=drafter))
    assert [type(step) for step in steps] == [Checked, Revised, Checked, Executed]


def test_the_drafter_hears_what_the_guard_said(warehouse: Warehouse) -> None:
    drafter = Scripted(drafts("SELECT amonut FROM sale"), drafts(GOOD))
    assert isinstance(drafter, Reviser)
    done = walk(warehouse, drafts("SELECT x FROM sale"), drafter)
    assert done.result is not None
    first, second = drafter.asked
    assert [one.draft.sql for one in second] == ["SELECT x FROM sale", "SELECT amonut FROM sale"]
    assert first[0].problems[0].startswith("unknown_column: ")
    assert "amount" in second[1].problems[0].replace("amonut", "")


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_at_most_so_many_drafts_are_put_to_the_guard(warehouse: Warehouse, rounds: int) -> None:
    drafter = Scripted(*(drafts(f"SELECT column_{n} FROM sale") for n in range(9)))
    done = walk(warehouse, drafts("SELECT x FROM sale"), drafter, rounds=rounds)
    assert (len(done.attempts), done.result) == (rounds, None)
    assert len(drafter.asked) == rounds - 1
    assert done.verdict is not None
    assert not done.verdict.allowed


def test_what_was_refused_is_not_tried_again(warehouse: Warehouse) -> None:
    drafter = Scripted(drafts("SELECT  x\nFROM sale ;"), drafts(GOOD))
    done = walk(warehouse, drafts("SELECT x FROM sale", "SELECT x  FROM sale"), drafter)
    assert (len(done.attempts), len(drafter.asked)) == (1, 1)
    assert done.drafting.drafts, "the refusal is the answer, not a decline"


def test_a_decline_while_revising_is_the_last_word(warehouse: Warehouse) -> None:
    call = ModelCall("revise", "m", "v")
    drafter = Scripted(Drafting(decline=Decline(lacking=("costs",)), calls=(call,)))
    done = walk(warehouse, drafts("SELECT x FROM sale", linked=("metric.x",)), drafter)
    assert done.drafting.decline == Decline(lacking=("costs",))
    assert (done.calls, done.drafting.linked) == ((call,), ("metric.x",))


def test_nobody_revises_for_a_model_that_is_gone(warehouse: Warehouse) -> None:
    drafter = Scripted(drafts("SELECT y FROM sale", failure="timeout"), drafts(GOOD))
    done = walk(warehouse, drafts("SELECT x FROM sale"), drafter)
    assert (len(done.attempts), len(drafter.asked), done.drafting.failure) == (2, 1, "timeout")


def test_a_drafter_that_cannot_revise_is_not_asked(warehouse: Warehouse) -> None:
    class Plain:
        def draft(self, question: str, context: Context, n: int = 1) -> Drafting:
            raise AssertionError

    assert walk(warehouse, drafts("SELECT x FROM sale"), Plain()).result is None
    assert walk(warehouse, Drafting()).attempts == []


def test_too_expensive_is_told_without_figures(warehouse: Warehouse) -> None:
    class Dear(Stopping):
        def explain(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Estimate:
            return Estimate(rows=123_456)

    drafter = Scripted(Drafting(decline=Decline()))
    dear = Dear(warehouse, AssertionError())
    done = walk(dear, drafts(GOOD), drafter, Limits(estimated_rows=10))
    assert (done.attempts[0].error, dear.runs) == ("too_expensive", 0)
    assert "narrow" in drafter.asked[0][0].problems[0]
    assert "123" not in drafter.asked[0][0].problems[0], "estimates are of rows that the caller may not see"


@pytest.mark.parametrize("error", [QueryCancelled("stopped"), WarehouseUnavailable("gone")])
def test_some_ends_are_final(warehouse: Warehouse, error: Exception) -> None:
    drafter = Scripted(drafts("SELECT id FROM sale"))
    stopping = Stopping(warehouse, error)
    done = walk(stopping, drafts(GOOD), drafter)
    assert (stopping.runs, drafter.asked, done.result) == (1, [], None)


def test_an_error_of_the_engine_goes_back_in_our_words(warehouse: Warehouse) -> None:
    drafter = Scripted(drafts("SELECT id FROM sale"), drafts("SELECT amount FROM sale"))
    stopping = Stopping(warehouse, QueryTimeout("Stopped after 3 s", where="secret place"))
    done = walk(stopping, drafts(GOOD), drafter)
    assert (stopping.runs, done.result) == (3, None)
    assert drafter.asked[0][0].problems == ("QueryTimeout: Stopped after 3 s",)


def test_nothing_runs_but_what_the_guard_wrote(warehouse: Warehouse) -> None:
    for sql in ("DELETE FROM sale", "SELECT 1; SELECT 2", "PRAGMA table_info(sale)", ""):
        done = walk(Stopping(warehouse, AssertionError("ran")), drafts(sql))
        assert done.result is None


def test_the_same_text_is_the_same_draft() -> None:
    assert key("SELECT  1\n ;") == key(" SELECT 1")
    assert key("SELECT 'a'") != key("SELECT 'A'")


def test_problems_name_code_place_and_what_is_near() -> None:
    violation = Violation("unknown_column", "There is no x", suggestions=("y",))
    assert problems_of(Verdict(False, violations=(violation,))) == (
        "unknown_column: There is no x Nearest: y.",
    )
    assert problems_of(Verdict(False)) == ("refused without a reason",)


def test_a_figure_that_a_model_wrote_itself_is_no_row(warehouse: Warehouse) -> None:
    drafter = Scripted(drafts("SELECT 7 AS n FROM sale"), drafts(GOOD))
    done = walk(warehouse, drafts("SELECT 987654 AS revenue"), drafter)
    assert [one.error for one in done.attempts] == ["reads_nothing", "reads_nothing", ""]
    assert "do not come from the tables" in drafter.asked[0][0].problems[0]
    assert done.result is not None
    assert done.result.rows() == [{"n": 1}]
    assert walk(warehouse, drafts("SELECT 987654 AS revenue")).result is None
    checked = Drafting((Draft("SELECT 1 AS one", "verified", 0.99),))
    assert walk(warehouse, checked).result is not None, "a person wrote it"
