"""The parts of a policy: attributes that predicates bind, masks, and grants that admit callers to rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from text2sql.predicates import Predicate, parse_predicate

AttributeType = Literal["text", "integer", "number", "boolean"]
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


class Part(BaseModel):
    """A frozen piece of a policy file that knows every key it may have."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Attribute(Part):
    """What a predicate may bind: the type of one value, and whether the caller holds several."""

    type: AttributeType = "text"
    list: bool = False

    def values(self, held: Any) -> tuple[Any, ...]:
        """The caller's values, () when missing or of another type or number: the grant then admits nothing."""
        several = isinstance(held, (list, tuple, set, frozenset))
        values = (
            tuple(sorted(held, key=repr) if isinstance(held, (set, frozenset)) else held)
            if several
            else (held,)
        )
        if not self.list and len(values) != 1:
            return ()
        return values if all(self._fits(value) for value in values) else ()

    def _fits(self, value: Any) -> bool:
        # bool is an int to Python, but `seller_id = TRUE` is nobody's intention.
        if isinstance(value, bool):
            return self.type == "boolean"
        return isinstance(value, _PYTHON_TYPES[self.type])


class Bucket(Part):
    """Numbers rounded down to multiples of `bucket`."""

    bucket: int = Field(gt=0)


def _null_is_a_mask(value: Any) -> Any:
    # In YAML an unquoted `null` is None; what else could its writer have meant?
    return "null" if value is None else value


Mask = Annotated[Literal["null", "hash", "partial", "year"] | Bucket, BeforeValidator(_null_is_a_mask)]


class Grant(Part):
    """One way in: callers holding any of `roles` see the rows of `rows`, some columns masked or not there."""

    roles: tuple[str, ...] = Field(min_length=1)
    rows: str = "all"
    masks: dict[str, Mask] = Field(default_factory=dict)
    hide: tuple[str, ...] = ()
    _predicate: Predicate | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _check(self) -> Grant:
        both = {name.casefold() for name in self.masks} & {name.casefold() for name in self.hide}
        if both:
            raise ValueError(f"{', '.join(sorted(both))}: both masked and hidden")
        if self.rows.strip().casefold() != "all":
            self._predicate = parse_predicate(self.rows)
        return self

    @property
    def predicate(self) -> Predicate | None:
        """The row predicate, None where every row is admitted."""
        return self._predicate

    def hides(self, column: str) -> bool:
        """Whether the column is not there under this grant."""
        return column.casefold() in {name.casefold() for name in self.hide}

    def mask(self, column: str) -> Literal["null", "hash", "partial", "year"] | Bucket | None:
        """How the column is masked under this grant, None when it is shown as it is."""
        folded = column.casefold()
        return next((mask for name, mask in self.masks.items() if name.casefold() == folded), None)


def shown_whole(column: str, grants: Sequence[Grant]) -> bool:
    """Whether the column is shown as it is in every row that these grants admit, whoever the caller is."""
    clear = [g for g in grants if not g.hides(column) and g.mask(column) is None]
    return bool(clear) and (len(clear) == len(grants) or any(g.predicate is None for g in clear))


def withheld(held: Sequence[Grant], admitted: Sequence[Grant]) -> tuple[Grant, ...]:
    """`admitted` with NULL for every column that `held` (all grants of the caller's roles) do not show whole.

    What a database cannot mask it withholds, so a query must not even name it.
    """
    named = {name.casefold(): name for g in held for name in (*g.masks, *g.hide)}
    lost = {name: "null" for name in named.values() if not shown_whole(name, held)}
    if not lost:
        return tuple(admitted)
    return tuple(
        g.model_copy(update={"masks": {**g.masks, **{n: m for n, m in lost.items() if not g.hides(n)}}})
        for g in admitted
    )
