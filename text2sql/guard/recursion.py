"""WITH RECURSIVE is admitted where it provably ends: a counter that meets its bound, or a UNION of plain columns.

The recursive part reads the CTE once, in FROM. It ends when one of these holds:
- a column grows by a fixed step in every round and WHERE holds it below a bound that is written out, or
- UNION (without ALL) drops repeated rows and every column is copied as it is, so that the rows run out, or
- every round takes something away of what there is: `running_out`.
"""

from __future__ import annotations

from sqlglot import exp

from text2sql.guard.engines import Engine
from text2sql.guard.refusal import Refused
from text2sql.guard.running_out import runs_out

MAX_ROUNDS = 100_000
MAX_ROUNDS_JOINED = 100
"""Rounds where each one joins tables, so that rows may multiply."""


def check_recursive(name: str, cte: exp.CTE, columns: list[str], engine: Engine) -> exp.SetOperation:
    """The two parts of a recursive CTE that ends. Raises `Refused` with code recursion."""
    body = cte.this
    if not isinstance(body, exp.Union) or not isinstance(body.expression, exp.Select):
        raise _endless(name, cte)
    step = body.expression
    reads = [t for t in body.find_all(exp.Table) if _is_cte(t, name, engine)]
    in_from = (
        [step.args["from_"].this, *(j.this for j in step.args.get("joins") or ())]
        if step.args.get("from_")
        else []
    )
    if len(reads) != 1 or not any(reads[0] is t for t in in_from):
        raise Refused(
            "recursion", f"{name} must read itself exactly once, in the FROM of its second part.", cte, name
        )
    if step.args.get("group") or step.args.get("order") or step.args.get("limit") or step.args.get("windows"):
        raise _endless(name, cte)
    joined = len(in_from) > 1
    names = columns or [
        engine.fold(p) if p.name else "" for p in map(_named, _leftmost(body.this).expressions)
    ]
    if _counts(body, step, names, engine, MAX_ROUNDS_JOINED if joined else MAX_ROUNDS):
        return body
    if engine.name == "sqlite" and _cut(body):
        return body
    if runs_out(body, step, names, name, engine):
        return body
    if body.args.get("distinct") and all(isinstance(p.unalias(), exp.Column) for p in step.expressions):
        return body
    raise _endless(name, cte)


def _cut(body: exp.SetOperation) -> bool:
    """SQLite stops a recursion that has given so many rows: `UNION ALL SELECT … LIMIT 12`."""
    limit = body.args.get("limit")
    number = (
        _number(limit.expression.unnest()) if limit is not None and limit.expression is not None else None
    )
    return number is not None and 0 <= number <= MAX_ROUNDS and body.args.get("offset") is None


def _endless(name: str, cte: exp.CTE) -> Refused:
    return Refused(
        "recursion",
        f"{name} is recursive and nothing proves that it ends; count its rounds in a column (n + 1) and hold it "
        "below a number in WHERE.",
        cte, name,
    )  # fmt: skip


def _is_cte(table: exp.Table, name: str, engine: Engine) -> bool:
    return (
        isinstance(table.this, exp.Identifier)
        and not table.args.get("db")
        and engine.fold(table.this) == name
    )


def _leftmost(node: exp.Expr) -> exp.Expr:
    while not isinstance(node, exp.Select | exp.Values) and isinstance(node.this, exp.Expr):
        node = node.this
    if (
        isinstance(node, exp.Select)
        and len(node.expressions) == 1
        and isinstance(node.expressions[0], exp.Star)
    ):
        source = node.args["from_"].this if node.args.get("from_") is not None else None
        node = source if isinstance(source, exp.Values) and not node.args.get("joins") else node
    if isinstance(node, exp.Values) and isinstance(node.expressions[0], exp.Tuple):
        return node.expressions[0]
    return node


def _named(projection: exp.Expr) -> exp.Expr:
    if isinstance(projection, exp.Alias):
        return projection.args["alias"] if isinstance(projection.args["alias"], exp.Expr) else projection
    return projection.this if isinstance(projection, exp.Column) else exp.Identifier(this="")


def _counts(body: exp.SetOperation, step: exp.Select, names: list[str], engine: Engine, rounds: int) -> bool:
    where = step.args.get("where")
    if where is None:
        return False
    starts = _leftmost(body.this).expressions
    for index, projection in enumerate(step.expressions):
        if index >= len(names) or index >= len(starts):
            break
        node = projection.unalias()
        by = _step(node, names[index], engine)
        if by is None:
            continue
        dates = node.find(exp.Interval, exp.Date, exp.Anonymous) is not None or _is_date(
            starts[index].unalias()
        )
        for bound in _bounds(where.this, names[index], engine, by > 0):
            if _within(starts[index].unalias(), bound, by, rounds, dates=dates):
                return True
    return False


def _step(node: exp.Expr, name: str, engine: Engine) -> float | None:
    """What a projection adds to the column in every round: a number, or days for dates."""
    node = node.unnest()
    if isinstance(node, exp.Cast | exp.TsOrDsToDate):
        return _step(node.this, name, engine)
    if isinstance(node, exp.Add | exp.Sub):
        left, right = node.this.unnest(), node.expression.unnest()
        if _column(right, name, engine) and isinstance(node, exp.Add):
            left, right = right, left
        amount = _number(right) if _column(left, name, engine) else None
        if amount is None and _column(left, name, engine) and isinstance(right, exp.Interval):
            amount = _interval_days(right)
        return None if not amount else amount if isinstance(node, exp.Add) else -amount
    if isinstance(node, exp.Date | exp.Anonymous):
        arguments = [*([node.this] if isinstance(node.this, exp.Expr) else []), *node.expressions]
        if len(arguments) == 2 and _column(arguments[0], name, engine) and arguments[1].is_string:
            return _modifier_days(arguments[1].name)
    return None


def _modifier_days(text: str) -> float | None:
    """SQLite's date modifiers: `+1 day`."""
    number, _, unit = text.strip().partition(" ")
    days = {"day": 1.0, "month": 28.0, "year": 365.0}.get(unit.strip().rstrip("s").lower())
    try:
        return float(number) * days if days else None
    except ValueError:
        return None


def _interval_days(node: exp.Interval) -> float | None:
    unit = {"DAY": 1.0, "WEEK": 7.0, "MONTH": 28.0, "QUARTER": 90.0, "YEAR": 365.0}.get(
        (node.args["unit"].name if node.args.get("unit") else "").upper().rstrip("S")
    )
    try:
        return float(node.this.name) * unit if unit else None
    except ValueError:
        return None


def _is_date(node: exp.Expr) -> bool:
    """`DATE '2024-01-01'`, to which a number adds days."""
    node = node.unnest()
    return (
        isinstance(node, exp.Cast)
        and node.args["to"].this == exp.DType.DATE
        and isinstance(node.this, exp.Literal)
    )


def _column(node: exp.Expr, name: str, engine: Engine) -> bool:
    node = node.unnest()
    return (
        isinstance(node, exp.Column)
        and not isinstance(node.this, exp.Star)
        and engine.fold(node.this) == name
    )


def _number(node: exp.Expr) -> float | None:
    if isinstance(node, exp.Neg):
        inner = _number(node.this)
        return None if inner is None else -inner
    return float(node.name) if isinstance(node, exp.Literal) and not node.is_string else None


def _bounds(condition: exp.Expr, name: str, engine: Engine, up: bool) -> list[exp.Expr]:
    """What WHERE holds the column below (`up`) or above, in every row that goes on."""
    found = []
    for part in condition.flatten() if isinstance(condition, exp.And) else [condition]:
        node = part.unnest()
        below, above = (
            ((exp.LT, exp.LTE), (exp.GT, exp.GTE)) if up else ((exp.GT, exp.GTE), (exp.LT, exp.LTE))
        )
        if isinstance(node, below) and _grows_with(node.this, name, engine):
            found.append(node.expression)
        elif isinstance(node, above) and _grows_with(node.expression, name, engine):
            found.append(node.this)
    return found


def _grows_with(node: exp.Expr, name: str, engine: Engine) -> bool:
    """The column itself, or the column with something added."""
    return _column(node, name, engine) or _step(node, name, engine) is not None


def _within(start: exp.Expr, bound: exp.Expr, by: float, rounds: int, *, dates: bool) -> bool:
    """Whether so many rounds are enough to get from the start to the bound."""
    if dates:
        # Every calendar ends, and the bound stays where it is: a step of days meets it.
        return bound.find(exp.Column) is None or isinstance(bound.unnest(), exp.Subquery)
    first, last = _number(start.unnest()), _number(bound.unnest())
    if last is None:
        return False
    if first is None:
        return start.find(exp.Column) is not None  # it comes from the data
    return (last - first) / by <= rounds
