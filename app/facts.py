"""Facts about the asker, or the thing asked about, as part of an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from app.figures import show_key
from app.messages import join, text
from app.questions import asked, words_of
from retrieval.language import fold
from retrieval.types import Fact, Language

MOST = 6
"""Facts told at once when a question is about the thing as such."""

_MINE = re.compile(r"\b(?:my|mine|am i|do i|i have)\b|私の|わたしの|自分の|僕の|弊社の|当社の", re.IGNORECASE)
_KATAKANA_KANJI = re.compile(r"[\u30a1-\u30fa\u30fc\u4e00-\u9fff]")
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
    """One sentence for each thing and source: what is said of it, where that is from and when it was true."""
    lines = []
    for (entity, origin, as_of), told in groupby(facts, key=lambda f: (f.entity, f.origin, f.as_of)):
        items = [(_called(fact, language), _value(fact.value, language)) for fact in told]
        values = {"origin": origin}
        key = "documents.fact" if len(items) == 1 else "documents.facts"
        if len(items) == 1:
            values |= {"name": items[0][0], "value": items[0][1]}
        else:
            said = [text("result.item", language, name=name, value=value) for name, value in items]
            values["items"] = join(said, language)
        if entity not in _OWN:
            values["subject"] = entity.partition(":")[2] or entity
        elif len(items) > 1:
            values["subject"] = text("documents.you", language)
        else:
            key += "_own"
        if as_of is None:
            key += "_undated"
        else:
            values["date"] = show_key(as_of.date(), language)
        sentence = text(key, language, **values)
        lines.append(sentence[0].upper() + sentence[1:])
    return lines


def _called(fact: Fact, language: Language) -> str:
    names = fact.labels.get(language) or fact.labels.get("en") or (fact.name.rpartition(".")[2],)
    return names[0]


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
