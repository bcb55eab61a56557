"""The semantic model: what the warehouse means, as a YAML file that a data team keeps in version control.

version: 1
name: shop
fiscal_year_start: 4            # month
tables:
  - name: sales                 # logical name, unique
    table: main.sales           # as the catalogue names it
    label: {en: sales, ja: 売上}
    synonyms: {en: [orders], ja: [販売]}
    time: sold_on               # default time dimension
    dimensions:
      - {name: sold_on, type: date, label: {en: sale date, ja: 売上日}}
      - name: region
        type: text
        label: {en: region, ja: 地域}
        values: {Kanto: {ja: [関東]}}      # stored value -> other ways to say it
joins:
  - {from: sales, to: stores, on: {store_id: id}, cardinality: many_to_one}
metrics:
  - {name: revenue, table: sales, agg: sum, expr: amount, unit: JPY, label: {en: revenue, ja: 売上高}}
  - {name: unit_price, ratio: {numerator: revenue, denominator: units}, label: {en: unit price, ja: 単価}}
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from retrieval.yaml_files import read_yaml
from text2sql.errors import SemanticModelError
from text2sql.types import Catalog, Table


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Label(_Part):
    """What a thing is called, in each language; "" where it has no name in that language."""

    en: str = ""
    ja: str = ""


class Synonyms(_Part):
    """Other ways to say it, in each language."""

    en: tuple[str, ...] = ()
    ja: tuple[str, ...] = ()


class Dimension(_Part):
    """Something to group or filter by: a column, or an SQL expression over the table's columns."""

    name: str
    expr: str = ""
    """Empty: the column named like the dimension."""
    type: Literal["text", "number", "date", "timestamp", "boolean"] = "text"
    label: Label = Label()
    synonyms: Synonyms = Synonyms()
    description: Label = Label()
    values: dict[str, Synonyms] = Field(default_factory=dict)
    """Stored value -> other ways to say it."""

    @property
    def sql(self) -> str:
        """The expression over the table's own columns."""
        return self.expr or self.name


class Entity(_Part):
    """One table with its meaning."""

    name: str
    table: str = ""
    """Name in the catalogue; empty: the same as `name`."""
    label: Label = Label()
    synonyms: Synonyms = Synonyms()
    description: Label = Label()
    key: tuple[str, ...] = ()
    """Columns that identify a row."""
    title: str = ""
    """The dimension a person would call a row by (a name); "" where there is none."""
    time: str = ""
    """Name of the dimension that periods apply to; "" where the table has no time."""
    dimensions: tuple[Dimension, ...] = ()

    @property
    def physical(self) -> str:
        """The table's name in the catalogue."""
        return self.table or self.name

    def dimension(self, name: str) -> Dimension | None:
        """The dimension of that name, None when absent."""
        return next((d for d in self.dimensions if d.name == name), None)


class Join(_Part):
    """How rows of two entities meet. `on` maps a column of `from` to a column of `to`."""

    from_: str = Field(alias="from")
    to: str
    on: dict[str, str]
    cardinality: Literal["many_to_one", "one_to_one"] = "many_to_one"


class Ratio(_Part):
    """Numerator over denominator, both names of metrics; summed first, divided after."""

    numerator: str
    denominator: str


class Metric(_Part):
    """A number with one definition: an aggregate over one entity, or a ratio of two other metrics."""

    name: str
    label: Label = Label()
    synonyms: Synonyms = Synonyms()
    description: Label = Label()
    table: str = ""
    """Entity the rows come from (not for ratios)."""
    agg: Literal["sum", "count", "count_distinct", "avg", "min", "max"] | None = None
    expr: str = ""
    """SQL over the entity's columns; empty with `count`: rows."""
    filter: str = ""
    """SQL predicate over the entity's columns that belongs to the definition."""
    time: str = ""
    """Dimension of the entity that periods apply to; empty: the entity's own."""
    ratio: Ratio | None = None
    unit: str = ""
    """`JPY`, `percent`, `count`, `days`, …; percent means the stored ratio times 100 when shown."""
    additivity: Literal["additive", "semi_additive", "non_additive"] = "additive"
    owner: str = ""

    @model_validator(mode="after")
    def _one_kind(self) -> Metric:
        if (self.ratio is None) == (self.agg is None):
            raise ValueError("a metric has either `agg` (with `table`) or `ratio`")
        if self.agg is not None and not self.table:
            raise ValueError("an aggregate metric names the `table` (entity) its rows come from")
        if self.agg not in (None, "count") and not self.expr:
            raise ValueError(f"agg {self.agg} needs an `expr`")
        return self


class SemanticModel(_Part):
    """The whole model; names are unique and every reference resolves, or it does not load."""

    version: Literal[1] = 1
    name: str = "model"
    fiscal_year_start: int = Field(default=4, ge=1, le=12)
    currency: str = ""
    tables: tuple[Entity, ...] = ()
    joins: tuple[Join, ...] = ()
    metrics: tuple[Metric, ...] = ()

    @model_validator(mode="after")
    def _resolve(self) -> SemanticModel:
        _unique("tables", [e.name for e in self.tables])
        _unique("metrics", [m.name for m in self.metrics])
        for entity in self.tables:
            _unique(f"dimensions of table {entity.name}", [d.name for d in entity.dimensions])
            for role, name in (("time", entity.time), ("title", entity.title)):
                if name and entity.dimension(name) is None:
                    raise ValueError(
                        f"table {entity.name}: {role} dimension {name} is not among its dimensions"
                    )
        entities = {e.name for e in self.tables}
        for join in self.joins:
            for side in (join.from_, join.to):
                if side not in entities:
                    raise ValueError(f"join {join.from_} to {join.to}: no table {side}")
        for metric in self.metrics:
            self._resolve_metric(metric)
        return self

    def _resolve_metric(self, metric: Metric) -> None:
        entity = self.entity(metric.table) if metric.table else None
        if metric.table and entity is None:
            raise ValueError(f"metric {metric.name}: no table {metric.table}")
        if entity is not None and metric.time and entity.dimension(metric.time) is None:
            raise ValueError(f"metric {metric.name}: {metric.time} is not a dimension of table {entity.name}")
        parts = (metric.ratio.numerator, metric.ratio.denominator) if metric.ratio else ()
        for name in parts:
            part = self.metric(name)
            if part is None or part.ratio is not None:
                raise ValueError(f"metric {metric.name}: {name} is not an aggregate metric of this model")

    def entity(self, name: str) -> Entity | None:
        """The entity of that name, None when absent."""
        return next((e for e in self.tables if e.name == name), None)

    def metric(self, name: str) -> Metric | None:
        """The metric of that name, None when absent."""
        return next((m for m in self.metrics if m.name == name), None)


def _unique(what: str, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"two {what} have the same name: {', '.join(repeated)}")


def load(path: Path) -> SemanticModel:
    """Read and validate a model file. Raises `SemanticModelError` naming the file and the place in it."""
    try:
        raw = read_yaml(path.read_text(encoding="utf-8"))
        return SemanticModel.model_validate(raw or {})
    except FileNotFoundError:
        raise SemanticModelError(
            "There is no semantic model", where=str(path), todo="Write one with `bunmyaku init`."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SemanticModelError(
            "The semantic model is not readable YAML", where=str(path), todo=str(error)
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SemanticModelError(
            f"The semantic model is not valid: {first['msg']}",
            where=f"{path}: {place or 'top'}",
            todo="Mend the file.",
        ) from error


def dump(model: SemanticModel) -> str:
    """The model as YAML text, without empty fields, in the order of the schema."""
    data = model.model_dump(by_alias=True, exclude_defaults=True, mode="json")
    return yaml.safe_dump({"version": 1, **data}, allow_unicode=True, sort_keys=False, width=110)


def check(model: SemanticModel, catalog: Catalog) -> list[str]:
    """What of the model does not fit the catalogue, one sentence a problem; empty when all of it fits.

    Expressions are parsed in the catalogue's dialect and every column they name must exist.
    """
    problems: list[str] = []
    for entity in model.tables:
        table = catalog.table(entity.physical)
        if table is None:
            problems.append(f"table {entity.name}: there is no {entity.physical} in the warehouse")
            continue
        problems += [
            f"table {entity.name}: key column {key} is not in {table.qualified}"
            for key in entity.key
            if table.column(key) is None
        ]
        for dimension in entity.dimensions:
            place = f"dimension {entity.name}.{dimension.name}"
            problems += _check_expression(place, dimension.sql, table, catalog, is_name=not dimension.expr)
    for join in model.joins:
        problems += _check_join(join, model, catalog)
    for metric in model.metrics:
        owner = model.entity(metric.table)
        table = catalog.table(owner.physical) if owner else None
        if table is not None:
            for text in filter(None, (metric.expr, metric.filter)):
                problems += _check_expression(f"metric {metric.name}", text, table, catalog)
    return problems


def _check_expression(
    place: str, text: str, table: Table, catalog: Catalog, *, is_name: bool = False
) -> list[str]:
    if is_name:
        names = [text]
    else:
        try:
            parsed = parse_one(text, dialect=catalog.dialect)
        except SqlglotError as error:
            return [f"{place}: `{text}` is not valid SQL ({str(error).splitlines()[0]})"]
        names = [column.name for column in parsed.find_all(exp.Column)]
    return [
        f"{place}: there is no column {name} in {table.qualified}"
        for name in names
        if table.column(name) is None
    ]


def _check_join(join: Join, model: SemanticModel, catalog: Catalog) -> list[str]:
    problems = []
    for name, columns in ((join.from_, list(join.on)), (join.to, list(join.on.values()))):
        entity = model.entity(name)
        table = catalog.table(entity.physical) if entity else None
        problems += [
            f"join {join.from_} to {join.to}: there is no column {column} in {table.qualified}"
            for column in columns
            if table is not None and table.column(column) is None
        ]
    return problems
