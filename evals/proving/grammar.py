"""Legitimate queries made up from a catalogue: typed, so that engines take them, and with every construct they have.

One seed makes one sequence of queries. Whatever can hide a scan of a table from who looks for it is among what is made.
"""

from __future__ import annotations

import random

from evals.proving.disguise import disguised
from evals.proving.froms import From, words
from evals.proving.literals import Literals
from evals.proving.selects import Selects
from evals.proving.sources import Sources
from evals.proving.speech import Draw, speech
from evals.proving.terms import KINDS, Leaf, Scope, Terms
from text2sql.guard.engines import ENGINES
from text2sql.types import Catalog, Dialect

_SETS = ("UNION", "UNION ALL", "EXCEPT", "INTERSECT", "UNION DISTINCT", "INTERSECT ALL", "EXCEPT ALL")


class Maker:
    """Makes queries over a catalogue, in its dialect or another's.

    `steady`: only such whose result the data alone decide: no LIMIT but under an order by every column, no window
    or aggregate that depends on the order of equals, no clock. `plain`: without odd spacing, comments and case.
    """

    shadowed: set[str]

    def __init__(
        self, catalog: Catalog, dialect: Dialect, seed: int | random.Random = 0, *,
        steady: bool = False, plain: bool = False, depth: int = 3,
    ) -> None:  # fmt: skip
        self.draw, self.speech, self.catalog = Draw(seed), speech(dialect), catalog
        self.steady, self.plain, self.depth = steady, plain, depth
        self.literals = Literals(self.draw, self.speech, catalog)
        self.terms = Terms(self.draw, self.speech, self.literals, self)
        self.sources = Sources(self.draw, self.speech, catalog, self.terms, self)
        self.selects = Selects(self.draw, self.speech, self.terms, steady=steady, fresh=self.fresh)
        self._start()

    def _start(self) -> None:
        self.used, self.left, self.visible = 0, 14, []  # type: ignore[var-annotated]
        self.shadowed = set()

    def query(self) -> str:
        """One query. Raises ValueError when the catalogue has no table."""
        if not self.sources.tables:
            raise ValueError("No table to make queries about")
        self._start()
        text = self.statement([], self.depth)[0]
        return text if self.plain else disguised(text, self.draw, self.speech.dialect)

    # What the parts ask for

    def fresh(self, prefix: str) -> str:
        """A name not used before in this query."""
        self.used += 1
        if prefix == "x" and self.draw.chance(0.1):
            return f"{self.draw.one(['合計', 'größe', 'Ünïts', 'total of', 'Select', 'from'])} {self.used}"
        return f"{prefix}{self.used}"

    def ctes(self) -> list[tuple[str, list[Leaf]]]:
        """The WITH queries that can be named here."""
        return self.visible

    def column(self, kind: str, around: list[Leaf], depth: int) -> str:
        """A query of one column of this kind."""
        return self.statement(around, depth, [kind])[0]

    def any_rows(self, around: list[Leaf], depth: int) -> str:
        """A query of any columns."""
        return self.draw.one([self.select(around, depth)[0], self.select(around, depth, ["integer"])[0]])

    def scalar(self, kind: str, around: list[Leaf], depth: int) -> str:
        """A query of one value of this kind: an aggregate of everything, or the first row."""
        made = self.sources_of(around, depth)
        scope = made.scope(around)
        if not self.steady and self.draw.chance(0.2):
            where = self.where(made, scope, depth)
            return words(
                "SELECT", self.terms.value(kind, scope, 0), "FROM", made.text, where, "ORDER BY 1 LIMIT 1"
            )
        value = self.selects.aggregate(kind, scope.flat())
        return words("SELECT", value, "FROM", made.text, self.where(made, scope, depth))

    def derived(self, around: list[Leaf], depth: int) -> tuple[str, list[Leaf], bool]:
        """A query for FROM."""
        if self.draw.chance(0.3):
            text, fields = self.statement(around, depth)
        else:
            text, fields = self.select(around, depth)
        return text, fields, bool(fields) and all(leaf.name for leaf in fields)

    # Statements

    def statement(
        self, around: list[Leaf], depth: int, kinds: list[str] | None = None
    ) -> tuple[str, list[Leaf]]:
        """A query with or without WITH, of one SELECT or several."""
        before = list(self.visible)
        text, draw = "", self.draw
        if depth > 1 and self.left > 4 and draw.chance(0.3):
            text = self.with_(depth)
        if depth > 0 and draw.chance(0.2):
            body, fields = self.compound(around, depth, kinds)
        else:
            body, fields = self.select(around, depth, kinds)
        self.visible = before
        return text + body, fields

    def with_(self, depth: int) -> str:
        """WITH: queries that may be called like a table, or count, or see each other."""
        names = [self.fresh("w") for _ in range(self.draw.number(1, 3))]
        if self.draw.chance(0.15) and (
            ENGINES[self.speech.dialect].default_schema or all(t.schema for t in self.sources.tables)
        ):
            names[-1] = self.draw.one(self.sources.tables).name
            self.shadowed.add(names[-1].casefold())
        parts, recursive = [], False
        for name in names:
            spelled = self.speech.name(name, self.draw)
            if (
                "recursive" in self.speech.can
                and self.draw.chance(0.12)
                and name.casefold() not in self.shadowed
            ):
                recursive = True
                part, fields = self.counting(name)
            else:
                text, fields = self.statement([], depth - 1)
                hint = (
                    self.draw.one(["", "", "", "MATERIALIZED ", "NOT MATERIALIZED "])
                    if "materialized" in self.speech.can
                    else ""
                )
                if fields and all(f.name for f in fields) and self.draw.chance(0.25):
                    fields = [Leaf(leaf.kind, "", self.fresh("c")) for leaf in fields]
                    spelled += f"({', '.join(leaf.name for leaf in fields)})"
                part = f"{spelled} AS {hint}({text})"
            parts.append(part)
            self.visible = [*(v for v in self.visible if v[0].casefold() != name.casefold()), (name, fields)]
        return f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(parts)} "

    def counting(self, name: str) -> tuple[str, list[Leaf]]:
        """A recursive WITH query that counts up to a bound."""
        column, bound = self.fresh("n"), self.draw.number(2, 9)
        word = self.draw.one(["UNION ALL", "UNION ALL", "UNION"])
        text = words(
            f"{name}({column}) AS (SELECT 1 {word} SELECT {column} + 1",
            "FROM",
            name,
            "WHERE",
            f"{column} < {bound})",
        )
        return text, [Leaf("integer", "", column)]

    def compound(self, around: list[Leaf], depth: int, kinds: list[str] | None) -> tuple[str, list[Leaf]]:
        """Two queries or more put together."""
        draw, can = self.draw, self.speech.can
        kinds = kinds or [draw.one(KINDS[:4]) for _ in range(draw.number(1, 3))]
        text, fields = self.select(around, depth - 1, kinds, bare=True)
        for _ in range(draw.one([1, 1, 2])):
            more = self.select(around, depth - 1, kinds, bare=True)[0]
            if depth > 1 and draw.chance(0.25):
                more = self.enclosed(self.compound(around, depth - 1, kinds)[0])
            elif "parens" in can and draw.chance(0.2):
                more = f"({more}{self.selects.ordered_all(kinds)})"
            text = f"{text} {draw.one(_SETS if 'set_all' in can else _SETS[:4])} {more}"
        if draw.chance(0.3):
            text += self.selects.ordered_all(kinds)
        return text, fields

    def enclosed(self, text: str) -> str:
        """A compound as an operand: in parentheses, or, where there are none, in a SELECT of its own."""
        return f"({text})" if "parens" in self.speech.can else words("SELECT * FROM", f"({text})")

    # One SELECT

    def sources_of(self, around: list[Leaf], depth: int) -> From:
        """A FROM clause, smaller the more there are."""
        self.left -= 1
        return self.sources.make(around, depth if self.left > 0 else 0)

    def where(self, made: From, scope: Scope, depth: int) -> str:
        """WHERE, with what comma joins need."""
        parts = list(made.must)
        if self.draw.chance(0.75):
            parts.append(self.terms.condition(scope, depth if self.left > 0 else 0))
        if len(parts) > 1:
            parts = [f"({part})" for part in parts]
        return f" WHERE {' AND '.join(parts)}" if parts else ""

    def select(
        self, around: list[Leaf], depth: int, kinds: list[str] | None = None, *, bare: bool = False
    ) -> tuple[str, list[Leaf]]:
        """One SELECT and its columns; `bare`: without ORDER BY and LIMIT."""
        made = self.sources_of(around, depth)
        scope = made.scope(around)
        depth = depth if self.left > 0 else 0
        where = self.where(made, scope, depth)
        shape = self.draw.weighted({"plain": 5, "grouped": 3, "star": 1.5 * (kinds is None)})
        if shape == "star":
            return self.selects.star(made, scope, where, bare=bare)
        if shape == "grouped":
            return self.selects.grouped(made, scope, where, kinds, depth, bare=bare)
        return self.selects.plain(made, scope, where, kinds, depth, bare=bare)
