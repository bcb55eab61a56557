"""A date written in another way than the column writes its dates: as texts they compare by letters."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from text2sql.guard.looking import Looking
from text2sql.guard.refusal import position
from text2sql.guard.scope import Scope
from text2sql.guard.warnings.literal_absent import compared
from text2sql.held import Held
from text2sql.types import Warn

_ORDERED = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_FORMS = {
    "2024-01-31": re.compile(r"\d{4}-\d{2}(-\d{2}([ T]\d{2}:.*)?)?"),
    "2024/01/31": re.compile(r"\d{4}/\d{2}(/\d{2}([ T]\d{2}:.*)?)?"),
    "20240131": re.compile(r"(?:1[5-9]|2[01])\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"),
    "2024年1月31日": re.compile(r"\d{4}年\d{1,2}月(\d{1,2}日)?"),
    "1/31/2024": re.compile(r"\d{1,2}/\d{1,2}/\d{2,4}"),
    "31-1-2024": re.compile(r"\d{1,2}-\d{1,2}-\d{4}"),
    "31.1.2024": re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}"),
}
_SHORTEST = 6
"""No form is shorter."""
_LOOKED_AT = 100


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each such literal, where every value that is known of a text column has one other form."""
    for scope in looking.facts.scopes:
        for side, value, text in (*_equal(looking, scope), *_ordered(looking, scope)):
            form = _form(text)
            binding = looking.bound(side) if form else None
            column = binding.field.column if binding is not None else None
            if binding is None or column is None or not _as_text(looking, column.family):
                continue
            held = looking.held(binding)
            own = _forms(held) if held is not None else set()
            if held is None or len(own) != 1 or form in own:
                continue
            yield Warn(
                "date_form",
                f"{binding.field.name} writes its dates like {held.profile.values[0]}, and {text!r} is compared with "
                "them letter by letter. Write it the same way.",
                position(value, looking.facts.sql),
                text,
                severity="hard" if not held.profile.sampled else "soft",
            )


def _equal(looking: Looking, scope: Scope) -> Iterator[tuple[exp.Expr, exp.Expr, str]]:
    return ((found.side, found.value, found.text) for found in compared(looking, scope))


def _ordered(looking: Looking, scope: Scope) -> Iterator[tuple[exp.Expr, exp.Expr, str]]:
    for node in looking.comparisons(scope):
        if not isinstance(node, _ORDERED):
            continue
        others = [node.args["low"], node.args["high"]] if isinstance(node, exp.Between) else [node.expression]
        for other in others:
            for side, value in ((node.this, other), (other, node.this)):
                literal = looking.literal(value.unnest())
                if literal is not None and literal.is_string:
                    yield side.unnest(), value, literal.name


def _as_text(looking: Looking, family: str) -> bool:
    """Whether the engine compares the column's dates as texts: SQLite has no other."""
    return family == "text" or (looking.tables.engine.name == "sqlite" and family in ("date", "timestamp"))


def _form(text: str) -> str:
    if len(text) < _SHORTEST:
        return ""
    return next((name for name, pattern in _FORMS.items() if pattern.fullmatch(text.strip())), "")


def _forms(held: Held) -> set[str]:
    return {_form(value) for value in held.profile.values[:_LOOKED_AT] if value.strip()}
