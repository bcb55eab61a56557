"""How sources meet: aliases, USING and NATURAL, table functions, pivots."""

from __future__ import annotations

from sqlglot import exp

from text2sql.guard.engines import Engine
from text2sql.guard.expressions import Expressions
from text2sql.guard.refusal import Refused
from text2sql.guard.scope import Field, Scope, Source

_JSON_EACH = ("key", "value", "type", "atom", "id", "parent", "fullkey", "path", "json", "root")


def alias_of(node: exp.Expr, engine: Engine) -> tuple[str, list[str]]:
    """The name given to what stands in FROM and the names given to its columns; "" and [] for none."""
    alias = node.args.get("alias")
    if alias is None:
        return "", []
    columns = [
        engine.fold(c.this if isinstance(c, exp.ColumnDef) else c) for c in alias.args.get("columns") or ()
    ]
    if columns and not engine.renames_tables:
        raise Refused("syntax", f"{engine.name} cannot rename columns in FROM; use a WITH query.", alias)
    return engine.fold(alias.this) if alias.args.get("this") is not None else "", columns


def holds_sources(node: exp.Subquery) -> bool:
    """Whether these are parentheses around what stands in FROM, `(a JOIN b)`, and not around a query.

    A sub-query inside that is named, joined or pivoted is a source as well: `((SELECT …) AS a JOIN b)`.
    """
    inner = node.this
    if isinstance(inner, exp.Subquery):
        return any(inner.args.get(key) for key in ("alias", "joins", "pivots", "sample")) or holds_sources(
            inner
        )
    return not isinstance(inner, exp.Query | exp.Values) or bool(
        isinstance(inner, exp.Values) and any(inner.args.get(key) for key in ("alias", "joins", "pivots"))
    )


def merge(join: exp.Join, scope: Scope, before: int) -> None:
    """USING and NATURAL make one column of those with the same name."""
    left, right = scope.sources[:before], scope.sources[before:]
    using = join.args.get("using") or ()
    if join.args.get("method") == "NATURAL":
        names = [n for source in right for n in source.by_name if any(s.find(n) for s in left if not s.open)]
    else:
        names = [scope.engine.fold(c) for c in using]
    for name in names:
        on_left = [s for s in left if s.find(name) is not None]
        on_right = [s for s in right if s.find(name) is not None]
        if not on_left or not on_right:
            raise Refused("unknown_column", f"USING ({name}): not in both tables.", join, name)
        merged = scope.merged.setdefault(name, {id(on_left[0])})
        merged.update(id(s) for s in on_right)
        if len(on_left) > 1 and not all(id(s) in merged for s in on_left) and scope.engine.name != "sqlite":
            raise Refused("ambiguous_column", f"USING ({name}): in several tables on the left.", join, name)
    if scope.merged:
        last = {name: scope.merged.pop(name) for name in dict.fromkeys(names)}
        scope.merged = {**last, **scope.merged}


def check_aliases(scope: Scope) -> None:
    """Two sources of one name are an error, save where only using the name is one."""
    if scope.engine.name in ("sqlite", "duckdb"):
        return
    seen: set[tuple[str, str]] = set()
    for source in scope.sources:
        key = (source.schema, source.alias)
        if source.alias and key in seen:
            raise Refused(
                "duplicate_name", f"{source.alias} is in FROM twice; give one another name.", source.node
            )
        seen.add(key)


def table_function(
    node: exp.Expr, function: exp.Expr, alias: str, columns: list[str], scope: Scope, expressions: Expressions
) -> Source:
    """A function in FROM: it sees what stands left of it, and gives columns that its alias names."""
    kind = expressions.kind(function)
    if isinstance(function, exp.JSONTable):
        return _json_table(node, function, alias, columns, scope, expressions)
    if isinstance(function, exp.Unnest | exp.Explode | exp.GenerateSeries | exp.ExplodingGenerateSeries):
        kind = "table"
    if kind not in ("table", "generator"):
        raise Refused(
            "function", "This function does not give rows; it cannot stand in FROM.", node, function.sql()
        )
    scope.clause = "from"
    for child in function.iter_expressions():
        if not isinstance(child, exp.TableAlias):
            expressions.visit(child, scope)
    name = expressions.name(function)
    columns = _with_ordinality(node, function, columns, scope)
    given = columns or ([*_JSON_EACH] if scope.engine.name == "sqlite" else [alias] if alias else [])
    # A table function's columns are its own business, save on SQLite, where it is always the JSON one.
    return Source(
        alias or name, [Field(c) for c in given], node, open=not columns and scope.engine.name != "sqlite"
    )


def _json_table(
    node: exp.Expr, function: exp.Expr, alias: str, columns: list[str], scope: Scope, expressions: Expressions
) -> Source:
    """JSON_TABLE gives the columns that it defines, those of its nested paths among them."""
    scope.clause = "from"
    expressions.visit(function.this, scope)
    names = [
        scope.engine.fold(column.this)
        for column in function.find_all(exp.JSONColumnDef, bfs=False)
        if isinstance(column.this, exp.Identifier)
    ]
    given = [columns[i] if i < len(columns) else name for i, name in enumerate(names)]
    return Source(alias or "json_table", [Field(name) for name in given], node)


def _with_ordinality(node: exp.Expr, function: exp.Expr, columns: list[str], scope: Scope) -> list[str]:
    """The columns that the alias names, and the one that WITH ORDINALITY adds: named last there, or by its own name."""
    offset = function.args.get("offset")
    if columns and isinstance(offset, exp.Expr):
        return [*columns, scope.engine.fold(offset)]
    if columns and (offset or node.args.get("ordinality")):
        return [*columns, "ordinality"]
    return columns


def pivoted(node: exp.Expr, source: Source, scope: Scope, expressions: Expressions) -> Source:
    """A source after PIVOT: its columns depend on the data, so any name may be asked of it."""
    pivots = node.args.get("pivots")
    if not pivots:
        return source
    inner = Scope(scope.engine, scope.parent, scope.select, sources=[source], clause="select")
    for pivot in pivots:
        for key in ("expressions", "fields", "using"):
            for part in pivot.args.get(key) or ():
                _pivot_part(part, inner, expressions)
        group = pivot.args.get("group")
        for part in group.expressions if group is not None else ():
            _pivot_part(part, inner, expressions)
    alias, columns = alias_of(pivots[-1], scope.engine)
    return Source(alias or source.alias, [Field(c) for c in columns], node, open=True)


def _pivot_part(part: exp.Expr, scope: Scope, expressions: Expressions) -> None:
    inner = part.unalias()
    if inner.find(exp.Query) is not None:
        raise Refused("node", "PIVOT takes no sub-query; write it before, in FROM.", part)
    if not isinstance(inner, exp.In):
        expressions.visit(inner, scope)
        return
    values = [
        value.this if isinstance(value, exp.PivotAlias) else value.unalias() for value in inner.expressions
    ]
    if isinstance(inner.this, exp.Func) and scope.engine.name == "duckdb":
        scope.clause = "where"  # neither aggregates nor windows
        expressions.visit(inner.this, scope)
        scope.clause = "select"
        of = values
    else:
        of = [inner.this, *values]
    for value in of:
        for member in value.expressions if isinstance(value, exp.Tuple) else [value]:
            # UNPIVOT's names of new columns are bare.
            if not isinstance(member, exp.Column | exp.Columns | exp.Literal | exp.Identifier):
                raise Refused("node", "PIVOT takes a column and values here.", part)
            if isinstance(member, exp.Column | exp.Columns):
                expressions.visit(member, scope)
