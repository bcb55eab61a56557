"""Ways to break the guard on purpose, one promise at a time: each takes out or loosens what keeps that promise."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlglot import exp
from sqlglot import parse as parse_any

import text2sql.guard as guarding
from text2sql import policy
from text2sql.grants import Grant
from text2sql.guard import functions, gate, looking, rewrite, tables, warnings
from text2sql.guard.from_clause import FromClause
from text2sql.guard.reading import Statement
from text2sql.guard.refusal import Refused
from text2sql.guard.scope import Field, Scan, Source
from text2sql.types import Estimate, Table
from text2sql.warehouses import duckdb as duckdb_module
from text2sql.warehouses import postgres as postgres_module
from text2sql.warehouses import sqlite as sqlite_module
from text2sql.warehouses._shared import SharedWarehouse

Apply = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Breach:
    """What is broken, and the number of the promise that then no longer holds."""

    promise: int
    what: str
    apply: Apply


def _first_of_several(patch: pytest.MonkeyPatch) -> None:
    read = guarding.read
    patch.setattr(guarding, "read", lambda sql, allowed: read(sql.split(";")[0], allowed))


def _any_dialect(patch: pytest.MonkeyPatch) -> None:
    read = guarding.read

    def lenient(sql: str, allowed: Any) -> Statement:
        try:
            return read(sql, allowed)
        except Refused:
            trees = [tree for tree in parse_any(sql.replace("`", '"'), error_level=None) if tree]
            text = trees[0].sql(dialect=allowed.dialect)
            return read(text, allowed)

    patch.setattr(guarding, "read", lenient)


def _no_gate(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guarding, "check_nodes", lambda tree, sql, allowed: 0)


def _gate_at_the_top_only(patch: pytest.MonkeyPatch) -> None:
    check = guarding.check_nodes

    def top(tree: exp.Expr, sql: str, allowed: Any) -> int:
        bare = tree.copy()
        for inner in [node for node in bare.walk() if node is not bare and isinstance(node, exp.Query)]:
            inner.replace(exp.Null())
        return check(bare, sql, allowed)

    patch.setattr(guarding, "check_nodes", top)


def _any_argument(patch: pytest.MonkeyPatch) -> None:
    def none(node: exp.Expr, name: str, key: str) -> Refused:
        node.set(key, None)
        return _Ignored("argument", "")

    class _Ignored(Refused):
        pass

    check = guarding.check_nodes

    def again(tree: exp.Expr, sql: str, allowed: Any) -> int:
        while True:
            try:
                return check(tree, sql, allowed)
            except _Ignored:
                continue

    patch.setattr(gate, "_refused_argument", none)
    patch.setattr(guarding, "check_nodes", again)


def _schemas_do_not_matter(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tables.Tables, "_lookup", lambda self, node: self.catalog.table(node.name))


def _unknown_tables_are_made_up(patch: pytest.MonkeyPatch) -> None:
    find = tables.Tables._lookup
    patch.setattr(
        tables.Tables, "_lookup", lambda self, node: find(self, node) or self.catalog.table("stores")
    )


def _unknown_columns_are_made_up(patch: pytest.MonkeyPatch) -> None:
    find = Source.find
    patch.setattr(Source, "find", lambda self, name: find(self, name) or Field(name))


def _a_cte_excuses_any_name(patch: pytest.MonkeyPatch) -> None:
    table = FromClause._table

    def excused(self: Any, node: exp.Table, alias: str, columns: list[str], ctes: Any) -> Source:
        schema = node.args.get("db")
        if self.engine.fold(node.this) in ctes:
            node.set("db", None)
        found = table(self, node, alias, columns, ctes)
        node.set("db", schema)
        return found

    patch.setattr(FromClause, "_table", excused)


def _any_function(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guarding, "check_functions", lambda tokens, allowed: 0)
    patch.setattr("text2sql.guard.regenerate.check_functions", lambda tokens, allowed: 0)
    patch.setattr(gate, "_check_function_name", lambda node, sql, allowed: None)


def _unbounded_generators(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(functions, "_bounded", lambda call: True)
    patch.setattr(functions, "MAX_TOGETHER", float("inf"))


def _any_type(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gate, "_SPECIAL", {key: check for key, check in gate._SPECIAL.items() if key != "DataType"})


def _no_policy(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guarding, "write_policies", lambda tree, facts, tables: rewrite.Rewriting())


def _no_policy_inside(*places: type[exp.Expr]) -> Apply:
    """Scans below such a node are forgotten."""

    def apply(patch: pytest.MonkeyPatch) -> None:
        inject = rewrite._inject

        def forgetful(scan: Scan, *rest: Any) -> None:
            if scan.node.find_ancestor(*places) is None:
                inject(scan, *rest)

        patch.setattr(rewrite, "_inject", forgetful)

    return apply


def _looser_than_or(patch: pytest.MonkeyPatch) -> None:
    """The predicate is appended to the query's own condition as text would be: `a OR b AND predicate`."""
    inject = rewrite._inject

    def loose(scan: Scan, facts: Any, tables_: Any, policy_: Any, grants: Any, done: Any) -> None:
        select = scan.node.find_ancestor(exp.Select)
        where = select.args.get("where") if select is not None else None
        if where is None or not isinstance(where.this, exp.Or):
            inject(scan, facts, tables_, policy_, grants, done)

    patch.setattr(rewrite, "_inject", loose)


def _no_masks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rewrite, "_projection", lambda column, *rest: rewrite.masks.bare(column))


def _hidden_columns_shown(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tables, "visible_columns", lambda table, grants: table.columns)


def _default_allow(patch: pytest.MonkeyPatch) -> None:
    grants = policy.Policy.grants
    patch.setattr(
        policy.Policy, "grants", lambda self, table, who: grants(self, table, who) or (Grant(roles=("everyone",)),)
    )  # fmt: skip


def _attributes_may_be_missing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(policy.Policy, "_bound", lambda self, grant, who: True)


def _without_warning(code: str) -> Apply:
    def apply(patch: pytest.MonkeyPatch) -> None:
        kept = tuple(f for f in warnings._FINDERS if not f.__module__.endswith(f".{code}"))
        assert len(kept) < len(warnings._FINDERS), f"there is no warning {code}"
        patch.setattr(warnings, "_FINDERS", kept)

    return apply


def _profiles_of_everyone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        looking.Looking,
        "profile",
        lambda self, binding: binding.field.column and binding.field.column.profile,
    )
    patch.setattr(policy, "_visible_table", lambda table, grants, kept: table)


def _no_estimate(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        "text2sql.warehouses._shared.SharedWarehouse.explain", lambda self, sql, parameters=None: Estimate()
    )
    patch.setattr(
        "text2sql.warehouses._shared.Session.explain", lambda self, sql, parameters=None: Estimate()
    )


def _stopped_is_not_said(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SharedWarehouse, "_stopped", lambda self, run, seconds: None)


def _the_cut_is_not_said(patch: pytest.MonkeyPatch) -> None:
    for module, name in ((duckdb_module, "take"), (postgres_module, "take"), (sqlite_module, "_fetch")):
        cut = getattr(module, name)

        def silent(*arguments: Any, _cut: Any = cut) -> tuple[Any, bool]:
            return _cut(*arguments)[0], False

        patch.setattr(module, name, silent)


def _all_discoverable(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(policy.Policy, "discoverable", lambda self, table: True)


def _none_discoverable(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(policy.Policy, "discoverable", lambda self, table: False)


def _suggestions_name_everything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tables.Tables, "_names", lambda self: [table.name for table in self.catalog.tables])


def _counts_of_everyone(patch: pytest.MonkeyPatch) -> None:
    narrowed = policy._visible_table

    def counted(table: Table, grants: Any, kept: Any) -> Table:
        return dataclasses.replace(narrowed(table, grants, kept), rows=table.rows)

    patch.setattr(policy, "_visible_table", counted)


def _no_fence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rewrite, "can_fail", lambda tree, engine, facts: False)


def _engines_speak_freely(patch: pytest.MonkeyPatch) -> None:
    for module in ("duckdb", "sqlite", "_postgres_errors"):
        patch.setattr(f"text2sql.warehouses.{module}.without_values", lambda message, sql: message)
    patch.setattr("text2sql.warehouses.duckdb._DATA_ERRORS", ())


def breaches() -> Iterator[Breach]:
    """All of them."""
    yield Breach(1, "the first of several statements is taken", _first_of_several)
    yield Breach(1, "what does not parse is read in any dialect", _any_dialect)
    yield Breach(2, "no node is looked at", _no_gate)
    yield Breach(2, "only the outermost query is looked at", _gate_at_the_top_only)
    yield Breach(2, "arguments that are not listed are dropped", _any_argument)
    yield Breach(3, "a schema does not matter", _schemas_do_not_matter)
    yield Breach(3, "an unknown table is taken for another", _unknown_tables_are_made_up)
    yield Breach(3, "an unknown column is made up", _unknown_columns_are_made_up)
    yield Breach(3, "a WITH query excuses a qualified name", _a_cte_excuses_any_name)
    yield Breach(4, "any function", _any_function)
    yield Breach(4, "generators without a bound", _unbounded_generators)
    yield Breach(4, "any type", _any_type)
    yield Breach(5, "no policy at all", _no_policy)
    for place in (
        exp.CTE,
        exp.Exists,
        exp.SetOperation,
        exp.Join,
        exp.In,
        exp.Subquery,
        exp.Having,
        exp.Order,
    ):
        yield Breach(5, f"no policy inside {place.__name__}", _no_policy_inside(place))
    yield Breach(5, "a predicate looser than OR", _looser_than_or)
    yield Breach(5, "no masks", _no_masks)
    yield Breach(5, "hidden columns are shown", _hidden_columns_shown)
    yield Breach(5, "who is not admitted sees all", _default_allow)
    yield Breach(5, "a missing attribute admits", _attributes_may_be_missing)
    yield Breach(6, "no warning of an absent literal", _without_warning("literal_absent"))
    yield Breach(6, "suggestions from everyone's values", _profiles_of_everyone)
    for code in (
        "cartesian",
        "fan_out",
        "join_not_key",
        "no_common_values",
        "type_mismatch",
        "ungrouped",
        "out_of_range",
    ):
        yield Breach(7, f"no warning {code}", _without_warning(code))
    yield Breach(8, "no estimate", _no_estimate)
    yield Breach(8, "a stopped run is not told from another", _stopped_is_not_said)
    yield Breach(8, "the cut is not said", _the_cut_is_not_said)
    yield Breach(9, "everything is discoverable", _all_discoverable)
    yield Breach(9, "nothing is discoverable", _none_discoverable)
    yield Breach(9, "suggestions name what is hidden", _suggestions_name_everything)
    yield Breach(9, "counts of everyone's rows", _counts_of_everyone)
    yield Breach(9, "profiles of everyone's rows", _profiles_of_everyone)
    yield Breach(9, "rows of others can make a query fail", _no_fence)
    yield Breach(9, "engines' messages as they are", _engines_speak_freely)
    for place in (exp.CTE, exp.SetOperation, exp.Join, exp.Subquery):
        yield Breach(10, f"no policy inside {place.__name__}", _no_policy_inside(place))
    yield Breach(10, "no masks", _no_masks)
    yield Breach(10, "hidden columns are shown", _hidden_columns_shown)
