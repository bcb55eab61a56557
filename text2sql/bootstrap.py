"""A first semantic model and a first policy for a warehouse that nobody has described yet.

Both are YAML that a person edits afterwards. Nothing is invented: words come from names and comments, joins from
keys, times from types and values. Synonyms stay empty.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import yaml

from retrieval.language import detect
from text2sql.column_roles import measure_kind, title_column
from text2sql.column_times import TimeColumn, column_sql, event_rank, time_column
from text2sql.semantics import Dimension, Entity, Join, Label, Metric, SemanticModel
from text2sql.types import Catalog, Column, Dialect, ForeignKey, Table
from text2sql.words import singular, split_name

OWNER = "owner"
"""The role that `init` gives to the local user."""
_DIMENSION_TYPES = {
    "integer": "number", "number": "number", "text": "text", "time": "text", "boolean": "boolean",
    "date": "text", "timestamp": "text",
}  # fmt: skip
"""Family -> type of dimension; dates are here for those whose values are no dates."""
_LABEL_LENGTH = 20
"""A Japanese comment is a label up to here, and a description beyond."""
_UNCOUNTED = {"series", "species", "news", "data", "media", "staff", "people", "information", "history"}
_PREFIX = re.compile(r"^(?:tbl|dim|fact|fct|stg|mst|m|t|d|f|v|vw)_(?=.{3})", re.IGNORECASE)


def first_model(catalog: Catalog, name: str) -> SemanticModel:
    """Entities, dimensions, times, joins and metrics read off a catalogue. Always valid for that catalogue."""
    names = _entity_names(catalog)
    entities: list[Entity] = []
    metrics: list[Metric] = []
    for table in catalog.tables:
        entity = _entity(table, names[table.qualified], catalog.dialect)
        entities.append(entity)
        metrics += _metrics(table, entity)
    return SemanticModel(
        name=name, tables=tuple(entities), joins=tuple(_joins(catalog, names)), metrics=tuple(metrics)
    )


def _entity_names(catalog: Catalog) -> dict[str, str]:
    """Qualified name -> the bare name where it is the only one, `schema_name` where it is not."""
    count = Counter(table.name.casefold() for table in catalog.tables)
    return {
        t.qualified: t.name if count[t.name.casefold()] == 1 else f"{t.schema}_{t.name}"
        for t in catalog.tables
    }


def label_of(name: str, comment: str = "") -> Label:
    """What a table or column is called: its name in words, and a short Japanese comment."""
    words = split_name(_PREFIX.sub("", name)) or name
    short = re.split(r"[。（(:：\n]", comment.strip(), maxsplit=1)[0].strip()
    japanese = short if 0 < len(short) <= _LABEL_LENGTH and detect(short) == "ja" else ""
    if detect(name) == "ja":
        return Label(ja=japanese or words.replace(" ", ""))
    return Label(en=words, ja=japanese)


def _description(comment: str, label: Label) -> Label:
    text = comment.strip()
    if not text or text == label.ja:
        return Label()
    return Label(ja=text) if detect(text) == "ja" else Label(en=text)


def _entity(table: Table, name: str, dialect: Dialect) -> Entity:
    label = label_of(table.name, table.comment)
    times = {c.name: found for c in table.columns if (found := time_column(c, dialect))}
    dimensions = [d for column in table.columns for d in _dimensions(column, times.get(column.name))]
    ranked = sorted(
        ((event_rank(table.column(n) or table.columns[0], found), n) for n, found in times.items()),
        key=lambda item: -item[0],
    )
    period = ranked[0][1] if ranked and ranked[0][0] else ""
    if period and times[period].form == "year":
        period = _year_name(period)
    return Entity(
        name=name,
        table=table.qualified,
        label=label,
        description=_description(table.comment, label),
        key=table.primary_key,
        title=title_column(table, _keys(table)),
        time=period,
        dimensions=tuple(_without_repeats(dimensions)),
    )


def _without_repeats(dimensions: list[Dimension]) -> Iterator[Dimension]:
    seen: set[str] = set()
    for dimension in dimensions:
        if dimension.name not in seen:
            seen.add(dimension.name)
            yield dimension


def _year_name(column: str) -> str:
    return f"{column}_as_date"


def _dimensions(column: Column, time: TimeColumn | None) -> Iterator[Dimension]:
    """The column itself; a year is a number to show and, beside it, a date that periods apply to."""
    label = label_of(column.name, column.comment)
    about = _description(column.comment, label)
    if time is not None and time.form != "year":
        yield Dimension(name=column.name, expr=time.expr, type=time.type, label=label, description=about)
        return
    kind = _DIMENSION_TYPES.get(column.family)
    if kind is not None:
        yield Dimension.model_validate(
            {"name": column.name, "type": kind, "label": label, "description": about}
        )
    if time is not None and event_rank(column, time):
        as_date = Label(
            en=f"{label.en} as date" if label.en else "", ja=f"{label.ja}の初日" if label.ja else ""
        )
        yield Dimension(name=_year_name(column.name), expr=time.expr, type="date", label=as_date)


def _keys(table: Table) -> frozenset[str]:
    """Columns that identify or refer; a composite key may hold a measure's neighbour such as a date, never a sum."""
    referring = {name for key in table.foreign_keys for name in key.columns}
    return frozenset({*table.primary_key, *referring})


def _metrics(table: Table, entity: Entity) -> Iterator[Metric]:
    label = entity.label
    many = _plural(label.en)
    yield Metric(
        name=f"{entity.name}_count",
        table=entity.name,
        agg="count",
        label=Label(en=f"number of {many}" if many else "", ja=f"{label.ja}の件数" if label.ja else ""),
        unit="count",
    )
    for column in table.columns:
        kind = measure_kind(column, _keys(table))
        if kind is None or holds_time(column):
            continue
        words = label_of(column.name, column.comment)
        expr = column_sql(column.name)
        if kind == "additive":
            yield Metric(
                name=f"{entity.name}_total_{column.name}",
                table=entity.name,
                agg="sum",
                expr=expr,
                label=_said("total {}", "{}の合計", words),
            )
        yield Metric(
            name=f"{entity.name}_average_{column.name}",
            table=entity.name,
            agg="avg",
            expr=expr,
            label=_said("average {}", "平均{}", words),
            additivity="non_additive",
        )


def holds_time(column: Column) -> bool:
    """Whether a numeric column holds a time: such numbers are no measures."""
    return time_column(column, "duckdb") is not None


def _said(english: str, japanese: str, label: Label) -> Label:
    return Label(
        en=english.format(label.en) if label.en else "", ja=japanese.format(label.ja) if label.ja else ""
    )


def _plural(words: str) -> str:
    head, _, last = words.rpartition(" ")
    if not last or singular(last) != last or last in _UNCOUNTED:
        return words  # plural already
    if last.endswith("y") and last[-2:-1] not in "aeiou":
        last = last[:-1] + "ies"
    elif last.endswith(("s", "x", "ch", "sh", "z")):
        last += "es"
    else:
        last += "s"
    return f"{head} {last}".strip()


def _joins(catalog: Catalog, names: dict[str, str]) -> Iterator[Join]:
    """One join a foreign key. A table that refers to itself has none: the model names no second role for it."""
    for table in catalog.tables:
        for key in table.foreign_keys:
            target = catalog.table(key.to_table)
            if target is None or target.qualified == table.qualified:
                continue
            on = dict(zip(key.columns, key.to_columns, strict=True))
            cardinality = "one_to_one" if _once(table, key) else "many_to_one"
            ends = {"from": names[table.qualified], "to": names[target.qualified]}
            yield Join.model_validate({**ends, "on": on, "cardinality": cardinality})


def _once(table: Table, key: ForeignKey) -> bool:
    """Whether no two rows can refer to the same row."""
    unique = {frozenset(table.primary_key), *(frozenset(names) for names in table.unique)}
    return frozenset(key.columns) in unique


def first_policy(catalog: Catalog, user: str) -> str:
    """A policy as YAML text that admits the role `owner`, which `init` gives to the local user, to every table."""
    grants = [{"roles": [OWNER], "rows": "all"}]
    tables = {table.qualified: {"owner": user, "grants": grants} for table in catalog.tables}
    policy = {
        "version": 1,
        "name": "first",
        "tables": tables,
        "documents": [{"match": "*", "roles": [OWNER]}],
    }
    text = yaml.dump(policy, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=110)
    return f"# Everything for the role `{OWNER}`, which {user} holds; nobody else sees anything.\n{text}"


class _Plain(yaml.SafeDumper):
    """Writes equal parts out instead of naming them once: the file is for people."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True
