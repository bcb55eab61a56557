"""SELECT lists of generated queries and what follows WHERE: groups, windows, orders and limits."""

from __future__ import annotations

from dataclasses import replace

from evals.proving.aggregates import Aggregates
from evals.proving.froms import From, words
from evals.proving.terms import KINDS, NUMERIC, Leaf, Scope

# What engines give no name of a column of its own.
_NAMELESS = ("COUNT", "SUM", "AVG", "MIN", "MAX", "'", "1", "2", "(")


class Selects(Aggregates):
    """Makes the SELECT around a FROM clause. `fresh` gives names not used before."""

    # The list

    def _kinds(self, kinds: list[str] | None) -> list[str]:
        return kinds or [self.draw.one(KINDS[:5]) for _ in range(self.draw.number(1, 4))]

    def _as(self, text: str, kind: str, leaf: Leaf | None, aliases: list[Leaf]) -> str:
        """A result column, under a name of its own, a column's, or none."""
        own = leaf.name if leaf is not None and leaf.name and not leaf.text else ""
        taken = {found.name.casefold() for found in aliases}
        if own and self.draw.chance(0.35) and own.casefold() not in taken:
            aliases.append(Leaf(kind, "", own))
            return text
        if not own and text.startswith(_NAMELESS) and self.draw.chance(0.3):
            aliases.append(Leaf(kind))
            return text
        name = own if own and own.casefold() not in taken and self.draw.chance(0.15) else self.fresh("x")
        aliases.append(Leaf(kind, "", name))
        return f"{text} AS {self.speech.name(name, self.draw)}"

    def plain(
        self, made: From, scope: Scope, where: str, kinds: list[str] | None, depth: int, *, bare: bool
    ) -> tuple[str, list[Leaf]]:
        """A SELECT that gives a row for a row."""
        fields: list[Leaf] = []
        named: list[str] = []
        items: list[str] = []
        qualify = ""
        for kind in self._kinds(kinds):
            leaf = self.terms.leaf(scope, (kind,)) if self.draw.chance(0.55) else None
            if leaf is not None:
                items.append(self._as(self.terms.spell(leaf), kind, leaf, fields))
            elif self.draw.chance(0.15) and kind != "boolean":
                items.append(self._as(self.window(kind, scope, named), kind, None, fields))
            else:
                items.append(self._as(self.terms.value(kind, scope, depth), kind, None, fields))
        if "qualify" in self.speech.can and self.draw.chance(0.08):
            qualify = f" QUALIFY {self.window('integer', scope, named)} <= {self.draw.number(1, 3)}"
        windows = f" WINDOW {', '.join(named)}" if named else ""
        distinct, order = self.draw.one(["", "", "", "", "DISTINCT ", "ALL "]), ""
        if (
            not named
            and not bare
            and not self.steady
            and not qualify
            and "distinct_on" in self.speech.can
            and self.draw.chance(0.06)
        ):
            key = self.terms.leaf(Scope(scope.own), KINDS)
            if key is not None:
                text = self.terms.spell(key)
                return (
                    words(
                        "SELECT DISTINCT ON",
                        f"({text})",
                        ", ".join(items),
                        "FROM",
                        made.text,
                        where,
                        "ORDER BY",
                        text,
                    ),
                    fields,
                )
        if not bare:
            order = self.order(scope, fields, depth, free=distinct != "DISTINCT ")
        return words(
            "SELECT", distinct, ", ".join(items), "FROM", made.text, where, windows, qualify, order
        ), fields

    def star(self, made: From, scope: Scope, where: str, *, bare: bool) -> tuple[str, list[Leaf]]:
        """SELECT * in one of its forms."""
        seen = made.seen()
        draw, can = self.draw, self.speech.can
        everything = made.columns()
        form = draw.weighted({
            "all": 4, "of": 3, "more": 1, "except": 1.5 * ("star_except" in can), "first": 0.5 * ("from_first" in can and not bare),
        })  # fmt: skip
        order = "" if bare else self.order(scope, [], 0, free=True)
        tail = f" FROM {made.text}{where}{order}"
        if made.merged:
            return f"SELECT *{tail}", everything
        if form == "of":
            source = draw.one(seen)
            fields = [Leaf(f.kind, "", f.name, column=f.column) for f in source.fields]
            return f"SELECT {self.speech.name(source.alias, draw)}.*{tail}", fields
        if form == "except" and len(seen) == 1 and len(seen[0].leaves) > 1:
            leaf = draw.one(seen[0].leaves)
            name = self.speech.name(leaf.name, draw)
            if draw.chance(0.4) and leaf.kind in KINDS:
                return f"SELECT * REPLACE ({self.terms.literals.of(leaf.kind)} AS {name}){tail}", everything
            return f"SELECT * EXCLUDE ({name}){tail}", [f for f in everything if f.name != leaf.name]
        if form == "more":
            kind = draw.one(KINDS[:3])
            name = self.fresh("x")
            text = self.terms.value(kind, scope, 1)
            return f"SELECT *, {text} AS {self.speech.name(name, draw)}{tail}", [
                *everything,
                Leaf(kind, "", name),
            ]
        if form == "first":
            return f"FROM {made.text}{where}", everything
        return f"SELECT *{tail}", everything

    def grouped(
        self, made: From, scope: Scope, where: str, kinds: list[str] | None, depth: int, *, bare: bool
    ) -> tuple[str, list[Leaf]]:
        """A SELECT of groups: its columns are keys and aggregates, and expressions of them."""
        draw = self.draw
        candidates = [leaf for leaf in scope.own if leaf.kind in KINDS]
        keys = draw.some(candidates, 0, 2) if draw.chance(0.85) else []
        texts = [self.terms.spell(key) for key in keys]
        ready = [Leaf(kind, text=self.aggregate(kind, scope.flat())) for kind in KINDS[:4]]
        after = Scope(
            [*(Leaf(k.kind, k.alias, k.name, k.text, k.column) for k in keys), *ready],
            scope.outer,
            nested=scope.nested,
        )
        fields: list[Leaf] = []
        named: list[str] = []
        items: list[str] = []
        by = list(texts)
        if kinds is None:
            for at, (key, text) in enumerate(zip(keys, texts, strict=True)):
                items.append(self._as(text, key.kind, key, fields))
                known = any(leaf.name == fields[-1].name for leaf in scope.own)
                by[at] = self._key(text, at, "" if known else fields[-1].name)
        for kind in self._kinds(kinds):
            own = [
                leaf for leaf in after.own if leaf.kind == kind or (kind == "number" and leaf.kind in NUMERIC)
            ]
            if own and draw.chance(0.7):
                text = self.terms.spell(draw.one(own))
            elif own and kind != "boolean" and draw.chance(0.2):
                text = self.window(kind, after, named)
            else:
                text = self.terms.value(kind, after.flat(), min(depth, 1))
            items.append(self._as(text, kind, None, fields))
        group = self._group(by, texts)
        having = f" HAVING {self.terms.condition(after, min(depth, 1))}" if by and draw.chance(0.4) else ""
        windows = f" WINDOW {', '.join(named)}" if named else ""
        order = "" if bare else self.order(after.flat(), fields, 0, free=bool(by))
        return words(
            "SELECT", ", ".join(items), "FROM", made.text, where, group, having, windows, order
        ), fields

    def _key(self, text: str, at: int, alias: str) -> str:
        form = self.draw.weighted(
            {
                "text": 6,
                "ordinal": 2,
                "alias": 1.5 * ("group_alias" in self.speech.can and alias.startswith("x")),
            }
        )
        return (
            text
            if form == "text"
            else str(at + 1)
            if form == "ordinal"
            else self.speech.name(alias, self.draw)
        )

    def _group(self, by: list[str], texts: list[str]) -> str:
        if not by:
            return ""
        if "rollup" in self.speech.can and self.draw.chance(0.15):
            listed = ", ".join(texts)
            sets = f"GROUPING SETS (({listed}), ({texts[0]}), ())"
            return f" GROUP BY {self.draw.one([f'ROLLUP ({listed})', f'CUBE ({listed})', sets])}"
        return f" GROUP BY {', '.join(by)}"

    # Order and limit

    def ordered_all(self, kinds: list[str]) -> str:
        """ORDER BY every column by its number, which no LIMIT makes unsteady."""
        text = f" ORDER BY {', '.join(f'{i}{self._direction()}' for i in range(1, len(kinds) + 1))}"
        return text + (self._limit() if self.draw.chance(0.4) else "")

    def order(self, scope: Scope, fields: list[Leaf], depth: int, *, free: bool) -> str:
        """ORDER BY and LIMIT, or nothing. `free`: by expressions, too, and not by result columns alone."""
        draw = self.draw
        if draw.chance(0.55):
            return ""
        if fields and (self.steady or draw.chance(0.2)):
            return self.ordered_all([field.kind for field in fields])
        if self.steady:
            return ""
        items: list[str] = []
        for _ in range(draw.number(1, 2)):
            kind = draw.one(KINDS[:4])
            if fields and (not free or draw.chance(0.4)):
                at = draw.number(1, len(fields))
                name = fields[at - 1].name
                items.append(
                    self.speech.name(name, draw) if name.startswith("x") and draw.chance(0.5) else str(at)
                )
            elif free and (leaf := self.terms.leaf(Scope(scope.own), KINDS)) is not None and draw.chance(0.7):
                items.append(self.terms.spell(leaf))
            elif free and scope.own:
                # SQLite's ORDER BY of a sub-query sees no column of the queries around it.
                near = replace(scope, outer=[]) if self.speech.dialect == "sqlite" else scope
                items.append(
                    f"COALESCE({self.terms.value(kind, near, min(depth, 1))}, {self.terms.literals.of(kind)})"
                )
        if not items:
            return ""
        text = f" ORDER BY {', '.join(item + self._direction() for item in items)}"
        return text + (self._limit() if draw.chance(0.5) else "")

    def _limit(self) -> str:
        text = f" LIMIT {self.draw.number(0, 20)}"
        offset = f" OFFSET {self.draw.number(0, 3)}" if self.draw.chance(0.3) else ""
        return offset + text if self.speech.dialect == "athena" else text + offset
