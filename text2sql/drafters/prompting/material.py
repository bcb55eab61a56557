"""Everything a prompt is filled with, within one budget of tokens and one caller's sight.

Passages come from the Context, which holds only what its asker may read; tables, values, metrics and verified
queries from the caller's own catalogue. Nothing is taken from anywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rapidfuzz import fuzz, utils

from retrieval.language import fold
from retrieval.tokens import count_tokens
from retrieval.types import Context
from text2sql.drafters.prompting.cards import metric_card
from text2sql.drafters.prompting.dialects import NAMES, NOTES
from text2sql.drafters.prompting.schema import SchemaText
from text2sql.glossary import Glossary
from text2sql.semantics import Metric, SemanticModel
from text2sql.types import Catalog
from text2sql.verified import VerifiedQueries, VerifiedQuery
from text2sql.visible_model import has_literals

SHARES = {
    "facts": 0.08,
    "conversation": 0.10,
    "metrics": 0.16,
    "glossary": 0.08,
    "examples": 0.16,
    "passages": 0.08,
}
"""Of the budget, at the most; what they leave is the schema's (never less than a third)."""
EXAMPLES = 5
PASSAGES = 3
LONGEST_PASSAGE = 600
"""Characters of a document's passage: here it only says what words mean."""
_NEAR = 35.0
"""Similarity (0 to 100) below which a verified query has nothing to tell about the question."""
_METRIC = "catalog:metric:"


class Material:
    """Fills the prompts `draft` and `revise` for one caller's catalogue. Safe between threads."""

    def __init__(
        self,
        catalog: Catalog,
        model: SemanticModel,
        *,
        verified: VerifiedQueries,
        glossary: Glossary,
        tokens: int,
    ) -> None:
        """`model` and `verified` as this caller sees them; `tokens`: the budget for everything retrieved."""
        self._catalog = catalog
        self.model = model
        self._verified = verified.queries
        self._terms = glossary.terms
        self._tokens = tokens
        self._schema = SchemaText(catalog, model, tokens)

    def values(self, question: str, context: Context) -> dict[str, str]:
        """The prompts' variables, but for the language's name, today and what a revision adds."""
        metrics = self._metrics(question, context)
        texts = {
            "facts": (piece.text for piece in context.pieces if piece.kind == "fact"),
            "conversation": (piece.text for piece in context.pieces if piece.kind == "turn"),
            "metrics": self._metric_lines(metrics),
            "glossary": self._glossary(question, context),
            "examples": self._examples(question, context),
            "passages": _passages(context),
        }
        values = {name: _fit(lines, int(SHARES[name] * self._tokens)) for name, lines in texts.items()}
        left = self._tokens - sum(count_tokens(text) for text in values.values())
        schema = self._schema.text(question, context, metrics[:6], max(left, self._tokens // 3))
        dialect = self._catalog.dialect
        return {
            **values,
            "schema": f"{schema}\n\nNotes on {NAMES[dialect]}: {NOTES[dialect]}",
            "dialect": NAMES[dialect],
            "question": question,
        }

    # -- metrics ---------------------------------------------------------------------------------------------

    def _metrics(self, question: str, context: Context) -> list[Metric]:
        """Every metric this caller could compute: those the question names, then those found for it, then the rest."""
        folded = fold(question)
        found = {
            passage.chunk.document.id.removeprefix(_METRIC): -rank
            for rank, passage in enumerate(context.passages("metric"))
        }

        def weight(metric: Metric) -> tuple[int, int]:
            names = (metric.label.en, metric.label.ja, *metric.synonyms.en, *metric.synonyms.ja, metric.name)
            said = max((len(name) for name in names if name and fold(name) in folded), default=0)
            return said, found.get(metric.name, -len(found) - 1)

        return sorted(self.model.metrics, key=weight, reverse=True)

    def _metric_lines(self, metrics: Iterable[Metric]) -> Iterator[str]:
        """A ratio brings its two parts along."""
        if self.model.tables:
            month = self.model.fiscal_year_start
            yield f"The fiscal year starts in month {month}."
        told: set[str] = set()
        for metric in metrics:
            parts = (metric.ratio.numerator, metric.ratio.denominator) if metric.ratio else ()
            group = [metric, *(part for name in parts if (part := self.model.metric(name)))]
            for one in group:
                if one.name not in told:
                    told.add(one.name)
                    yield metric_card(one, self.model)

    # -- words and examples ----------------------------------------------------------------------------------

    def _glossary(self, question: str, context: Context) -> Iterator[str]:
        folded = fold(question)
        told: set[str] = set()
        for term in self._terms:
            if any(fold(word) in folded for word in term.words):
                said = term.definition.en or term.definition.ja
                told.add(term.words[0])
                yield f"{' / '.join(term.words)}: {said}"
        for passage in context.passages("term"):
            words = passage.chunk.text.splitlines()
            if words and words[0] not in told:
                yield " / ".join(words)

    def _examples(self, question: str, context: Context) -> Iterator[str]:
        """The nearest verified queries that this caller may know of.

        Found in the store they are labelled; else only those that name no value, since a query's text tells the
        values it names.
        """
        found = {passage.chunk.text for passage in context.passages("verified")}
        near: list[tuple[float, int, VerifiedQuery]] = []
        for order, query in enumerate(self._verified):
            text = "\n".join([*query.questions, query.sql])
            if text not in found and has_literals(query.sql, self._catalog):
                continue
            like = max((_likeness(question, words) for words in query.questions), default=0.0)
            if text in found:
                like = max(like, _NEAR)
            near.append((-like, order, query))
        for like, _, query in sorted(near, key=lambda item: item[:2])[:EXAMPLES]:
            if -like >= _NEAR:
                yield f"Q: {' / '.join(query.questions)}\nSQL: {' '.join(query.sql.split())}"


def _passages(context: Context) -> Iterator[str]:
    for passage in context.passages("document")[:PASSAGES]:
        yield f"{passage.chunk.document.title}: {' '.join(passage.chunk.text.split())[:LONGEST_PASSAGE]}"


def _likeness(question: str, wording: str) -> float:
    return float(fuzz.token_set_ratio(question, wording, processor=utils.default_process))


def _fit(lines: Iterable[str], budget: int) -> str:
    """As many lines, in order, as fit; what is too long by itself is left out, and shorter ones after it are not."""
    kept: list[str] = []
    left = budget
    for line in lines:
        cost = count_tokens(line) + 1
        if cost <= left:
            kept.append(line)
            left -= cost
    return "\n".join(kept)
