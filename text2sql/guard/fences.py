"""Whether a statement can fail on a row that its caller may not see, and so tell that the row is there.

Engines put a sub-query's condition and the query's own side by side and test them in an order of their own: PostgreSQL
the cheaper first, SQLite what an index holds, DuckDB what reduces a join's left side. `1 / (x - 7)` then fails on a hidden
row where x is 7. A limit that cuts nothing keeps them apart. It also keeps the query's conditions from the table's
indexes, so it is written only where something in the statement can fail for one row and not for another.

Which limit holds was measured. DuckDB drops a LIMIT above the table's size and pushes conditions into a materialised
WITH query, but not through OFFSET 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlglot import exp

from text2sql.guard.engines import Engine
from text2sql.guard.scope import Facts

_CLAUSES: tuple[type[exp.Expr], ...] = (
    exp.Query, exp.Values, exp.With, exp.CTE, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered,
    exp.Limit, exp.Offset, exp.Distinct, exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Identifier, exp.Star, exp.Var,
    exp.Literal, exp.Boolean, exp.Null, exp.Tuple, exp.Paren, exp.And, exp.Or, exp.Not, exp.Exists, exp.DataType,
    exp.DataTypeParam, exp.AggFunc, exp.Filter, exp.Window, exp.WindowSpec, exp.RowNumber, exp.Rank, exp.DenseRank,
)  # fmt: skip
_COMPARE: tuple[type[exp.Expr], ...] = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Is,
)  # fmt: skip
_CHOOSE: tuple[type[exp.Expr], ...] = (exp.Case, exp.If, exp.Coalesce, exp.Nullif)
_SQLITE: tuple[type[exp.Expr], ...] = (
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.Cast, exp.Upper, exp.Lower, exp.Length, exp.Substring,
    exp.Round, exp.Trim, exp.Date, exp.TsOrDsToDate, exp.TsOrDsToTimestamp, exp.TimeToStr, exp.CurrentDate, exp.CurrentTimestamp,
)  # fmt: skip
_SQLITE_NAMED = frozenset(
    [
        "strftime",
        "datetime",
        "julianday",
        "unixepoch",
        "ifnull",
        "iif",
        "instr",
        "round",
        "sign",
        "typeof",
        "unicode",
    ]
)
"""What SQLite computes of any value; the rest may overflow, be no JSON, or grow too big."""
_SHORT = re.compile(r"\d{1,9}(\.\d{1,4})?")
"""Numbers that every type of column has room for."""
_INTEGERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "INT", "UTINYINT", "USMALLINT", "UINTEGER"}
)
_FIRST = frozenset({"where", "joins", "from_", "laterals"})
"""What of a SELECT is computed before its rows are known to be the caller's."""


def close(inner: exp.Select, engine: Engine) -> None:
    """Put the limit that cuts nothing on a sub-query."""
    if engine.fence == "limit":
        inner.set("limit", exp.Limit(expression=exp.Neg(this=exp.Literal.number(1))))
    else:
        inner.set("offset", exp.Offset(expression=exp.Literal.number(0)))


def can_fail(tree: exp.Expr, engine: Engine, facts: Facts) -> bool:
    """Whether something in the statement may fail for one row and not for another, where rows are not yet chosen."""
    fails = {"sqlite": _fails_sqlite, "duckdb": _fails_duckdb}.get(engine.name, _fails)
    return any(fails(node, facts) and not _after_the_rows(node, tree) for node in tree.walk())


def _fails(node: exp.Expr, facts: Facts) -> bool:
    del facts
    if isinstance(node, exp.Subquery):  # as a value: of more than one row
        return node.arg_key != "query" and not isinstance(
            node.parent, exp.From | exp.Join | exp.SetOperation | exp.Subquery | None
        )
    if isinstance(node, exp.Cast | exp.Neg):
        return not isinstance(node.this, exp.Literal)
    if isinstance(node, exp.Like | exp.ILike):
        return not isinstance(node.expression, exp.Literal)
    return not _cannot_fail(type(node))


_HARMLESS: dict[type[exp.Expr], bool] = {}
"""By class of node, as they are met: there are many to look through for each node."""


def _cannot_fail(kind: type[exp.Expr]) -> bool:
    """Whether nodes of this class are structure, comparisons and choices, which fail for no row."""
    found = _HARMLESS.get(kind)
    if found is None:
        found = _HARMLESS[kind] = issubclass(kind, (*_CLAUSES, *_COMPARE, *_CHOOSE))
    return found


def _fails_sqlite(node: exp.Expr, facts: Facts) -> bool:
    del facts
    if isinstance(node, exp.Like | exp.Glob):
        return not isinstance(node.expression, exp.Literal)
    if isinstance(node, exp.Anonymous):
        return node.name.lower() not in _SQLITE_NAMED
    return not (_cannot_fail(type(node)) or isinstance(node, _SQLITE))


def _fails_duckdb(node: exp.Expr, facts: Facts) -> bool:
    """DuckDB compares a text with a number by casting the text, which fails where it is none."""
    if isinstance(node, exp.Join) and (node.args.get("using") or node.args.get("method")):
        return True
    if isinstance(node, exp.Is):
        return False
    if isinstance(node, _COMPARE):
        return not _one_type(_operands(node), facts)
    return isinstance(node, _CHOOSE) or _fails(node, facts)


def _operands(node: exp.Expr) -> Iterable[exp.Expr]:
    for key in ("this", "expression", "low", "high"):
        part = node.args.get(key)
        if isinstance(part, exp.Expr):
            yield part
    yield from node.expressions
    query = node.args.get("query") or node.args.get("unnest") or node.args.get("field")
    if isinstance(query, exp.Expr):
        select = query.unnest()
        yield select.expressions[0].unalias() if isinstance(select, exp.Select) else query


def _one_type(operands: Iterable[exp.Expr], facts: Facts) -> bool:
    """Whether they can be compared without converting any but constants; not known is no."""
    types: set[str] = set()
    number = False
    for operand in operands:
        node = operand.unnest()
        if isinstance(node, exp.Neg):
            node = node.this
        if isinstance(node, exp.Literal):
            if not node.is_string and not _SHORT.fullmatch(node.name):
                return False
            number = number or not node.is_string
        elif isinstance(node, exp.Column):
            binding = facts.bindings.get(id(node))
            column = binding.field.column if binding is not None else None
            if column is None:
                return False
            types.add("integer" if column.type.upper() in _INTEGERS else column.type.upper())
        elif isinstance(node, exp.Count):
            types.add("integer")
        elif isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
            types.add(node.args["to"].sql(dialect="duckdb").upper())
        elif not isinstance(node, exp.Null):
            return False
    if not types:
        return True
    return len(types) == 1 and (
        not number or types <= {"integer", "DOUBLE", "FLOAT"} or _small_decimal(types)
    )


def _small_decimal(types: set[str]) -> bool:
    """A decimal with room for the digits of a constant."""
    return all(kind.startswith(("DECIMAL(1", "DECIMAL(2")) for kind in types)


def _after_the_rows(node: exp.Expr, tree: exp.Expr) -> bool:
    """Inside an aggregate, or in what the outermost SELECT gives, groups and orders by."""
    while (parent := node.parent) is not None and not isinstance(parent, exp.Query):
        if isinstance(parent, exp.AggFunc):
            return True
        node = parent
    return parent is tree and isinstance(tree, exp.Select) and node.arg_key not in _FIRST
