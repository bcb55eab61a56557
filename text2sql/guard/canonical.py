"""A form under which two expressions are the same when they mean the same columns."""

from __future__ import annotations

from sqlglot import exp

from text2sql.guard.scope import Facts

Canonical = tuple[object, ...]


def canonical(node: exp.Expr, facts: Facts) -> Canonical:
    """Columns by what they are bound to, aliases by what they stand for, everything else by kind and parts."""
    if isinstance(node, exp.Paren):
        return canonical(node.this, facts)
    if isinstance(node, exp.Column):
        binding = facts.bindings.get(id(node))
        if binding is not None:
            return ("column", id(binding.source), binding.field.name)
        alias = facts.aliases.get(id(node))
        if alias is not None:
            return canonical(alias, facts)
        return ("name", node.sql().lower())
    parts: list[object] = [type(node).__name__]
    for key, value in node.args.items():
        if isinstance(value, exp.Expr):
            parts.append((key, canonical(value, facts)))
        elif isinstance(value, list):
            parts.append((key, *(canonical(v, facts) if isinstance(v, exp.Expr) else str(v) for v in value)))
        elif value is not None and value is not False:
            parts.append((key, str(value)))
    return tuple(parts)
