"""Which tables go into a prompt: all of them where they fit, else those that the question is about, best first."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from retrieval.tokens import count_tokens
from retrieval.types import Context
from text2sql.drafters.prompting.cards import Cards
from text2sql.semantics import Metric, SemanticModel
from text2sql.table_linking import TableRanker
from text2sql.types import Catalog, Table

RANKED = 20
"""Tables that the words of a question can bring in; keys bring in their neighbours."""
_IN_FULL = 0.75
"""Share of the budget for full cards where not all tables fit; the rest is for names and types of further ones."""
_TABLE = "catalog:table:"


class SchemaText:
    """Cards of one caller's tables. Safe between threads; what does not depend on the question is made once."""

    def __init__(self, catalog: Catalog, model: SemanticModel, most: int) -> None:
        """`most`: tokens that no question's budget exceeds."""
        self._catalog = catalog
        self._model = model
        self._cards = Cards(catalog, model)
        self._whole, self._cost = self._all(most)
        self._ranker: TableRanker | None = None
        self._lock = threading.Lock()

    def text(self, question: str, context: Context, metrics: Iterable[Metric], budget: int) -> str:
        """The cards for this question, at most `budget` tokens of them (one table is always there)."""
        if self._cost <= budget:
            return self._whole
        shown: list[str] = []
        briefly: list[Table] = []
        left = budget
        for table in self._ranked(question, context, metrics):
            card = self._cards.full(table)
            cost = count_tokens(card) + 1
            if cost <= left - (1 - _IN_FULL) * budget:
                shown.append(card)
                left -= cost
            elif shown:
                briefly.append(table)
            else:
                shown.append(_cut(self._cards.brief(table), left))
                left -= count_tokens(shown[-1]) + 1
        for table in briefly:
            card = self._cards.brief(table)
            cost = count_tokens(card) + 1
            if cost <= left:
                shown.append(card)
                left -= cost
        return "\n".join(shown)

    def _all(self, most: int) -> tuple[str, float]:
        """Every card and what they cost together; stops, at infinity, when that exceeds `most`."""
        cards: list[str] = []
        cost = 0
        for table in self._catalog.tables:
            cards.append(self._cards.full(table))
            cost += count_tokens(cards[-1]) + 1
            if cost > most:
                return "", float("inf")
        return "\n".join(cards), cost

    def _ranked(self, question: str, context: Context, metrics: Iterable[Metric]) -> list[Table]:
        """Tables that were found, that metrics of the question read, that its words name; then what keys join to them."""
        ids = [passage.chunk.document.id for passage in context.passages("table")]
        names = [id_.removeprefix(_TABLE) for id_ in ids]
        for metric in metrics:
            entity = self._model.entity(metric.table)
            names += [entity.physical] if entity else []
        found = {t.qualified: t for name in names if (t := self._catalog.table(name)) is not None}
        for table, _ in self._linker().rank(question, RANKED):
            found.setdefault(table.qualified, table)
        for table in list(found.values()):
            for key in table.foreign_keys:
                target = self._catalog.table(key.to_table)
                if target is not None:
                    found.setdefault(target.qualified, target)
        for table in self._catalog.tables[
            :200
        ]:  # a small catalogue is named whole, if it has to be without details
            found.setdefault(table.qualified, table)
        return list(found.values())

    def _linker(self) -> TableRanker:
        with self._lock:
            if self._ranker is None:
                self._ranker = TableRanker(self._catalog)
            return self._ranker


def _cut(card: str, budget: int) -> str:
    """As many columns as fit, the loss said."""
    parts = card.split(", ")
    while len(parts) > 1 and count_tokens(", ".join(parts)) > budget:
        parts = parts[: max(1, int(len(parts) * 0.8))]
    return card if len(parts) == card.count(", ") + 1 else ", ".join(parts) + ", … (further columns left out)"
