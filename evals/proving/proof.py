"""The differential proof: for every caller, what a guard writes gives of all data what the original gives of a copy that
holds only the caller's rows.

    statement ──► guard(policy, caller) ──► rewritten ──► everything ──┐
        │                                                               ├─ the same?
        └───────────────────────────────────► the caller's copy ────────┘

A refusal is right where the original fails on the copy too: the table or column is not there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from evals.order_free import changing
from evals.proving.comparing import agreement
from evals.proving.copies import Base, Plans, Result, Runs
from evals.proving.guards import Asked, Guard, Refusal, Rewritten
from evals.proving.policies import Posed
from evals.proving.with_queries import each_alone
from retrieval.types import Principal

Outcome = Literal["equal", "refused_rightly", "refused", "excluded", "differs"]
NOT_THERE = frozenset({"unknown_table", "unknown_column", "unknown_source", "whole_row", "ambiguous_column"})
_ROW_IDS = frozenset({"rowid", "oid", "_rowid_"})
_LAZY = frozenset({"sqlite", "duckdb"})
_TOO_MUCH = frozenset({"too slow", "too many rows"})


@dataclass(frozen=True, slots=True)
class Pair:
    """One statement under one policy. `how`: the kind of agreement, the code of a refusal, or why it is left out.

    `problem` is "" save where the two differ; `rewritten` is what the guard wrote.
    """

    sql: str
    outcome: Outcome
    how: str
    problem: str = ""
    rewritten: Rewritten | None = None

    def failure(self, posed: Posed) -> dict[str, Any]:
        """Everything to see it again."""
        return {
            "sql": self.sql,
            "problem": self.problem,
            "rewritten": self.rewritten.sql if self.rewritten else "",
            "parameters": dict(self.rewritten.parameters) if self.rewritten else {},
            "seed": posed.seed,
            "caller": {
                "id": posed.principal.id,
                "roles": list(posed.principal.roles),
                "attributes": json.loads(json.dumps(dict(posed.principal.attributes), default=str)),
            },
            "policy": posed.yaml,
        }


class Proof:
    """One guard on one database."""

    def __init__(self, guard: Guard, base: Base) -> None:
        self._guard = guard
        self._base = base
        self._without: dict[str, bool] = {}

    def pairs(self, posed: Posed, statements: Sequence[str]) -> list[Pair]:
        """Each statement for one caller under one policy, in their order."""
        asked = Asked(self._base.catalog, posed.principal, posed.policy, posed.yaml)
        with self._base.copy(posed) as copy:
            return [self._pair(sql, asked, copy) for sql in statements]

    def _pair(self, sql: str, asked: Asked, copy: Runs) -> Pair:
        changes = changing(sql, self._base.catalog.dialect)
        if changes:
            return Pair(sql, "excluded", f"changes by itself: {changes[0]}")
        answer = self._guard(sql, asked)
        wanted = copy(sql)
        if wanted.failure in _TOO_MUCH:
            return Pair(sql, "excluded", wanted.failure)
        if isinstance(answer, Refusal):
            return self._refused(sql, answer, wanted, copy)
        how, problem = self._agreement(sql, answer, asked, copy, wanted)
        if how in _TOO_MUCH:
            return Pair(sql, "excluded", how)
        if how == "differs" and isinstance(copy, Plans) and isinstance(self._base.full, Plans):
            # An engine's optimizer may be wrong on either side; what the texts mean is told without it.
            with copy.as_written(), self._base.full.as_written():
                again, _ = self._agreement(sql, answer, asked, copy, copy(sql))
            if again != "differs" and again not in _TOO_MUCH:
                return Pair(sql, "equal", "as_written", "", answer)
        return Pair(sql, "differs" if how == "differs" else "equal", how, problem, answer)

    def _agreement(
        self, sql: str, answer: Rewritten, asked: Asked, copy: Runs, wanted: Result
    ) -> tuple[str, str]:
        found = self._base.full(answer.sql, dict(answer.parameters))
        for side in (found, wanted):
            if side.failure in _TOO_MUCH:
                return side.failure, ""

        def sides(form: str) -> tuple[Result, Result] | None:
            written = self._guard(form, asked)
            if isinstance(written, Refusal):
                return None
            return self._base.full(written.sql, dict(written.parameters)), copy(form)

        return agreement(sql, self._base.catalog.dialect, found, wanted, sides)

    def _refused(self, sql: str, refusal: Refusal, wanted: Result, copy: Runs) -> Pair:
        if refusal.code == "internal":  # a mistake of the guard's, and no judgement
            return Pair(sql, "differs", refusal.code, refusal.message)
        if not self.accepted(sql):
            return Pair(sql, "excluded", "refused without a policy too")
        if wanted.failure:
            return Pair(sql, "refused_rightly", refusal.code)
        if self._base.catalog.dialect == "sqlite" and f'"{refusal.subject.rpartition(".")[2]}"' in sql:
            return Pair(sql, "refused_rightly", "in double quotes: a text to SQLite once the column is gone")
        if self._lost_in_a_with(sql, copy):
            return Pair(sql, "refused_rightly", "in a WITH query, which is read only where it is used")
        if refusal.code in NOT_THERE and refusal.subject.rpartition(".")[2].lower() not in _ROW_IDS:
            problem = f"refused ({refusal.code}: {refusal.message}), and runs on the copy"
            return Pair(sql, "differs", refusal.code, problem)
        return Pair(sql, "refused", refusal.code)

    def _lost_in_a_with(self, sql: str, copy: Runs) -> bool:
        """Whether a WITH query does not run by itself on the copy, and does so on everything.

        SQLite and DuckDB resolve one where it is used: one that is not used is never read, and to SQLite, with its own
        column gone, a name comes to mean one of the query around its use. Nobody means it: to refuse is right.
        """
        dialect = self._base.catalog.dialect
        return dialect in _LAZY and any(
            copy(f"EXPLAIN {alone}").failure and not self._base.full(f"EXPLAIN {alone}").failure
            for alone in each_alone(sql, dialect)
        )

    def accepted(self, sql: str) -> bool:
        """Whether the guard takes the statement where there is no policy."""
        if sql not in self._without:
            asked = Asked(self._base.catalog, Principal("anyone"))
            self._without[sql] = isinstance(self._guard(sql, asked), Rewritten)
        return self._without[sql]


def counted(pairs: Sequence[Pair]) -> dict[str, dict[str, int]]:
    """Outcome -> how -> number."""
    found: dict[str, Counter[str]] = {}
    for pair in pairs:
        found.setdefault(pair.outcome, Counter())[pair.how] += 1
    return {outcome: dict(sorted(hows.items())) for outcome, hows in sorted(found.items())}
