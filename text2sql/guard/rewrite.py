"""Step 6: the caller's policy, written into the tree at every scan of every table.

`t` becomes `(SELECT visible columns, masked FROM t WHERE predicate) AS t`: a scope of its own, so that no OR,
join or outer condition of the draft can reach around it. Attributes are bound as parameters, never as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from text2sql.grants import Grant
from text2sql.guard import masks
from text2sql.guard.affinity import as_column
from text2sql.guard.fences import can_fail, close
from text2sql.guard.refusal import Refused
from text2sql.guard.samples import place_sample
from text2sql.guard.scope import Facts, Scan
from text2sql.guard.shadows import rename_shadows
from text2sql.guard.tables import Altered, Tables
from text2sql.guard.used import Used
from text2sql.policy import Policy
from text2sql.predicates import Predicate
from text2sql.types import Column, Table


@dataclass(eq=False)
class Rewriting:
    """What was written in."""

    parameters: dict[str, Any] = field(default_factory=dict)
    row_rules: dict[str, str] = field(default_factory=dict)
    masked: dict[str, None] = field(default_factory=dict)
    nulled: list[str] = field(default_factory=list)
    """Masks that the engine cannot compute, given as NULL."""
    fenced: bool = False
    """Whether the caller's rows are chosen before anything else is computed on them."""
    renamed: frozenset[str] = frozenset()
    """Names of WITH queries that became others."""
    _prefixes: dict[tuple[str, int], int] = field(default_factory=dict)

    def prefix(self, table: str, grant: int) -> int:
        """The number of a grant's parameters: one for all scans of a table."""
        return self._prefixes.setdefault((table, grant), len(self._prefixes))


def write_policies(tree: exp.Expr, facts: Facts, tables: Tables) -> Rewriting:
    """Write schemas and policies into the tree, in place. Raises `Refused` where that cannot be done faithfully."""
    done = Rewriting(fenced=_wants_fences(facts, tables) and can_fail(tree, tables.engine, facts))
    ctes = {tables.engine.fold(cte.args["alias"].this) for cte in tree.find_all(exp.CTE)}
    done.renamed = rename_shadows(tree, facts, tables, ctes) if ctes else frozenset()
    ctes -= done.renamed
    used = Used(tree, facts) if tables.policy is not None else None
    for node in facts.strings:
        node.replace(exp.Literal.string(node.name))
    for scan in facts.scans:
        _qualify(scan, facts, tables, ctes)
        grants = tables.grants(scan.table)
        if (
            tables.policy is not None
            and used
            and grants is not None
            and not _whole(scan.table, grants, tables)
        ):
            asked = used.of(scan.source, tables.columns(scan.table))
            _inject(scan, facts, tables, tables.policy, asked, done)
    if done.parameters:
        # A predicate that another grant makes needless is not written; engines refuse what is bound and not asked for.
        written = {holder.name for holder in tree.find_all(exp.Placeholder)}
        done.parameters = {name: value for name, value in done.parameters.items() if name in written}
    return done


def _wants_fences(facts: Facts, tables: Tables) -> bool:
    """Whether rows are kept back at all: only then is it asked what may fail on them."""
    if not tables.engine.fence or tables.policy is None:
        return False
    return any(g.predicate is not None for scan in facts.scans for g in tables.grants(scan.table) or ())


def _qualify(scan: Scan, facts: Facts, tables: Tables, ctes: set[str]) -> None:
    """Name the table as the catalogue does, with its schema, so that nothing else can be meant."""
    node, table = scan.node, scan.table
    engine = tables.engine
    if engine.exact_quotes and engine.fold(node.this) != table.name:
        node.set("this", exp.to_identifier(table.name, quoted=True))
    given = node.args.get("db")
    own = table.schema or tables.catalog.default_schema or engine.default_schema
    if given is not None and engine.exact_quotes and engine.fold(given) != own:
        node.set("db", exp.to_identifier(own, quoted=True))
        _unqualify(scan, facts)
    if given is None:
        schema = table.schema
        if not schema and tables.fold(table.name) in ctes:
            schema = tables.catalog.default_schema or engine.default_schema
        if schema:
            node.set("db", exp.to_identifier(schema, quoted=not _plain(schema)))


def _plain(name: str) -> bool:
    return name.isascii() and name.isidentifier() and name == name.lower()


def _whole(table: Table, grants: tuple[Grant, ...], tables: Tables) -> bool:
    """Whether the caller sees the table exactly as it is."""
    if not any(g.predicate is None for g in grants):
        return False
    altered = tables.altered(table)
    return not any(altered) or not any(c.name.casefold() in a for a in altered for c in table.columns)


def _inject(
    scan: Scan, facts: Facts, tables: Tables, policy: Policy, asked: tuple[Column, ...], done: Rewriting
) -> None:
    dialect, table, node = tables.engine.name, scan.table, scan.node
    grants = tables.grants(table) or ()
    conditions = [_condition(table, i, g, tables, policy, done) for i, g in enumerate(grants)]
    altered = tables.altered(table)
    projections = [_projection(c, altered, conditions, tables, policy, done, table) for c in asked]
    _group(scan, facts, tables)
    inner = exp.Select(
        expressions=projections,
        from_=exp.From(
            this=exp.Table(**{k: node.args.get(k) for k in ("this", "db", "catalog") if node.args.get(k)})
        ),
    )
    rows = _any(conditions)
    if rows is not None:
        inner.set("where", exp.Where(this=rows))
        if done.fenced:
            close(inner, tables.engine)
        if table.qualified not in done.row_rules:
            done.row_rules[table.qualified] = rows.sql(dialect=dialect)
    alias = node.args.get("alias")
    alias = (
        alias.copy()
        if alias is not None
        else exp.TableAlias(this=exp.to_identifier(node.name, quoted=node.this.args.get("quoted")))
    )
    replacement = exp.Subquery(this=inner, alias=alias)
    place_sample(node, inner, replacement, dialect)
    for key in ("joins", "pivots"):
        if node.args.get(key):
            replacement.set(key, node.args[key])
    node.replace(replacement)
    _unqualify(scan, facts)


_NOT_GROUPED = frozenset(
    {"json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle", "aclitem", "xid"}
)
"""Types of PostgreSQL whose values cannot be told apart, and so not be grouped by."""


def _group(scan: Scan, facts: Facts, tables: Tables) -> None:
    """Group by what the table's key determines, which the engine no longer knows of the sub-query.

    A key that is masked determines nothing: several rows show the same.
    """
    found = facts.determined.get(id(scan.source), ())
    key = {name.casefold() for name in scan.table.primary_key}
    masked = any(name in altered for altered in tables.altered(scan.table) for name in key)
    node, alias = scan.node, scan.node.args.get("alias")
    named = node.this if alias is None or alias.args.get("this") is None else alias.this
    added: set[tuple[int, str]] = set()
    for binding in found:
        name, column = binding.field.name, binding.field.column
        kind = re.sub(r"[\(\[].*", "", column.type).casefold() if column is not None else ""
        if masked or kind in _NOT_GROUPED:
            message = f"{name} is neither grouped nor aggregated; add it to GROUP BY."
            raise Refused("ungrouped", message, binding.scope.select, name)
        if (id(binding.scope), name) not in added:
            added.add((id(binding.scope), name))
            more = exp.Column(this=exp.to_identifier(name, quoted=True), table=named.copy())
            binding.scope.select.args["group"].append("expressions", more)


def _unqualify(scan: Scan, facts: Facts) -> None:
    """`main.sales.amount` becomes `sales.amount`: a derived table has no schema, another may be spelled otherwise."""
    for column in facts.nodes:
        binding = facts.bindings.get(id(column))
        if binding is not None and binding.source is scan.source and column.args.get("db") is not None:
            column.set("db", None)


def _any(conditions: list[exp.Expr | None]) -> exp.Expr | None:
    """Admitted by any grant; None where one of them admits every row. Uses the conditions up."""
    known = [c for c in conditions if c is not None]
    if len(known) < len(conditions):
        return None
    if len(known) == 1:
        return known[0]
    return exp.or_(*(exp.Paren(this=c) for c in known), copy=False)


def _condition(
    table: Table, index: int, grant: Grant, tables: Tables, policy: Policy, done: Rewriting
) -> exp.Expr | None:
    """A grant's predicate with its attributes bound; None where it admits every row."""
    predicate = grant.predicate
    if predicate is None:
        return None
    known: dict[str, Column] = {}
    for name in predicate.columns:
        found = [c for c in table.columns if c.name.casefold() == name.casefold()]
        if len(found) != 1:
            what = "of which there are several, by case" if found else "that is not there"
            message = f"The policy of {table.name} names a column {what}; tell its owner."
            raise Refused("policy_broken", message)
        known[name] = found[0]
    number = done.prefix(table.qualified, index)
    tree = predicate.tree.copy()
    for column in list(tree.find_all(exp.Column)):
        column.set("this", exp.to_identifier(known[column.name].name, quoted=True))
    names = _bind(predicate, number, tables, policy, done)
    for holder in list(tree.find_all(exp.Placeholder)):
        bound = [masks.placeholder(name, tables.engine.name) for name in names[holder.name]]
        if isinstance(holder.parent, exp.In) and holder.arg_key == "expressions":
            members = [m for e in holder.parent.expressions for m in (bound if e is holder else [e])]
            holder.parent.set("expressions", members)
        else:
            holder.replace(bound[0])
    return tree


def _bind(
    predicate: Predicate, number: int, tables: Tables, policy: Policy, done: Rewriting
) -> dict[str, list[str]]:
    """Bind every attribute of the predicate, one parameter a value; returns their names."""
    names: dict[str, list[str]] = {}
    for order, attribute in enumerate(predicate.attributes):
        label = attribute if attribute.isascii() else f"attribute{order}"
        for i, value in enumerate(policy.values(attribute, tables.principal)):
            name = f"policy_{number}_{label}_{i}"
            done.parameters[name] = value
            names.setdefault(attribute, []).append(name)
    return names


def _projection(
    column: Column, altered: tuple[Altered, ...], conditions: list[exp.Expr | None], tables: Tables, policy: Policy,
    done: Rewriting, table: Table,
) -> exp.Expr:  # fmt: skip
    """The column as the caller sees it: plain in the rows of grants that show it, masked in the others."""
    folded = column.name.casefold()
    kinds = [each.get(folded) for each in altered]
    if all(kind is None for kind in kinds) or any(
        kind is None and condition is None for kind, condition in zip(kinds, conditions, strict=True)
    ):
        return masks.bare(column)  # shown as it is in every row there is
    done.masked[f"{table.qualified}.{column.name}"] = None
    dialect = tables.engine.name
    # SQLite's columns hold values of any type, as stored: nothing has to become text beside a mask that is.
    textual = dialect != "sqlite" and any(masks.gives_text(kind, column) for kind in kinds)
    ranked = sorted(zip(kinds, conditions, strict=True), key=lambda pair: pair[0] is not None)
    cases: list[tuple[exp.Expr | None, exp.Expr]] = []
    for kind, condition in ranked:
        shown: exp.Expr
        if kind is None:
            shown = masks.bare(column)
        else:
            shown = masks.masked(column, kind, dialect, salted=bool(policy.salt))
            if kind == "hash" and isinstance(shown, exp.Null):
                done.nulled.append(f"{table.qualified}.{column.name}")
        if textual and not masks.gives_text(kind, column):
            shown = masks.as_text(shown, dialect)
        if shown.find(exp.Placeholder) is not None:
            done.parameters[masks.SALT] = policy.salt
        cases.append((condition, shown))
        if condition is None:
            break
    value = _cased(cases)
    if dialect == "sqlite":
        value = as_column(value, column, masks.bare(column), [kind for kind, _ in ranked[: len(cases)]])
    return exp.Alias(this=value, alias=exp.to_identifier(column.name, quoted=True))


def _cased(cases: Iterable[tuple[exp.Expr | None, exp.Expr]]) -> exp.Expr:
    """The first case whose condition holds; where none does, the row is not there at all."""
    pairs = list(cases)
    if all(shown == pairs[0][1] for _, shown in pairs[1:]):
        return pairs[0][1]
    case = exp.Case(ifs=[])
    for condition, shown in pairs:
        if condition is None:
            case.set("default", shown)
        else:
            case.append("ifs", exp.If(this=condition.copy(), true=shown))
    return case
