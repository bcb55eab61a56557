"""Answers from documents and facts without a model: the best sentences, quoted as they stand, with their source.

Every citation's quote is the extracted text of its document at [start, end), so that it can be checked and opened.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from app.describing import describe_result
from app.facts import fact_sentences, relevant_facts
from app.matching import Matching, Sentence, sentences_of
from app.messages import text
from app.questions import Asked, asked, clauses, words_of
from retrieval.language import detect, fold
from retrieval.types import Citation, Context, Fact, Language

__all__ = ["DocumentAnswer", "answer_from_documents", "describe_result"]

SURE_ENOUGH = 0.45
"""Below this confidence the documents are said not to answer the question."""
MOST_QUOTES = 3
_CLOSE = 0.5
"""A further sentence is quoted when it is at least this share as likely as the best one."""
_SURE_OF_FACTS = 0.9
_LONGEST_NAME = 40
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class DocumentAnswer:
    """What documents and facts say. `text` is the asker's to read, [1] refers to `citations`.

    `confidence` in [0, 1] is the probability that the question is answered by what is quoted.
    """

    text: str
    citations: tuple[Citation, ...] = ()
    confidence: float = 0.0
    facts: tuple[Fact, ...] = ()

    @property
    def found(self) -> bool:
        """Whether there is anything to say; without it `text` says that there is not."""
        return bool(self.citations or self.facts)


def answer_from_documents(question: str, context: Context, language: Language) -> DocumentAnswer:
    """The facts asked for and the one to three sentences that answer best, or "not in the documents"."""
    facts = relevant_facts(question, context.facts())
    quotes, confidence = _best(question, context)
    if confidence < SURE_ENOUGH:
        quotes = []
    if not quotes and not facts:
        key = "outcome.not_in_documents" if context.passages("document", "term") else "outcome.no_documents"
        return DocumentAnswer(text(key, language), confidence=confidence)
    citations = tuple(cited(number, quote) for number, quote in enumerate(quotes, start=1))
    lines = fact_sentences(facts, language)
    lines += _quoted(quotes, citations, language)
    return DocumentAnswer(
        "\n".join(lines), citations, max(confidence, _SURE_OF_FACTS) if facts else confidence, tuple(facts)
    )


def _best(question: str, context: Context) -> tuple[list[Sentence], float]:
    """The sentences to quote, likeliest first, and how sure it is that they answer.

    A question that asks two things is looked up whole and by part: the documents may know only one of them.
    """
    whole = asked(question)
    # An entry of the glossary is a passage like any other; a metric's description only says what it means.
    kinds = ("document", "term", "metric") if whole.wants == "definition" else ("document", "term")
    found = _in_one_language(sentences_of(context.passages(*kinds)), whole.language)
    if not found:
        return [], 0.0
    parts = [_answer(asked(part), found, context) for part in clauses(question)]
    sure = [part for part in parts if part[1] >= SURE_ENOUGH]
    if not sure:
        return _answer(whole, found, context)
    turns = zip_longest(*(quotes for quotes, _ in sure))  # the best of each part first
    quotes = _joined([quote for turn in turns for quote in turn if quote is not None])[:MOST_QUOTES]
    return quotes, max(confidence for _, confidence in sure)


def _answer(looked_for: Asked, found: Sequence[Sentence], context: Context) -> tuple[list[Sentence], float]:
    """The best sentences for one thing asked, and the confidence."""
    matching = Matching(looked_for, found, _translations(looked_for, context))
    ranked = sorted(((matching.score(s), -i, s) for i, s in enumerate(found)), reverse=True)[:MOST_QUOTES]
    top, _, best = ranked[0]
    # What is said beside the best must say about as much of what was asked.
    enough = _CLOSE * matching.share(best.words, best.language)
    chosen = [
        s for score, _, s in ranked if score >= _CLOSE * top and matching.share(s.words, s.language) >= enough
    ]
    return _joined(chosen), matching.confidence(best)


def _in_one_language(found: Sequence[Sentence], language: Language) -> list[Sentence]:
    """Without the other language's half of an entry that says the same in both."""
    own = {s.passage.chunk.id for s in found if s.language == language}
    return [
        s
        for s in found
        if s.language == language
        or s.passage.chunk.document.kind == "document"
        or s.passage.chunk.id not in own
    ]


def _translations(looked_for: Asked, context: Context) -> list[list[frozenset[str]]]:
    """For each thing the question names, the words of each of its names in the other language.

    Entries of the glossary and the catalogue hold the names in both.
    """
    question = fold(looked_for.text)
    things = []
    for passage in context.passages("term", "metric", "dimension"):
        names = [line for line in passage.chunk.text.splitlines() if 1 < len(line) <= _LONGEST_NAME]
        own = [name for name in names if detect(name) == looked_for.language]
        if any(fold(name) in question for name in own):
            things.append([words_of(name) for name in names if name not in own])
    return things


def _joined(chosen: Sequence[Sentence]) -> list[Sentence]:
    """Neighbours in one chunk become one quote, standing where the better of them stood."""
    result: list[Sentence] = []
    for sentence in chosen:
        for place, other in enumerate(result):
            if other.passage.chunk.id == sentence.passage.chunk.id and _touch(other, sentence):
                start = min(other.bounds[0], sentence.bounds[0])
                end = max(other.bounds[1], sentence.bounds[1])
                words = other.words | sentence.words
                result[place] = replace(other, bounds=(start, end), words=words)
                break
        else:
            result.append(sentence)
    return result


def _touch(one: Sentence, other: Sentence) -> bool:
    first, second = sorted((one.bounds, other.bounds))
    between = one.passage.chunk.text[first[1] : second[0]]
    return not between.strip() and "\n" not in between


def cited(marker: int, quote: Sentence) -> Citation:
    """A sentence as the source that a marker stands for."""
    chunk = quote.passage.chunk
    document = chunk.document
    start, end = quote.bounds
    return Citation(
        marker=marker,
        chunk_id=chunk.id,
        document_id=document.id,
        version=document.version,
        uri=document.uri,
        title=document.title,
        quote=quote.text,
        start=chunk.start + start,
        end=chunk.start + end,
        page=chunk.page,
        as_of=document.as_of,
    )


def _quoted(quotes: Sequence[Sentence], citations: Sequence[Citation], language: Language) -> list[str]:
    """The quotes as lines, opened by a remark where they are in the other language."""
    lines: list[str] = []
    remarked = False
    for quote, citation in zip(quotes, citations, strict=True):
        written = detect(quote.text)
        if written != language and not remarked:
            key = "documents.passage_english" if written == "en" else "documents.passage_japanese"
            lines.append(text(key, language))
            remarked = True
        shown = _SPACES.sub(" ", quote.text)
        lines.append(
            f"「{shown}」[{citation.marker}]" if written == "ja" else f"“{shown}” [{citation.marker}]"
        )
    return lines
