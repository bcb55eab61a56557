"""Tables, metrics, dimensions, terms and verified queries as documents of the semantic store.

Each is one Document with one Chunk, labelled from the policy: who may not read a table finds nothing about it, and
a query whose text names values is found only by those who see all rows of its tables.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from retrieval.types import EVERYONE, Chunk, Document, DocumentKind
from text2sql.glossary import Glossary, Term
from text2sql.policy import Policy, TableRule
from text2sql.semantics import Dimension, Entity, Label, Metric, SemanticModel
from text2sql.types import Catalog, Table
from text2sql.verified import VerifiedQueries, VerifiedQuery
from text2sql.visible_model import has_literals, tables_of

SOURCE = "catalog"
_ALL = frozenset({EVERYONE})


def catalog_documents(
    catalog: Catalog,
    model: SemanticModel,
    glossary: Glossary,
    verified: VerifiedQueries,
    policy: Policy | None,
) -> list[Chunk]:
    """One chunk an object, in a stable order with stable ids. Without a policy everything is for everyone.

    Texts hold names and descriptions in both languages and no values of the warehouse.
    """
    maker = _Maker(catalog, model, policy)
    chunks = [maker.table(table) for table in catalog.tables]
    chunks += [maker.metric(metric) for metric in model.metrics]
    chunks += [maker.dimension(e, d) for e in model.tables for d in e.dimensions if maker.exists(e)]
    chunks += [maker.term(term) for term in glossary.terms]
    chunks += [maker.verified(query) for query in verified.queries]
    # The same object twice (two tables of a model over one column) is one document.
    return list({chunk.document.id: chunk for chunk in chunks}.values())


class _Maker:
    """Makes the chunks of one catalogue and policy."""

    def __init__(self, catalog: Catalog, model: SemanticModel, policy: Policy | None) -> None:
        self._catalog = catalog
        self._model = model
        self._policy = policy

    def exists(self, entity: Entity) -> bool:
        return self._catalog.table(entity.physical) is not None

    def table(self, table: Table) -> Chunk:
        entities = [e for e in self._model.tables if self._catalog.table(e.physical) is table]
        rule = self._policy.rule(table) if self._policy else None
        # Everyone who may find the table reads this, so a column hidden from some of them is not in it.
        hiding = rule.grants if rule else ()
        names = ", ".join(c.name for c in table.columns if not any(grant.hides(c.name) for grant in hiding))
        words = [line for entity in entities for line in _words(entity.label, entity.description)]
        words += [w for e in entities for w in (*e.synonyms.en, *e.synonyms.ja)]
        text = "\n".join(filter(None, [table.name, *words, table.comment, names]))
        title = _title(entities[0].label, table.name) if entities else table.name
        return _chunk("table", table.qualified, title, text, self._of([table]), rule)

    def metric(self, metric: Metric) -> Chunk:
        formula = metric.expr or (
            f"{metric.ratio.numerator} / {metric.ratio.denominator}" if metric.ratio else ""
        )
        said = [*metric.synonyms.en, *metric.synonyms.ja, metric.unit, metric.owner]
        how = f"{metric.agg or 'ratio'} {formula}".strip()
        lines = [metric.name, *_words(metric.label, metric.description), *said, how]
        text = "\n".join(filter(None, lines))
        labels = _meet([self._of(self._tables(metric)), *self._columns(metric)])
        return _chunk("metric", metric.name, _title(metric.label, metric.name), text, labels)

    def dimension(self, entity: Entity, dimension: Dimension) -> Chunk:
        table = self._catalog.table(entity.physical)
        said = [*dimension.synonyms.en, *dimension.synonyms.ja]
        lines = [
            dimension.name,
            *_words(dimension.label, dimension.description),
            *said,
            *_words(entity.label, Label()),
        ]
        labels = self._column(table, dimension.sql) if table else frozenset[str]()
        name = f"{entity.name}.{dimension.name}"
        title = _title(dimension.label, dimension.name)
        return _chunk("dimension", name, title, "\n".join(filter(None, lines)), labels)

    @staticmethod
    def term(term: Term) -> Chunk:
        text = "\n".join(filter(None, [*term.words, term.definition.en, term.definition.ja]))
        return _chunk("term", term.words[0] if term.words else "", _title(term.term, ""), text, _ALL)

    def verified(self, query: VerifiedQuery) -> Chunk:
        names = tables_of(query.sql, self._catalog)
        tables = [table for name in names or () if (table := self._catalog.table(name))]
        labels = (
            self._of(tables, all_rows=has_literals(query.sql, self._catalog)) if tables else frozenset[str]()
        )
        text = "\n".join([*query.questions, query.sql])
        identity = hashlib.sha256("\n".join(query.questions).encode()).hexdigest()[:16]
        return _chunk("verified", identity, query.questions[0] if query.questions else identity, text, labels)

    def _columns(self, metric: Metric) -> Iterator[frozenset[str]]:
        """Who is denied none of the columns that the formula names, a set a column."""
        for part in self._parts(metric):
            entity = self._model.entity(part.table)
            table = self._catalog.table(entity.physical) if entity else None
            words = set(re.findall(r"\w+", f"{part.expr} {part.filter}".casefold()))
            for column in table.columns if table else ():
                if table and column.name.casefold() in words:
                    yield self._column(table, column.name)

    def _parts(self, metric: Metric) -> list[Metric]:
        names = [metric.ratio.numerator, metric.ratio.denominator] if metric.ratio else [metric.name]
        return [found for name in names if (found := self._model.metric(name))]

    def _tables(self, metric: Metric) -> list[Table | None]:
        entities = [self._model.entity(part.table) for part in self._parts(metric)]
        return [self._catalog.table(entity.physical) if entity else None for entity in entities]

    def _of(self, tables: list[Table] | list[Table | None], *, all_rows: bool = False) -> frozenset[str]:
        """Who may read every one of the tables (`all_rows`: and all of their rows)."""
        if self._policy is None:
            return _ALL
        labels: list[frozenset[str]] = []
        for table in tables:
            rule = self._policy.rule(table) if table else None
            grants = [g for g in (rule.grants if rule else ()) if not all_rows or g.predicate is None]
            roles = {role for grant in grants for role in grant.roles}
            labels.append(frozenset(EVERYONE if r == EVERYONE else f"role:{r}" for r in roles))
        return _meet(labels)

    def _column(self, table: Table, column: str) -> frozenset[str]:
        """Who may read the table and is not denied the column."""
        rule = self._policy.rule(table) if self._policy else None
        if self._policy is None:
            return _ALL
        roles = {
            role for grant in (rule.grants if rule else ()) if not grant.hides(column) for role in grant.roles
        }
        return frozenset(EVERYONE if role == EVERYONE else f"role:{role}" for role in roles)


def _meet(labels: list[frozenset[str]]) -> frozenset[str]:
    """Labels that open everything at once; `everyone` stands for every label of the others."""
    if not labels:
        return frozenset()
    limiting = [each for each in labels if EVERYONE not in each]
    if not limiting:
        return _ALL
    return frozenset.intersection(*limiting)


def _words(label: Label, description: Label) -> Iterator[str]:
    yield from (text for text in (label.en, label.ja, description.en, description.ja) if text)


def _title(label: Label, name: str) -> str:
    return " / ".join(dict.fromkeys(filter(None, (label.en, label.ja)))) or name


def _chunk(
    kind: DocumentKind,
    name: str,
    title: str,
    text: str,
    labels: frozenset[str],
    rule: TableRule | None = None,
) -> Chunk:
    identity = f"{SOURCE}:{kind}:{name}"
    document = Document(
        id=identity,
        version=hashlib.sha256(text.encode()).hexdigest()[:16],
        uri=f"{SOURCE}://{kind}/{name}",
        title=title or name,
        kind=kind,
        labels=labels,
        discoverable=rule is not None and rule.discoverable,
        owner=rule.owner if rule is not None else "",
        source=SOURCE,
    )
    return Chunk(id=f"{identity}#0", document=document, ordinal=0, text=text, start=0, end=len(text))
