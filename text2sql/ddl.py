"""A catalogue from a file of CREATE TABLE statements, read leniently under any dialect.

A parser of one dialect refuses what another one writes. Nothing here runs, and a column missed is only a
column that no query may name: so the file is read word by word, and everything that is not understood is
passed over. Keys come from inline and table constraints and from `ALTER TABLE … ADD CONSTRAINT`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from text2sql.ddl_words import Word, split_items, words_of
from text2sql.errors import DdlError
from text2sql.families import family
from text2sql.types import Catalog, Column, Dialect, ForeignKey, Table

DEFAULT_SCHEMAS: dict[str, str] = {"postgres": "public", "redshift": "public", "duckdb": "main"}
_FOLDING = frozenset({"postgres", "redshift"})
"""Engines that fold an unquoted name to lower case when they store it."""

_BEFORE_TABLE = frozenset(
    [
        "or",
        "replace",
        "temp",
        "temporary",
        "unlogged",
        "external",
        "foreign",
        "global",
        "local",
        "transient",
        "hybrid",
        "iceberg",
    ]
)
_ENDS_TYPE = frozenset(
    [
        "not",
        "null",
        "default",
        "primary",
        "unique",
        "references",
        "check",
        "collate",
        "constraint",
        "generated",
        "autoincrement",
        "auto_increment",
        "comment",
        "on",
        "encode",
        "distkey",
        "sortkey",
        "identity",
        "as",
        "character",
        "deferrable",
        "initially",
        "invisible",
        "visible",
        "storage",
        "compression",
        "codec",
        "key",
        "masked",
        "sparse",
        "rowguidcol",
    ]
)
_TABLE_CONSTRAINTS = frozenset(
    [
        "primary",
        "foreign",
        "unique",
        "check",
        "constraint",
        "exclude",
        "like",
        "key",
        "index",
        "fulltext",
        "spatial",
    ]
)


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


class _Reader:
    """Walks over words; `fold` is how the dialect stores an unquoted name."""

    def __init__(self, words: list[Word], *, fold: bool) -> None:
        self.words = words
        self.at = 0
        self.fold = fold

    def peek(self, ahead: int = 0) -> Word | None:
        index = self.at + ahead
        return self.words[index] if index < len(self.words) else None

    def accept(self, *keys: str) -> bool:
        """Step over these keywords when all of them come next."""
        for ahead, key in enumerate(keys):
            word = self.peek(ahead)
            if word is None or word.key != key:
                return False
        self.at += len(keys)
        return True

    def name(self) -> str:
        """The name that comes next; "" when there is none."""
        word = self.peek()
        if word is None or not word.is_name:
            return ""
        self.at += 1
        return word.text.lower() if self.fold and not word.quoted else word.text

    def path(self) -> tuple[str, str, str]:
        """`catalog.schema.table`, "" for the parts that are not written."""
        parts = [self.name()]
        while self.accept("."):
            parts.append(self.name())
        padded = ["", "", "", *parts][-3:]
        return padded[0], padded[1], padded[2]

    def group(self) -> list[Word]:
        """The words inside the parentheses that open here; [] when none open."""
        if not self.accept("("):
            return []
        start, depth = self.at, 1
        while self.at < len(self.words) and depth:
            key = self.words[self.at].key
            depth += (key == "(") - (key == ")")
            self.at += 1
        return self.words[start : self.at - 1 if depth == 0 else self.at]

    def names(self) -> tuple[str, ...]:
        """Names in parentheses, each possibly followed by a length, an order or an operator class."""
        firsts = (_Reader(item, fold=self.fold).name() for item in split_items(self.group()))
        return tuple(name for name in firsts if name)


def catalog_from_ddl(text: str, dialect: Dialect) -> Catalog:
    """Read a catalogue. Raises `DdlError` where no CREATE TABLE with columns is found.

    Tables without a written schema get none (`""`); they are what an unqualified name means.
    """
    fold = dialect in _FOLDING
    drafts: dict[tuple[str, str, str], _Draft] = {}
    for words in _statements(text):
        reader = _Reader(words, fold=fold)
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
    """The statements that say something about tables, each as its words."""
    current: list[Word] = []
    for word in words_of(text):
        if word.key == ";":
            if current:
                yield current
            current = []
        elif current and word.key == "create" and word.starts_line and current[0].key != "create":
            # A statement that nobody closed must not swallow the table after it.
            yield current
            current = [word]
        else:
            current.append(word)
    if current:
        yield current


def _create(reader: _Reader, drafts: dict[tuple[str, str, str], _Draft]) -> None:
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
        _item(_Reader(item, fold=reader.fold), draft)
    drafts[catalog.casefold(), schema.casefold(), name.casefold() if not reader.fold else name] = draft


def _alter(reader: _Reader, drafts: dict[tuple[str, str, str], _Draft]) -> None:
    reader.accept("if", "exists")
    reader.accept("only")
    catalog, schema, name = reader.path()
    draft = drafts.get((catalog.casefold(), schema.casefold(), name if reader.fold else name.casefold()))
    if draft is not None and reader.accept("add"):
        _constraint(reader, draft)


def _item(reader: _Reader, draft: _Draft) -> None:
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


def _column(name: str, reader: _Reader, draft: _Draft) -> None:
    type_words: list[str] = []
    while (word := reader.peek()) is not None and (word.quoted or word.key not in _ENDS_TYPE):
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


def _column_constraint(column: Column, reader: _Reader, draft: _Draft) -> Column:
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


def _constraint(reader: _Reader, draft: _Draft) -> None:
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


def _references(columns: tuple[str, ...], reader: _Reader, draft: _Draft) -> None:
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
