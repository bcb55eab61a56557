"""Whether a statement's result is settled by the data, or by the order in which rows happen to lie.

The same statement is asked with ties broken one way and the other: by its own columns upwards and downwards, at
every place where rows are cut (LIMIT) or listed (ORDER BY). What comes out differently was never settled.
"""

from __future__ import annotations

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

_CHANGING = frozenset(
    (
        "now",
        "random",
        "rand",
        "randomblob",
        "clock_timestamp",
        "statement_timestamp",
        "gen_random_uuid",
        "age",
    )
)
_CLOCKS = (
    exp.CurrentDate,
    exp.CurrentTimestamp,
    exp.CurrentTime,
    exp.CurrentDatetime,
    exp.Rand,
    exp.CurrentTimestampLTZ,
)


def changing(sql: str, dialect: str) -> tuple[str, ...]:
    """What in a statement gives another value at another time: functions of the clock, chance, the word 'now'."""
    try:
        tree = parse_one(sql, read=dialect)
    except (SqlglotError, RecursionError):
        return ()
    found = {type(node).__name__ for node in tree.find_all(*_CLOCKS)}
    found |= {n.name.casefold() for n in tree.find_all(exp.Anonymous) if n.name.casefold() in _CHANGING}
    found |= {"'now'" for n in tree.find_all(exp.Literal) if n.is_string and n.name.casefold() == "now"}
    return tuple(sorted(found))


def without_limit(sql: str, dialect: str) -> str | None:
    """The statement without its outermost LIMIT and OFFSET; None where it has none or does not parse."""
    try:
        tree = parse_one(sql, read=dialect)
    except (SqlglotError, RecursionError):
        return None
    if not tree.args.get("limit") and not tree.args.get("offset"):
        return None
    tree.set("limit", None)
    tree.set("offset", None)
    return tree.sql(dialect)


def settled_both_ways(sql: str, dialect: str, width: int) -> tuple[str, str] | None:
    """The statement with ties broken upwards and downwards; None where rows are neither cut nor listed by it.

    `width` is the number of columns it returns: what a `*` at its top stands for.
    """
    try:
        tree = parse_one(sql, read=dialect)
    except (SqlglotError, RecursionError):
        return None
    up, down = (_broken(tree.copy(), width, dialect, way) for way in ("ASC", "DESC"))
    return (up.sql(dialect), down.sql(dialect)) if up != tree else None


def ungrouped_both_ways(sql: str, dialect: str) -> tuple[str, str] | None:
    """The statement with the least, and with the greatest value of each column that is selected beside aggregates
    without being grouped (SQLite takes any row's); None where there is none.

    With exactly one MIN or MAX, SQLite takes the row that it is from: that is settled.
    """
    try:
        tree = parse_one(sql, read=dialect)
    except (SqlglotError, RecursionError):
        return None
    least, greatest = _extreme(tree.copy(), exp.Min), _extreme(tree.copy(), exp.Max)
    return (least.sql(dialect), greatest.sql(dialect)) if least != tree else None


def _extreme(tree: exp.Expr, kind: type[exp.Func]) -> exp.Expr:
    for select in list(tree.find_all(exp.Select)):
        aggregates = [found for each in select.selects for found in each.find_all(exp.AggFunc)]
        group = select.args.get("group")
        if not (aggregates or group) or [type(a) for a in aggregates] in ([exp.Min], [exp.Max]):
            continue
        grouped = {key.name.casefold() for key in (group.expressions if group else ())}
        places = {key.name for key in (group.expressions if group else ()) if isinstance(key, exp.Literal)}
        for at, each in enumerate(select.selects, 1):
            column = each.unalias()
            if not isinstance(column, exp.Column) or column.is_star or str(at) in places:
                continue
            if not {column.name.casefold(), each.alias_or_name.casefold()} & grouped:
                column.replace(kind(this=column.copy()))
    return tree


def _broken(tree: exp.Expr, width: int, dialect: str, way: str) -> exp.Expr:
    for query in list(tree.find_all(exp.Query)):
        if isinstance(query, exp.Subquery):
            continue
        outermost = query is tree
        if not query.args.get("limit") and not (outermost and query.args.get("order")):
            continue
        columns = width if outermost else _width(query)
        # Read by the dialect, which knows where its NULLs stand.
        text = "SELECT 1 ORDER BY " + ", ".join(f"{at} {way}" for at in range(1, max(columns, 1) + 1))
        ties = parse_one(text, read=dialect).args["order"].expressions if columns else []
        order = query.args.get("order")
        query.set("order", exp.Order(expressions=[*(order.expressions if order else []), *ties]))
    return tree


def _width(query: exp.Expr) -> int:
    """Columns of an inner query, 0 where a star hides them."""
    selected = query.selects if isinstance(query, exp.Query) else []
    return 0 if any(isinstance(each, exp.Star) or each.is_star for each in selected) else len(selected)
