"""Judging one answer against what its case expects: right or not, and which part of the way lost it first.

policy      it told what must not be told, or withheld what may be
retrieval   the document was not among what was found
linking     the tables or metrics of the gold statement were not what the question was read as
drafting    no statement, or one that means something else
guard       every draft was refused
execution   the engine failed
wording     everything was there, and the text does not say it
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.record import AnswerRecord
from evals.leaking import leaks, stands_in_text
from evals.suites.house import HouseCase

Rows = Sequence[Mapping[str, Any]]
Same = Callable[[Rows, Rows], bool]
PARTS = ("policy", "retrieval", "linking", "drafting", "guard", "execution", "wording")
NOT_TOLD = frozenset({"withheld", "declined", "refused", "no_rows"})
"""Outcomes that tell nothing of the data."""


@dataclass(frozen=True)
class Gold:
    """What the gold statements gave this asker. `alternatives`: rows, each of them right; `tables`: qualified names."""

    alternatives: tuple[Rows, ...] = ()
    tables: frozenset[str] = frozenset()
    secrets: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Judged:
    """`failed_part` is "" where it passed; `leaks` are the fields of the record that tell a secret."""

    passed: bool
    failed_part: str = ""
    details: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()


def judge(case: HouseCase, record: AnswerRecord, gold: Gold, same: Same) -> Judged:
    """The judgement; `same(expected, found)` compares rows."""
    data = record.to_json()
    known = [value for rows in gold.alternatives for row in rows for value in row.values()]
    leaked = tuple(leaks(data, (*case.secrets, *gold.secrets), known))
    problems = [("policy", f"a secret stands in {', '.join(leaked)}")] if leaked else []
    problems += {"withhold": _withholding, "decline": _declining, "answer": _answering}[case.kind](
        case, record, gold, same
    )
    if case.route and record.route != case.route:
        part = "retrieval" if case.route == "documents" else "drafting"
        problems.append((part, f"went the way of {record.route!r}, not {case.route!r}"))
    if not problems:
        return Judged(True)
    problems.sort(key=lambda problem: PARTS.index(problem[0]))
    return Judged(False, problems[0][0], tuple(said for _, said in problems), leaked)


Problems = list[tuple[str, str]]


def _withholding(case: HouseCase, record: AnswerRecord, gold: Gold, same: Same) -> Problems:
    del case, gold, same
    if record.outcome in NOT_TOLD:
        return []
    return [("policy", f"the outcome is {record.outcome!r}: it was to be withheld")]


def _declining(case: HouseCase, record: AnswerRecord, gold: Gold, same: Same) -> Problems:
    del case, gold, same
    if record.outcome in ("declined", "clarify", "refused"):
        return []
    part = "drafting" if record.result is not None or record.attempts else "retrieval"
    return [(part, f"the outcome is {record.outcome!r}: there is nothing to answer it from")]


def _answering(case: HouseCase, record: AnswerRecord, gold: Gold, same: Same) -> Problems:
    problems: Problems = []
    if case.documents:
        problems += _documents(case, record)
    if case.sql or case.result is not None:
        problems += _rows(case, record, gold, same)
    missing = [fact for fact in case.facts if not _told(fact, record)]
    if missing and not problems:
        part = "policy" if record.outcome == "withheld" else "wording"
        if not record.citations and record.result is None and part == "wording":
            part = "retrieval"
        problems.append((part, f"not in the text: {'; '.join(' or '.join(fact) for fact in missing)}"))
    return problems


def _documents(case: HouseCase, record: AnswerRecord) -> Problems:
    cited = [name for citation in record.citations for name in (citation.uri, citation.title)]
    found = [piece.origin for piece in record.retrieved] + cited
    problems: Problems = []
    for alternatives in case.documents:
        if _named(alternatives, cited):
            continue
        if record.outcome == "withheld":
            problems.append(("policy", f"withheld, though {alternatives[0]!r} may be read"))
        elif _named(alternatives, found):
            problems.append(("wording", f"{alternatives[0]!r} was found and not cited"))
        else:
            problems.append(("retrieval", f"{alternatives[0]!r} was not found"))
    return problems


def _named(alternatives: Sequence[str], names: Sequence[str]) -> bool:
    """A title, a uri, or the file's name in a uri, with its ending or without."""
    wanted = {text.casefold() for text in alternatives}
    for name in names:
        file = name.casefold().rpartition("/")[2]
        if wanted & {name.casefold(), file, file.rpartition(".")[0]}:
            return True
    return False


def _rows(case: HouseCase, record: AnswerRecord, gold: Gold, same: Same) -> Problems:
    expected = [*gold.alternatives, *([case.result] if case.result is not None else [])]
    if record.result is not None and any(same(rows, record.rows) for rows in expected):
        return []
    if record.outcome == "withheld":
        return [("policy", "withheld, though the asker may see it")]
    if record.result is None:
        return [_without_rows(record)]
    read = frozenset(table for attempt in record.attempts for table in attempt.verdict.tables)
    lacking = sorted(gold.tables - read)
    if lacking:
        return [("linking", f"{', '.join(lacking)} not read")]
    size = f"{record.result.rows} rows, expected {' or '.join(str(len(rows)) for rows in expected)}"
    return [("drafting", f"other rows ({size})")]


def _without_rows(record: AnswerRecord) -> tuple[str, str]:
    if record.attempts:
        last = record.attempts[-1]
        if last.verdict.allowed:
            return "execution", f"the engine: {last.error.partition(':')[0]}"
        return "guard", f"refused: {', '.join(sorted({v.code for v in last.verdict.violations}))}"
    if record.lacking or not record.linked:
        lacking = f"; lacking: {', '.join(record.lacking)}" if record.lacking else ""
        return "linking", f"nothing was drafted ({record.outcome}){lacking}"
    return "drafting", f"nothing was drafted ({record.outcome})"


def _told(alternatives: Sequence[str], record: AnswerRecord) -> bool:
    """In the text, or in the table that stands beside it."""
    cells = [str(value) for row in record.rows for value in row.values() if value is not None]
    return any(stands_in_text(fact, text) for fact in alternatives for text in (record.text, *cells))
