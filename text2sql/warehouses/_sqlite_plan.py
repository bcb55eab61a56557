"""What an SQLite plan says about size: it names scans, but counts no rows, so the catalogue's counts are used.

Steps beside each other in `EXPLAIN QUERY PLAN` are loops within each other: a scan repeats for each row of those
before it, so their sizes multiply; a search for one key does not. What is computed once (a materialised subquery,
each part of a UNION) is added; a correlated subquery repeats for each row around it. An upper bound throughout.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from text2sql.types import Estimate

_MOST = 10**18
"""No figure beyond it: more loops than anything will ever run."""
_STEP = re.compile(r"(SCAN|SEARCH) (.+?)(?: USING .*| VIRTUAL TABLE .*| LEFT-JOIN)*$")
_RANGE = re.compile(r"\([^()]*[<>][^()]*\)")
_APART = ("CO-ROUTINE ", "MATERIALIZE ")
Plan = Sequence[tuple[Any, ...]]


def aliases(sql: str) -> Mapping[str, frozenset[str]]:
    """Folded names of tables by the folded name that a plan shows for them; empty for a text that cannot be read."""
    found: dict[str, set[str]] = defaultdict(set)
    try:
        trees = sqlglot.parse(sql, read="sqlite")
    except (SqlglotError, RecursionError):
        return {}
    for tree in trees:
        for table in tree.find_all(exp.Table) if tree is not None else ():
            found[table.alias_or_name.casefold()].add(table.name.casefold())
    return {alias: frozenset(names) for alias, names in found.items()}


def estimate(
    plan: Plan, rows_of: Callable[[str], int | None], named: Mapping[str, frozenset[str]]
) -> Estimate:
    """Of plan rows `(id, parent, _, detail)`. `rows_of`: rows of a table by name; `named`: see `aliases`."""
    reading = _Reading(plan, rows_of, named)
    total = min(reading.cost(0), _MOST)
    return Estimate(
        rows=total, detail="; ".join(str(row[3]) for row in plan), scanned=min(reading.scanned, _MOST)
    )


class _Reading:
    """One plan being read."""

    def __init__(
        self, plan: Plan, rows_of: Callable[[str], int | None], named: Mapping[str, frozenset[str]]
    ) -> None:
        self.below: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for key, parent, _, detail in plan:
            self.below[parent].append((key, str(detail)))
        self._rows_of, self._named = rows_of, named
        self._made: dict[str, int] = {}
        self.scanned = 0

    def cost(self, parent: int) -> int:
        """Rows that what stands below a step reads or meets."""
        loops, apart = 1, 0
        found = False
        for key, detail in self.below[parent]:
            if detail.startswith(_APART):
                self._made[detail.split(" ", 1)[1].casefold()] = rows = self.cost(key)
                apart += rows
            elif step := _STEP.match(detail):
                loops, found = loops * self._rows(step[1], step[2], detail), True
            elif detail.startswith("CORRELATED "):
                loops *= max(1, self.cost(key))
            else:
                apart += self.cost(key)
        return min((loops if found else loops - 1) + apart, _MOST)

    def _rows(self, kind: str, name: str, detail: str) -> int:
        folded = name.removeprefix("TABLE ").split(" AS ")[-1].strip().casefold()
        once = kind == "SEARCH" and not _RANGE.search(detail)
        rows = self._of(folded)
        if not once or "AUTOMATIC" in detail:  # an index made on the way reads the table once
            self.scanned += rows
        return 1 if once else max(1, rows)

    def _of(self, name: str) -> int:
        meant = {name} | self._named.get(name, frozenset())
        counts = [self._made.get(table) or self._rows_of(table) for table in meant]
        return max((count for count in counts if count is not None), default=1)
