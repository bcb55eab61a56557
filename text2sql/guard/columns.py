"""What one column name means: a field in sight, an alias, a string, or nothing."""

from __future__ import annotations

import re
import unicodedata

from sqlglot import exp

from text2sql.guard.engines import Engine
from text2sql.guard.members import bind_member
from text2sql.guard.quoted import means_text
from text2sql.guard.refusal import Refused, instead, nearest
from text2sql.guard.scope import Binding, Facts, Field, Scope, Source


class Columns:
    """Resolves column names, innermost scope first, as the engine does."""

    def __init__(self, engine: Engine, facts: Facts) -> None:
        self.engine = engine
        self.facts = facts

    def resolve(self, node: exp.Column, scope: Scope) -> exp.Expr | None:
        """Bind the name. Returns the expression it stands for where it is an alias of the SELECT list."""
        if isinstance(node.this, exp.Star):
            raise Refused(
                "whole_row", "A whole row cannot be used as a value; name its columns.", node, node.sql()
            )
        name = self.engine.fold(node.this)
        table, schema = node.args.get("table"), node.args.get("db")
        qualifier = self.engine.fold(table) if table is not None else ""
        if any(name in names for names in scope.lambdas) and not qualifier:
            return None
        for around in scope.chain():
            found = around.matches(qualifier, name, schema.name.lower() if schema is not None else "")
            if not found and schema is None and self.engine.exact_quotes and not node.this.args.get("quoted"):
                found = self._other_case(node, qualifier, around)
            if found:
                if found[0][1].made_up:
                    self._check_made_up(node, name, qualifier, around)
                self._bind(node, name, found, around)
                return None
            if not qualifier:
                alias = self._alias(name, around)
                if alias is not None:
                    self.facts.aliases[id(node)] = alias
                    return alias
        if qualifier and bind_member(node, scope, self.engine, self.facts):
            return None
        return self._unresolved(node, scope)

    def _check_made_up(self, node: exp.Column, name: str, qualifier: str, scope: Scope) -> None:
        """What a function in FROM may have as a column is not taken for one where the engine has another meaning of it."""
        if name in self.engine.system_columns:
            raise Refused("unknown_column", f"There is no column {node.name}.", node, node.sql())
        if not qualifier and any(
            source.alias == name and not source.open for around in scope.chain() for source in around.sources
        ):
            message = f"{node.name} is a table; a whole row cannot be used as a value."
            raise Refused("whole_row", message, node, node.name)

    def _bind(self, node: exp.Column, name: str, found: list[tuple[Source, Field]], scope: Scope) -> None:
        source, field = found[0]
        if len(found) > 1 and not scope.one(name, found):
            choices = tuple(f"{s.alias}.{node.name}" for s, _ in found)
            raise Refused(
                "ambiguous_column", f"{node.name} is in several tables; write {' or '.join(choices)}.",
                node, node.sql(), choices,
            )  # fmt: skip
        if name in source.repeated and self.engine.exact_quotes:
            raise Refused(
                "ambiguous_column", f"{source.alias} has two columns called {node.name}.", node, node.sql()
            )
        self.facts.bindings[id(node)] = Binding(scope, source, field)
        self.facts.nodes.append(node)

    def _other_case(self, node: exp.Column, qualifier: str, scope: Scope) -> list[tuple[Source, Field]]:
        """An unquoted column under another case, written out as the catalogue has it, where only one can be meant."""
        wanted = self.engine.folded(node.name)
        found: list[tuple[Source, Field]] = []
        for source in scope.seen():
            if source.table is None or (qualifier and source.alias != qualifier):
                continue
            found.extend(
                (source, f)
                for f in source.fields
                if self.engine.folded(f.name) == wanted and f.column is not None
            )
        if len(found) == 1 and found[0][1].column is not None:
            node.this.set("this", found[0][1].column.name)
            node.this.set("quoted", True)
        return found if len(found) == 1 else []

    def _alias(self, name: str, scope: Scope) -> exp.Expr | None:
        clause = scope.clause
        in_list = clause == "select" and self.engine.aliases_in_select
        return scope.aliases.get(name) if in_list or clause in self.engine.aliases_in else None

    def _unresolved(self, node: exp.Column, scope: Scope) -> exp.Expr | None:
        if self._unnamed(node, scope):
            return None
        if (
            self.engine.strings_in_double_quotes
            and node.args.get("table") is None
            and self._double_quoted(node)
            and means_text(node, self.facts)
        ):
            self._check_unaccented(node, scope)
            self.facts.strings.append(node)
            return None
        table = node.args.get("table")
        sources = [s for around in scope.chain() for s in around.sources]
        if table is not None and not any(s.alias == self.engine.fold(table) for s in sources):
            raise self._no_source(node, table, sources)
        if table is None and any(s.alias == self.engine.fold(node.this) for s in sources):
            raise Refused(
                "whole_row",
                f"{node.name} is a table; a whole row cannot be used as a value.",
                node,
                node.name,
            )
        inside = [s for s in sources if table is None or s.alias == self.engine.fold(table)]
        offered = nearest(node.name, {f.name for s in inside for f in s.fields})
        where = f" in {table.name}" if table is not None else ""
        otherwise = "Use only columns of the tables in FROM."
        if self.engine.fold(node.this) in self.engine.system_columns:
            offered, otherwise = (), "No catalogue names it; use the table's key."
        message = f"There is no column {node.name}{where}." + instead(offered, otherwise)
        raise Refused("unknown_column", message, node, node.sql(), offered)

    def _check_unaccented(self, node: exp.Column, scope: Scope) -> None:
        """What reads like a column and is none, by an accent or another width, is not taken for a text."""
        text = node.name
        plain = "".join(
            c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)
        ).lower()
        if not text.isascii() and any(source.find(plain) for source in scope.seen() if not source.open):
            raise Refused("unknown_column", f"There is no column {text}.", node, text, (plain,))

    def _double_quoted(self, node: exp.Column) -> bool:
        """Whether it was written "so", and not `so` or [so]."""
        start = node.this.meta.get("start")
        return isinstance(start, int) and self.facts.sql[start : start + 1] == '"'

    def _unnamed(self, node: exp.Column, scope: Scope) -> bool:
        """`"count(*)"`: a sub-query's column that was given no name, under its own text. It is given that name."""
        if not self._double_quoted(node) or self.engine.exact_quotes:
            return False
        wanted = _squeezed(node.name)
        table = node.args.get("table")
        for source in scope.seen():
            if table is not None and source.alias != self.engine.fold(table):
                continue
            for field in source.fields:
                written = field.expression
                if field.name or written is None or wanted not in _own_names(written, self.engine.name):
                    continue
                field.name = self.engine.fold(node.this)
                source.by_name.setdefault(field.name, field)
                if not isinstance(written.parent, exp.Alias):
                    alias = exp.Alias(alias=exp.to_identifier(node.name, quoted=True))
                    written.replace(alias)
                    alias.set("this", written)
                self._bind(node, field.name, [(source, field)], scope)
                return True
        return False

    def _no_source(self, node: exp.Column, table: exp.Expr, sources: list[Source]) -> Refused:
        offered = nearest(table.name, {s.alias for s in sources if s.alias})
        message = f"{table.name} is not in FROM of this query." + instead(
            offered, "Join it, or use a table that is there."
        )
        return Refused("unknown_source", message, node, node.sql(), offered)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text).lower()


def _own_names(expression: exp.Expr, dialect: str) -> set[str]:
    """What engines call a column that is this expression."""
    text = _squeezed(expression.sql(dialect=dialect))
    return {text, "count_star()"} if text == "count(*)" and dialect == "duckdb" else {text}
