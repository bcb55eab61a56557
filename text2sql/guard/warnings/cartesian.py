"""Tables that nothing joins: every row of one meets every row of the other."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from text2sql.guard.derived import one_row
from text2sql.guard.looking import Looking, groups
from text2sql.guard.refusal import position
from text2sql.guard.scope import Scope, Source
from text2sql.types import Warn


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each SELECT whose tables fall apart; soft where a sub-query was crossed on purpose."""
    for scope in looking.joining():
        ties = list(looking.ties(scope))
        apart = groups(scope.sources, ties)
        if len(apart) < 2:
            continue
        single = {id(s) for s in scope.sources if s.table is None and _tied(looking, scope, s)}
        if single:
            ties.append(single | {id(scope.sources[0])})
        parts = groups(scope.sources, ties)
        if len(parts) > 1:
            names = " and ".join(min(s.alias for s in part) for part in parts)
            # To the parser a comma is a CROSS JOIN: only the text tells who wrote the word.
            meant = "cross" in looking.facts.sql.casefold() and (
                all(_derived(part) for part in parts[1:]) or _derived(parts[0])
            )
            yield Warn(
                "cartesian",
                f"Nothing joins {names}: every row of one meets every row of the other. "
                "Add the condition that joins them.",
                position(parts[1][0].node, looking.facts.sql),
                names,
                severity="soft" if meant else "hard",
            )


def _tied(looking: Looking, scope: Scope, source: Source) -> bool:
    """Whether what is no table multiplies nothing, as far as we can tell: it has one row, or is tied from inside."""
    inner = looking.derived.of(source)
    if inner is None or one_row(inner):
        return True
    bound = (looking.bound(column) for column in source.node.find_all(exp.Column))
    return any(b is not None and b.scope is scope for b in bound)


def _derived(part: list[Source]) -> bool:
    """Whether these are sub-queries alone: a frame of months, say, or of all pairs."""
    return all(s.table is None for s in part)
