"""Tables that nothing joins: every row of one meets every row of the other."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from text2sql.guard.looking import Looking, groups
from text2sql.guard.refusal import position
from text2sql.types import Warn


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each SELECT whose tables fall apart."""
    for scope in looking.joining():
        ties = list(looking.ties(scope))
        # Sub-queries of one row, functions and laterals multiply nothing, or are tied from inside.
        single = {id(s) for s in scope.sources if not isinstance(s.node, exp.Table) or s.table is None}
        if single:
            ties.append(single | {id(scope.sources[0])})
        parts = groups(scope.sources, ties)
        if len(parts) > 1:
            names = " and ".join(min(s.alias for s in part) for part in parts)
            yield Warn(
                "cartesian",
                f"Nothing joins {names}: every row of one meets every row of the other. "
                "Add the condition that joins them.",
                position(parts[1][0].node, looking.facts.sql),
                names,
                severity="hard",
            )
