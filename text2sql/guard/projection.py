"""The SELECT list, GROUP BY and ORDER BY of one SELECT: what they give, and what they may name."""

from __future__ import annotations

from sqlglot import exp

from text2sql.guard.expressions import Expressions
from text2sql.guard.refusal import Refused
from text2sql.guard.scope import Field, Output, Scope, Source

_NO_CONSTANTS = {
    "order": frozenset({"postgres", "redshift", "duckdb"}),
    "group": frozenset({"postgres", "redshift"}),
}
"""By clause, the engines that take no constant in it."""
_COLLATES_NAMES = frozenset({"sqlite", "duckdb"})
"""Engines to which `ORDER BY name COLLATE …` still begins with a name of the SELECT list; to others it is an expression."""
_MERGED_FIRST = frozenset({"postgres", "redshift", "athena"})
_JOINED = ("on", "using", "kind", "side", "method")


def project(node: exp.Select, scope: Scope, expressions: Expressions) -> Output:
    """Resolve the SELECT list and say which columns it gives."""
    output = Output([])
    if not node.expressions and scope.engine.name != "postgres":
        raise Refused("syntax", "SELECT gives no columns.", node)
    distinct = node.args.get("distinct")
    for item in node.expressions:
        if isinstance(item, exp.Star):
            _star(item, scope.sources, scope, output, expressions)
        elif isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
            _star(item.this, [_named(item, scope)], scope, output, expressions)
        elif _by_pattern(item, scope, expressions):
            output.open = True
        else:
            _item(item, scope, output, expressions)
    if distinct is not None and distinct.args.get("on") is not None:
        expressions.visit(distinct.args["on"], scope)
    return output


def _by_pattern(item: exp.Expr, scope: Scope, expressions: Expressions) -> bool:
    """DuckDB's `COLUMNS(…)`, alone or inside an expression, and `* LIKE 'pattern'`: as many columns as match."""
    if scope.engine.name != "duckdb":
        return False
    if item.find(exp.Columns) is not None:
        expressions.visit(item.unalias(), scope)
        return True
    return (
        isinstance(item, exp.Like | exp.ILike | exp.SimilarTo | exp.Glob)
        and isinstance(item.this, exp.Star)
        and bool(scope.sources)
        and not item.this.args.get("replace")
        and isinstance(item.expression, exp.Literal)
    )


def _item(item: exp.Expr, scope: Scope, output: Output, expressions: Expressions) -> None:
    inner = item.unalias()
    expressions.visit(inner, scope)
    alias = item.args.get("alias") if isinstance(item, exp.Alias) else None
    if isinstance(alias, exp.Identifier):
        name = scope.engine.fold(alias)
        scope.aliases.setdefault(name, inner)
    else:
        name = _name_of(inner, scope, expressions)
    binding = expressions.facts.bindings.get(id(inner))
    origin = binding.field if binding is not None else None
    output.fields.append(
        Field(name, origin.table if origin else None, origin.column if origin else None, inner)
    )


def _name_of(inner: exp.Expr, scope: Scope, expressions: Expressions) -> str:
    """What the engine calls a column that was given no name."""
    if isinstance(inner, exp.Column):
        return scope.engine.fold(inner.this)
    if scope.engine.exact_quotes or scope.engine.name == "redshift":
        while isinstance(inner, exp.Cast) and isinstance(inner.this, exp.Column | exp.Func):
            inner = inner.this
        if isinstance(inner, exp.Column):
            return scope.engine.fold(inner.this)
        return expressions.name(inner) if isinstance(inner, exp.Func) else "?column?"
    return ""


def _named(item: exp.Column, scope: Scope) -> Source:
    wanted = scope.engine.fold(item.args["table"])
    found = next((s for s in scope.sources if s.alias == wanted), None)
    if found is None:
        raise Refused(
            "unknown_source", f"{item.args['table'].name} is not in FROM of this query.", item, item.sql()
        )
    return found


def _star(
    star: exp.Expr, sources: list[Source], scope: Scope, output: Output, expressions: Expressions
) -> None:
    if not sources:
        raise Refused("syntax", "* needs a FROM.", star, "*")
    left_out = {
        scope.engine.fold(c.this) for c in star.args.get("except_") or () if isinstance(c, exp.Column)
    }
    for replaced in star.args.get("replace") or ():
        expressions.visit(replaced.this, scope)
    everything = len(sources) == len(scope.sources)
    _check_twins(star, sources, scope)
    shown: set[str] = set()
    merged = scope.merged if everything else {}
    found: list[Field] = []
    for source in sources:
        output.open = output.open or source.open
        for field in source.fields:
            if field.name in left_out:
                continue
            if id(source) in merged.get(field.name, ()):
                if field.name in shown:
                    continue
                shown.add(field.name)
            found.append(Field(field.name, field.table, field.column))
            expressions.facts.starred.append(field)
    if shown and scope.engine.name in _MERGED_FIRST:
        found = _merged_first(found, scope)
    output.fields.extend(found)
    unknown = left_out - shown - {f.name for s in sources for f in s.fields}
    if unknown and not output.open:
        raise Refused(
            "unknown_column", f"There is no column {min(unknown)} to leave out.", star, min(unknown)
        )


def _merged_first(fields: list[Field], scope: Scope) -> list[Field]:
    """The columns that USING or NATURAL made one stand before the others, those of the last join first."""
    if any(not any(j.args.get(k) for k in _JOINED) for j in scope.select.args.get("joins") or ()):
        return fields  # the tables before a comma come before them
    first = [
        next(f for f in fields if f.name == name)
        for name in scope.merged
        if any(f.name == name for f in fields)
    ]
    return [*first, *(f for f in fields if not any(f is one for one in first))]


def _check_twins(star: exp.Expr, sources: list[Source], scope: Scope) -> None:
    """SQLite spells * out: two sources of one name then make every shared column ambiguous."""
    if scope.engine.name != "sqlite":
        return
    for i, source in enumerate(sources):
        for other in sources[:i]:
            shared = (source.by_name.keys() & other.by_name.keys()) - {""}
            if source.alias and source.alias == other.alias and shared - scope.merged.keys():
                raise Refused(
                    "ambiguous_column",
                    f"{source.alias} is in FROM twice; give one another name.",
                    star,
                    source.alias,
                )


def check_group(group: exp.Group, scope: Scope, output: Output, expressions: Expressions) -> None:
    """GROUP BY: positions in range, names that resolve, no aggregates."""
    items = list(group.expressions)
    for key in ("grouping_sets", "cube", "rollup"):
        for part in group.args.get(key) or ():
            items.extend(_members(part))
    scope.closed = scope.engine.name == "sqlite"
    for item in items:
        inner = _number(item.unnest(), scope)
        if isinstance(inner, exp.Literal) and not inner.is_string:
            _position(inner, scope, len(output.fields), output.open, "GROUP BY")
            _check_grouped(inner, output, expressions)
        else:
            expressions.visit(item, scope)
    scope.closed = False


def _check_grouped(node: exp.Expr, output: Output, expressions: Expressions) -> None:
    """GROUP BY 2 groups by the second expression, which then cannot be an aggregate."""
    index = int(node.name) - 1 if node.name.isdigit() else -1
    expression = output.fields[index].expression if 0 <= index < len(output.fields) else None
    if expression is not None and expressions.contains_aggregate(expression):
        raise Refused(
            "aggregate",
            f"GROUP BY {node.name} is an aggregate; group by what it is made of.",
            node,
            node.name,
        )


def _members(part: exp.Expr) -> list[exp.Expr]:
    found: list[exp.Expr] = []
    for item in part.expressions:
        found.extend(
            item.expressions
            if isinstance(item, exp.Tuple)
            else _members(item)
            if item.expressions
            else [item]
        )
    return found


def check_order(order: exp.Order, scope: Scope, output: Output, expressions: Expressions) -> None:
    """ORDER BY: positions in range; a bare name is first an alias, then a column."""
    select = scope.select
    width = len(select.expressions)
    starred = any(_is_star(e.unalias(), scope) for e in select.expressions)
    scope.closed = scope.engine.name == "sqlite"
    for item in order.expressions:
        inner = item.this if isinstance(item, exp.Ordered) else item
        named = isinstance(inner, exp.Collate) and scope.engine.name in _COLLATES_NAMES
        plain = _number(inner.this if named else inner, scope)
        if isinstance(plain, exp.Literal) and not plain.is_string:
            _position(plain, scope, width, starred, "ORDER BY")
        elif isinstance(plain, exp.Var) or _names_output(plain, scope, output, expressions):
            continue
        else:
            expressions.visit(inner, scope)
    scope.closed = False


def _is_star(node: exp.Expr, scope: Scope) -> bool:
    """Whether it may give more than one column."""
    if scope.engine.name == "duckdb" and not isinstance(node, exp.Count):  # COLUMNS(*), struct.*, UNNEST
        return node.find(exp.Star, exp.Columns, exp.Explode, exp.Unnest) is not None
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))


def _number(node: exp.Expr, scope: Scope) -> exp.Expr:
    """The number that stands for a position: to SQLite also in parentheses, and no position with a sign."""
    if isinstance(node, exp.Literal) and node.is_string and scope.engine.name in _NO_CONSTANTS[scope.clause]:
        raise Refused("position", f"'{node.name}' is the same for every row; name a column.", node, node.name)
    inner = node.unnest() if scope.engine.name == "sqlite" else node
    if (
        isinstance(inner, exp.Neg)
        and isinstance(inner.this.unnest(), exp.Literal)
        and inner.this.unnest().is_int
    ):
        text = inner.this.unnest().name
        raise Refused("position", f"-{text} is not a position.", inner, f"-{text}")
    return inner if scope.engine.name == "sqlite" and isinstance(inner, exp.Literal) else node


def _names_output(node: exp.Expr, scope: Scope, output: Output, expressions: Expressions) -> bool:
    """A bare name is first that of a result column: of one with an alias, and on most engines of any."""
    if (
        not isinstance(node, exp.Column)
        or node.args.get("table") is not None
        or isinstance(node.this, exp.Star)
    ):
        return False
    name = scope.engine.fold(node.this)
    named = scope.aliases.get(name)
    if named is None and scope.engine.orders_by_output:
        named = next(
            (f.expression for f in output.fields if f.name == name and f.expression is not None), None
        )
    if named is None:
        return False
    expressions.facts.aliases[id(node)] = named
    return True


def _position(node: exp.Expr, scope: Scope, width: int, starred: bool, clause: str) -> None:
    text = node.name
    if not text.isdigit():
        if scope.engine.name == "sqlite":
            return  # any other number is a constant, and sorts nothing
        raise Refused("position", f"{clause} {text} is not a position.", node, text)
    if not starred and not 1 <= int(text) <= width:
        raise Refused("position", f"{clause} {text} is not between 1 and {width}.", node, text)
