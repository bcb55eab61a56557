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
    up, down = _broken(tree.copy(), width, desc=False), _broken(tree.copy(), width, desc=True)
    return (up.sql(dialect), down.sql(dialect)) if up != tree else None


def _broken(tree: exp.Expr, width: int, *, desc: bool) -> exp.Expr:
    for query in list(tree.find_all(exp.Query)):
        if isinstance(query, exp.Subquery):
            continue
        outermost = query is tree
        if not query.args.get("limit") and not (outermost and query.args.get("order")):
            continue
        columns = width if outermost else _width(query)
        ties = [exp.Ordered(this=exp.Literal.number(at), desc=desc) for at in range(1, columns + 1)]
        order = query.args.get("order")
        query.set("order", exp.Order(expressions=[*(order.expressions if order else []), *ties]))
    return tree


def _width(query: exp.Expr) -> int:
    """Columns of an inner query, 0 where a star hides them."""
    selected = query.selects if isinstance(query, exp.Query) else []
    return 0 if any(isinstance(each, exp.Star) or each.is_star for each in selected) else len(selected)
