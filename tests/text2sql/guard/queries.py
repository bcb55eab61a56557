"""Random queries over the small shop, in SQL that SQLite and DuckDB read alike."""

from __future__ import annotations

import random

from tests.text2sql.guard.shopdata import COLUMNS

_LITERALS = {
    "INTEGER": ["0", "3", "10", "12", "20", "NULL"],
    "VARCHAR": ["'Kanto'", "'Anna'", "'A***'", "'2012-01-01'", "''"],
}


class QueryMaker:
    """Makes one query from a seed. Every construct that can hide a scan is among what it makes."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.count = 0

    def query(self) -> str:
        kind = self.rng.randrange(8)
        if kind == 0:
            operator = self.rng.choice(["UNION", "UNION ALL", "EXCEPT", "INTERSECT"])
            return f"{self.select(1, 'INTEGER')} {operator} {self.select(1, 'INTEGER')}"
        if kind == 1:
            return f"WITH c AS ({self.grouped()}) SELECT * FROM c WHERE n > 0"
        if kind == 2:
            return f"SELECT COUNT(*) FROM ({self.select(2)}) AS d"
        if kind == 3:
            return self.grouped()
        return self.select(self.rng.randint(1, 3))

    def name(self) -> str:
        self.count += 1
        return f"t{self.count}"

    def column(self, sources: dict[str, str], kind: str | None = None) -> str:
        options = [
            f"{alias}.{column}"
            for alias, table in sources.items()
            for column, type_ in COLUMNS[table].items()
            if kind in (None, type_)
        ]
        return self.rng.choice(options)

    def source(self) -> tuple[str, dict[str, str]]:
        """A FROM clause and what it knows."""
        first, table = self.name(), self.rng.choice(list(COLUMNS))
        text, sources = f"{table} AS {first}", {first: table}
        for _ in range(self.rng.choice([0, 0, 1, 1, 2])):
            alias, other = self.name(), self.rng.choice(list(COLUMNS))
            left = self.column(sources, "INTEGER")
            sources[alias] = other
            on = f"{left} = {self.column({alias: other}, 'INTEGER')}"
            if self.rng.random() < 0.3:
                on += f" AND {self.condition(sources, 0)}"
            joined = (
                f"(SELECT * FROM {other}) AS {alias}" if self.rng.random() < 0.3 else f"{other} AS {alias}"
            )
            text += f" {self.rng.choice(['JOIN', 'LEFT JOIN'])} {joined} ON {on}"
        return text, sources

    def select(self, width: int, kind: str | None = None, outer: dict[str, str] | None = None) -> str:
        text, sources = self.source()
        columns = ", ".join(self.expression(sources, kind) for _ in range(width))
        where = f" WHERE {self.condition({**(outer or {}), **sources}, 2)}" if self.rng.random() < 0.8 else ""
        return f"SELECT {'DISTINCT ' if self.rng.random() < 0.2 else ''}{columns} FROM {text}{where}"

    def grouped(self) -> str:
        text, sources = self.source()
        key = self.column(sources)
        number = self.column(sources, "INTEGER")
        having = f" HAVING COUNT(*) > {self.rng.randrange(3)}" if self.rng.random() < 0.3 else ""
        where = f" WHERE {self.condition(sources, 1)}" if self.rng.random() < 0.6 else ""
        aggregates = f"COUNT(*) AS n, SUM({number}) AS s, MIN({number}) AS low, COUNT(DISTINCT {number}) AS d"
        return f"SELECT {key} AS k, {aggregates} FROM {text}{where} GROUP BY {key}{having}"

    def expression(self, sources: dict[str, str], kind: str | None = None) -> str:
        pick = self.rng.randrange(6)
        if pick == 0:
            return f"COALESCE({self.column(sources, 'INTEGER')}, -1)"
        if pick == 1:
            condition = self.condition(sources, 0)
            return f"CASE WHEN {condition} THEN {self.column(sources, 'INTEGER')} ELSE 0 END"
        if pick == 2:
            inner = self.column({"z": "sales"}, "INTEGER")
            return (
                f"(SELECT MAX({inner}) FROM sales AS z WHERE z.store_id = {self.column(sources, 'INTEGER')})"
            )
        return self.column(sources, kind)

    def condition(self, sources: dict[str, str], depth: int) -> str:
        pick = self.rng.randrange(9 if depth else 4)
        if pick in (4, 5):
            operator = self.rng.choice(["AND", "OR"])
            return f"({self.condition(sources, depth - 1)} {operator} {self.condition(sources, depth - 1)})"
        if pick == 6:
            return f"NOT ({self.condition(sources, depth - 1)})"
        if pick == 7:
            inside = self.select(1, "INTEGER", sources)
            return f"{self.column(sources, 'INTEGER')} {self.rng.choice(['IN', 'NOT IN'])} ({inside})"
        if pick == 8:
            return f"{self.rng.choice(['', 'NOT '])}EXISTS ({self.select(1, None, sources)})"
        kind = self.rng.choice(["INTEGER", "VARCHAR"])
        column = self.column(sources, kind)
        if pick == 0:
            return f"{column} IS {self.rng.choice(['', 'NOT '])}NULL"
        if pick == 1:
            return f"{column} IN ({', '.join(self.rng.sample(_LITERALS[kind], 2))})"
        return f"{column} {self.rng.choice(['=', '<>', '<', '>='])} {self.rng.choice(_LITERALS[kind])}"
