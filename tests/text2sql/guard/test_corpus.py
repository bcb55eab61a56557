"""The corpus, statement by statement: hostile ones are refused, legitimate ones allowed, known gaps apart.

The list of gaps is strict both ways: what newly goes wrong fails here, and so does a gap that is no longer one.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from retrieval.types import Principal
from retrieval.yaml_files import read_yaml
from tests.text2sql.guard.cases import FOLDER, shop
from text2sql.errors import ConformanceError
from text2sql.guard import SqlGuard
from text2sql.guard.allowlist import DIALECTS
from text2sql.guard.conformance import KINDS, Outcome, judge, read_file, read_folder, score
from text2sql.types import Verdict

CORPUS = FOLDER / "corpus"
GAPS = read_yaml((FOLDER / "corpus_gaps.yaml").read_text(encoding="utf-8"))["gaps"] or []
CALLER = Principal("ana")
catalog = cache(shop)


def check(sql: str, dialect: str) -> Verdict:
    return SqlGuard().check(sql, catalog(dialect), CALLER)


@cache
def outcomes() -> list[Outcome]:
    return judge(read_folder(CORPUS), check)


def _name(outcome: Outcome) -> tuple[str, str, str]:
    s = outcome.statement
    return f"{s.kind}/{s.group}.sql", s.digest, s.dialect


def _gaps() -> set[tuple[str, str, str]]:
    return {(gap["file"], gap["digest"], dialect) for gap in GAPS for dialect in gap["dialect"].split(", ")}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_guard_decides_every_statement_but_the_known_gaps(dialect: str) -> None:
    mine = [o for o in outcomes() if o.statement.dialect == dialect]
    new = [
        f"{o.statement.kind}/{o.statement.group}.sql {o.statement.number} ({o.statement.digest}): {o.reason}"
        for o in mine
        if not o.right and _name(o) not in _gaps()
    ]
    assert not new


def test_a_closed_gap_is_taken_out_of_the_list() -> None:
    assert _gaps() - {_name(o) for o in outcomes() if not o.right} == set()
    assert all(gap["why"] for gap in GAPS)


def test_a_refusal_is_never_a_fault_of_our_own() -> None:
    assert [o.statement.sql for o in outcomes() if o.reason.startswith("internal")] == []


def test_every_class_is_scored_on_its_dialects() -> None:
    scores = score(outcomes())
    assert {s.kind for s in scores} == set(KINDS)
    assert {s.dialect for s in scores} == set(DIALECTS)
    assert sum(s.of for s in scores) == len(outcomes())
    assert sum(s.right for s in scores) == len(outcomes()) - len(_gaps())


def test_a_file_is_split_on_line_feeds_alone(tmp_path: Path) -> None:
    file = tmp_path / "odd.sql"
    block = "-- dialect: sqlite, duckdb\n-- why: odd\n-- dialect: it\rself\nSELECT '\x0b\u2028\x85'\r"
    file.write_bytes(f"{block}\n\n\n{block}".encode())
    found = read_file(file, "hostile")
    assert [(s.number, s.dialect) for s in found] == [
        (1, "sqlite"),
        (1, "duckdb"),
        (2, "sqlite"),
        (2, "duckdb"),
    ]
    assert {s.sql for s in found} == {"-- dialect: it\rself\nSELECT '\x0b\u2028\x85'\r"}
    assert len({s.digest for s in found}) == 1


@pytest.mark.parametrize(
    "text", ["SELECT 1", "-- dialect: sqlite\nSELECT 1\nx", "-- dialect: sqlite\n-- why: nothing",
             "-- dialect: klingon\n-- why: nobody\nSELECT 1", "-- why: order\n-- dialect: sqlite\nSELECT 1"],
)  # fmt: skip
def test_a_block_that_is_not_one_is_an_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "odd.sql"
    file.write_text(text)
    with pytest.raises(ConformanceError):
        read_file(file, "hostile")


def test_files_that_cannot_be_read_are_errors(tmp_path: Path) -> None:
    (tmp_path / "odd.sql").write_bytes(b"\xff\xfe")
    with pytest.raises(ConformanceError):
        read_file(tmp_path / "odd.sql", "hostile")
    with pytest.raises(ConformanceError):
        read_folder(tmp_path)
