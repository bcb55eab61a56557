"""FROM clauses of generated queries: tables, sub-queries and functions, joined in every way the dialect has."""

from __future__ import annotations

from typing import Protocol

from evals.proving.froms import From, Source, kind_of
from evals.proving.speech import Draw, Speech
from evals.proving.terms import NUMERIC, Leaf, Terms
from text2sql.guard.engines import ENGINES
from text2sql.types import Catalog, Table

SMALL = 1_000
"""Tables of at most so many rows, or of unknown size, may meet others row by row."""


class Derived(Protocol):
    """What writes the queries inside FROM."""

    def derived(self, around: list[Leaf], depth: int) -> tuple[str, list[Leaf], bool]:
        """A query, its columns, and whether their names are all there is to call them by."""
        ...

    def ctes(self) -> list[tuple[str, list[Leaf]]]:
        """The WITH queries that can be named here."""
        ...

    def fresh(self, prefix: str) -> str:
        """A name not used before."""
        ...

    shadowed: set[str]


class Sources:
    """Makes FROM clauses."""

    def __init__(self, draw: Draw, speech: Speech, catalog: Catalog, terms: Terms, queries: Derived) -> None:
        self.draw, self.speech, self.catalog, self.terms, self.queries = draw, speech, catalog, terms, queries
        self.tables = [t for t in catalog.tables if t.columns and catalog.table(t.qualified) is t]

    def make(self, outer: list[Leaf], depth: int) -> From:
        """A FROM clause of one to four sources."""
        made = From()
        items: list[str] = []
        for _ in range(2 if depth > 0 and self.draw.chance(0.12) else 1):
            start = len(made.sources)
            first = self.source(made, depth)
            made.sources.append(first)
            text = first.text
            for _ in range(
                self.draw.one([0, 0, 0, 1, 1, 1, 2, 3]) if depth > 0 else self.draw.one([0, 0, 1])
            ):
                text += self.join(made, start, outer, depth, alone=not items)
                if made.whole:
                    break
            if items:
                sides = made.sources[:start], made.sources[start:]
                left, right = ([s for s in side if s.alias not in made.gone] for side in sides)
                made.must.append(self.equal(left, right))
            items.append(text)
            if made.whole:
                break
        made.text = ", ".join(items)
        return made

    # One source

    def source(self, made: From, depth: int) -> Source:
        """A table, mostly; or a WITH query, a sub-query, VALUES or a function."""
        named = self.queries.ctes()
        shape = self.draw.weighted({
            "table": 10, "cte": 6 * bool(named), "derived": 3 * (depth > 0), "values": 0.7 * ("values" in self.speech.can),
            "series": 0.4 * ("series" in self.speech.can), "unnest": 0.4 * ("unnest" in self.speech.can),
        })  # fmt: skip
        if shape == "cte":
            name, fields = self.draw.one(named)
            alias, text = self.named(self.speech.name(name, self.draw), name, made)
            return Source(text, alias, fields)
        if shape == "derived":
            return self.derived([], depth)
        if shape == "table":
            return self.table(made, self.draw.one(self.tables))
        return self.listed(shape)

    def table(self, made: From, table: Table) -> Source:
        """A table of the catalogue by its name."""
        schema = table.schema or ENGINES[self.speech.dialect].default_schema
        default = (self.catalog.default_schema or schema).casefold() == schema.casefold()
        must = table.name.casefold() in self.queries.shadowed or not default
        text = self.speech.name(table.name, self.draw)
        if schema and (must or self.draw.chance(0.1)):
            text = f"{self.speech.name(schema, self.draw)}.{text}"
        alias, text = self.named(text, table.name, made)
        fields = [Leaf(kind_of(c), "", c.name, column=c) for c in table.columns]
        return Source(text, alias, fields, table, table.rows)

    def named(self, text: str, name: str, made: From) -> tuple[str, str]:
        """With an alias of its own, another name's, or none."""
        taken = {source.alias.casefold() for source in made.sources}
        if name.casefold() not in taken and self.draw.chance(0.3):
            return name, text
        alias = self.draw.one(self.tables).name if self.draw.chance(0.04) else self.queries.fresh("t")
        if alias.casefold() in taken or alias.casefold() in self.queries.shadowed:
            alias = self.queries.fresh("t")
        return alias, f"{text} {self.draw.one(['AS ', 'AS ', ''])}{self.speech.name(alias, self.draw)}"

    def derived(self, around: list[Leaf], depth: int) -> Source:
        """A sub-query, whose columns may be given new names."""
        text, fields, exact = self.queries.derived(around, depth - 1)
        alias = self.queries.fresh("d")
        if exact and "renames" in self.speech.can and self.draw.chance(0.25):
            fields = [Leaf(leaf.kind, "", self.queries.fresh("c")) for leaf in fields]
            names = ", ".join(leaf.name for leaf in fields)
            return Source(f"({text}) AS {alias}({names})", alias, fields)
        return Source(f"({text}) AS {alias}", alias, fields)

    def listed(self, shape: str) -> Source:
        """Rows that the statement writes out."""
        alias, one = self.queries.fresh("v"), self.queries.fresh("c")
        if shape == "values":
            kinds = self.draw.some(("integer", "text"), 1, 2)
            rows = ", ".join(
                f"({', '.join(self.terms.literals.of(kind) for kind in kinds)})"
                for _ in range(self.draw.number(1, 3))
            )
            names = [self.queries.fresh("c") for _ in kinds]
            if "renames" not in self.speech.can:
                fields = [Leaf(kind, "", f"column{i}") for i, kind in enumerate(kinds, 1)]
                return Source(f"(VALUES {rows}) AS {alias}", alias, fields, rows=3)
            fields = [Leaf(kind, "", name) for kind, name in zip(kinds, names, strict=True)]
            return Source(f"(VALUES {rows}) AS {alias}({', '.join(names)})", alias, fields, rows=3)
        call = f"GENERATE_SERIES(1, {self.draw.number(1, 5)})"
        if shape == "unnest":
            call = "UNNEST([1, 2, 3])" if self.speech.dialect == "duckdb" else "UNNEST(ARRAY[1, 2, 3])"
        return Source(f"{call} AS {alias}({one})", alias, [Leaf("integer", "", one)], rows=5)

    # Joins

    def join(self, made: From, start: int, outer: list[Leaf], depth: int, *, alone: bool) -> str:
        """One more source joined to those of this comma's side."""
        can, draw = self.speech.can, self.draw
        way = draw.weighted({
            "on": 12, "cross": 1, "using": 3 * ("using" in can), "natural": 1.5 * ("natural" in can and alone),
            "lateral": 1.5 * ("lateral" in can and depth > 0), "semi": 1.5 * ("semi" in can),
        })  # fmt: skip
        side = draw.one(
            [
                "",
                "",
                "INNER ",
                "LEFT ",
                "LEFT OUTER ",
                *(["RIGHT ", "FULL ", "FULL OUTER "] if "full" in can else []),
            ]
        )
        if way == "lateral":
            return self.lateral(made, outer, depth)
        new = self.related(made, start) if draw.chance(0.5) else self.source(made, depth)
        before = [source for source in made.sources[start:] if source.alias not in made.gone]
        if way in ("using", "natural") and (text := self.shared(way, side, made, before, new)):
            return text
        made.sources.append(new)
        if way == "cross" and all((s.rows or 0) <= SMALL for s in made.sources):
            return f" CROSS JOIN {new.text}"
        condition = self.equal(before, [new])
        if way == "semi":
            made.gone.add(new.alias)
            return f" {draw.one(['SEMI', 'ANTI'])} JOIN {new.text} ON {condition}"
        if "FULL" not in side and draw.chance(0.35):
            scope = From(sources=[*before, new], merged=made.merged).scope(outer)
            scope.own = [leaf for leaf in scope.own if leaf.alias]
            scope.nested = not side.strip() or self.speech.dialect in ("sqlite", "postgres")
            condition += f"{draw.one([' AND ', ' AND ', ' AND NOT '])}({self.terms.condition(scope, 1)})"
        return f" {side}JOIN {new.text} ON {condition}"

    def related(self, made: From, start: int) -> Source:
        """A table that a declared key ties to one that is there, or the same table once more."""
        near = [s.table for s in made.sources[start:] if s.table is not None]
        reached = [self.catalog.table(key.to_table) for table in near for key in table.foreign_keys]
        tables = [t for t in [*near, *reached, *reached] if t is not None and t.columns]
        return self.table(made, self.draw.one(tables or self.tables))

    def equal(self, left: list[Source], right: list[Source]) -> str:
        """A condition that ties two sides: along a key where there is one, else columns of one kind."""
        for one in left:
            for other in right:
                if one.table is not None and other.table is not None:
                    for key in one.table.foreign_keys:
                        if key.to_table.casefold() in (
                            other.table.qualified.casefold(),
                            other.table.name.casefold(),
                        ):
                            pairs = zip(key.columns, key.to_columns, strict=False)
                            found = [self._pair(one, a, other, b) for a, b in pairs]
                            if found and all(found):
                                return " AND ".join(found)
        own = [leaf for source in left for leaf in source.leaves]
        new = [leaf for source in right for leaf in source.leaves]
        pairs_ = [(a, b) for a in own for b in new if a.kind == b.kind and a.kind != "other"]
        if not pairs_:
            return self.draw.one(["1 = 1", "TRUE"])
        same = [(a, b) for a, b in pairs_ if a.name.casefold() == b.name.casefold()]
        one_, other_ = self.draw.one(same or pairs_)
        return f"{self.terms.spell(one_)} = {self.terms.spell(other_)}"

    def _pair(self, one: Source, name: str, other: Source, to: str) -> str:
        a = next((leaf for leaf in one.leaves if leaf.name.casefold() == name.casefold()), None)
        b = next((leaf for leaf in other.leaves if leaf.name.casefold() == to.casefold()), None)
        alike = a is not None and b is not None and (a.kind == b.kind or {a.kind, b.kind} <= set(NUMERIC))
        return (
            f"{self.terms.spell(a)} = {self.terms.spell(b)}"
            if alike and a is not None and b is not None
            else ""
        )

    def shared(self, way: str, side: str, made: From, before: list[Source], new: Source) -> str:
        """JOIN … USING or NATURAL JOIN, where the sides have columns of one name and kind; else nothing."""
        if len(before) != 1 or made.merged or before[0].alias in made.gone or len(made.sources) > 1:
            return ""
        left = {leaf.name.casefold(): leaf for leaf in before[0].leaves}
        right = {leaf.name.casefold(): leaf for leaf in new.leaves}
        both = [name for name in left if name in right]
        everything = {f.name.casefold() for f in before[0].fields} & {f.name.casefold() for f in new.fields}
        if way == "natural" and everything != set(both):
            return ""
        fit = [
            n
            for n in both
            if left[n].kind == right[n].kind and left[n].kind in ("integer", "number", "text", "date")
        ]
        if not fit or (way == "natural" and len(fit) != len(both)):
            return ""
        chosen = fit if way == "natural" else self.draw.some(fit, 1, 2)
        made.whole = self.speech.dialect == "sqlite" and side.startswith(("FULL", "RIGHT"))
        made.sources.append(new)
        made.merged = [Leaf(left[n].kind, "", left[n].name, column=left[n].column) for n in chosen]
        if way == "natural":
            return f" NATURAL {side}JOIN {new.text}"
        names = ", ".join(self.speech.name(left[n].name, self.draw) for n in chosen)
        return f" {side}JOIN {new.text} USING ({names})"

    def lateral(self, made: From, outer: list[Leaf], depth: int) -> str:
        """A sub-query that sees what stands left of it."""
        around = [
            leaf
            for leaf in From(sources=list(made.sources), gone=made.gone).scope(outer).within()
            if leaf.alias
        ]
        new = self.derived(around, depth)
        made.sources.append(new)
        if self.speech.dialect == "athena" or self.draw.chance(0.4):
            return f" CROSS JOIN LATERAL {new.text}"
        return f" {self.draw.one(['', 'LEFT '])}JOIN LATERAL {new.text} ON TRUE"
