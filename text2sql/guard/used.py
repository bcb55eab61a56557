"""Which columns of a table a statement asks for, so that no others need be shown, masked and read.

Only where every column is asked for by name: stars, merged and renamed columns take part though nothing names them.
"""

from __future__ import annotations

from sqlglot import exp

from text2sql.guard.scope import Facts
from text2sql.types import Column

_BY_PLACE: tuple[type[exp.Expr], ...] = (exp.Columns, exp.Pivot, exp.PositionalColumn)


class Used:
    """The columns that each scan is asked for; worked out when first wanted."""

    def __init__(self, tree: exp.Expr, facts: Facts) -> None:
        self._all = any(_unnamed(node) for node in tree.walk())
        self._names: dict[int, set[str]] = {}
        if not self._all:
            for binding in facts.bindings.values():
                if binding.field.column is not None:
                    self._names.setdefault(id(binding.source), set()).add(binding.field.column.name)

    def of(self, source: object, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        """Of a source's visible columns those asked for; never none.

        Where none is, as under COUNT(*), the first stands for the row: its name was there before.
        """
        if self._all:
            return columns
        wanted = self._names.get(id(source), set())
        return tuple(column for column in columns if column.name in wanted) or columns[:1]


def _unnamed(node: exp.Expr) -> bool:
    if isinstance(node, exp.Star):
        return not isinstance(node.parent, exp.Count)
    if isinstance(node, exp.Join):
        return bool(node.args.get("using")) or node.args.get("method") == "NATURAL"
    if isinstance(node, exp.TableAlias):
        return bool(node.args.get("columns"))
    if isinstance(node, exp.SetOperation):
        return bool(node.args.get("by_name"))
    return isinstance(node, _BY_PLACE)
