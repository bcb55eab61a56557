"""Fields of structs and rows: `t.r.a` where `r` is a column of t that holds a struct, and `a` one of its fields.

The parser reads the dots as schema, table and column. A column of that name always comes first; only where there is
none are the dots read as fields, on engines that do the same. Where the struct's type is known, so are its fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from sqlglot import exp
from sqlglot.errors import SqlglotError

from text2sql.guard.engines import Engine
from text2sql.guard.scope import Binding, Facts, Field, Scope

_ENGINES = frozenset({"duckdb", "athena", "redshift"})
_NESTED = frozenset({"STRUCT", "OBJECT", "NESTED", "SUPER", "VARIANT", "UNKNOWN", "USERDEFINED"})


def bind_member(node: exp.Column, scope: Scope, engine: Engine, facts: Facts) -> bool:
    """Bind a column that is a field of a struct. False where it is none."""
    if engine.name not in _ENGINES:
        return False
    for around in scope.chain():
        for qualifier, name, path in _readings(node):
            if not qualifier and any(engine.fold(name) in names for names in around.lambdas):
                return True
            found = around.matches(engine.fold(qualifier) if qualifier else "", engine.fold(name))
            if len(found) == 1 and _has(found[0][1], path, engine):
                source, field = found[0]
                facts.bindings[id(name)] = Binding(around, source, field)
                inner = Field(".".join([field.name, *(engine.fold(part) for part in path)]))
                facts.bindings[id(node)] = Binding(around, source, inner)
                return True
    return False


def _readings(node: exp.Column) -> Iterator[tuple[exp.Expr | None, exp.Expr, Sequence[exp.Expr]]]:
    """The ways to read the dots: table or none, column, fields."""
    parts = [part for key in ("catalog", "db", "table", "this") if (part := node.args.get(key)) is not None]
    if len(parts) > 2:
        yield parts[0], parts[1], parts[2:]
    if len(parts) > 1:
        yield None, parts[0], parts[1:]


def _has(field: Field, path: Sequence[exp.Expr], engine: Engine) -> bool:
    """Whether the field holds such a struct, as far as its type is known."""
    kind = _kind(field, engine)
    for part in path:
        if kind is None or kind.this.name in ("SUPER", "VARIANT", "UNKNOWN", "USERDEFINED"):
            return True
        if kind.this.name not in _NESTED:
            return False
        fields = {
            m.name.lower(): m.args.get("kind") for m in kind.expressions if isinstance(m, exp.ColumnDef)
        }
        if part.name.lower() not in fields:
            return False
        kind = fields[part.name.lower()]
    return True


def _kind(field: Field, engine: Engine) -> exp.DataType | None:
    if field.column is not None:
        return _read(field.column.type, engine.name)
    written = field.expression
    if isinstance(written, exp.Cast):
        to = written.args["to"]
        return to if isinstance(to, exp.DataType) else None
    if isinstance(written, exp.Literal | exp.Boolean | exp.Binary | exp.Connector | exp.Count):
        return exp.DataType(this=exp.DType.VARCHAR)  # whatever it is, it has no fields
    return None


@cache
def _read(text: str, dialect: str) -> exp.DataType | None:
    try:
        return exp.DataType.build(text.replace("<", "(").replace(">", ")").replace(":", " ")
                                  if text.lower().startswith("struct<") else text, dialect=dialect)  # fmt: skip
    except (SqlglotError, ValueError):
        return None
