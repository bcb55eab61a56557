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
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from app.sentences import Bounds, sentences
from retrieval.language import detect
from retrieval.tokens import lexical_tokens
from retrieval.types import Language, Passage

_ASK = (
    "many much tell show list give please explain describe mean meaning definition define long often kind there any"
    " about get name called which"
)
_ASKING_EN = frozenset(_ASK.split())
_ASKING_JA = re.compile(
    r"(?:何|なに|誰|だれ|いつ|どこ|どの|どれ|どう|いくら|いくつ|なぜ|幾)[ぁ-ん]{0,3}"
    r"|(?:教え|示し|説明し|答え)て(?:ください|下さい|くれ)?|でしょうか|ですか|ますか|について|とは(?=[?？。]|$)|か[?？。]*$"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as what it looks for: its words, and the kind of thing an answer must hold."""

    text: str
    language: Language
    words: frozenset[str]
    wants: str
    """`number`, `date`, `definition` or ""."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a passage, its offsets within the chunk's text.

    `words` are its own and those of the question (a FAQ) or heading that it stands under.
    """

    passage: Passage
    rank: int
    bounds: Bounds
    words: frozenset[str]

    @property
    def text(self) -> str:
        """The words as written."""
        return self.passage.chunk.text[self.bounds[0] : self.bounds[1]]


_NUMBER = re.compile(
    r"\bhow (?:much|many|long|often|old|far|high|large|big)\b|\bwhat (?:percent|share|amount|price|cost|number)\b"
    r"|いくら|いくつ|幾|何(?:円|件|人|個|回|日|年|か月|ヶ月|時間|分|歳|%|パーセント|割|倍|台|キロ|メートル|枚|本|つ|名|階|番|位|万|億)",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\bwhen\b|\b(?:what|which) (?:year|date|day|month)\b|いつ|何(?:年|月|日|時|世紀|年代)", re.IGNORECASE
)
_DEFINITION = re.compile(
    r"\bwhat (?:is|are|does)\b|\bdefin|\bmeaning\b|とは|って何|意味|定義|どういう|どのような", re.IGNORECASE
)
_LENDS = re.compile(r"^#|[?？]$|^(?:Q|問)\s*\d*[.:：．、]|か。$")
_BULLET = re.compile(r"(?:[-*+•・‣◦]\s*|(?:A|答)\s*\d*[:：]\s*)?")
_KANA = re.compile("[\u3041-\u3096]")
_DIGIT = re.compile(r"\d|[一二三四五六七八九十百千万億]")
_DATED = re.compile(
    r"\d{4}|\d+\s*[年月日]|世紀|年代|時代|\b(?:january|february|march|april|may|june|july|august|september|october"
    r"|november|december|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b",
    re.IGNORECASE,
)
_DEFINES = re.compile(
    r"\b(?:is|are) (?:an?|the|any|called|defined)\b|\bmeans?\b|\brefers? to\b|とは|のこと|である。|を指す|をいう|という。|です。"
)


def asked(question: str) -> Asked:
    """Read a question. Words that only ask are left out; when nothing else is there, they are all it has."""
    language = detect(question)
    bare = _ASKING_JA.sub(" ", question) if language == "ja" else question
    words = frozenset(lexical_tokens(bare)) - _ASKING_EN or frozenset(lexical_tokens(question))
    kinds = (("date", _DATE), ("number", _NUMBER), ("definition", _DEFINITION))
    return Asked(question, language, words, next((k for k, pattern in kinds if pattern.search(question)), ""))


def sentences_of(passages: Sequence[Passage]) -> list[Sentence]:
    """Every sentence of the passages that can be an answer, in their order.

    A heading or a question is none, however well it matches: it lends its words to what stands under it.
    """
    found = []
    for rank, passage in enumerate(passages):
        text = passage.chunk.text
        lent: frozenset[str] = frozenset()
        for opens, end in sentences(text):
            bullet = _BULLET.match(text, opens, end)
            start = bullet.end() if bullet else opens
            words = frozenset(lexical_tokens(text[start:end]))
            if _LENDS.search(text[start:end]):
                lent = words
            elif words:
                found.append(Sentence(passage, rank, (start, end), words | lent))
    return found


@dataclass(frozen=True)
class Matching:
    """One question against the sentences of its passages."""

    question: Asked
    found: Sequence[Sentence]

    @cached_property
    def weights(self) -> dict[str, float]:
        """Rarity of each word of the question among the sentences (BM25's idf); Latin words and numbers say more
        than the character pairs that make up a Japanese word, of which there are several a word.
        """
        counts = Counter(word for sentence in self.found for word in sentence.words & self.question.words)
        total = len(self.found)
        return {
            word: math.log(1 + (total - counts[word] + 0.5) / (counts[word] + 0.5)) * _importance(word)
            for word in self.question.words
        }

    @cached_property
    def total(self) -> float:
        """The weight of the whole question."""
        return sum(self.weights.values()) or 1.0

    @cached_property
    def by_passage(self) -> dict[str, frozenset[str]]:
        """Chunk id -> the words of the chunk with its title and heading."""
        words: dict[str, frozenset[str]] = {}
        for sentence in self.found:
            chunk = sentence.passage.chunk
            if chunk.id not in words:
                words[chunk.id] = frozenset(
                    lexical_tokens(f"{chunk.document.title} {chunk.heading}\n{chunk.text}")
                )
        return words

    def share(self, words: frozenset[str]) -> float:
        """How much of the question's weight these words hold, in [0, 1]."""
        return sum(self.weights[word] for word in words & self.question.words) / self.total

    def score(self, sentence: Sentence) -> float:
        """The probability that the sentence holds the answer, if any of these does."""
        text, wants = sentence.text, self.question.wants
        own = self.share(sentence.words)
        rarest = max(self.weights, key=self.weights.__getitem__, default="")
        near = self.by_passage[sentence.passage.chunk.id]
        return _logistic(
            1.9 * own
            + 1.5 * own * own
            + 1.2 * self.share(near)
            + (0.5 if rarest in near else 0.0)
            + 2.7 / (1 + sentence.rank)
            + 0.8 * len(sentence.words & self.question.words) / (5 + len(sentence.words))
            + 0.2 * min(len(sentence.words), 60) / 60
            - (0.2 if wants == "number" and not _DIGIT.search(text) else 0.0)
            - (0.7 if wants == "date" and not _DATED.search(text) else 0.0)
            + (0.1 if wants == "definition" and _DEFINES.search(text) else 0.0)
            - 6.6
        )

    def confidence(self, best: Sentence) -> float:
        """The probability that the passages hold the answer at all, looked at from their best sentence."""
        own, near = self.share(best.words), self.by_passage[best.passage.chunk.id]
        others = (self.share(words) for key, words in self.by_passage.items() if key != best.passage.chunk.id)
        margin = self.share(near) - max(others, default=0.0)
        return _logistic(2.6 * own + 3.0 * self.share(near) + 1.0 * margin - 3.1)


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
