"""From what the steps found to what the asker is told: one outcome, one text, in the asker's language."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from app.costs import asked_first, not_run
from app.messages import finding_text, join, text
from app.record import Outcome
from app.walk import Walk
from retrieval.types import Citation
from text2sql.attempting import READS_NOTHING
from text2sql.cost import BUDGET_SPENT, CHANGED, CONFIRM, TOO_EXPENSIVE
from text2sql.doubting import DOUBTFUL
from text2sql.types import ResultSet

REASONS = {
    TOO_EXPENSIVE: "too_expensive",
    READS_NOTHING: "reads_nothing",
    DOUBTFUL: "doubtful",
    "QueryTimeout": "timeout",
    "QueryCancelled": "cancelled",
}
"""What stopped a query -> the sentence that says so; anything else is the engine's refusal."""
NEVER_RUN = frozenset({TOO_EXPENSIVE, READS_NOTHING, DOUBTFUL})
"""What we stopped ourselves, before the warehouse was asked for rows."""


@dataclass(frozen=True)
class Told:
    """What the asker is told."""

    outcome: Outcome
    text: str
    confidence: float = 0.0
    citations: tuple[Citation, ...] = ()
    understood: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    worded_by: str = "rules"


def compose(
    walk: Walk,
    described: str,
    narrowed: tuple[str, ...] = (),
    owners: tuple[str, ...] = (),
    unasked: int | None = None,
) -> Told:
    """The outcome of a walk; `described` is the sentence about its rows.

    `narrowed` names the tables of which the query saw only the asker's rows: a figure over a part must not read
    as one over all. `owners` are asked for the rest of those that the policy marks discoverable: where nothing was
    found in them it is said to be withheld, whether or not there is anything. Whether there is would take a
    second query, and the answer to it would be an oracle. Every path ends in a sentence; none ends in silence.
    `unasked`: rows that a query may read without a person being asked first.
    """
    told = _worded(_told(walk, described), walk)
    if told.outcome == "confirm":
        told = replace(told, text=asked_first(walk.attempts[-1], unasked or 0, walk.found.language))
    language = walk.found.language
    if narrowed and owners and told.outcome == "no_rows":
        tables, owner = join(narrowed, language), join(owners, language)
        said = text("outcome.perhaps_withheld", language, tables=tables, owner=owner)
        told = replace(
            told, outcome="withheld", text=told.text.replace(text("outcome.no_rows", language), said)
        )
    elif narrowed and walk.result is not None and told.outcome in ("answered", "no_rows"):
        empty = found_nothing(walk.result, _ran(walk))
        said = text(
            f"outcome.{'nothing_of_yours' if empty else 'of_yours'}",
            language,
            tables=join(narrowed, language),
        )
        told = replace(told, text=f"{told.text} {said}" if language == "en" else f"{told.text}{said}")
    if walk.failure:
        reason = text(f"model.{walk.failure}", language)
        told = replace(told, text=f"{text('model.failed', language, reason=reason)}\n\n{told.text}")
    if not walk.later:
        return told
    rest = text("part.suggestions", language, items="".join(f"\n- {part}" for part in walk.later))
    return replace(told, text=f"{told.text}\n\n{rest}", suggestions=(*walk.later, *told.suggestions))


def _worded(told: Told, walk: Walk) -> Told:
    """In the model's words where they passed; that rows were cut is said whether the model says so or not."""
    written = walk.written
    if written is None or not written.used or told.outcome != "answered":
        return told
    words = written.text
    if walk.result is not None and walk.result.truncated:
        words += text("result.cut", walk.found.language, count=f"{walk.result.table.num_rows:,}")
    return replace(told, text=words, citations=written.citations, worded_by="model")


def _told(walk: Walk, described: str) -> Told:
    assert walk.route is not None  # noqa: S101 - decided before the end
    if walk.route.kind in ("query", "both"):
        told = _queried(walk, described)
        if told.outcome in ("answered", "no_rows") and walk.route.kind == "both":
            return _with_documents(told, walk)
        if told.outcome in ("answered", "no_rows", "withheld", "confirm") or not _documented(walk):
            return told
        return _with_documents(told, walk)
    if walk.route.kind == "documents" and _documented(walk):
        return _from_documents(walk)
    if walk.route.kind == "clarify":
        question = walk.drafting.clarify or text("outcome.clarify", walk.found.language)
        return Told("clarify", question, suggestions=tuple(choice.label for choice in walk.drafting.choices))
    return _declined(walk)


def _documented(walk: Walk) -> bool:
    return walk.documents is not None and walk.documents.found


def _from_documents(walk: Walk) -> Told:
    assert walk.documents is not None  # noqa: S101 - the caller looked
    found = walk.documents
    return Told("answered", found.text, confidence=found.confidence, citations=found.citations)


def _with_documents(told: Told, walk: Walk) -> Told:
    """The rows' sentence first, then what the documents say."""
    if not _documented(walk):
        missing = text("outcome.not_in_documents", walk.found.language)
        return replace(told, text=f"{told.text}\n\n{missing}") if told.outcome == "answered" else told
    quoted = _from_documents(walk)
    return Told(
        told.outcome,
        f"{told.text}\n\n{quoted.text}",
        confidence=min(told.confidence, quoted.confidence) if told.confidence else quoted.confidence,
        citations=quoted.citations,
        understood=told.understood,
        lacking=told.lacking,
        suggestions=told.suggestions,
    )


def _queried(walk: Walk, described: str) -> Told:
    if walk.result is not None:
        confidence = walk.chosen.confidence if walk.chosen else 0.0
        if found_nothing(walk.result, _ran(walk)):
            return Told("no_rows", text("outcome.no_rows", walk.found.language), confidence=confidence)
        return Told("answered", described, confidence=confidence)
    if walk.verdict is not None and walk.verdict.withheld:
        return _withheld(walk)
    if walk.verdict is not None and not walk.verdict.allowed:
        reasons = join(
            [finding_text(violation, walk.found.language) for violation in walk.verdict.violations],
            walk.found.language,
        )
        return Told("refused", text("outcome.refused", walk.found.language, reasons=reasons))
    last = walk.attempts[-1].error.partition(":")[0] if walk.attempts else ""
    if last == CONFIRM:
        return Told("confirm", "", confidence=walk.chosen.confidence if walk.chosen else 0.0)
    if last in (BUDGET_SPENT, CHANGED):
        return Told("refused", not_run(walk.attempts[-1], walk.found.language))
    reason = text(f"reason.{REASONS.get(last, 'engine')}", walk.found.language)
    if last in NEVER_RUN:
        return Told("refused", text("outcome.refused", walk.found.language, reasons=reason))
    return Told("failed", text("outcome.failed", walk.found.language, reason=reason))


def found_nothing(result: ResultSet, sql: str) -> bool:
    """Whether there are no rows, or only the one of nulls that totals over no rows give."""
    table = result.table
    if table.num_rows != 1 or not all(column.null_count for column in table.columns):
        return bool(table.num_rows == 0)
    try:
        tree = parse_one(sql)
    except SqlglotError:
        return False
    selected = tree.expressions if isinstance(tree, exp.Select) else []
    return bool(selected) and all(each.find(exp.AggFunc) is not None for each in selected)


def _ran(walk: Walk) -> str:
    return walk.chosen.sql if walk.chosen else ""


def _withheld(walk: Walk) -> Told:
    """Something matched; whom to ask is said where the policy names someone, and nothing else of it ever is."""
    owners, language = walk.found.owners, walk.found.language
    if not owners:
        return Told("withheld", text("outcome.withheld", language))
    return Told("withheld", text("outcome.withheld_owner", language, owner=join(owners, language)))


def _declined(walk: Walk) -> Told:
    """Withheld when the only thing that matched may not be read; else a decline that says what was lacking."""
    if walk.route is not None and walk.route.reason == "change":
        return Told("declined", text("outcome.change", walk.found.language))
    if walk.found.withheld:
        return _withheld(walk)
    decline = walk.drafting.decline
    if decline is None:
        return Told("declined", text("outcome.not_in_documents", walk.found.language))
    parts = [text("outcome.declined", walk.found.language)]
    if decline.understood:
        parts.append(
            text("part.understood", walk.found.language, items=join(decline.understood, walk.found.language))
        )
    if decline.lacking:
        parts.append(
            text("part.lacking", walk.found.language, items=join(decline.lacking, walk.found.language))
        )
    if decline.suggestions:
        lines = "".join(f"\n- {suggestion}" for suggestion in decline.suggestions)
        parts.append(text("part.suggestions", walk.found.language, items=lines))
    return Told(
        "declined",
        "\n".join(parts),
        understood=decline.understood,
        lacking=decline.lacking,
        suggestions=decline.suggestions,
    )
