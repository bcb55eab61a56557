"""How much warnings say: what share of mistakes of meaning they flag, and how often a draft they speak of is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from evals.comparing import is_ordered
from evals.drafting.opened import Opened, grid
from evals.semantic_mutants import KINDS, SemanticMutant, semantic_mutants
from evals.statistics import wilson
from retrieval.types import Principal
from text2sql.errors import WarehouseError
from text2sql.guard import SqlGuard
from text2sql.same_rows import Grid, same_rows
from text2sql.types import Limits, Verdict

FITTING: Mapping[str, frozenset[str]] = {
    "cartesian": frozenset({"cartesian"}),
    "wrong_key": frozenset({"join_not_key", "no_common_values", "type_mismatch"}),
    "type": frozenset({"type_mismatch", "literal_absent"}),
    "ungrouped": frozenset({"ungrouped"}),
    "misspelt": frozenset({"literal_absent"}),
}
"""The warnings that name the mistake; a refusal flags it too."""
_SECONDS = 2.0
_ROWS = 20_000
"""A mutant that gives more rows than this, or takes longer, gives others than its gold."""


def mutants_of(at: Opened, sql: str, dialect: str, caller: Principal) -> list[dict[str, Any]]:
    """The mutants of one gold statement, each with the warnings it gets and whether it changes anything."""
    found = []
    wanted = _rows(at, sql)
    for mutant in semantic_mutants(sql, dialect, at.catalog):
        verdict = SqlGuard().check(mutant.sql, at.catalog, caller)
        found.append({
            "kind": mutant.kind,
            "sql": mutant.sql,
            "flagged": _flagged(mutant.kind, verdict),
            "warnings": warned(verdict),
            "refused": "" if verdict.allowed else verdict.violations[0].code,
            "changes": _changes(at, mutant, wanted, ordered=is_ordered(sql, dialect)),
        })  # fmt: skip
    return found


def warned(verdict: Verdict) -> dict[str, str]:
    """Code -> severity of the warnings, hard where any of that code is."""
    found: dict[str, str] = {}
    for warning in sorted(verdict.warnings, key=lambda w: (w.code, w.severity)):
        found.setdefault(warning.code, warning.severity)
    return found


def _flagged(kind: str, verdict: Verdict) -> bool:
    hard = {warning.code for warning in verdict.warnings if warning.severity == "hard"}
    return not verdict.allowed or not FITTING[kind].isdisjoint(hard)


def _rows(at: Opened, sql: str) -> Grid | None:
    try:
        if at.place.engine == "sqlite":
            return grid(at.warehouse.run(sql, Limits(rows=_ROWS, seconds=_SECONDS)))
        return at.gold(sql, _SECONDS)
    except WarehouseError:
        return None


def _changes(at: Opened, mutant: SemanticMutant, wanted: Grid | None, *, ordered: bool) -> bool:
    """Whether the data shows the mistake: other rows, or, of a column added, several values in one group."""
    if mutant.settled is not None:
        one, other = (_rows(at, sql) for sql in mutant.settled)
        return one is None or other is None or not same_rows(one, other, ordered=ordered)
    found = _rows(at, mutant.sql)
    return found is None or wanted is None or not same_rows(wanted, found, ordered=ordered)


# Sums.


def share(k: int, n: int) -> dict[str, Any]:
    """A share with Wilson's interval; null where there is nothing to share."""
    return {"value": k / n if n else None, "k": k, "n": n, "interval": wilson(k, n).to_json() if n else None}


def flagged(mutants: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The share flagged of the mutants that change something, in all and by kind; the others apart."""
    real = [m for m in mutants if m["changes"]]
    idle = [m for m in mutants if not m["changes"]]
    return {
        "mutants_flagged": _flagged_of(real),
        "mutants_flagged_by_kind": {k: _flagged_of([m for m in real if m["kind"] == k]) for k in KINDS},
        "mutants_without_effect": {k: _flagged_of([m for m in idle if m["kind"] == k]) for k in KINDS},
    }


def _flagged_of(mutants: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return share(sum(m["flagged"] for m in mutants), len(mutants))


def gold_warned(gold: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Shares of gold with a hard warning, with any, and counts by code."""
    codes = sorted({(code, level) for row in gold for code, level in row["severities"].items()})
    hard = sum("hard" in row["severities"].values() for row in gold)
    return {
        "gold_hard": share(hard, len(gold)),
        "gold_warned": share(sum(bool(row["severities"]) for row in gold), len(gold)),
        "gold_by_warning": {
            f"{code} ({level})": sum(row["severities"].get(code) == level for row in gold)
            for code, level in codes
        },
    }


def weights(drafts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """For each warning: accuracy of the drafts that have it and of those that have not, and what it weighs.

    `weight` is the logarithm of how much rarer the warning is among right drafts than among wrong ones (one half
    added to each count): what to add to the log odds of a draft's being right where it fires.
    """
    judged = [row for row in drafts if row["right"] is not None]
    marks = {
        id(row): {
            *(f"{code} ({level})" for code, level in row["severities"].items()),
            *(["any hard"] if "hard" in row["severities"].values() else []),
            *(["empty result"] if row["empty"] else []),
        }
        for row in judged
    }
    return {
        mark: _weight(
            [row for row in judged if mark in marks[id(row)]],
            [row for row in judged if mark not in marks[id(row)]],
        )
        for mark in sorted({mark for found in marks.values() for mark in found})
    }


def _weight(having: Sequence[Mapping[str, Any]], lacking: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    right, right_without = (sum(bool(row["right"]) for row in rows) for rows in (having, lacking))
    wrong, wrong_without = len(having) - right, len(lacking) - right_without
    among_right = (right + 0.5) / (right + right_without + 1)
    among_wrong = (wrong + 0.5) / (wrong + wrong_without + 1)
    return {
        "with": share(right, len(having)),
        "without": share(right_without, len(lacking)),
        "weight": math.log(among_right / among_wrong),
    }
