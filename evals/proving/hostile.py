"""Statements that break a promise of the guard, each by construction: a hostile part planted in a legitimate query.

The part stands at a random place and depth, is not the last thing said and may be clothed in other case, spacing,
comments, quotes or look-alike letters. `Planted.harmless` says by construction that what is hostile is only a text.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import cache

from evals.proving.disguise import disguised
from evals.proving.froms import Source, words
from evals.proving.grammar import Maker
from evals.proving.hostile_parts import PARTS, WHOLE, Part
from evals.proving.terms import Leaf
from text2sql.types import Catalog, Dialect

_TRIES = 30
_ALIKE = {
    "a": "\u0430",
    "e": "\u0435",
    "o": "\u043e",
    "s": "\uff53",
    "p": "\u0440",
    "c": "\u0441",
    "r": "\uff52",
    "i": "\u0456",
}
_UNSEEN = ("\u200b", "\u200d", "\ufeff", "\u2060", "\u00ad")


@dataclass(frozen=True, slots=True)
class Planted:
    """One statement, the promise it breaks and where. `harmless`: the hostile part is only a text or a comment in it."""

    sql: str
    promise: str
    part: str
    harmless: bool = False


class _Planter(Maker):
    """A maker that says one thing of its own at the n-th place of a kind."""

    place, at, seen, text = "", -1, 0, ""

    def _now(self, place: str) -> bool:
        if place != self.place:
            return False
        self.seen += 1
        return self.seen - 1 == self.at

    def _start(self) -> None:
        super()._start()
        self.seen = 0
        literal, source = self.literals.__class__.of, self.sources.__class__.source

        def of(kind: str, column: object = None) -> str:
            made = literal(self.literals, kind, column)  # type: ignore[arg-type]  # the same argument handed on
            return self.text if self._now("value") else made

        def from_(made: object, depth: int) -> Source:
            found = source(self.sources, made, depth)  # type: ignore[arg-type]  # the same argument handed on
            return Source(self.text, found.alias, found.fields) if self._now("source") else found

        self.literals.of = of  # type: ignore[method-assign]  # the places where a part is planted
        self.sources.source = from_  # type: ignore[method-assign]  # the places where a part is planted

    def select(
        self, around: list[Leaf], depth: int, kinds: list[str] | None = None, *, bare: bool = False
    ) -> tuple[str, list[Leaf]]:
        text, fields = super().select(around, depth, kinds, bare=bare)
        if self._now("query"):
            text = self.text
        return (f"{text} {self.text}" if self._now("tail") else text), fields


class Hostile:
    """Makes hostile statements over a catalogue; one seed makes one sequence."""

    def __init__(self, catalog: Catalog, dialect: Dialect, seed: int | random.Random = 0) -> None:
        self.maker = _Planter(catalog, dialect, seed, plain=True)
        self.catalog, self.dialect, self.draw = catalog, dialect, self.maker.draw

    def statement(self) -> Planted:
        """One statement that must be refused. Raises ValueError when the catalogue has no table."""
        if self.draw.chance(0.25):
            return self._wrapped()
        part = self.draw.one(parts(self.dialect))
        text = self._filled(part.text)
        if part.place in ("value", "source") and self.draw.chance(0.2):
            text = self._odd(text)
        return Planted(self._clothed(self._plant(part.place, text)), part.promise, text)

    def harmless(self) -> Planted:
        """One statement in which a hostile part is nothing but a text, a comment or the name of a result column."""
        part = self._filled(self.draw.one(parts(self.dialect)).text)
        quoted = self.maker.speech.string(part.replace("\\", "/"))
        way = self.draw.one(["text", "text", "comment", "name"])
        if way == "comment":
            inner = part.replace("*/", "").replace("/*", "").replace("!", "").replace("+", "")
            text = f"{self._plain()} /* {inner} */"
        elif way == "name":
            name = "".join(c for c in part if c not in '"`[]$%:@?\\')[:60]
            text = words("SELECT s.* FROM", f'({self._plain()}) AS s, (SELECT 1 AS "{name}") AS named')
        else:
            text = self._plant("value", quoted)
        return Planted(text, "", part, harmless=True)

    def _plain(self) -> str:
        self.maker.place = ""
        return self.maker.query()

    def _filled(self, text: str) -> str:
        table = self.draw.one(self.maker.sources.tables)
        column = self.draw.one(table.columns)
        spell = self.maker.speech.name
        return text.replace("{t}", spell(table.name, self.draw)).replace("{c}", spell(column.name, self.draw))

    def _wrapped(self) -> Planted:
        whole = self.draw.one([part for part in WHOLE if self.dialect in part.dialects])
        text = self._filled(whole.text).replace("{q}", self._plain())
        return Planted(self._clothed(text), whole.promise, whole.text)

    def _plant(self, place: str, text: str) -> str:
        """A legitimate query with this text at one of its places."""
        maker = self.maker
        for _ in range(_TRIES):
            state = self.draw.random.getstate()
            maker.place, maker.text, maker.at = place, text, -1
            maker.query()
            places = maker.seen
            if not places:
                continue
            after = self.draw.random.getstate()
            maker.at = self.draw.number(0, places - 1)
            self.draw.random.setstate(state)
            made = maker.query()
            self.draw.random.setstate(after)
            self.draw.number(0, 1)
            if text in made:  # what is made is not always said
                return made
        return {"query": text, "value": f"SELECT {text}", "tail": f"SELECT 1 {text}"}.get(
            place, words("SELECT 1 FROM", text)
        )

    def _clothed(self, text: str) -> str:
        return disguised(text, self.draw, self.dialect)

    def _odd(self, text: str) -> str:
        """Look-alike or unseen letters in the names: what they spell then is no table and no function at all."""
        names = [word for word in _words(text) if len(word) > 3]
        if not names:
            return text
        name = self.draw.one(names)
        odd = (
            "".join(_ALIKE.get(c, c) for c in name)
            if self.draw.chance(0.5)
            else name[:2] + self.draw.one(_UNSEEN) + name[2:]
        )
        return text.replace(name, odd, 1)


@cache
def parts(dialect: str) -> tuple[Part, ...]:
    """The hostile parts of a dialect."""
    return tuple(part for part in PARTS if dialect in part.dialects)


def _words(text: str) -> list[str]:
    """Names that a call or a qualification follows, outside of quotes: changed, they name nothing."""
    found = re.finditer(r"(?<![\w'\"])([a-z_]\w+)(?=[(.])", text)
    return [m.group(1) for m in found if "'" not in text[: m.start()]]
