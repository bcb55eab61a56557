"""A question as what it looks for: the words that carry it, and the kind of thing an answer must hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from retrieval.language import detect
from retrieval.situational.conversation import leans_on_before
from retrieval.tokens import lexical_tokens
from retrieval.types import Language

Wants = Literal["number", "date", "definition", ""]

_ASK = (
    "many much tell show list give please explain describe mean meaning definition define long often kind there any"
    " about get name called which"
)
_ASKING_EN = frozenset(_ASK.split())
_ASKING_JA = re.compile(
    r"(?:何|なに|誰|だれ|いつ|どこ|どの|どれ|どう|いくら|いくつ|なぜ|幾)[ぁ-ん]{0,3}"
    r"|(?:こと|もの)?(?:が|は)?(?:必要|可能)(?:が|は)?(?:あり|です|でしょう)|(?:教え|示し|説明し|答え)て(?:ください|下さい|くれ)?|でしょうか|ですか|ますか|について|とは(?=[?？。]|$)|か[?？。]*$"
)
_NUMBER = re.compile(
    r"\bhow (?:much|many|long|often|old|far|high|large|big)\b|\bwhat (?:percent|share|amount|price|cost|number)\b"
    r"|いくら|いくつ|幾|何(?:円|件|人|個|回|日|年|か月|ヶ月|時間|分|歳|%|パーセント|割|倍|台|キロ|メートル|枚|本|つ|名|階|番|位|万|億)",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"^when\b|\bwhen (?:do|does|did|is|are|was|were|will|can|must|should)\b|\b(?:what|which) (?:year|date|day|month)\b|いつ|何(?:年|月|日|時|世紀|年代)",
    re.IGNORECASE,
)
_DEFINITION = re.compile(
    r"\bwhat (?:is|are|does)\b|\bdefin|\bmeaning\b|とは|って何|意味|定義|どういう|どのような", re.IGNORECASE
)
_BETWEEN = re.compile(
    r"(?:,|;)?\s+and\s+(?=(?:what|how|when|where|who|which|why|is|are|was|were|do|does|did|can|could|should)\b)"
    r"|[?？。;]\s*|、?また、|、それと|、そして",
    re.IGNORECASE,
)
_ENDING = re.compile(r"(?<=[a-z]{3})(?:ing|ed|es|e)$|(?<=[a-z]{4})(?:ly|er)$")
_DOUBLED = re.compile(r"([bdfgmnprt])\1$")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, read."""

    text: str
    language: Language
    words: frozenset[str]
    wants: Wants


def asked(question: str) -> Asked:
    """Read a question. Words that only ask are left out; when nothing else is there, they are all it has."""
    language = detect(question)
    bare = _ASKING_JA.sub(" ", question) if language == "ja" else question
    left = [token for token in lexical_tokens(bare) if token not in _ASKING_EN]
    words = frozenset(map(_form, left or lexical_tokens(question)))
    kinds: tuple[tuple[Wants, re.Pattern[str]], ...] = (
        ("date", _DATE),
        ("number", _NUMBER),
        ("definition", _DEFINITION),
    )
    return Asked(question, language, words, next((k for k, pattern in kinds if pattern.search(question)), ""))


def clauses(question: str) -> list[str]:
    """The questions within a question, where there are several that each stand alone; else none.

    "What does it mean, and what was it last year?" has a second part that stands on the first: it is left out.
    """
    parts = [part.strip() for part in _BETWEEN.split(question) if part.strip()]
    return [part for part in parts if not leans_on_before(part)] if len(parts) > 1 else []


@lru_cache(maxsize=20_000)
def words_of(text: str) -> frozenset[str]:
    """The words of a text as questions and sentences are compared by."""
    return frozenset(map(_form, lexical_tokens(text)))


def _form(word: str) -> str:
    """English verb endings off ("covered", "covers", "covering" are one here; the search keeps them apart)."""
    if len(word) < 5 or not word.isascii() or not word.isalpha():
        return word
    return _DOUBLED.sub(r"\1", _ENDING.sub("", word))
