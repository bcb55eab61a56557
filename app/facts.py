"""Facts about the asker, or the thing asked about, as part of an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.figures import show_key
from app.messages import text
from app.questions import asked, words_of
from retrieval.language import fold
from retrieval.types import Fact, Language

MOST = 6
"""Facts told at once when a question is about the thing as such."""

_MINE = re.compile(r"\b(?:my|mine|am i|do i|i have)\b|私の|わたしの|自分の|僕の|弊社の|当社の", re.IGNORECASE)
_KATAKANA_KANJI = re.compile(r"[\u30a1-\u30fa\u30fc\u4e00-\u9fff]+")
_OWN = ("user",)


def relevant_facts(question: str, facts: Sequence[Fact]) -> list[Fact]:
    """Facts that the question names by what they are called; all of the thing's when only the thing is named.

    The asker's own are told when asked for as such ("my role"); the conversation's and the date never are.
    """
    mine = _MINE.search(question) is not None
    about = [fact for fact in facts if fact.entity and (fact.entity not in _OWN or mine)]
    named = [fact for fact in about if _named(fact, question)]
    if named:
        return named[:MOST]
    things = [fact for fact in about if fact.entity not in _OWN]
    return things[:MOST] if things and _only_the_thing(question, things) else []


def fact_sentences(facts: Sequence[Fact], language: Language) -> list[str]:
    """One sentence each: what it is called, whose it is, its value, where it is from and when it was true."""
    lines = []
    for fact in facts:
        names = fact.labels.get(language) or fact.labels.get("en") or (fact.name.rpartition(".")[2],)
        values = {"name": names[0], "value": _value(fact.value, language), "origin": fact.origin}
        key = "documents.fact"
        if fact.entity in _OWN:
            key += "_own"
        else:
            values["subject"] = fact.entity.partition(":")[2] or fact.entity
        if fact.as_of is None:
            key += "_undated"
        else:
            values["date"] = show_key(fact.as_of.date(), language)
        sentence = text(key, language, **values)
        lines.append(sentence[0].upper() + sentence[1:])
    return lines


def _value(value: object, language: Language) -> str:
    if isinstance(value, list | tuple):
        return "、".join(map(str, value)) if language == "ja" else ", ".join(map(str, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


def _named(fact: Fact, question: str) -> bool:
    """Whether one of the fact's names is in the question: as whole words in English, as it stands in Japanese."""
    words = words_of(question)
    folded = fold(question)
    for language, names in fact.labels.items():
        for name in names:
            parts = words_of(name)
            if language == "en" and parts and parts <= words:
                return True
            if language == "ja" and _KATAKANA_KANJI.search(name) and fold(name) in folded:
                return True
    return False


def _only_the_thing(question: str, facts: Sequence[Fact]) -> bool:
    """Whether nothing but the thing's key or name, and what kind of thing it is, is left of the question."""
    left = set(asked(question).words)
    for fact in facts:
        kind, _, key = fact.entity.partition(":")
        for said in (kind, key, str(fact.value)):
            left -= words_of(said)
        left -= {word for word in left if word in fold(str(fact.value))}
    return len(left) <= 1
