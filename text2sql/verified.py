"""Verified queries: questions whose SQL a person has checked, as a YAML file.

queries:
  - question: {en: revenue by region in fiscal 2024, ja: 2024年度の地域別売上高}
    sql: SELECT region, SUM(amount) AS revenue FROM sales GROUP BY region
    owner: sales-data@shop
    verified_on: 2026-10-01

A question is taken as a verified one when it is the same after folding, or when it is nearly the same, clearly
nearer than to any query with other SQL, and says the same numbers, the same polarity and the same rare words:
"in 2023" must never be answered with the query for 2024.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from rapidfuzz import fuzz

from retrieval.language import fold
from retrieval.yaml_files import read_yaml
from text2sql.errors import SemanticModelError
from text2sql.semantics import Label
from text2sql.words import normal, tokenize

NEAR = 93.0
"""Similarity (0 to 100) from which a rewording may count as the same question."""
MARGIN = 6.0
"""How much nearer it must be than the next query with different SQL."""

_NEGATIONS = re.compile(
    r"\b(?:not|no|never|without|except|excluding|n't|other than)\b|ない|なし|以外|除[いくき]|ません|未"
)
_NOISE = frozenset(
    (
        "a",
        "an",
        "the",
        "of",
        "in",
        "for",
        "to",
        "and",
        "is",
        "are",
        "was",
        "were",
        "what",
        "which",
        "show",
        "list",
        "give",
        "me",
        "us",
        "please",
        "tell",
        "find",
        "our",
        "we",
    )
)


class VerifiedQuery(BaseModel):
    """One question in each language ("" where there is none) and the SQL a person stands for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: Label
    sql: str
    owner: str = ""
    verified_on: date | None = None

    @property
    def questions(self) -> tuple[str, ...]:
        """The wordings that exist."""
        return tuple(filter(None, (self.question.en, self.question.ja)))


class VerifiedQueries(BaseModel):
    """All of them, in the order of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    queries: tuple[VerifiedQuery, ...] = ()

    def match(self, question: str) -> VerifiedMatch | None:
        """The query this question is, or None when that is not certain."""
        return _match(self.queries, question)


@dataclass(frozen=True, slots=True)
class VerifiedMatch:
    """A verified query, the wording it was matched by, and how like the question is to it (0 to 100)."""

    query: VerifiedQuery
    wording: str
    similarity: float

    @property
    def exact(self) -> bool:
        """Whether the question is the wording itself, up to folding."""
        return self.similarity >= 100.0


def load(path: Path) -> VerifiedQueries:
    """Read and validate the file. Raises `SemanticModelError` naming the file and the place in it."""
    try:
        return VerifiedQueries.model_validate(read_yaml(path.read_text(encoding="utf-8")) or {})
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise SemanticModelError(
            "The verified queries cannot be read", where=str(path), todo=str(error)
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SemanticModelError(
            f"The verified queries are not valid: {first['msg']}",
            where=f"{path}: {place or 'top'}",
            todo="Mend the file.",
        ) from error


def _match(queries: tuple[VerifiedQuery, ...], question: str) -> VerifiedMatch | None:
    asked = _plain(question)
    if not asked:
        return None
    scored = [
        VerifiedMatch(query, wording, fuzz.ratio(asked, _plain(wording)))
        for query in queries
        for wording in query.questions
    ]
    scored.sort(key=lambda match: match.similarity, reverse=True)
    if not scored:
        return None
    best = scored[0]
    if best.exact:
        rivals = {match.query.sql for match in scored if match.exact}
        return best if len(rivals) == 1 else None
    rival = max((m.similarity for m in scored if m.query.sql != best.query.sql), default=0.0)
    near = best.similarity >= NEAR and best.similarity - rival >= MARGIN
    return best if near and _same_facts(question, best.wording) else None


def _plain(text: str) -> str:
    """Folded, without the marks that end or join sentences."""
    return " ".join(re.sub(r"[?.!,;:、。\"'「」『』]+", " ", fold(text)).split())


def _same_facts(question: str, wording: str) -> bool:
    """Whether both say the same numbers, polarity and content words (Japanese: kanji and katakana)."""
    return _facts(question) == _facts(wording)


def _facts(text: str) -> tuple[list[str], int, list[str]]:
    tokens = tokenize(normal(text))
    numbers = sorted(token.stem for token in tokens if token.kind == "number")
    content = sorted(
        token.stem
        for token in tokens
        if (token.kind == "word" and token.text not in _NOISE) or token.kind in ("kanji", "katakana")
    )
    return numbers, len(_NEGATIONS.findall(fold(text))), content
