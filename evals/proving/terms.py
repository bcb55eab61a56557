"""Expressions and conditions of generated queries: typed, so that engines take them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from evals.proving.literals import Literals
from evals.proving.speech import Draw, Speech
from text2sql.types import Column

KINDS = ("integer", "number", "text", "date", "timestamp", "boolean")
NUMERIC = ("integer", "number")


@dataclass(frozen=True, slots=True)
class Leaf:
    """What an expression can be made of: a column as `alias.name` (or a bare name), or a ready piece of text."""

    kind: str
    alias: str = ""
    name: str = ""
    text: str = ""
    column: Column | None = None


@dataclass(slots=True)
class Scope:
    """What can be named: the leaves of this SELECT and, where it is a sub-query, those of the ones around it."""

    own: list[Leaf] = field(default_factory=list)
    outer: list[Leaf] = field(default_factory=list)
    nested: bool = True
    """Whether sub-queries may be written here."""

    def flat(self) -> Scope:
        """The same without sub-queries."""
        return replace(self, nested=False)

    def within(self) -> list[Leaf]:
        """What a sub-query of this place sees around it."""
        return [leaf for leaf in [*self.own, *self.outer] if not leaf.text]


class Subqueries(Protocol):
    """What writes the sub-queries of expressions."""

    def column(self, kind: str, around: list[Leaf], depth: int) -> str:
        """A query of one column of this kind."""
        ...

    def scalar(self, kind: str, around: list[Leaf], depth: int) -> str:
        """A query of one value of this kind."""
        ...

    def any_rows(self, around: list[Leaf], depth: int) -> str:
        """A query of any columns."""
        ...


class Terms:
    """Makes expressions of a kind in a scope. `depth` bounds how deep they nest."""

    def __init__(self, draw: Draw, speech: Speech, literals: Literals, queries: Subqueries) -> None:
        self.draw, self.speech, self.literals, self.queries = draw, speech, literals, queries

    def spell(self, leaf: Leaf) -> str:
        """One spelling of a leaf."""
        if leaf.text:
            return leaf.text
        name = self.speech.name(leaf.name, self.draw)
        return f"{self.speech.name(leaf.alias, self.draw)}.{name}" if leaf.alias else name

    def leaf(self, scope: Scope, kinds: Iterable[str]) -> Leaf | None:
        """A leaf of one of these kinds, mostly of the nearest SELECT."""
        wanted = tuple(kinds)
        own = [leaf for leaf in scope.own if leaf.kind in wanted]
        outer = [leaf for leaf in scope.outer if leaf.kind in wanted]
        if outer and (not own or self.draw.chance(0.2)):
            return self.draw.one(outer)
        return self.draw.one(own) if own else None

    def atom(self, kind: str, scope: Scope) -> str:
        """A column or a literal."""
        found = self.leaf(scope, NUMERIC if kind == "number" else (kind,)) if self.draw.chance(0.8) else None
        return self.spell(found) if found is not None else self.literals.of(kind)

    def value(self, kind: str, scope: Scope, depth: int) -> str:
        """An expression of this kind."""
        if depth <= 0 or self.draw.chance(0.35):
            return self.atom(kind, scope)
        shape = self.draw.weighted({"own": 6, "case": 2, "coalesce": 2, "nullif": 1, "cast": 1, "query": 1.2})
        if shape == "case":
            return self._case(kind, scope, depth - 1)
        if shape == "coalesce":
            return f"COALESCE({self.value(kind, scope, depth - 1)}, {self.literals.of(kind)})"
        if shape == "nullif":
            return f"NULLIF({self.value(kind, scope, depth - 1)}, {self.literals.of(kind)})"
        if shape == "cast" and kind in self.speech.casts:
            return self._cast(kind, scope, depth - 1)
        if shape == "query" and scope.nested:
            return f"({self.queries.scalar(kind, scope.within(), depth - 1)})"
        maker = {"integer": self._integer, "number": self._number, "text": self._text, "date": self._date,
                 "timestamp": self._timestamp}.get(kind)  # fmt: skip
        return maker(scope, depth - 1) if maker is not None else f"({self.condition(scope, depth - 1)})"

    def _case(self, kind: str, scope: Scope, depth: int) -> str:
        arms = "".join(
            f" WHEN {self.condition(scope, depth)} THEN {self.value(kind, scope, depth)}"
            for _ in range(self.draw.number(1, 2))
        )
        if self.draw.chance(0.2) and (found := self.leaf(scope, ("integer",))) is not None:
            return f"CASE {self.spell(found)} WHEN {self.literals.of('integer')} THEN {self.value(kind, scope, depth)} ELSE {self.literals.of(kind)} END"
        return f"CASE{arms}{f' ELSE {self.value(kind, scope, depth)}' if self.draw.chance(0.7) else ''} END"

    def _cast(self, kind: str, scope: Scope, depth: int) -> str:
        sources = {"text": "integer", "number": "integer", "integer": "number"}
        source = sources.get(kind, "date")
        inner, name = self.value(source, scope, depth), self.draw.one(self.speech.casts[kind])
        if self.speech.dialect in ("duckdb", "postgres", "redshift") and self.draw.chance(0.4):
            return f"({inner})::{name}"
        word = "TRY_CAST" if "try_cast" in self.speech.can and self.draw.chance(0.3) else "CAST"
        return f"{word}({inner} AS {name})"

    def _integer(self, scope: Scope, depth: int) -> str:
        one, draw = self.value("integer", scope, depth), self.draw
        shape = draw.weighted(
            {"add": 3, "times": 1, "mod": 1, "abs": 1, "length": 2, "year": 1, "neg": 1, "extreme": 0.5}
        )
        if shape == "add":
            return f"({one} {draw.one('+-')} {self.atom('integer', scope)})"
        if shape == "times":
            return f"{one} * {draw.number(2, 9)}"
        if shape == "mod":
            return f"({one} % {draw.number(2, 9)})"
        if shape == "length":
            return f"LENGTH({self.value('text', scope, depth)})"
        if shape == "year":
            found = self.leaf(scope, ("date", "timestamp")) if draw.chance(0.8) else None
            return self.literals.part(self.spell(found) if found is not None else self.literals.of("date"))
        return f"ABS({one})" if shape == "abs" else f"- {one}" if shape == "neg" else f"({one} + 1)"

    def _number(self, scope: Scope, depth: int) -> str:
        one, draw = self.value("number", scope, depth), self.draw
        shape = draw.weighted({"add": 3, "times": 2, "divide": 2, "safe": 1, "round": 2, "abs": 1})
        if shape == "add":
            return f"({one} {draw.one('+-')} {self.atom('number', scope)})"
        if shape == "times":
            return f"({one} * {draw.one(['0.5', '2', '1.1', '100'])})"
        if shape == "divide":
            return f"({one} / {draw.one(['2', '10', '0.5', self.atom('number', scope)])})"
        if shape == "safe":
            return f"({one} / NULLIF({self.atom('integer', scope)}, 0))"
        return f"{'ROUND' if shape == 'round' else 'ABS'}({one})"

    def _text(self, scope: Scope, depth: int) -> str:
        one, draw = self.value("text", scope, depth), self.draw
        shape = draw.weighted({"case": 3, "join": 2, "part": 2, "trim": 1, "replace": 1})
        if shape == "case":
            return f"{draw.one(['UPPER', 'LOWER'])}({one})"
        if shape == "join":
            return f"({one} || {self.atom('text', scope)})"
        if shape == "part":
            start, length = draw.number(1, 3), draw.number(1, 4)
            if "spoken" in self.speech.can and draw.chance(0.3):
                return f"SUBSTRING({one} FROM {start}{draw.one(['', f' FOR {length}'])})"
            return f"{draw.one(['SUBSTR', 'SUBSTRING'])}({one}, {start}, {length})"
        if shape == "trim" and "spoken" in self.speech.can and draw.chance(0.5):
            end, what = draw.one(["LEADING", "TRAILING", "BOTH"]), draw.one(["", "'a' "])
            return f"TRIM({end} {what}FROM {one})"
        return f"TRIM({one})" if shape == "trim" else f"REPLACE({one}, 'a', {self.literals.of('text')})"

    def _date(self, scope: Scope, depth: int) -> str:
        one = self.value("date", scope, depth)
        if self.speech.dialect == "sqlite":
            return f"DATE({one}, '{self.draw.one(['+', '-'])}{self.draw.number(1, 40)} days')"
        interval = f"INTERVAL '{self.draw.number(1, 30)}' {self.draw.one(['DAY', 'MONTH', 'YEAR'])}"
        return f"CAST({one} {self.draw.one('+-')} {interval} AS DATE)"

    def _timestamp(self, scope: Scope, depth: int) -> str:
        if self.speech.dialect == "sqlite":
            return f"DATETIME({self.value('timestamp', scope, depth)})"
        return f"DATE_TRUNC('{self.draw.one(['month', 'year', 'day'])}', {self.atom('timestamp', scope)})"

    # Conditions

    def condition(self, scope: Scope, depth: int) -> str:
        """A condition."""
        deep, nested = depth > 0, depth > 0 and scope.nested
        shape = self.draw.weighted({
            "compare": 6, "null": 2, "list": 2, "between": 2, "like": 2, "boolean": 0.5, "distinct": 0.7,
            "logic": 5 * deep, "not": 1 * deep, "exists": 2 * nested, "in_query": 2 * nested, "any": 0.8 * nested,
            "tuple": 0.6 * nested, "versus": 1 * nested,
        })  # fmt: skip
        made: str = getattr(self, f"_{shape}")(scope, depth - 1)
        return made

    def compared(self, scope: Scope) -> str:
        """A kind that this scope has a column of, so that comparing says something."""
        kinds = [leaf.kind for leaf in scope.own if leaf.kind in KINDS and leaf.kind != "boolean"]
        return self.draw.one(kinds) if kinds else self.draw.one(["integer", "text"])

    def _compare(self, scope: Scope, depth: int) -> str:
        kind = self.compared(scope)
        operator = self.draw.one(["=", "<>", "!=", "<", "<=", ">", ">="])
        if self.draw.chance(0.5) and (found := self.leaf(scope, (kind,))) is not None:
            return f"{self.spell(found)} {operator} {self.literals.of(kind, found.column)}"
        return f"{self.value(kind, scope, depth)} {operator} {self.value(kind, scope, depth)}"

    def _null(self, scope: Scope, depth: int) -> str:
        leaves = [*scope.own, *scope.outer]
        one = (
            self.spell(self.draw.one(leaves))
            if leaves and self.draw.chance(0.7)
            else self.value("text", scope, depth)
        )
        return f"{one} IS {self.draw.one(['', 'NOT '])}NULL"

    def _list(self, scope: Scope, _: int) -> str:
        kind = self.compared(scope)
        found = self.leaf(scope, (kind,))
        items = [
            self.literals.of(kind, found.column if found else None) for _ in range(self.draw.number(1, 4))
        ]
        return f"{self._operand(found, kind, scope)} {self._maybe_not()}IN ({', '.join(items)})"

    def _operand(self, found: Leaf | None, kind: str, scope: Scope) -> str:
        return self.spell(found) if found is not None else self.atom(kind, scope)

    def _maybe_not(self) -> str:
        return "NOT " if self.draw.chance(0.3) else ""

    def _between(self, scope: Scope, depth: int) -> str:
        kind = self.compared(scope)
        symmetric = "SYMMETRIC " if "symmetric" in self.speech.can and self.draw.chance(0.2) else ""
        low, high = self.atom(kind, scope), self.literals.of(kind)
        return f"{self.value(kind, scope, depth - 1)} {self._maybe_not()}BETWEEN {symmetric}{low} AND {high}"

    def _like(self, scope: Scope, depth: int) -> str:
        word = "ILIKE" if "ilike" in self.speech.can and self.draw.chance(0.3) else "LIKE"
        pattern, escape = self.draw.one([
            ("%a%", ""), ("A_b%", ""), ("", ""), ("%", ""), ("100!%", " ESCAPE '!'"), ("a#_b", " ESCAPE '#'"), ("%大%", ""), ("O''B%", ""),
        ])  # fmt: skip
        return f"{self.value('text', scope, depth)} {self._maybe_not()}{word} '{pattern}'{escape}"

    def _boolean(self, scope: Scope, _: int) -> str:
        found = self.leaf(scope, ("boolean",))
        if found is not None and self.speech.strict:
            return self.draw.one(["{0}", "NOT {0}", "{0} IS TRUE", "{0} IS NOT FALSE"]).format(
                self.spell(found)
            )
        more = ["(1 = 0) IS NOT TRUE"] if self.speech.dialect != "athena" else []  # Trino has no IS TRUE
        return self.draw.one(["1 = 1", "TRUE", "NOT FALSE", *more])

    def _distinct(self, scope: Scope, depth: int) -> str:
        if "distinct_from" not in self.speech.can:
            return self._null(scope, depth)
        kind = self.compared(scope)
        return (
            f"{self.value(kind, scope, depth)} IS {self._maybe_not()}DISTINCT FROM {self.atom(kind, scope)}"
        )

    def _logic(self, scope: Scope, depth: int) -> str:
        word = self.draw.one([" AND ", " OR "])
        parts = [self.condition(scope, depth) for _ in range(self.draw.number(2, 3))]
        return f"({word.join(parts)})"

    def _not(self, scope: Scope, depth: int) -> str:
        return f"NOT ({self.condition(scope, depth)})"

    def _exists(self, scope: Scope, depth: int) -> str:
        return f"{self._maybe_not()}EXISTS ({self.queries.any_rows(scope.within(), depth)})"

    def _in_query(self, scope: Scope, depth: int) -> str:
        kind = self.compared(scope)
        return f"{self.atom(kind, scope)} {self._maybe_not()}IN ({self.queries.column(kind, scope.within(), depth)})"

    def _any(self, scope: Scope, depth: int) -> str:
        if "any" not in self.speech.can:
            return self._in_query(scope, depth)
        kind = self.compared(scope)
        word = f"{self.draw.one(['=', '<>', '<', '>='])} {self.draw.one(['ANY', 'ALL', 'SOME'])}"
        return f"{self.atom(kind, scope)} {word} ({self.queries.column(kind, scope.within(), depth)})"

    def _tuple(self, scope: Scope, _: int) -> str:
        kind, other = self.compared(scope), self.compared(scope)
        left, right = self.atom(kind, scope), self.atom(other, scope)
        items = ", ".join(
            f"({self.literals.of(kind)}, {self.literals.of(other)})" for _ in range(self.draw.number(1, 3))
        )
        if self.speech.dialect == "sqlite":
            items = f"VALUES {items}"
        return f"({left}, {right}) {self._maybe_not()}IN ({items})"

    def _versus(self, scope: Scope, depth: int) -> str:
        kind = self.compared(scope)
        operator = self.draw.one(["=", "<", ">=", "<>"])
        return f"{self.atom(kind, scope)} {operator} ({self.queries.scalar(kind, scope.within(), depth)})"
