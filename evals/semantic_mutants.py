"""Mutants of meaning: statements that run and are wrong, of the kinds that a look at keys, types and values can show.

cartesian   a condition that joins two tables is dropped
wrong_key   two tables are joined by another pair of columns
type        a column is compared with a value of another type
ungrouped   a column is shown beside aggregates that nothing groups
misspelt    a text that is compared with a column is one or two edits away from what was written

They are made from the tree and the column lists alone, without a look at what the guard makes of them. Every draw
has its seed: the same statement has the same mutants.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from text2sql.types import Catalog, Table

KINDS = ("cartesian", "wrong_key", "type", "ungrouped", "misspelt")
MOST = 2
"""Mutants of one kind of one statement."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_WORD, _NUMBER = "zebra", 7


@dataclass(frozen=True, slots=True)
class SemanticMutant:
    """A statement with one mistake of meaning.

    `settled`: two statements that give the same rows where the column added is the same throughout each group.
    """

    kind: str
    sql: str
    settled: tuple[str, str] | None = None


def semantic_mutants(sql: str, dialect: str, catalog: Catalog, most: int = MOST) -> list[SemanticMutant]:
    """At most so many mutants of each kind, in a fixed order. Empty where nothing parses."""
    try:
        tree = parse_one(sql, read=dialect)
    except (SqlglotError, RecursionError):
        return []
    if dialect == "sqlite":
        _unquote(tree, catalog)
    made: list[SemanticMutant] = []
    for kind, make in _KINDS.items():
        draw = random.Random(hashlib.sha256(f"{kind}\n{sql}".encode()).digest())  # noqa: S311 - repeatable, not secret
        found = {mutant.sql: mutant for mutant in make(tree, dialect, catalog, draw)}
        found.pop(tree.sql(dialect), None)
        texts = sorted(found)
        made += [found[text] for text in sorted(draw.sample(texts, min(most, len(texts))))]
    return made


# What the tree names.


def _unquote(tree: exp.Expr, catalog: Catalog) -> None:
    """Strings in double quotes as strings: names of no column of any table that is read."""
    read = [catalog.table(node.name) for node in tree.find_all(exp.Table)]
    for node in list(tree.find_all(exp.Column)):
        known = any(table.column(node.name) for table in read if table is not None)
        if not node.table and node.this.args.get("quoted") and not known:
            node.replace(exp.Literal.string(node.name))


def _tables(select: exp.Select, catalog: Catalog) -> dict[str, Table]:
    """Alias -> table, of what this SELECT reads itself; sub-queries and WITH names are not among them."""
    named = {cte.alias.casefold() for cte in select.root().find_all(exp.CTE)}
    from_ = select.args.get("from_")
    read = [from_.this] if from_ is not None else []
    read += [join.this for join in select.args.get("joins") or ()]
    found = {}
    for node in read:
        if isinstance(node, exp.Table) and node.name.casefold() not in named:
            table = catalog.table(f"{node.db}.{node.name}" if node.db else node.name)
            if table is not None:
                found[node.alias_or_name.casefold()] = table
    return found


def _column(node: exp.Expr, tables: dict[str, Table]) -> tuple[str, str] | None:
    """Alias and name of a column of one of the tables."""
    if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
        return None
    if node.table:
        table = tables.get(node.table.casefold())
        return (node.table, node.name) if table is not None and table.column(node.name) else None
    holders = [alias for alias, table in tables.items() if table.column(node.name)]
    return (holders[0], node.name) if len(holders) == 1 else None


def _family(node: exp.Expr, tables: dict[str, Table]) -> str:
    """The family of what is compared: a count is a number."""
    if isinstance(node, exp.AggFunc) and not isinstance(node, exp.Min | exp.Max):
        return "number"
    place = _column(node.this if isinstance(node, exp.AggFunc) else node, tables)
    column = tables[place[0].casefold()].column(place[1]) if place else None
    return column.family if column is not None else "other"


def _changed(tree: exp.Expr, node: exp.Expr, change: Callable[[exp.Expr], None]) -> exp.Expr:
    """A copy of the tree in which the copy of that node is changed."""
    number = next(at for at, other in enumerate(tree.walk()) if other is node)
    held = exp.Tuple(expressions=[tree.copy()])
    change(next(other for at, other in enumerate(held.expressions[0].walk()) if at == number))
    return held.expressions[0]  # type: ignore[no-any-return]  # a list of expressions


def _joining(tree: exp.Expr, catalog: Catalog) -> Iterator[tuple[exp.EQ, dict[str, Table]]]:
    """Equalities of columns of two tables, and the tables of their SELECT."""
    for select in tree.find_all(exp.Select):
        tables = _tables(select, catalog)
        clauses = [join.args["on"] for join in select.args.get("joins") or () if join.args.get("on")]
        where = select.args.get("where")
        for clause in [*clauses, *([where.this] if where is not None else [])]:
            for node in clause.find_all(exp.EQ):
                left, right = _column(node.this, tables), _column(node.expression, tables)
                here = node.find_ancestor(exp.Select) is select
                if here and left and right and left[0].casefold() != right[0].casefold():
                    yield node, tables


# The kinds.


def _cartesian(tree: exp.Expr, dialect: str, catalog: Catalog, _: random.Random) -> Iterator[SemanticMutant]:
    for node, _named in _joining(tree, catalog):
        yield SemanticMutant("cartesian", _changed(tree, node, _dropped).sql(dialect))


def _dropped(node: exp.Expr) -> None:
    """Take a condition out of the AND, ON or WHERE that it stands in."""
    parent = node.parent
    while isinstance(parent, exp.Paren):
        node, parent = parent, parent.parent
    if isinstance(parent, exp.And):
        parent.replace((parent.right if parent.left is node else parent.left).copy())
    elif isinstance(parent, exp.Where):
        parent.pop()
    else:
        node.replace(exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(1)))


def _wrong_key(
    tree: exp.Expr, dialect: str, catalog: Catalog, draw: random.Random
) -> Iterator[SemanticMutant]:
    for node, tables in _joining(tree, catalog):
        sides = [_column(side, tables) for side in (node.this, node.expression)]
        choices = [
            [(side[0], column.name) for column in tables[side[0].casefold()].columns]
            for side in sides
            if side
        ]
        pairs = [
            (one, other)
            for one in choices[0]
            for other in choices[1]
            if (one[1].casefold(), other[1].casefold()) != tuple(side[1].casefold() for side in sides if side)
        ]
        for one, other in draw.sample(pairs, min(MOST, len(pairs))):

            def change(it: exp.Expr, one: tuple[str, str] = one, other: tuple[str, str] = other) -> None:
                it.set("this", _written(*one))
                it.set("expression", _written(*other))

            yield SemanticMutant("wrong_key", _changed(tree, node, change).sql(dialect))


def _written(alias: str, name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True), exp.to_identifier(alias))


def _literals(tree: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Literal]]:
    """What is compared with a literal, and the literal."""
    for node in tree.find_all(*_COMPARED, exp.In, exp.Between):
        values = [node.expression] if isinstance(node, _COMPARED) else list(node.expressions)
        values += [node.args["low"], node.args["high"]] if isinstance(node, exp.Between) else []
        for value in values:
            for side, other in ((node.this, value), (value, node.this)):
                if isinstance(other, exp.Literal) and isinstance(side, exp.Column | exp.AggFunc):
                    yield side, other


def _type(tree: exp.Expr, dialect: str, catalog: Catalog, _: random.Random) -> Iterator[SemanticMutant]:
    for side, literal in _literals(tree):
        select = literal.find_ancestor(exp.Select)
        family = _family(side, _tables(select, catalog)) if select is not None else "other"
        if literal.is_string and family in ("text", "date", "timestamp", "time"):
            new = exp.Literal.number(_NUMBER)
        elif not literal.is_string and family in ("integer", "number"):
            new = exp.Literal.string(_WORD)
        else:
            continue
        yield SemanticMutant("type", _replaced(tree, literal, new).sql(dialect))


def _misspelt(tree: exp.Expr, dialect: str, _: Catalog, draw: random.Random) -> Iterator[SemanticMutant]:
    for side, literal in _literals(tree):
        equal = isinstance(literal.parent, exp.EQ | exp.NEQ | exp.In) and isinstance(side, exp.Column)
        if not (equal and literal.is_string and any(map(str.isalpha, literal.name))):
            continue
        text = literal.name
        for _edit in range(draw.choice((1, 2))):
            text = _edited(text, draw)
        if text and text != literal.name:
            yield SemanticMutant("misspelt", _replaced(tree, literal, exp.Literal.string(text)).sql(dialect))


def _replaced(tree: exp.Expr, node: exp.Expr, new: exp.Expr) -> exp.Expr:
    def change(it: exp.Expr) -> None:
        it.replace(new)

    return _changed(tree, node, change)


def _edited(text: str, draw: random.Random) -> str:
    """One letter more, less, other, or two that changed places."""
    at = draw.randrange(len(text)) if text else 0
    letter = draw.choice(_LETTERS)
    return draw.choice((
        text[:at] + letter + text[at:],
        text[:at] + text[at + 1 :],
        text[:at] + letter + text[at + 1 :],
        text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
    ))  # fmt: skip


def _ungrouped(
    tree: exp.Expr, dialect: str, catalog: Catalog, draw: random.Random
) -> Iterator[SemanticMutant]:
    """Of the outermost SELECT, so that the rows show it; a set operation would no longer fit."""
    if not isinstance(tree, exp.Select) or not _aggregated(tree):
        return
    tables = _tables(tree, catalog)
    named = [_column(node, tables) for node in tree.find_all(exp.Column)]
    shown = {(place[0].casefold(), place[1].casefold()) for place in named if place}
    columns = [(alias, column.name) for alias, table in tables.items() for column in table.columns]
    columns = [(a, c) for a, c in columns if (a, c.casefold()) not in shown]
    for place in draw.sample(columns, min(2 * MOST, len(columns))):
        column = _written(*place)
        least, greatest = (f(this=column.copy()) for f in (exp.Min, exp.Max))
        yield SemanticMutant(
            "ungrouped",
            tree.copy().select(column).sql(dialect),
            (tree.copy().select(least).sql(dialect), tree.copy().select(greatest).sql(dialect)),
        )


def _aggregated(select: exp.Select) -> bool:
    if select.args.get("distinct") or any(isinstance(e, exp.Star) for e in select.expressions):
        return False
    return any(
        item.find(exp.AggFunc) is not None and item.find(exp.Window, exp.Subquery) is None
        for item in select.expressions
    ) or (select.args.get("group") is not None)


_KINDS = {
    "cartesian": _cartesian,
    "wrong_key": _wrong_key,
    "type": _type,
    "ungrouped": _ungrouped,
    "misspelt": _misspelt,
}
