"""Facts, turns and passages become one Context: deduplicated, ordered by expected use, inside a token budget.

Each kind has a share of the budget that is its own; what a kind leaves unused goes to whatever was left over, in
the same order. What does not fit is named in `left_out`, never dropped in silence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from retrieval.language import fold
from retrieval.tokens import count_tokens
from retrieval.types import Context, Fact, Language, Passage, Piece, Principal, Turn

SAME = 0.9
"""Two passages are one when they share this much of their runs of three characters, and all their numbers."""
_LONG = 100
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")

# Expected use: what the question is about, what its words mean, what the documents say, where figures live, how
# they were asked for before, then the asker and the conversation.
_ORDER = ("entity", "term", "metric", "document", "dimension", "table", "verified", "turn", "user")
_SHARES = {
    "entity": 0.15,
    "term": 0.05,
    "metric": 0.1,
    "document": 0.4,
    "dimension": 0.05,
    "table": 0.1,
    "verified": 0.05,
    "turn": 0.05,
    "user": 0.05,
}


@dataclass(frozen=True, slots=True)
class Found:
    """What the sources and the store came back with, before merging. `seen` is the question that was searched."""

    facts: Sequence[Fact] = ()
    turns: Sequence[Turn] = ()
    passages: Sequence[Passage] = ()
    left_out: Sequence[str] = ()
    withheld: int = 0
    owners: Sequence[str] = ()


def merge(question: str, principal: Principal, language: Language, found: Found, budget: int) -> Context:
    """One Context of at most `budget` tokens (by `count_tokens`)."""
    passages, repeated = _without_repeats(found.passages)
    groups: dict[str, list[Piece]] = {name: [] for name in _ORDER}
    for fact in found.facts:
        groups["user" if fact.entity == "user" else "entity"].append(_fact_piece(fact))
    for turn in reversed(found.turns):  # the newest says most
        groups["turn"].append(_turn_piece(turn))
    for passage, reason in _newest_first(passages):
        groups[passage.chunk.document.kind].append(_passage_piece(passage, reason))
    kept, missing = _fit(groups, budget)
    left_out = [*found.left_out]
    if repeated:
        left_out.append(f"{repeated} passages that say the same as another")
    left_out += [
        f"{count} of kind {kind}: over the budget of {budget} tokens" for kind, count in missing.items()
    ]
    return Context(
        question=question,
        principal=principal,
        language=language,
        pieces=tuple(kept),
        tokens=sum(piece.tokens for piece in kept),
        budget=budget,
        left_out=tuple(left_out),
        withheld=found.withheld,
        owners=tuple(found.owners),
    )


def _fit(groups: dict[str, list[Piece]], budget: int) -> tuple[list[Piece], Counter[str]]:
    """First each kind within its share, then what is left over within what is left, in the order of use."""
    chosen: dict[str, list[bool]] = {}
    free = budget
    for name, pieces in groups.items():
        share = int(budget * _SHARES[name])
        marks = []
        for piece in pieces:
            fits = piece.tokens <= min(share, free)
            marks.append(fits)
            if fits:
                share -= piece.tokens
                free -= piece.tokens
        chosen[name] = marks
    kept: list[Piece] = []
    missing: Counter[str] = Counter()
    for name, pieces in groups.items():
        for piece, taken in zip(pieces, chosen[name], strict=True):
            if not taken and piece.tokens > free:
                missing[piece.kind] += 1
                continue
            if not taken:
                free -= piece.tokens
            kept.append(piece)
    return kept, missing


@dataclass(frozen=True, slots=True)
class _Compared:
    """A passage with what it is compared by."""

    passage: Passage
    folded: str
    threes: frozenset[str]
    numbers: frozenset[str]


def _without_repeats(passages: Sequence[Passage]) -> tuple[list[Passage], int]:
    """Passages best first, without those that say the same as one before. Catalogue objects are never the same."""
    kept: list[Passage] = []
    compared: dict[int, _Compared] = {}
    for passage in sorted(passages, key=lambda p: -p.score):
        if passage.chunk.document.kind == "document":
            one = _compared(passage)
            twin = next((place for place, other in compared.items() if _same(one, other)), None)
            if twin is not None:
                if _dated(passage) > _dated(kept[twin]):  # of two that say the same the newer is cited
                    kept[twin] = replace(passage, score=kept[twin].score)
                    compared[twin] = one
                continue
            compared[len(kept)] = one
        kept.append(passage)
    return kept, len(passages) - len(kept)


def _same(one: _Compared, other: _Compared) -> bool:
    if one.passage.chunk.id == other.passage.chunk.id or one.folded == other.folded:
        return True
    # What differs in a number says something else, and short texts differ in what matters while sharing the rest.
    longest = max(len(one.threes), len(other.threes))
    return (
        longest >= _LONG and one.numbers == other.numbers and len(one.threes & other.threes) >= SAME * longest
    )


def _compared(passage: Passage) -> _Compared:
    folded = fold(passage.chunk.text)
    threes = frozenset(folded[place : place + 3] for place in range(len(folded) - 2))
    return _Compared(passage, folded, threes, frozenset(_DIGITS.findall(folded)))


def _newest_first(passages: Sequence[Passage]) -> list[tuple[Passage, str]]:
    """Each passage with its reason; where two documents share a title the newer stands before the older."""
    result = list(passages)
    versions: dict[str, list[int]] = {}
    for place, passage in enumerate(result):
        document = passage.chunk.document
        if document.kind == "document" and document.title:
            versions.setdefault(fold(document.title), []).append(place)
    reasons = [_reason(passage) for passage in result]
    for places in versions.values():
        documents = {result[place].chunk.document.id for place in places}
        if len(documents) < 2:
            continue
        ordered = sorted(
            (result[place] for place in places), key=lambda p: (_dated(p), p.score), reverse=True
        )
        newest = _dated(ordered[0])
        for place, passage in zip(places, ordered, strict=True):
            result[place] = passage
            older = _dated(passage) < newest
            note = "; an older version of a document above" if older else "; the newest of several versions"
            reasons[place] = _reason(passage) + note
    return list(zip(result, reasons, strict=True))


def _dated(passage: Passage) -> datetime:
    return passage.chunk.document.as_of or datetime.min.replace(tzinfo=UTC)


def _reason(passage: Passage) -> str:
    sides = [name for name, score in (("words", passage.lexical), ("meaning", passage.dense)) if score > 0]
    return f"matches the question by {' and '.join(sides) or 'rank'} ({passage.score:.2f})"


def _passage_piece(passage: Passage, reason: str) -> Piece:
    chunk = passage.chunk
    return Piece(
        kind=chunk.document.kind,
        text=chunk.text,
        origin=chunk.document.uri,
        tokens=count_tokens(chunk.text),
        reason=reason,
        as_of=chunk.document.as_of,
        passage=passage,
    )


def _fact_piece(fact: Fact) -> Piece:
    about = (
        "who asks"
        if fact.entity == "user"
        else f"the question names {fact.entity}"
        if fact.entity
        else "known"
    )
    text = f"{fact.name} = {fact.value} ({fact.entity})" if fact.entity else f"{fact.name} = {fact.value}"
    return Piece("fact", text, fact.origin, count_tokens(text), about, as_of=fact.as_of, fact=fact)


def _turn_piece(turn: Turn) -> Piece:
    text = f"Q: {turn.question}\nA: {turn.answer}"
    return Piece(
        "turn", text, f"conversation:{turn.record_id}", count_tokens(text), "a recent turn", as_of=turn.at
    )
