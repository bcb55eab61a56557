"""From what the steps found to what the asker is told: one outcome, one text, in the asker's language."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.answering import DocumentAnswer
from app.messages import finding_text, join, text
from app.record import Attempt, Outcome
from app.routing import Route
from retrieval.types import Citation, Context, Language
from text2sql.types import Draft, Drafting, ResultSet, Verdict

REASONS = {"too_expensive": "too_expensive", "QueryTimeout": "timeout", "QueryCancelled": "cancelled"}
"""What stopped a query -> the sentence that says so; anything else is the engine's refusal."""


@dataclass(frozen=True)
class Story:
    """What the steps found, handed to `compose`."""

    language: Language
    context: Context
    drafting: Drafting
    route: Route
    documents: DocumentAnswer | None
    attempts: tuple[Attempt, ...]
    chosen: Draft | None
    verdict: Verdict | None
    result: ResultSet | None
    described: str


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


def compose(story: Story) -> Told:
    """The outcome of a story. Every path ends in a sentence; none ends in silence."""
    if story.route.kind in ("query", "both"):
        told = _queried(story)
        if told.outcome in ("answered", "no_rows") and story.route.kind == "both":
            return _with_documents(told, story)
        if told.outcome in ("answered", "no_rows", "withheld") or not _documented(story):
            return told
        return _with_documents(told, story)
    if story.route.kind == "documents" and _documented(story):
        return _from_documents(story)
    if story.route.kind == "clarify":
        question = story.drafting.clarify or text("outcome.clarify", story.language)
        return Told("clarify", question, suggestions=tuple(choice.label for choice in story.drafting.choices))
    return _declined(story)


def _documented(story: Story) -> bool:
    return story.documents is not None and story.documents.found


def _from_documents(story: Story) -> Told:
    assert story.documents is not None  # noqa: S101 - the caller looked
    found = story.documents
    return Told("answered", found.text, confidence=found.confidence, citations=found.citations)


def _with_documents(told: Told, story: Story) -> Told:
    """The rows' sentence first, then what the documents say."""
    if not _documented(story):
        missing = text("outcome.not_in_documents", story.language)
        return replace(told, text=f"{told.text}\n\n{missing}") if told.outcome == "answered" else told
    quoted = _from_documents(story)
    return Told(
        told.outcome,
        f"{told.text}\n\n{quoted.text}",
        confidence=min(told.confidence, quoted.confidence) if told.confidence else quoted.confidence,
        citations=quoted.citations,
        understood=told.understood,
        lacking=told.lacking,
        suggestions=told.suggestions,
    )


def _queried(story: Story) -> Told:
    if story.result is not None:
        confidence = story.chosen.confidence if story.chosen else 0.0
        if story.result.table.num_rows == 0:
            return Told("no_rows", text("outcome.no_rows", story.language), confidence=confidence)
        return Told("answered", story.described, confidence=confidence)
    if story.verdict is not None and story.verdict.withheld:
        return Told("withheld", text("outcome.withheld", story.language))
    if story.verdict is not None and not story.verdict.allowed:
        reasons = join(
            [finding_text(violation, story.language) for violation in story.verdict.violations],
            story.language,
        )
        return Told("refused", text("outcome.refused", story.language, reasons=reasons))
    last = story.attempts[-1].error.partition(":")[0] if story.attempts else ""
    reason = text(f"reason.{REASONS.get(last, 'engine')}", story.language)
    return Told("failed", text("outcome.failed", story.language, reason=reason))


def _declined(story: Story) -> Told:
    """Withheld when the only thing that matched may not be read; else a decline that says what was lacking."""
    if story.context.withheld:
        return Told("withheld", text("outcome.withheld", story.language))
    decline = story.drafting.decline
    if decline is None:
        return Told("declined", text("outcome.not_in_documents", story.language))
    parts = [text("outcome.declined", story.language)]
    if decline.understood:
        parts.append(text("part.understood", story.language, items=join(decline.understood, story.language)))
    if decline.lacking:
        parts.append(text("part.lacking", story.language, items=join(decline.lacking, story.language)))
    if decline.suggestions:
        lines = "".join(f"\n- {suggestion}" for suggestion in decline.suggestions)
        parts.append(text("part.suggestions", story.language, items=lines))
    return Told(
        "declined",
        "\n".join(parts),
        understood=decline.understood,
        lacking=decline.lacking,
        suggestions=decline.suggestions,
    )
