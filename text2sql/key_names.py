"""What names say about keys: which column identifies its table, and which points at another one."""

from __future__ import annotations

from dataclasses import dataclass

from text2sql.words import singular, split_name

_SUFFIXES = {
    "id", "ids", "code", "cd", "no", "nr", "num", "number", "key", "pk", "fk", "ref", "uuid", "guid", "sk",
    "コード", "番号", "ナンバー", "キー",
}  # fmt: skip
_GLUED = ("コード", "番号", "uuid", "code", "key", "id", "cd", "no")
"""Suffixes written without a separator (`cityid`, `店舗コード`), longest first."""
_GENERIC = {"name", "title", "description", "type", "date", "value", "status", "year", "number", "code", "id"}


@dataclass(frozen=True, slots=True)
class Name:
    """A name in words: `stem` without the words that only say "identifier", singular; `keyed`: had such words."""

    words: tuple[str, ...]
    stem: tuple[str, ...]
    keyed: bool

    @staticmethod
    def of(name: str) -> Name:
        """Read a column or table name."""
        words = tuple(singular(word) for word in split_name(name).split())
        stem = list(words)
        while stem and stem[-1] in _SUFFIXES:
            stem.pop()
        keyed = len(stem) < len(words)
        if not keyed and stem:
            for suffix in _GLUED:
                if stem[-1].endswith(suffix) and len(stem[-1]) > len(suffix) + 1:
                    stem[-1] = singular(stem[-1].removesuffix(suffix))
                    keyed = True
                    break
        return Name(words, tuple(stem), keyed)

    @property
    def joined(self) -> str:
        """The stem without separators: `orderItem`, `order_item` and `orderitem` are one."""
        return "".join(self.stem)


def _table_forms(table: str) -> set[str]:
    """What a key may call the table: the whole name, and its last word (`dim_store` is a store)."""
    words = [singular(word) for word in split_name(table).split()]
    joined = "".join(words)
    return {joined, singular(joined), words[-1]} if words else set()


def key_score(table: str, column: str, position: int) -> float:
    """How well a column's name says "I identify a row of this table", 0 for not at all."""
    name = Name.of(column)
    score = 0.0
    if name.keyed:
        score = 0.5
        if not name.stem:  # id, code, no
            score = 0.9
        elif name.joined in _table_forms(table):
            score = 1.0
        elif "".join(_table_forms(table)).startswith(name.joined):
            score = 0.7
    if position == 0:
        score += 0.2 if score else 0.1
    return score


def pointing(  # noqa: PLR0911 - a table of rules, first match wins
    column: Name, table: str, key: Name, *, same_table: bool, own_key: bool
) -> float:
    """How well a column's name points at `key` of `table`: 1 certain, 0 not at all.

    `own_key`: the column is its own table's primary key, so that only the same specific name counts.
    """
    forms = _table_forms(table)
    generic = not key.stem or key.joined in _GENERIC
    same = column.words == key.words
    if same and not generic and not same_table:
        return 1.0 if key.joined in forms else 0.95
    if same_table and column.words[-len(key.words) :] != key.words and not column.keyed:
        return 0.0
    if own_key:
        return 0.0
    if column.keyed and column.joined in forms and not same_table:
        return 0.97
    if not generic and len(column.words) > len(key.words) and column.words[-len(key.words) :] == key.words:
        return 0.8
    if column.keyed and column.stem and column.stem[-1] in forms:
        return 0.75
    if not column.keyed and not same_table and column.joined in forms and key.keyed:
        return 0.6
    if not same_table and column.stem and column.stem[-1] in forms and key.keyed and not key.stem:
        return 0.5
    return 0.0
