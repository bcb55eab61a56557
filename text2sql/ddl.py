"""A catalogue from a file of CREATE TABLE statements, read leniently under any dialect.

A parser of one dialect refuses what another one writes. Nothing here runs, and a column missed is only a
column that no query may name: so the file is read word by word, and everything that is not understood is
passed over. Keys come from inline and table constraints and from `ALTER TABLE … ADD CONSTRAINT`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from text2sql.ddl_words import Reader, Word, split_items, words_of
from text2sql.errors import DdlError
from text2sql.families import family
from text2sql.types import Catalog, Column, Dialect, ForeignKey, Table

DEFAULT_SCHEMAS: dict[str, str] = {"postgres": "public", "redshift": "public", "duckdb": "main"}
_FOLDING = frozenset({"postgres", "redshift"})
"""Engines that fold an unquoted name to lower case when they store it."""

_BEFORE_TABLE = frozenset(
    ("or", "replace", "temp", "temporary", "unlogged", "external", "foreign", "global", "local", "transient")
)
# fmt: off
_ENDS_TYPE = frozenset((
    "not", "null", "default", "primary", "unique", "references", "check", "collate", "constraint", "generated",
    "autoincrement", "auto_increment", "comment", "on", "encode", "distkey", "sortkey", "identity", "as", "deferrable",
    "initially", "invisible", "visible", "storage", "compression", "codec", "key", "masked", "sparse", "rowguidcol",
))
_TABLE_CONSTRAINTS = frozenset((
    "primary", "foreign", "unique", "check", "constraint", "exclude", "like", "key", "index", "fulltext", "spatial",
))
# fmt: on


@dataclass
class _Draft:
    """A table while it is being read."""

    name: str
    schema: str
    catalog: str
    columns: dict[str, Column] = field(default_factory=dict)
    primary_key: tuple[str, ...] = ()
    unique: list[tuple[str, ...]] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)

    def table(self) -> Table:
        return Table(
            name=self.name,
            schema=self.schema,
            catalog=self.catalog,
            columns=tuple(self.columns.values()),
            primary_key=self.primary_key,
            unique=tuple(self.unique),
            foreign_keys=tuple(self.foreign_keys),
        )


def catalog_from_ddl(text: str, dialect: Dialect) -> Catalog:
    """Read a catalogue. Raises `DdlError` where no CREATE TABLE with columns is found.

    Tables without a written schema get none (`""`); they are what an unqualified name means.
    """
    fold = dialect in _FOLDING
    drafts: dict[tuple[str, str, str], _Draft] = {}
    for words in _statements(text):
        reader = Reader(words, fold=fold)
        if reader.accept("create"):
            _create(reader, drafts)
        elif reader.accept("alter", "table"):
            _alter(reader, drafts)
    tables = tuple(draft.table() for draft in drafts.values() if draft.columns)
    if not tables:
        raise DdlError(
            "The DDL has no CREATE TABLE statement with columns",
            todo="Write plain `CREATE TABLE name (column type, …);` statements.",
        )
    return Catalog(
        dialect=dialect,
        tables=_targets_named(tables),
        default_schema=DEFAULT_SCHEMAS.get(dialect, ""),
        fingerprint=_fingerprint(tables),
    )


def _statements(text: str) -> Iterator[list[Word]]:
    """The statements, each as its words. One that nobody closed ends where the next CREATE or ALTER starts a line."""
    current: list[Word] = []
    depth = 0
    for word in words_of(text):
        opens = word.starts_line and word.key in ("create", "alter") and depth <= 0
        if current and (word.key == ";" or opens):
            yield current
            current = []
        if not current:
            depth = 0
        if word.key != ";":
            depth += (word.key == "(") - (word.key == ")")
            current.append(word)
    if current:
        yield current


def _create(reader: Reader, drafts: dict[tuple[str, str, str], _Draft]) -> None:
    while (word := reader.peek()) is not None and word.key in _BEFORE_TABLE:
        reader.at += 1
    if not reader.accept("table"):
        return
    reader.accept("if", "not", "exists")
    catalog, schema, name = reader.path()
    if not name:
        return
    draft = _Draft(name, schema, catalog)
    for item in split_items(reader.group()):
        _item(Reader(item, fold=reader.fold), draft)
    drafts[catalog.casefold(), schema.casefold(), name.casefold() if not reader.fold else name] = draft


def _alter(reader: Reader, drafts: dict[tuple[str, str, str], _Draft]) -> None:
    reader.accept("if", "exists")
    reader.accept("only")
    catalog, schema, name = reader.path()
    draft = drafts.get((catalog.casefold(), schema.casefold(), name if reader.fold else name.casefold()))
    if draft is not None and reader.accept("add"):
        _constraint(reader, draft)


def _item(reader: Reader, draft: _Draft) -> None:
    """One column or one table constraint."""
    first, second = reader.peek(), reader.peek(1)
    if first is None:
        return
    if not first.quoted and first.key in _TABLE_CONSTRAINTS and _is_constraint(first, second):
        _constraint(reader, draft)
        return
    name = reader.name()
    if name:
        _column(name, reader, draft)


def _is_constraint(first: Word, second: Word | None) -> bool:
    # `key text` is a column called key; `KEY idx (a)` and `PRIMARY KEY (a)` are not.
    if first.key in {"primary", "foreign", "constraint", "exclude"}:
        return second is not None and (second.key in {"key", "("} or first.key in {"constraint", "exclude"})
    if second is None:
        return False
    return second.key in {"(", "key", "index"} or (first.key in {"key", "index"} and second.followed_by_paren)


def _column(name: str, reader: Reader, draft: _Draft) -> None:
    type_words: list[str] = []
    while (word := reader.peek()) is not None and (word.quoted or word.key not in _ENDS_TYPE):
        if type_words and word.key == "character" and _is_set(reader.peek(1)):
            break  # CHARACTER SET utf8, not CHARACTER VARYING
        if word.key == "(":
            inner = "".join(w.text for w in reader.group())
            type_words[-1:] = [f"{type_words[-1] if type_words else ''}({inner})"]
            continue
        type_words.append(word.text)
        reader.at += 1
    declared = " ".join(type_words)
    column = Column(name=name, type=declared, family=family(declared))
    while reader.peek() is not None:
        column = _column_constraint(column, reader, draft)
    draft.columns.setdefault(name.casefold() if not reader.fold else name, column)


def _is_set(word: Word | None) -> bool:
    return word is not None and word.key == "set"


def _column_constraint(column: Column, reader: Reader, draft: _Draft) -> Column:
    if reader.accept("not", "null"):
        return replace(column, nullable=False)
    if reader.accept("primary", "key"):
        draft.primary_key = (column.name,)
        return replace(column, nullable=False)
    if reader.accept("unique"):
        draft.unique.append((column.name,))
    elif reader.accept("references"):
        _references((column.name,), reader, draft)
    elif reader.accept("comment"):
        word = reader.peek()
        return replace(column, comment=word.text) if word is not None and word.string else column
    else:
        reader.at += 1
    return column


def _constraint(reader: Reader, draft: _Draft) -> None:
    if reader.accept("constraint"):
        reader.name()
    if reader.accept("primary", "key"):
        while (word := reader.peek()) is not None and word.key != "(":
            reader.at += 1
        draft.primary_key = reader.names() or draft.primary_key
    elif reader.accept("unique"):
        while (word := reader.peek()) is not None and word.key != "(":
            reader.at += 1
        if names := reader.names():
            draft.unique.append(names)
    elif reader.accept("foreign", "key"):
        if (word := reader.peek()) is not None and word.key != "(":
            reader.name()
        columns = reader.names()
        if columns and reader.accept("references"):
            _references(columns, reader, draft)


def _references(columns: tuple[str, ...], reader: Reader, draft: _Draft) -> None:
    _, schema, name = reader.path()
    if name:
        target = f"{schema}.{name}" if schema else name
        draft.foreign_keys.append(ForeignKey(columns, target, reader.names()))


def _targets_named(tables: tuple[Table, ...]) -> tuple[Table, ...]:
    """`REFERENCES t` without columns means t's primary key."""
    by_name = {t.qualified.casefold(): t for t in tables} | {t.name.casefold(): t for t in tables}

    def complete(fk: ForeignKey) -> ForeignKey:
        target = by_name.get(fk.to_table.casefold())
        return fk if fk.to_columns or target is None else replace(fk, to_columns=target.primary_key)

    return tuple(replace(t, foreign_keys=tuple(complete(fk) for fk in t.foreign_keys)) for t in tables)


def _fingerprint(tables: tuple[Table, ...]) -> str:
    shape = [
        (
            t.qualified,
            [(c.name, c.type) for c in t.columns],
            t.primary_key,
            [(f.columns, f.to_table) for f in t.foreign_keys],
        )
        for t in tables
    ]
    return hashlib.sha256(repr(shape).encode()).hexdigest()[:16]
