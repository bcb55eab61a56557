"""A policy's row predicate as PostgreSQL's row security has it: attributes come from the signed context, typed.

The guard binds attributes as parameters, which take the type of what they are compared with; so does this.
"""

from __future__ import annotations

import re

from sqlglot import exp

from text2sql.grants import Attribute, Grant
from text2sql.policy import Policy
from text2sql.types import Column, Table

_KINDS = {
    "text": "{text}",
    "integer": "{integer}",
    "number": "{integer,number}",
    "boolean": "{boolean}",
}
"""Type of an attribute -> kinds of values in the context (`context.kinds`) that fit it."""
_WHOLE = frozenset({"smallint", "integer", "bigint"})
_TYPMOD = re.compile(r"\s*\([^)]*\)")


def using(policy: Policy, table: Table, grant: Grant, schema: str) -> str:
    """The expression of a row policy for one grant; `schema` is where the wall's functions are.

    True only under the role that the context was signed for, and where every attribute that the grant binds is there.
    """
    conditions = [admitted(schema)]
    predicate = grant.predicate
    if predicate is None:
        return conditions[0]
    tree = predicate.tree.copy()
    conditions += [
        f"({_values(schema, name, policy.attributes[name])} IS NOT NULL)" for name in predicate.attributes
    ]
    for column in list(tree.find_all(exp.Column)):
        known = _column(table, column)
        column.set("this", exp.to_identifier(known.name if known else column.name, quoted=True))
    holder = exp.Paren(this=tree)
    for found in list(holder.find_all(exp.In)):
        _unfold(found, policy, table, schema)
    for placeholder in list(holder.find_all(exp.Placeholder)):
        attribute = policy.attributes[placeholder.name]
        value = f"({_values(schema, placeholder.name, attribute)})[1]"
        placeholder.replace(
            exp.Var(this=f"CAST({value} AS {_type(table, placeholder, placeholder, attribute)})")
        )
    return " AND ".join([*conditions, holder.sql(dialect="postgres")])


def admitted(schema: str) -> str:
    """That the statement runs under the role that its context was signed for; asked once a statement."""
    return f'(SELECT CURRENT_USER::text = "{schema}".caller())'


def _values(schema: str, name: str, attribute: Attribute) -> str:
    spelled = name.replace("'", "''")
    several = "true" if attribute.list else "false"
    return f"(SELECT \"{schema}\".attribute('{spelled}', '{_KINDS[attribute.type]}', {several}))"


def _unfold(found: exp.In, policy: Policy, table: Table, schema: str) -> None:
    """`x IN (:list, 'a')` as `(x = ANY (values of the list) OR x IN ('a'))`."""
    lists = [
        e for e in found.expressions if isinstance(e, exp.Placeholder) and policy.attributes[e.name].list
    ]
    if not lists:
        return
    rest = [e for e in found.expressions if not any(e is one for one in lists)]
    this = found.this
    parts: list[exp.Expr] = []
    for one in lists:
        attribute = policy.attributes[one.name]
        kind = _type(table, found, one, attribute)
        values = exp.Var(this=f"CAST({_values(schema, one.name, attribute)} AS {kind}[])")
        parts.append(exp.EQ(this=this.copy(), expression=exp.Any(this=exp.Paren(this=values))))
    if rest:
        parts.append(exp.In(this=this.copy(), expressions=[e.copy() for e in rest]))
    whole = exp.Paren(this=exp.or_(*parts, copy=False) if len(parts) > 1 else parts[0])
    found.replace(whole)


def _column(table: Table, node: exp.Column) -> Column | None:
    return table.column(node.name)


def _type(table: Table, node: exp.Expr, value: exp.Expr, attribute: Attribute) -> str:
    """What the value is to be: the type of the column that it is compared with, as far as the attribute's allows."""
    column = None
    around: exp.Expr | None = node if isinstance(node, exp.In) else value.parent
    while around is not None and column is None:
        named = next(iter(around.find_all(exp.Column)), None)
        column = _column(table, named) if named is not None else None
        around = around.parent
    base = _TYPMOD.sub("", column.type) if column is not None else ""
    if attribute.type == "boolean":
        return "boolean"
    if attribute.type == "integer":
        return "bigint" if base in _WHOLE else "numeric"
    if attribute.type == "number":
        return "numeric"
    if not base or base in ("character varying", "text", "name", "citext"):
        return "text"
    return "bpchar" if base == "character" else base
