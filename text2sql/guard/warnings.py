"""Step 8: what may run and still be wrong, as far as the tree alone tells. Warnings never refuse."""

from __future__ import annotations

from sqlglot import exp

from text2sql.guard.refusal import position
from text2sql.guard.scope import Facts
from text2sql.guard.tables import Tables
from text2sql.types import Warn


def warnings_for(facts: Facts, tables: Tables, ungrouped: list[exp.Expr], sql: str) -> tuple[Warn, ...]:
    """The warnings of a statement that resolves."""
    found: list[Warn] = []
    for column in ungrouped:
        found.append(
            Warn(
                "ungrouped",
                f"{column.sql()} is neither grouped nor aggregated: one of its values is shown, whichever comes.",
                position(column, sql),
                column.sql(),
            )
        )
    del facts, tables
    return tuple(found)
