"""Columns beside aggregates: grouped, or determined by what is grouped. An error on most engines, a warning on SQLite.

PostgreSQL knows the key of a table, but not of a sub-query that a policy puts in its place: what a key determines is
remembered, to be grouped by as well where the table is rewritten.
"""

from __future__ import annotations

from sqlglot import exp

from text2sql.guard.canonical import Canonical, canonical
from text2sql.guard.engines import Engine
from text2sql.guard.expressions import Expressions
from text2sql.guard.refusal import Refused
from text2sql.guard.scope import Binding, Facts, Scope


def check_grouping(facts: Facts, engine: Engine, expressions: Expressions) -> list[exp.Expr]:
    """The ungrouped columns. Raises `Refused` with code ungrouped on engines that do not run them."""
    found: list[exp.Expr] = []
    for scope in facts.scopes:
        if isinstance(scope.select, exp.Select) and (scope.grouped or scope.aggregates):
            found.extend(_Grouping(scope, facts, engine, expressions).ungrouped())
    if found and engine.strict_groups:
        column = found[0]
        name = column.sql()
        raise Refused(
            "ungrouped", f"{name} is neither grouped nor aggregated; add it to GROUP BY.", column, name
        )
    return found


class _Grouping:
    def __init__(self, scope: Scope, facts: Facts, engine: Engine, expressions: Expressions) -> None:
        self.scope = scope
        self.facts = facts
        self.engine = engine
        self.expressions = expressions
        self.keys: set[Canonical] = set()
        self.grouped_columns: dict[int, set[str]] = {}
        self.in_every_group: dict[int, set[str]] = {}
        """Catalogue columns that every grouping set has, by id of their source."""

    def ungrouped(self) -> list[exp.Expr]:
        """Columns of this SELECT that one group may hold several values of."""
        select = self.scope.select
        group = select.args.get("group")
        if group is not None:
            if group.args.get("all"):
                return []
            for item in group.find_all(exp.Expr):
                self._key(item)
            for item in group.expressions:
                self._whole(item)
        found: list[exp.Expr] = []
        for part in (*select.expressions, select.args.get("having"), select.args.get("order")):
            if part is not None:
                self._walk(part, found)
        return found

    def _key(self, item: exp.Expr) -> None:
        """Remember one grouped expression; a position stands for its expression, an alias for what it names."""
        node = item.unnest()
        position = self._at_position(item)
        if position is not None:
            self._key(position)
            return
        self.keys.add(canonical(node, self.facts))
        binding = self.facts.bindings.get(id(node))
        if binding is not None:
            self.grouped_columns.setdefault(id(binding.source), set()).add(binding.field.name)
        alias = self.facts.aliases.get(id(node))
        if alias is not None:
            self._key(alias)

    def _at_position(self, item: exp.Expr) -> exp.Expr | None:
        node = item.unnest()
        if isinstance(node, exp.Literal) and node.name.isdigit() and isinstance(item.parent, exp.Group):
            expressions: list[exp.Expr] = self.scope.select.expressions
            if 1 <= int(node.name) <= len(expressions):
                return expressions[int(node.name) - 1].unalias()
        return None

    def _whole(self, item: exp.Expr) -> None:
        """Remember a column that is grouped by as it is, and not only a part of something or of some grouping sets."""
        node = self._at_position(item) or item.unnest()
        node = self.facts.aliases.get(id(node), node).unnest()
        if isinstance(node, exp.Tuple):
            for part in node.expressions:
                self._whole(part)
        binding = self.facts.bindings.get(id(node))
        if binding is not None and binding.field.column is not None:
            self.in_every_group.setdefault(id(binding.source), set()).add(binding.field.column.name)

    def _walk(self, node: exp.Expr, found: list[exp.Expr]) -> None:
        stack = [node]
        while stack:
            current = stack.pop()
            # A window's own aggregate works on grouped rows: its operands must be grouped.
            windowed = isinstance(current.parent, exp.Window) and current.parent.this is current
            if self._aggregates(current) and not windowed:
                continue
            if (
                self.keys
                and not isinstance(current, exp.Identifier)
                and canonical(current, self.facts) in self.keys
            ):
                continue
            if isinstance(current, exp.Column) and isinstance(current.this, exp.Star):
                self._star(current, found)
                continue
            if isinstance(current, exp.Column):
                binding = self.facts.bindings.get(id(current))
                if binding is not None and binding.scope is self.scope and not self._determined(binding):
                    found.append(current)
                continue
            if (
                isinstance(current, exp.Star)
                and isinstance(current.parent, exp.Select)
                and current.parent is self.scope.select
            ):
                found.append(current)
                continue
            stack.extend(current.iter_expressions())

    def _aggregates(self, node: exp.Expr) -> bool:
        return isinstance(node, exp.Filter | exp.WithinGroup) or self.expressions.kind(node) == "aggregate"

    def _star(self, star: exp.Column, found: list[exp.Expr]) -> None:
        """`t.*`: each of its columns."""
        wanted = self.engine.fold(star.args["table"])
        source = next((source for source in self.scope.sources if source.alias == wanted), None)
        if source is not None and not all(
            self._determined(Binding(self.scope, source, field)) for field in source.fields
        ):
            found.append(star)

    def _determined(self, binding: Binding) -> bool:
        """Whether the whole key of the column's table is grouped."""
        source, table = binding.source, binding.source.table
        grouped = self.grouped_columns.get(id(source), set())
        if not grouped:
            return False
        if binding.field.name in grouped:
            return True
        if table is None or not (self.engine.keys_determine or not self.engine.strict_groups):
            return False
        if not self.engine.keys_determine:
            keys = [table.primary_key, *table.unique]
            return any(key and grouped.issuperset(self.engine.folded(n) for n in key) for key in keys)
        key = () if table.key_inferred else table.primary_key
        if not key or not self.in_every_group.get(id(source), set()).issuperset(key):
            return False
        self.facts.determined.setdefault(id(source), []).append(binding)
        return True
