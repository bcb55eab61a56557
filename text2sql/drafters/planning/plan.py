"""What a query shall return, without any SQL: names of the semantic model and values only.

A plan is complete and unambiguous: everything a question left open has been decided (and said as an assumption)
before a plan exists. One compiler turns it into SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from text2sql.drafters.reading.calendar import Period, Unit

Aggregate = Literal["count", "count_distinct", "sum", "avg", "min", "max", "metric"]
Operator = Literal["=", "!=", ">", ">=", "<", "<=", "contains", "starts", "ends", "null", "not null"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something to tell the asker: a key of `telling/phrases.yaml` and what fills it."""

    key: str
    values: tuple[tuple[str, str], ...] = ()


def note(key: str, **values: str) -> Note:
    """A note, its values by name."""
    return Note(key, tuple(values.items()))


class CannotPlan(Exception):
    """The question was understood, but no safe query can be made of it; `note` says why, for a Decline."""

    def __init__(self, key: str, **values: str) -> None:
        self.note = note(f"cannot_{key}", **values)
        super().__init__(key, values)


@dataclass(frozen=True, slots=True)
class Field:
    """A dimension of an entity of the model."""

    entity: str
    dimension: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """A time dimension cut into days, weeks, months, … `field` None: each measure's own time dimension."""

    unit: Unit
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """A number: a metric of the model (`agg` "metric"), rows of an entity, or an aggregate of a dimension."""

    agg: Aggregate
    entity: str = ""
    field: Field | None = None
    metric: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """`field operator any of values`. `numeric` values are written as numbers, others as text."""

    field: Field
    operator: Operator
    values: tuple[str, ...] = ()
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class During:
    """Rows of a period. `field` None: each measure's own time dimension."""

    period: Period
    field: Field | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class AgainstAggregate:
    """`field operator (SELECT agg(field) …)`: above the average, the oldest."""

    field: Field
    operator: Operator
    agg: Aggregate


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the parts holds."""

    parts: tuple[Condition | During, ...]


@dataclass(frozen=True, slots=True)
class Related:
    """The anchor has (or has no) related row of `entity` for which all `filters` hold."""

    entity: str
    filters: tuple[Condition | During | AnyOf, ...] = ()
    exists: bool = False


Filter = Condition | During | AgainstAggregate | AnyOf | Related


@dataclass(frozen=True, slots=True)
class Having:
    """A bound on an aggregate of each group."""

    measure: Measure
    operator: Operator
    value: str


@dataclass(frozen=True, slots=True)
class Order:
    """One ordering."""

    by: Field | Bucket | Measure
    descending: bool = False


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """The whole plan.

    With a measure anywhere it is an aggregate, grouped by `keys`; without, a list of rows with the columns `keys`
    (`all_columns`: every dimension of the anchor). `grouped` is the entity whose rows are the groups ("for each
    singer": grouped by its key, not by a name that two may share). `versus` compares every measure with the
    same length of time so many months earlier.
    """

    anchor: str
    keys: tuple[Field | Bucket, ...] = ()
    measures: tuple[Measure, ...] = ()
    filters: tuple[Filter, ...] = ()
    having: tuple[Having, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    distinct: bool = False
    all_columns: bool = False
    grouped: str = ""
    versus: int = 0
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def aggregate(self) -> bool:
        """Whether rows are grouped."""
        return bool(
            self.measures or self.having or any(isinstance(order.by, Measure) for order in self.order)
        )

    @property
    def every_measure(self) -> tuple[Measure, ...]:
        """Measures that are shown, bounded or ordered by, each once."""
        ordered = [order.by for order in self.order if isinstance(order.by, Measure)]
        return tuple(dict.fromkeys([*self.measures, *(h.measure for h in self.having), *ordered]))
