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

from text2sql.errors import SemanticModelError


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
        entities = {e.name: e for e in self.tables}
        metrics = {m.name: m for m in self.metrics}
        if len(entities) != len(self.tables):
            raise ValueError("two tables have the same name")
        if len(metrics) != len(self.metrics):
            raise ValueError("two metrics have the same name")
        for entity in self.tables:
            if entity.time and entity.dimension(entity.time) is None:
                raise ValueError(
                    f"table {entity.name}: time dimension {entity.time} is not among its dimensions"
                )
        for join in self.joins:
            for side in (join.from_, join.to):
                if side not in entities:
                    raise ValueError(f"join {join.from_} to {join.to}: no table {side}")
        for metric in self.metrics:
            if metric.table and metric.table not in entities:
                raise ValueError(f"metric {metric.name}: no table {metric.table}")
            if metric.ratio:
                for part in (metric.ratio.numerator, metric.ratio.denominator):
                    if part not in metrics or metrics[part].ratio is not None:
                        raise ValueError(
                            f"metric {metric.name}: {part} is not an aggregate metric of this model"
                        )
        return self

    def entity(self, name: str) -> Entity | None:
        """The entity of that name, None when absent."""
        return next((e for e in self.tables if e.name == name), None)

    def metric(self, name: str) -> Metric | None:
        """The metric of that name, None when absent."""
        return next((m for m in self.metrics if m.name == name), None)


def load(path: Path) -> SemanticModel:
    """Read and validate a model file. Raises `SemanticModelError` naming the file and the place in it."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
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
