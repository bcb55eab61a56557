"""How well a sentence answers a question, without a model: shared words weighed by rarity, and what is asked for.

The words are those of the search (`retrieval.tokens`). Rarity is taken from the sentences at hand: a word of the
question that occurs in none of them is the rarest, so what the passages never mention counts most against them.
Two logistic models over a few such shares: which sentence, and whether any. Their weights were fitted on half of
two Japanese question sets (paragraphs with and without the right one among them) and rounded; `bench/answers.py`
measures what they do.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from app.questions import Asked, words_of
from app.sentences import Bounds, sentences
from retrieval.language import detect
from retrieval.types import Language, Passage

UNSEEN = 1.5
"""Across languages most of a question cannot be compared: it counts as this many more words, none of them found."""

_LENDS = re.compile(r"^#|[?？]$|^(?:Q|問)\s*\d*[.:：．、]|か。$")
_BULLET = re.compile(r"(?:[-*+•・‣◦]\s*|(?:A|答)\s*\d*[:：]\s*)?")
_MAILED = re.compile(
    r"(?:re|fwd?|subject|from|to|cc|date|sent|件名|差出人|宛先|送信者|送信日時)\s*[:：]", re.IGNORECASE
)
_HOW_MANY = re.compile(
    r"\bhow many\b|\bnumber of\b|何(?:件|人|個|回|日|年|か月|ヶ月|時間|分|歳|倍|台|枚|本|名|社|店|校|か国|種類)|いくつ",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(?:no|none|nobody|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million"
    r"|once|twice|both|half|single|an? (?:day|week|month|year|hour|minute))\b|なし|ありません|ない|毎|半",
    re.IGNORECASE,
)
_TOTAL = re.compile(
    r"\|?\s*(?:(?:grand |sub)?totals?|overall|all|合計|総計|小計|計|全体)\s*\|", re.IGNORECASE
)
_ASKS_TOTAL = re.compile(r"\b(?:total|overall|all|altogether|whole)\b|合計|総計|全体|全部|総", re.IGNORECASE)
_ENDED = re.compile(r"[.!?。！？:：|]$|\d")
_TITLE = 60
"""Display columns of the longest line that is taken for a title."""
_KANA = re.compile("[\u3041-\u3096]")
_DIGIT = re.compile(r"\d|[一二三四五六七八九十百千万億]")
_DATED = re.compile(
    r"\d{4}|\d+\s*[年月日]|世紀|年代|時代|\b(?:january|february|march|april|may|june|july|august|september|october"
    r"|november|december|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a passage, its offsets within the chunk's text.

    `words` are its own and those of the question (a FAQ) or heading that it stands under; `above` are these and the
    words of the sentences before it in the chunk: what it speaks of may be named only there.
    """

    passage: Passage
    bounds: Bounds
    words: frozenset[str]
    above: frozenset[str]
    language: Language = "en"

    @property
    def text(self) -> str:
        """The words as written."""
        return self.passage.chunk.text[self.bounds[0] : self.bounds[1]]


def sentences_of(passages: Sequence[Passage]) -> list[Sentence]:
    """Every sentence of the passages that can be an answer, in their order.

    A heading or a question is none, however well it matches: it lends its words to what stands under it. Neither
    is a name in an entry of the glossary or the catalogue, where only the definition is a sentence.
    """
    found = []
    for passage in passages:
        text = passage.chunk.text
        prose = passage.chunk.document.kind == "document"
        language = detect(text)
        lent, above = frozenset[str](), frozenset[str]()
        titles: dict[int, frozenset[str]] = {}
        for opens, end in sentences(text):
            bullet = _BULLET.match(text, opens, end)
            start = bullet.end() if bullet else opens
            words = words_of(text[start:end])
            titled = start == opens and (_title_like(text, start, end) or _header(text, start, end))
            if titled or _LENDS.search(text[start:end]) or not (prose or _ENDED.search(text[start:end])):
                # A heading stands under those above it: what "Reply" replies to is in the title.
                level = _level(text, start, end)
                titles = {each: held for each, held in titles.items() if each < level} | {level: words}
                lent = frozenset().union(*titles.values()) if prose else lent | words
                above = lent
            elif words:
                spoken = language if prose else detect(text[start:end])
                above |= words
                found.append(Sentence(passage, (start, end), words | lent, above | lent, spoken))
    return found


def _title_like(text: str, start: int, end: int) -> bool:
    """A short line of its own without an end, with something under it."""
    alone = (start == 0 or text[start - 1] == "\n") and text[end : end + 1] == "\n"
    if not alone or end - start > _TITLE or _ENDED.search(text[start:end]):
        return False
    return sum(1 + (not char.isascii()) for char in text[start:end]) <= _TITLE


def _level(text: str, start: int, end: int) -> int:
    """How deep a heading stands: by its marks; without any, what opens the text is its title, a question never."""
    marks = end - start - len(text[start:end].lstrip("#"))
    return marks or (1 if start == 0 and not _LENDS.search(text[start:end]) else 7)


def _header(text: str, start: int, end: int) -> bool:
    """The first row of a table, which holds no figure and has another row under it; a line of a letter's head."""
    if _MAILED.match(text, start, end):
        return True
    if "|" not in text[start:end] or _DIGIT.search(text[start:end]):
        return False
    before = text[text.rfind("\n", 0, max(start - 1, 0)) + 1 : max(start - 1, 0)]
    following = text[end:].lstrip("\n").partition("\n")[0]
    return "|" not in before and "|" in following


@dataclass(frozen=True)
class Matching:
    """One question against the sentences of its passages.

    `translations`: for each thing that the question names, the words of its names in the other language.
    """

    question: Asked
    found: Sequence[Sentence]
    translations: Sequence[Sequence[frozenset[str]]] = ()

    @cached_property
    def weights(self) -> Mapping[Language, Mapping[str, float]]:
        """For sentences of each language: the words to look for and their rarity (BM25's idf) among all sentences.

        In the other language only Latin words, numbers and translations can be found.
        """
        own = self.question.words
        other = frozenset(word for word in own if word.isascii()) | self._translated()
        here = self.question.language
        there: Language = "en" if here == "ja" else "ja"
        counts = Counter(word for sentence in self.found for word in sentence.words & (own | other))
        total = len(self.found)
        rarity = {
            word: math.log(1 + (total - counts[word] + 0.5) / (counts[word] + 0.5)) * _importance(word)
            for word in own | other
        }
        return {here: {word: rarity[word] for word in own}, there: {word: rarity[word] for word in other}}

    def _translated(self) -> frozenset[str]:
        """One name for each thing: the one that the sentences use most."""
        held = Counter(word for sentence in self.found for word in sentence.words)
        best = [
            max(names, key=lambda words: sum(min(held[word], 1) for word in words) / (1 + len(words)))
            for names in self.translations
            if names
        ]
        return frozenset().union(*best)

    @cached_property
    def totals(self) -> Mapping[Language, float]:
        """The weight of the whole question, for sentences of each language."""
        totals: dict[Language, float] = {}
        for language, weights in self.weights.items():
            whole = sum(weights.values())
            if language != self.question.language and weights:
                whole += UNSEEN * whole / len(weights)
            totals[language] = whole or 1.0
        return totals

    @cached_property
    def by_passage(self) -> Mapping[str, tuple[frozenset[str], float]]:
        """Chunk id -> the words of the chunk with its title and heading, and their share of the question."""
        words: dict[str, frozenset[str]] = {}
        languages: dict[str, Language] = {}
        for sentence in self.found:
            chunk = sentence.passage.chunk
            if chunk.id not in words:
                words[chunk.id] = words_of(f"{chunk.document.title} {chunk.heading}")
                languages[chunk.id] = sentence.language
            words[chunk.id] |= sentence.words
        return {key: (held, self.share(held, languages[key])) for key, held in words.items()}

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The numbers of the question: an answer about another year is no answer."""
        return frozenset(word for word in self.question.words if word.isascii() and _DIGIT.search(word))

    def share(self, words: frozenset[str], language: Language) -> float:
        """How much of the question's weight these words of a text in that language hold, in [0, 1]."""
        weights = self.weights[language]
        return sum(weights[word] for word in words & weights.keys()) / self.totals[language]

    @cached_property
    def top(self) -> float:
        """The score of the best passage."""
        return max((sentence.passage.score for sentence in self.found), default=0.0) or 1.0

    def score(self, sentence: Sentence) -> float:
        """The probability that the sentence holds the answer, if any of these does."""
        text, wants = sentence.text, self.question.wants
        own = self.share(sentence.words, sentence.language)
        return _logistic(
            1.7 * own
            + 1.4 * own * own
            + 1.15 * self.share(sentence.above, sentence.language)
            + 1.5 * self.by_passage[sentence.passage.chunk.id][1]
            + 2.5 * sentence.passage.score / self.top
            + 0.95 * len(sentence.words & self.weights[sentence.language].keys()) / (5 + len(sentence.words))
            # Whoever asks what a word means is best served by the glossary; the question sets held none to learn from.
            + (1.5 if wants == "definition" and sentence.passage.chunk.document.kind == "term" else 0.0)
            - (0.35 if wants == "number" and not _DIGIT.search(text) else 0.0)
            - (1.0 if _TOTAL.match(text) and not _ASKS_TOTAL.search(self.question.text) else 0.0)
            - (0.7 if wants == "date" and not _DATED.search(text) else 0.0)
            - 7.1
        )

    def confidence(self, best: Sentence) -> float:
        """The probability that the passages hold the answer at all, looked at from their best sentence."""
        own, (held, near) = (
            self.share(best.words, best.language),
            self.by_passage[best.passage.chunk.id],
        )
        missing = len(self.numbers - held) / len(self.numbers) if self.numbers else 0.0
        others = (share for key, (_, share) in self.by_passage.items() if key != best.passage.chunk.id)
        margin = near - max(others, default=0.0)
        # "How many" is not answered by a sentence without a number, whatever else it shares.
        uncounted = bool(
            _HOW_MANY.search(self.question.text)
            and not (_DIGIT.search(best.text) or _COUNTED.search(best.text))
        )
        lexical, dense = min(best.passage.lexical, 1.0), max(best.passage.dense, 0.0)
        return _logistic(
            2.0 * own
            + 2.0 * near
            + 2.4 * lexical
            + 1.6 * dense
            + 2.2 * margin
            - 1.0 * missing
            - 2.5 * uncounted
            - 4.3
        )


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _importance(word: str) -> float:
    """Latin words and numbers stand alone; of Japanese character pairs several make one word, and those with a
    particle in them hardly any.
    """
    if word.isascii():
        return 1.5
    if len(word) == 1:
        return 0.5
    return 0.3 if _KANA.search(word) else 1.0
