"""Questions that ask two things: "what does it mean, and what was it last year?" One part may be for the documents.

Only clear joints are cut: a second question word after "and", また, or the end of a sentence.
"""

from __future__ import annotations

import re

_JOINT = re.compile(
    r"(?:,\s*|\s+)and\s+(?=(?:what|how many|how much|which|who)\b)|[。？?!！]\s*(?:また、?|そして、?|それと、?)"
    r"|(?<=か)、(?:また|そして)、?",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[?？。!！])\s*(?=\S)")
_BACK = re.compile(r"\b(?:its?|their|theirs|them|they|those|these|each)\b|それら|そのうち", re.IGNORECASE)
_PRONOUN = re.compile(r"\b(?:it|that|this|they)\b|それ", re.IGNORECASE)


def clauses(text: str) -> tuple[str, ...]:
    """The questions joined in one text, in order; () where it is one question."""
    parts = [part.strip() for part in _JOINT.split(text) if part and part.strip()]
    return tuple(parts) if len(parts) > 1 else ()


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text; () where it is one."""
    parts = [part.strip() for part in _SENTENCE.split(text) if part and part.strip()]
    return tuple(parts) if len(parts) > 1 else ()


def refers_back(clause: str) -> bool:
    """Whether a clause cannot be read by itself: "and how many of them does each have"."""
    return bool(_BACK.search(clause))


def resolved(clause: str, named: str) -> str:
    """The clause with its pronoun replaced by what the clause before named; the clause itself without either."""
    return _PRONOUN.sub(named, clause, count=1) if named else clause
