"""How well a sentence answers a question, without a model: shared words weighed by rarity, and what is asked for.

The words are those of the search (`retrieval.tokens`). Rarity is taken from the sentences at hand: a word of the
question that occurs in none of them is the rarest, so what the passages never mention counts most against them.
Each sentence gets a few features and one probability; the weights of that logistic model were learnt by
`bench/answers.py` (see there) and are constants here.
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

_ASKING_EN = frozenset(
    "many much tell show list give please explain describe mean meaning definition define long often kind there any"
    " about get name called which".split()
)
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
    """One sentence of a passage, its offsets within the chunk's text."""

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
    """Every sentence of the passages, in their order."""
    found = []
    for rank, passage in enumerate(passages):
        text = passage.chunk.text
        for start, end in sentences(text):
            words = frozenset(lexical_tokens(text[start:end]))
            if words:
                found.append(Sentence(passage, rank, (start, end), words))
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
                words[chunk.id] = frozenset(lexical_tokens(f"{chunk.document.title} {chunk.heading}\n{chunk.text}"))
        return words

    def share(self, words: frozenset[str]) -> float:
        """How much of the question's weight these words hold, in [0, 1]."""
        return sum(self.weights[word] for word in words & self.question.words) / self.total

    def features(self, sentence: Sentence) -> list[float]:
        """What the model looks at, each about in [0, 1]."""
        text = sentence.text
        wants = self.question.wants
        near = self.by_passage[sentence.passage.chunk.id]
        own = self.share(sentence.words)
        rarest = max(self.weights, key=self.weights.__getitem__, default="")
        return [
            own,
            self.share(near),
            own * own,
            1.0 if rarest in near else 0.0,
            1.0 / (1 + sentence.rank),
            len(sentence.words & self.question.words) / (5 + len(sentence.words)),
            min(len(sentence.words), 60) / 60,
            1.0 if wants == "number" and _DIGIT.search(text) else 0.0,
            1.0 if wants == "number" and not _DIGIT.search(text) else 0.0,
            1.0 if wants == "date" and _DATED.search(text) else 0.0,
            1.0 if wants == "date" and not _DATED.search(text) else 0.0,
            1.0 if wants == "definition" and _DEFINES.search(text) else 0.0,
        ]


def _importance(word: str) -> float:
    """Latin words and numbers stand alone; of Japanese character pairs several make one word, and those with a
    particle in them hardly any.
    """
    if word.isascii():
        return 1.5
    if len(word) == 1:
        return 0.5
    return 0.3 if _KANA.search(word) else 1.0
