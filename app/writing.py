"""The answer's words by a model, kept only when everything in them can be looked up.

Every figure has to stand in the rows or in a passage that is cited, every marker has to stand for a passage that has
some word of what is said, and documents that were used have to be cited. One more try is told what was wrong; after that the text made without a
model is shown, and the record says why.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING

from app.answering import cited
from app.grounding import unsupported
from app.matching import Sentence, sentences_of
from app.material import Material
from app.questions import words_of
from app.sentences import sentences
from prompts.calling import Reply, call, model_name
from prompts.errors import ModelFailed
from prompts.loading import load
from retrieval.language import detect, fold
from retrieval.types import Citation, Language, Passage
from text2sql.types import ModelCall

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

TRIES = 2
LONGEST = 4_000
"""Characters of an answer; the prompt asks for a few sentences."""
_MARKER = re.compile(r"\s*[\[［【](\d{1,3}(?:\s*[,、，]\s*\d{1,3})*)[\]］】]")
_NUMBER = re.compile(r"\d+")
_CURRENCIES = {
    "yen": re.compile(r"[¥円]|\b(?:yen|jpy)\b|_(?:yen|jpy)\b", re.IGNORECASE),
    "dollars": re.compile(r"\$|ドル|\bdollars?\b|\busd\b|_usd\b", re.IGNORECASE),
    "euros": re.compile(r"€|ユーロ|\beuros?\b|\beur\b|_eur\b", re.IGNORECASE),
    "pounds": re.compile(r"£|ポンド|\bgbp\b|_gbp\b", re.IGNORECASE),
}
_LINK = re.compile(r"(?:https?://|www\.)[^\s\])）」>\"']+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Written:
    """What came of it. `problem` says why the text may not be shown, "" when it may."""

    text: str = ""
    citations: tuple[Citation, ...] = ()
    calls: tuple[ModelCall, ...] = ()
    problem: str = ""

    @property
    def used(self) -> bool:
        """Whether this is the answer's text."""
        return bool(self.text) and not self.problem


class Writer:
    """Words answers with one chat model. Safe between threads."""

    def __init__(self, chat: BaseChatModel, seconds: float) -> None:
        """`seconds` bound both tries together."""
        self._chat = chat
        self._seconds = seconds

    def write(self, material: Material, language: Language) -> Written:
        """At most two tries; never raises, a model that fails is a `problem` like any other."""
        began = perf_counter()
        calls: list[ModelCall] = []
        problem, wrong = "", ""
        prompt = load("answer", language)
        for _ in range(TRIES):
            started = perf_counter()
            rendered = prompt.render(**material.values(), unsupported=wrong)
            try:
                reply = call(self._chat, rendered, seconds=max(0.0, self._seconds - (started - began)))
            except ModelFailed as failure:
                spent = perf_counter() - started
                name = model_name(self._chat)
                calls.append(ModelCall("answer", name, prompt.version, seconds=spent, failure=failure.kind))
                return Written(calls=tuple(calls), problem=failure.kind)
            calls.append(_call(reply))
            written, wrong = checked(reply, material)
            if written.used:
                return replace(written, calls=tuple(calls))
            problem = written.problem
        return Written(calls=tuple(calls), problem=problem)


def checked(reply: Reply, material: Material) -> tuple[Written, str]:
    """The reply as an answer, or its problem with what to tell the model about it."""
    text, used = renumbered(reply.text.strip())
    if not reply.complete or len(text) > LONGEST:
        return Written(problem="too_long"), "The text was too long. Say it in a few sentences."
    missing = [number for number in used if not 1 <= number <= len(material.passages)]
    if missing:
        listed = " ".join(f"[{number}]" for number in missing)
        return Written(problem=f"no_such_passage: {listed}"), f"There is no passage {listed}."
    if material.passages and not used:
        return Written(problem="no_citation"), "No passage was cited. Cite those that say it, like [1]."
    given = (*material.said, *material.definitions, *material.facts, material.note)
    quoted = [material.passages[number - 1] for number in used]
    sources = [*given, *(_source(passage) for passage in quoted)]
    found = [item.text for item in unsupported(text, passages=sources, rows=material.rows)]
    known = fold("\n".join([*sources, material.question]))
    found += [link for link in _LINK.findall(text) if fold(link.rstrip(".,。、")) not in known]
    found += _exchanged(
        text, "\n".join((known, *material.units, *(material.rows[0] if material.rows else ())))
    )
    if found:
        listed = ", ".join(dict.fromkeys(found))
        return Written(problem=f"unsupported: {listed}"), "\n".join(dict.fromkeys(found))
    strangers = [
        marker
        for marker, passage in enumerate(quoted, start=1)
        if not _touches(_claims(text, marker), passage)
    ]
    if strangers:
        listed = " ".join(f"[{used[marker - 1]}]" for marker in strangers)
        return Written(
            problem=f"not_in_passage: {listed}"
        ), f"What is said is not in the passage cited: {listed}."
    if material.rows and not _tells(text, material):
        return Written(problem="says_nothing"), "Nothing of the rows was told. Answer with what they hold."
    citations = tuple(
        cited(marker, _quote(passage, _claims(text, marker)))
        for marker, passage in enumerate(quoted, start=1)
    )
    return Written(text, citations), ""


def _exchanged(text: str, known: str) -> list[str]:
    """Currencies of the text where the material names others only: ¥500 is not $500."""
    named = {name for name, pattern in _CURRENCIES.items() if pattern.search(known)}
    said = {name: match[0] for name, pattern in _CURRENCIES.items() if (match := pattern.search(text))}
    return [word for name, word in said.items() if named and name not in named]


def renumbered(text: str) -> tuple[str, list[int]]:
    """The text with markers numbered 1, 2, … as they appear, and the passages' own numbers in that order."""
    used: list[int] = []

    def marker(match: re.Match[str]) -> str:
        numbers = [int(number) for number in _NUMBER.findall(match[1])]
        used.extend(number for number in numbers if number not in used)
        shown = "".join(f"[{used.index(number) + 1}]" for number in dict.fromkeys(numbers))
        return f" {shown}" if match[0][0].isspace() else shown

    return _MARKER.sub(marker, text), used


def _source(passage: Passage) -> str:
    """All that may be repeated of a passage: its text and what it is called."""
    document = passage.chunk.document
    day = f"{document.as_of:%Y-%m-%d}" if document.as_of else ""
    return "\n".join((document.title, passage.chunk.heading, day, passage.chunk.text))


def _tells(text: str, material: Material) -> bool:
    """Whether the text holds a value of the rows: a figure, or a text as it stands there.

    The dates of a period are figures too, but of the query: a text of nothing else tells nothing of the rows.
    """
    bare = _MARKER.sub("", text)
    if len(unsupported(bare, rows=material.rows)) < len(unsupported(bare)):
        return True
    values = (value for row in material.rows for value in row.values())
    folded = fold(bare)
    return any(isinstance(value, str) and value.strip() and fold(value) in folded for value in values)


def _touches(claim: str, passage: Passage) -> bool:
    """Whether the passage has any word of what is said of it; between two languages that cannot be told."""
    source = _source(passage)
    if not claim.strip() or detect(claim) != detect(passage.chunk.text):
        return True
    wanted = words_of(claim)
    return not wanted or bool(wanted & words_of(source))


def _claims(text: str, marker: int) -> str:
    """The sentences of the answer that end with this marker, without markers."""
    spans = [text[start:end] for start, end in sentences(text)]
    found = [span for span in spans if f"[{marker}]" in span]
    # A marker after the full stop stands at the head of what follows: the sentence before it is meant.
    for before, span in pairwise(spans):
        if span.startswith(f"[{marker}]"):
            found.append(before)
    return _MARKER.sub("", " ".join(found))


def _quote(passage: Passage, claim: str) -> Sentence:
    """The sentence of the passage that shares most with what is claimed; figures count for more."""
    whole = passage.chunk.text
    candidates: Sequence[Sentence] = sentences_of([passage]) or [
        Sentence(passage, bounds, words_of(whole[slice(*bounds)]), frozenset(), detect(whole))
        for bounds in sentences(whole)
    ]
    if not candidates:  # a passage of white space is never found, but a quote must stand somewhere
        return Sentence(passage, (0, len(whole)), frozenset(), frozenset(), detect(whole))
    wanted = words_of(claim)

    def likeness(sentence: Sentence) -> tuple[float, float]:
        shared = wanted & sentence.words
        figures = sum(1 for word in shared if any(char.isdigit() for char in word))
        return len(shared) + 2 * figures, -len(sentence.words)

    return max(candidates, key=likeness)


def _call(reply: Reply) -> ModelCall:
    return ModelCall(
        "answer", reply.model, reply.prompt_version, reply.input_tokens, reply.output_tokens, reply.seconds
    )
