"""Profiles of what one caller sees: where a row policy hides rows, values are counted anew through the guard.

A profile read over the whole table would tell a caller which values exist in rows that they may not see. So
`policy.visible_catalog` drops those, and this module asks for them again as the caller would: each query is a
guarded one, with the caller's row predicates written in.
"""

from __future__ import annotations

import dataclasses

from sqlglot import exp

from retrieval.types import Principal
from text2sql.errors import WarehouseError
from text2sql.policy import Policy
from text2sql.types import Catalog, Column, Guard, Limits, Profile, Table, Warehouse

VALUES = 50
"""Most frequent values kept of a column; a column with no more than these is known completely."""
COLUMNS = 200
"""Columns counted for one caller at the most; the rest stay without a profile."""
_LIMITS = Limits(rows=VALUES + 1, seconds=5.0)


def with_scoped_profiles(
    visible: Catalog, principal: Principal, policy: Policy | None, guard: Guard, warehouse: Warehouse
) -> Catalog:
    """The caller's visible catalogue with profiles for text columns that lost theirs to a row policy."""
    whole = warehouse.catalog()
    left = COLUMNS
    tables: list[Table] = []
    for table in visible.tables:
        columns: list[Column] = []
        for column in table.columns:
            wanted = column.profile is None and column.family in ("text", "boolean") and left > 0
            left -= wanted
            profile = (
                _count(table, column, whole, principal, policy, guard, warehouse)
                if wanted
                else column.profile
            )
            columns.append(dataclasses.replace(column, profile=profile))
        tables.append(dataclasses.replace(table, columns=tuple(columns)))
    return dataclasses.replace(visible, tables=tuple(tables))


def _count(
    table: Table,
    column: Column,
    catalog: Catalog,
    principal: Principal,
    policy: Policy | None,
    guard: Guard,
    warehouse: Warehouse,
) -> Profile | None:
    name = exp.column(column.name, quoted=True)
    statement = (
        exp.select(name)
        .select(exp.alias_(exp.Count(this=exp.Star()), "n"))
        .from_(exp.table_(table.name, db=table.schema or None, quoted=True))
        .where(exp.Not(this=exp.Is(this=name.copy(), expression=exp.Null())))
        .group_by(name.copy())
        .order_by(exp.Ordered(this=exp.column("n"), desc=True))
        .limit(VALUES + 1)
    )
    verdict = guard.check(statement.sql(dialect=catalog.dialect), catalog, principal, policy)
    if not verdict.allowed:
        return None
    try:
        rows = warehouse.run(verdict.sql, _LIMITS, verdict.parameters).table.to_pydict()
    except WarehouseError:
        return None  # a profile is a help, not a condition: without it the column is merely less known
    values = [str(value) for value in next(iter(rows.values()), [])]
    complete = len(values) <= VALUES
    return Profile(distinct=len(values) if complete else None, values=tuple(values[:VALUES]))
