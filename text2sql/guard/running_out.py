"""Recursions whose rounds use something up, without a counter.

- `rest` is a text that is cut behind the first separator in it, while it holds one: it ends in one from the start, or
  WHERE says that there is one.
- `path` is a list of what was met, to which every round adds a value of a table that is not yet in it.
"""

from __future__ import annotations

from sqlglot import exp

from text2sql.guard.engines import Engine
from text2sql.guard.growth import called

_APPENDS = frozenset({"array_append", "list_append", "array_push_back"})
_CHANCE = frozenset(
    {
        "random", "rand", "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "randomblob", "random_normal", "shuffle", "clock_timestamp",
        "uuid_string", "generate_uuid",
    }
)  # fmt: skip
_HOLDS = frozenset({"list_contains", "array_contains", "contains", "list_has", "array_has"})


def runs_out(body: exp.SetOperation, step: exp.Select, names: list[str], own: str, engine: Engine) -> bool:
    """Whether every round of this recursion takes something away that every row started with."""
    where = step.args.get("where")
    if where is None or not all(isinstance(part, exp.Select) for part in _starts(body.this)):
        return False
    parts = [
        part.unnest() for part in (where.this.flatten() if isinstance(where.this, exp.And) else [where.this])
    ]
    starts = _starts(body.this)
    for index, name in enumerate(names[: len(step.expressions)]):
        if not name or any(index >= len(start.expressions) for start in starts):
            continue
        given, first = step.expressions[index].unalias(), [s.expressions[index].unalias() for s in starts]
        if not step.args.get("joins") and _shrinks(given, name, first, parts, engine):
            return True
        if _never_again(given, name, parts, step, own, engine):
            return True
    return False


def _starts(node: exp.Expr) -> list[exp.Expr]:
    node = node.unnest() if isinstance(node, exp.Subquery | exp.Paren) else node
    if isinstance(node, exp.SetOperation):
        return [*_starts(node.this), *_starts(node.expression)]
    return [node]


def _is(node: exp.Expr | None, name: str, engine: Engine) -> bool:
    node = node.unnest() if node is not None else None
    return (
        isinstance(node, exp.Column)
        and not isinstance(node.this, exp.Star)
        and engine.fold(node.this) == name
    )


def _text(node: exp.Expr | None) -> str:
    node = node.unnest() if node is not None else None
    return node.name if isinstance(node, exp.Literal) and node.is_string else ""


# A text that shrinks.


def _shrinks(
    given: exp.Expr, name: str, starts: list[exp.Expr], parts: list[exp.Expr], engine: Engine
) -> bool:
    """`substr(rest, instr(rest, ',') + 1)` of a rest that always holds a `,`."""
    cut = given.unnest()
    if not isinstance(cut, exp.Substring) or not _is(cut.this, name, engine):
        return False
    found = _behind_first(cut)
    if found is None or not _is(found[1], name, engine):
        return False
    separator = found[0]
    if any(_says_there_is_one(part, name, separator, engine) for part in parts):
        return True
    # Behind a separator there is nothing, or what ends in one again: unless it overlaps with itself.
    overlaps = any(separator.endswith(separator[:n]) for n in range(1, len(separator)))
    ends = all(_ends_in(start_, separator) for start_ in starts)
    return not overlaps and ends and any(_says_not_empty(part, name, engine) for part in parts)


def _behind_first(cut: exp.Substring) -> tuple[str, exp.Expr] | None:
    """`substr(text, instr(text, ',') + 1)`: the separator and the text; None for any other part of a text."""
    start = cut.args["start"].unnest()
    if not isinstance(start, exp.Add) or cut.args.get("length") is not None:
        return None
    found, more = start.this.unnest(), start.expression.unnest()
    if not isinstance(found, exp.StrPosition) or any(found.args.get(k) for k in ("position", "occurrence")):
        return None
    separator = _text(found.args.get("substr"))
    plain = isinstance(more, exp.Literal) and not more.is_string and more.name == str(len(separator))
    return (separator, found.this.unnest()) if separator and plain else None


def _ends_in(node: exp.Expr, separator: str) -> bool:
    """Whether a text is empty or ends so: one that has it put behind, or what is behind the first in one that has."""
    node = node.unnest()
    if isinstance(node, exp.DPipe):
        return _ends_in(node.expression, separator)
    if isinstance(node, exp.Substring):
        return _behind_first(node) == (separator, node.this.unnest()) and _ends_in(node.this, separator)
    return _text(node).endswith(separator)


def _says_not_empty(node: exp.Expr, name: str, engine: Engine) -> bool:
    """`rest <> ''`, `rest > ''` or `length(rest) > 0`."""
    if isinstance(node, exp.NEQ | exp.GT) and _is(node.this, name, engine):
        empty = node.expression.unnest()
        return isinstance(empty, exp.Literal) and empty.is_string and not empty.name
    return (
        _above_zero(node)
        and isinstance(node.this.unnest(), exp.Length)
        and _is(node.this.unnest().this, name, engine)
    )


def _says_there_is_one(node: exp.Expr, name: str, separator: str, engine: Engine) -> bool:
    """`instr(rest, ',') > 0` or `rest LIKE '%,%'`."""
    if isinstance(node, exp.Like) and _is(node.this, name, engine):
        return len(separator) == 1 and separator not in "%_" and _text(node.expression) == f"%{separator}%"
    found = node.this.unnest() if _above_zero(node) else None
    return (
        isinstance(found, exp.StrPosition)
        and _is(found.this, name, engine)
        and _text(found.args.get("substr")) == separator
    )


def _above_zero(node: exp.Expr) -> bool:
    return (
        isinstance(node, exp.GT | exp.NEQ)
        and isinstance(node.expression, exp.Literal)
        and node.expression.name == "0"
        and not node.expression.is_string
    )


# A path that meets nothing twice.


def _never_again(
    given: exp.Expr, name: str, parts: list[exp.Expr], step: exp.Select, own: str, engine: Engine
) -> bool:
    """`path || x` where WHERE has it that x is not in `path`, and x is a table's."""
    added = _added(given.unnest(), name, engine)
    if added is None or not added.args.get("table") or not _of_a_table(added, step, own, engine):
        return False
    if any(called(call) & _CHANCE for call in step.root().find_all(exp.Func)):
        return False  # a WITH query of chance gives a value that was never met, round after round
    return any(_says_absent(part, added, name, engine) for part in parts)


def _added(node: exp.Expr, name: str, engine: Engine) -> exp.Column | None:
    if isinstance(node, exp.DPipe | exp.ArrayConcat):
        operands = (
            [node.this, node.expression] if isinstance(node, exp.DPipe) else [node.this, *node.expressions]
        )
    elif isinstance(node, exp.ArrayAppend):
        operands = [node.this, node.expression]
    elif isinstance(node, exp.Anonymous) and node.name.lower() in _APPENDS:
        operands = node.expressions
    else:
        return None
    if len(operands) != 2 or not _is(operands[0], name, engine):
        return None
    added = operands[1].unnest()
    if isinstance(added, exp.Array) and len(added.expressions) == 1:
        added = added.expressions[0].unnest()
    return added if isinstance(added, exp.Column) else None


def _of_a_table(column: exp.Column, step: exp.Select, own: str, engine: Engine) -> bool:
    sources = [step.args["from_"].this, *(join.this for join in step.args.get("joins") or ())]
    wanted = engine.fold(column.args["table"])
    return any(
        isinstance(source, exp.Table)
        and isinstance(source.this, exp.Identifier)
        and (source.args.get("db") is not None or engine.fold(source.this) != own)
        and engine.fold(source.args["alias"].this if source.args.get("alias") is not None else source.this)
        == wanted
        for source in sources
    )


def _says_absent(node: exp.Expr, added: exp.Column, name: str, engine: Engine) -> bool:
    if isinstance(node, exp.NEQ) and isinstance(node.expression, exp.All):
        return node.this.unnest() == added and _is(node.expression.this, name, engine)
    inner = node.this.unnest() if isinstance(node, exp.Not) else None
    if isinstance(inner, exp.EQ) and isinstance(inner.expression, exp.Any):
        return inner.this.unnest() == added and _is(inner.expression.this, name, engine)
    if isinstance(inner, exp.ArrayContains):
        return inner.expression.unnest() == added and _is(inner.this, name, engine)
    if isinstance(inner, exp.Anonymous) and inner.name.lower() in _HOLDS and len(inner.expressions) == 2:
        return inner.expressions[1].unnest() == added and _is(inner.expressions[0], name, engine)
    return False
