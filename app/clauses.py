"""A question that asks two things, taken apart: "What does X mean, and what was it in 2024?" is a rule and a figure.

Only clauses that each ask something are taken apart; a pronoun in a later clause stands for what the first one is about.
"""

from __future__ import annotations

import re

_ASKS = re.compile(
    r"^\W*(?:what|who|when|where|which|why|how|is|are|was|were|do|does|did|can|may|must|should|show|list|give|explain)\b",
    re.IGNORECASE,
)
_BREAK = re.compile(
    r"[;?]\s+(?:and\s+|also\s+)?|,\s*(?:and|also|but)\s+(?=\w)|\s+and\s+(?=(?:what|how|which|who|when|where|why)\b)",
    re.IGNORECASE,
)
_BREAK_JA = re.compile(
    r"[。?？]\s*(?:また|そして|それから|あと|加えて)?[、,]?\s*|、?(?:また|そして|それと)、"
)
_ASKS_JA = re.compile(
    r"[?？]|か$|は$|教えて|ください|とは|何|いくら|いつ|どの|どこ|誰|なぜ|推移|件数|合計|別の"
)
_ABOUT = (
    re.compile(r"^\W*what (?:does|do|did) (?:the |an? )?(?P<it>.+?) (?:mean|stand for)\b", re.IGNORECASE),
    re.compile(r"^\W*what (?:is|are) (?:meant by )?(?:the |an? )?(?P<it>[\w\s-]+?)\W*$", re.IGNORECASE),
    re.compile(
        r"^\W*how (?:is|are) (?:the |an? )?(?P<it>.+?) (?:defined|calculated|computed|measured)\b",
        re.IGNORECASE,
    ),
    re.compile(r"^\W*(?:explain|define) (?:the |an? )?(?P<it>[\w\s-]+?)\W*$", re.IGNORECASE),
)
_PRONOUN = re.compile(r"\b(?:it|they|this|that)\b(?! (?:month|quarter|year|week|fiscal))", re.IGNORECASE)


def clauses(question: str) -> tuple[str, ...]:
    """The parts that each ask something, in order; the question itself where there is only one."""
    parts = _english(question) or _japanese(question)
    return parts if len(parts) > 1 else (question,)


def _english(question: str) -> tuple[str, ...]:
    parts = [part.strip() for part in _BREAK.split(question) if part.strip(" ?.!")]
    if len(parts) < 2 or not all(_ASKS.search(part) for part in parts):
        return ()
    about = next((found["it"] for pattern in _ABOUT if (found := pattern.search(parts[0]))), "")
    if about:
        parts[1:] = [_PRONOUN.sub(f"the {about}", part, count=1) for part in parts[1:]]
    return tuple(parts)


def _japanese(question: str) -> tuple[str, ...]:
    parts = [part.strip() for part in _BREAK_JA.split(question) if part.strip(" 　。、?？")]
    if len(parts) < 2 or not all(_ASKS_JA.search(part) for part in parts):
        return ()
    return tuple(parts)
