"""Tokens of questions, labels and names: one way of cutting for everyone who links words to the warehouse.

A latin word or a number is one token, every Japanese character is one token, so that a term matches inside
Japanese text without a dictionary and matches whole words only in text with spaces.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from retrieval.language import HIRAGANA, KANJI, KATAKANA, fold

TokenKind = Literal["word", "number", "kana", "katakana", "kanji", "mark"]

_JAPANESE = f"{HIRAGANA}{KATAKANA}{KANJI}"
_TOKEN = re.compile(
    rf"(?P<number>\d+(?:,\d{{3}})*(?:\.\d+)?)"
    rf"|(?P<kana>[{HIRAGANA}])|(?P<katakana>[{KATAKANA}])|(?P<kanji>[{KANJI}])"
    rf"|(?P<word>[^\W\d_{_JAPANESE}]+(?:'(?!s\b)[^\W\d_]+)?)"
    r"|(?P<mark>'s\b|[^\s\w]|_)"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_IRREGULAR = {
    "ids": "id", "people": "person", "men": "man", "women": "woman", "children": "child", "countries": "country",
    "series": "series", "species": "species", "news": "news", "status": "status", "data": "data",
    "criteria": "criterion", "media": "media", "staff": "staff", "movies": "movie", "cookies": "cookie",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `text` is folded, `stem` its singular, `start`/`end` count characters of `normal(question)`."""

    text: str
    stem: str
    start: int
    end: int
    kind: TokenKind

    @property
    def japanese(self) -> bool:
        """Whether it is one Japanese character."""
        return self.kind in ("kana", "katakana", "kanji")


def normal(text: str) -> str:
    """NFKC with runs of white space as one space: what offsets count in; case and kana are kept."""
    return " ".join(unicodedata.normalize("NFKC", text).replace("’", "'").replace("‘", "'").split())


def tokenize(text: str) -> list[Token]:
    """Tokens of a text already `normal`, in order. White space separates and is dropped."""
    tokens = []
    for match in _TOKEN.finditer(text):
        kind: TokenKind = match.lastgroup  # type: ignore[assignment]  # the groups are named like the kinds
        folded, stem = _stemmed(match.group(), kind == "word")
        tokens.append(Token(folded, stem, match.start(), match.end(), kind))
    return tokens


@lru_cache(maxsize=65_536)
def _stemmed(text: str, word: bool) -> tuple[str, str]:
    """A token's folded text and its stem; the same few words make up most values and names."""
    folded = fold(text)
    return folded, singular(folded) if word else folded.replace(",", "")


def stems(text: str) -> tuple[str, ...]:
    """The stems of a label or value, marks dropped: what two ways of writing it have in common."""
    return tuple(token.stem for token in tokenize(normal(text)) if token.kind != "mark")


def singular(word: str) -> str:
    """The singular of an English noun, by rule; words that are no plural come back unchanged."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zes")):
        return word[:-2]
    return word[:-1]


def split_name(name: str) -> str:
    """A column or table name as words: `customerID`, `customer_id` and `Customer Id` are `customer id`."""
    spaced = _CAMEL.sub(" ", name.replace("_", " ").replace("-", " "))
    return " ".join(spaced.casefold().split())
