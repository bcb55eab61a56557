"""Column masks as SQL of each engine. What an engine cannot compute becomes NULL: less is shown, never more."""

from __future__ import annotations

import re
from functools import cache
from typing import TypeAlias

from sqlglot import exp
from sqlglot.errors import SqlglotError

from text2sql.grants import Bucket
from text2sql.guard.affinity import affinity
from text2sql.guard.reading import parse, speaker
from text2sql.guard.refusal import Refused
from text2sql.types import Column

MaskKind: TypeAlias = str | Bucket | None

_TEXT: dict[str, str] = {
    "duckdb": "VARCHAR",
    "postgres": "TEXT",
    "redshift": "VARCHAR",
    "athena": "VARCHAR",
    "sqlite": "TEXT",
}
_HASH: dict[str, str] = {
    "duckdb": "SHA256({salt}CAST(c AS VARCHAR))",
    "postgres": "ENCODE(SHA256(CONVERT_TO({salt}CAST(c AS TEXT), 'UTF8')), 'hex')",
    "redshift": "SHA2({salt}CAST(c AS VARCHAR), 256)",
    "athena": "TO_HEX(SHA256(TO_UTF8({salt}CAST(c AS VARCHAR))))",
}
_PARTIAL = "CASE WHEN LENGTH(CAST(c AS {text})) > 3 THEN SUBSTR(CAST(c AS {text}), 1, 1) || '***' WHEN c IS NULL THEN NULL ELSE '***' END"
_YEAR: dict[str, str] = {
    "duckdb": "CAST(DATE_TRUNC('year', c) AS {type})",
    "postgres": "CAST(DATE_TRUNC('year', c) AS {type})",
    "redshift": "CAST(DATE_TRUNC('year', c) AS {type})",
    "athena": "CAST(DATE_TRUNC('year', c) AS {type})",
}
_DATE = "^[12][0-9]{3}(-[01][0-9]-[0-3][0-9]|/([01][0-9]|[1-9]))([^0-9]|$)"
_DATES_SQLITE = ("-[01][0-9]-[0-3][0-9]", "/[01][0-9]", "/[1-9]")
_IS_DATE: dict[str, str] = {
    "duckdb": f"REGEXP_MATCHES(c, '{_DATE}')",
    "postgres": f"c ~ '{_DATE}'",
    "redshift": f"c ~ '{_DATE}'",
    "athena": f"REGEXP_LIKE(c, '{_DATE}')",
    "sqlite": " OR ".join(f"(c || ' ') GLOB '[12][0-9][0-9][0-9]{rest}[^0-9]*'" for rest in _DATES_SQLITE),
}
"""Whether a text starts with a date: YYYY-MM-DD, YYYY/MM or YYYY/M. Of any other text nothing is shown."""
_YEAR_OF_TEXT = "CASE WHEN {is_date} THEN SUBSTR(c, 1, 4) || '-01-01' END"
_NULL = "CASE WHEN FALSE THEN c END"
"""NULL of the column's own type where that has a name that we cannot write."""
_PLAIN_TEXT = re.compile(r"(?i)text|(n?var|bp)?char|character|string|clob")
_BUCKET = "CAST(FLOOR(c / CAST({n} AS {number})) * {n} AS {type})"
_BUCKET_SQLITE = "CAST(c AS INTEGER) - ((CAST(c AS INTEGER) % {n} + {n}) % {n})"
_NUMBER = {
    "duckdb": "DOUBLE",
    "athena": "DOUBLE",
    "postgres": "DOUBLE PRECISION",
    "redshift": "DOUBLE PRECISION",
}
SALT = "policy_salt"


def masked(column: Column, mask: MaskKind, dialect: str, *, salted: bool) -> exp.Expr:
    """The expression that stands for the column under this mask; `c` in the templates is the column."""
    template = _template(column, mask, dialect, salted=salted)
    tree = _parsed(template, dialect).copy()
    for name in list(tree.find_all(exp.Column)):
        if name.name == "c":
            plain = bare(column)
            if name is tree:
                return plain
            name.replace(plain)
    for holder in tree.find_all(exp.Placeholder):
        holder.set("this", placeholder(SALT, dialect).this)
    return tree


def bare(column: Column) -> exp.Column:
    """The column itself."""
    return exp.Column(this=exp.Identifier(this=column.name, quoted=True))


def placeholder(name: str, dialect: str) -> exp.Placeholder:
    """A bound parameter, in the shape in which the dialect's parser would read it back."""
    pyformat = dialect in ("postgres", "redshift")
    return exp.Placeholder(this=exp.Identifier(this=name, quoted=False) if pyformat else name)


def gives_text(mask: MaskKind, column: Column) -> bool:
    """Whether the masked value is text though the column is not."""
    return mask in ("hash", "partial") and not _plain_text(column)


def _plain_text(column: Column) -> bool:
    """Whether it is text to the engine too, and not an enum, a domain or a UUID that is text to us alone."""
    return column.family == "text" and (not column.type or _PLAIN_TEXT.match(column.type) is not None)


def as_text(value: exp.Expr, dialect: str) -> exp.Expr:
    """It as text, to stand beside a masked value in one CASE."""
    return exp.Cast(this=value, to=_parsed(f"CAST(c AS {_TEXT[dialect]})", dialect).args["to"].copy())


def _template(column: Column, mask: MaskKind, dialect: str, *, salted: bool) -> str:
    null = _null(column, dialect)
    if isinstance(mask, Bucket):
        if column.family not in ("integer", "number") or column.type == "money":
            return null
        if dialect == "sqlite":
            whole = _BUCKET_SQLITE.format(n=mask.bucket)
            return f"CAST({whole} AS REAL)" if affinity(column.type) == "REAL" else whole
        return _BUCKET.format(n=mask.bucket, number=_NUMBER[dialect], type=column.type)
    if mask == "hash" and dialect in _HASH:
        return _HASH[dialect].format(salt=":salt || " if salted else "")
    if mask == "partial":
        return _PARTIAL.format(text=_TEXT[dialect])
    return (_year(column, dialect) if mask == "year" else "") or null


def _null(column: Column, dialect: str) -> str:
    """NULL of the column's type. On PostgreSQL it names the column only where it must: a role may not read it."""
    if dialect == "postgres":
        return _cast(column.type) or _NULL
    return "NULL" if dialect == "sqlite" or column.family == "other" else f"CAST(NULL AS {column.type})"


@cache
def _cast(kind: str) -> str:
    """NULL of a type of PostgreSQL; "" where its name cannot be read and written again (`bit varying`)."""
    text = f"CAST(NULL AS {kind})"
    try:
        written = _parsed(text, "postgres").sql("postgres")
        return text if kind and _parsed(written, "postgres") == _parsed(text, "postgres") else ""
    except (Refused, SqlglotError):
        return ""


def _year(column: Column, dialect: str) -> str:
    """The mask `year`; "" where the column has no date."""
    if column.family in ("date", "timestamp") and dialect in _YEAR:
        return _YEAR[dialect].format(type=column.type)
    if dialect == "sqlite" or _plain_text(column):
        return _YEAR_OF_TEXT.format(is_date=_IS_DATE[dialect])
    return ""


@cache
def _parsed(template: str, dialect: str) -> exp.Expr:
    text = f"SELECT {template}"
    found: exp.Expr = parse(text, list(speaker(dialect).tokenize(text)), dialect).expressions[0]
    found.pop()
    for node in found.walk():
        node.meta.clear()  # places in a template tell nothing, and copying them costs more than the rest of a copy
    return found
