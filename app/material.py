"""What a model is given to word an answer with: the rows its asker got, and numbered passages they may read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from app.record import jsonable
from retrieval.tokens import count_tokens
from retrieval.types import Context, Passage
from text2sql.types import Draft, ResultSet, Verdict

MOST_ROWS = 60
ROW_TOKENS = 2_000
MOST_PASSAGES = 8
PASSAGE_TOKENS = 3_000
LONGEST_CELL = 200
"""Characters of a text in a row."""


@dataclass(frozen=True)
class Material:
    """One answer's material. `passages` are numbered from 1, in order; `rows` are those that were sent."""

    question: str
    rows: tuple[Mapping[str, Any], ...] = ()
    note: str = ""
    """How many rows there are, and whether they were cut."""
    definitions: tuple[str, ...] = ()
    reading: tuple[str, ...] = ()
    """How the question was understood. It may be a model's own words, so a figure in it proves nothing."""
    passages: tuple[Passage, ...] = ()
    facts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    """Of the metrics that were computed."""
    said: tuple[str, ...] = ()
    """What the query that ran says in figures and dates: an answer may repeat them."""

    def values(self) -> dict[str, str]:
        """The variables of the prompt `answer`, but for what an earlier try got wrong."""
        listed = [json.dumps(row, ensure_ascii=False) for row in self.rows]
        return {
            "question": self.question,
            "rows": "\n".join([*listed, self.note] if listed else ()),
            "definitions": "\n".join((*self.definitions, *self.reading)),
            "passages": "\n\n".join(_numbered(n, passage) for n, passage in enumerate(self.passages, 1)),
            "facts": "\n".join(self.facts),
        }


def rows_for(result: ResultSet) -> tuple[tuple[Mapping[str, Any], ...], str]:
    """The first rows that fit, and a note on how many there are."""
    rows: list[Mapping[str, Any]] = []
    left = ROW_TOKENS
    total = result.table.num_rows
    for row in result.table.slice(0, MOST_ROWS).to_pylist():
        plain = {name: _cell(jsonable(value)) for name, value in row.items()}
        left -= count_tokens(json.dumps(plain, ensure_ascii=False))
        if left < 0 and rows:
            break
        rows.append(plain)
    note = (
        f"({total:,} rows; all are shown)" if len(rows) == total else f"(first {len(rows)} of {total:,} rows)"
    )
    if result.truncated:
        note += f" (only the first {total:,} rows were read; there are more)"
    return tuple(rows), note


def passages_for(context: Context, first: Sequence[str]) -> tuple[Passage, ...]:
    """Documents and terms, best first, those of the chunks `first` before all others; as many as fit."""
    found = sorted(
        context.passages("document", "term"), key=lambda passage: passage.chunk.id not in set(first)
    )
    kept: list[Passage] = []
    left = PASSAGE_TOKENS
    for passage in found[:MOST_PASSAGES]:
        left -= count_tokens(passage.chunk.text)
        if left < 0 and kept:
            break
        kept.append(passage)
    return tuple(kept)


def said_by(draft: Draft, verdict: Verdict | None, dialect: str) -> tuple[str, ...]:
    """Figures and dates that columns are compared with, the last day of a half-open period among them.

    Others prove nothing: `WHERE 5000 = 5000` is a way to have a figure of one's own stand in the query.
    """
    try:
        parsed = parse_one(draft.sql, dialect=dialect)
    except SqlglotError:
        return ()
    words = [literal.name for literal in parsed.find_all(exp.Literal) if _compared(literal)]
    words += [str(value) for value in (verdict.parameters.values() if verdict else ())]
    return tuple(dict.fromkeys(text for word in words for text in (word, *_days(word))))


def _compared(literal: exp.Literal) -> bool:
    predicate = literal.find_ancestor(exp.Predicate)
    return predicate is not None and predicate.find(exp.Column) is not None


def _days(word: str) -> Iterator[str]:
    """A date in the forms that sentences use, and the day before it: periods end before the next begins."""
    try:
        day = date.fromisoformat(word[:10])
    except ValueError:
        return
    for each in (day, day - timedelta(days=1)):
        yield f"{each.isoformat()} {each.year}年{each.month}月{each.day}日 {each.month} {each.day} {each.year}"


def _numbered(number: int, passage: Passage) -> str:
    chunk = passage.chunk
    page = f", p. {chunk.page}" if chunk.page else ""
    day = f", {chunk.document.as_of:%Y-%m-%d}" if chunk.document.as_of else ""
    return f"[{number}] {chunk.document.title}{page}{day}\n{chunk.text.strip()}"


def _cell(value: Any) -> Any:
    return value[: LONGEST_CELL - 1] + "…" if isinstance(value, str) and len(value) > LONGEST_CELL else value
