"""Whatever is hostile is refused, wherever it stands and however it is clothed; what only says so is let through."""

from __future__ import annotations

from collections import Counter

import pytest

from evals.proving.hostile import Hostile, parts
from evals.proving.hostile_parts import WHOLE
from retrieval.types import Principal
from tests.text2sql.guard.fuzzing import CATALOGS, SCALE, START
from text2sql.guard import SqlGuard
from text2sql.guard.allowlist import DIALECTS
from text2sql.types import Dialect

CALLER = Principal("ana")


def refuse(dialect: Dialect, seeds: range) -> Counter[str]:
    found: Counter[str] = Counter()
    for seed in seeds:
        planted = Hostile(CATALOGS[dialect], dialect, seed).statement()
        verdict = SqlGuard().check(planted.sql, CATALOGS[dialect], CALLER)
        assert not verdict.allowed, (
            f"seed {seed}: {planted.promise}: {planted.part}\n{planted.sql}\n{verdict.sql}"
        )
        assert verdict.violations[0].code != "internal", f"seed {seed}: {verdict.violations}"
        found[planted.promise] += 1
    return found


def let_through(dialect: Dialect, seeds: range) -> list[str]:
    """Reasons why statements were refused in which a hostile part is only a text, a comment or a name."""
    reasons = []
    for seed in seeds:
        planted = Hostile(CATALOGS[dialect], dialect, seed).harmless()
        verdict = SqlGuard().check(planted.sql, CATALOGS[dialect], CALLER)
        if not verdict.allowed:
            reasons.append(f"seed {seed}: {verdict.violations[0]}\n{planted.sql}")
    return reasons


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_planted_part_is_refused(dialect: Dialect) -> None:
    found = refuse(dialect, range(START, START + 90))
    assert len(found) >= 8


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_part_is_refused_alone(dialect: Dialect) -> None:
    """Without a query around it, so that nothing else of the statement can be the reason."""
    maker = Hostile(CATALOGS[dialect], dialect, START)
    shapes = {
        "value": "SELECT {}",
        "source": "SELECT 1 FROM {}",
        "query": "{}",
        "tail": "SELECT 1 FROM sales {}",
        "whole": "{}",
    }
    for part in (*parts(dialect), *(part for part in WHOLE if dialect in part.dialects)):
        filled = part.text.replace("{t}", "sales").replace("{c}", "units").replace("{q}", "SELECT 1")
        sql = shapes[part.place].format(filled)
        verdict = SqlGuard().check(sql, CATALOGS[dialect], CALLER)
        assert not verdict.allowed, f"{part.promise}: {sql}\n{verdict.sql}"
    assert maker.statement().sql


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_hostile_text_is_only_a_text(dialect: Dialect) -> None:
    reasons = let_through(dialect, range(START, START + 40))
    assert len(reasons) <= 1, reasons


def test_one_seed_makes_one_statement() -> None:
    for dialect in DIALECTS:
        one, two = (Hostile(CATALOGS[dialect], dialect, START + 7) for _ in range(2))  # type: ignore[arg-type]
        assert [one.statement() for _ in range(5)] == [two.statement() for _ in range(5)]


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
def test_planted_parts_are_refused_many_times(dialect: Dialect) -> None:
    print(dialect, refuse(dialect, range(START, START + 2_000 * SCALE)))
    reasons = let_through(dialect, range(START, START + 400 * SCALE))
    assert len(reasons) <= 4 * SCALE, reasons[:5]
