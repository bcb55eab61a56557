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
        if len(words) > 1 and words[-1].isdigit():  # club_id_1, club_id_2: two roles of one thing
            words = words[:-1]
        glued = _unglued(words[-1]) if words else ()
        words = (*words[:-1], *glued) if glued else words
        stem = list(words)
        while stem and stem[-1] in _SUFFIXES:
            stem.pop()
        return Name(words, tuple(stem), len(stem) < len(words))

    @property
    def joined(self) -> str:
        """The stem without separators: `orderItem`, `order_item` and `orderitem` are one."""
        return "".join(self.stem)


def _unglued(word: str) -> tuple[str, ...]:
    """`cityid` as `city` and `id`, () for a word without such an ending."""
    for suffix in _GLUED:
        if word not in _SUFFIXES and word.endswith(suffix) and len(word) > len(suffix) + 1:
            return singular(word.removesuffix(suffix)), suffix
    return ()


def _table_forms(table: str) -> set[str]:
    """What a key may call the table: the whole name, and its last word (`dim_store` is a store)."""
    words = [singular(word) for word in split_name(table).split()]
    joined = "".join(words)
    return {joined, joined.removesuffix("e"), words[-1]} if words else set()  # campuses: campuse: campus


def belonging(key: Name, table: str) -> float:
    """How much a key's name says that it is this table's own: 1 for `id` or `store_id` of `stores`, 0 for no."""
    if not key.stem:
        return 1.0
    words = [singular(word) for word in split_name(table).split()]
    whole = "".join(words)
    if key.joined in {whole, whole.removesuffix("e")}:
        return 1.0
    if words and key.joined == words[-1]:  # `store_id` of `dim_store`
        return 0.8
    # `stu_id` of `student`
    return 0.6 if len(words) == 1 and len(key.joined) > 2 and whole.startswith(key.joined) else 0.0


def key_score(table: str, column: str, position: int) -> float:
    """How well a column's name says "I identify a row of this table", 0 for not at all."""
    name = Name.of(column)
    score = 0.0
    if name.keyed:
        score = max(0.5, belonging(name, table))
    elif name.words and name.words[-1] in ("ssn", "isbn", "iban"):
        score = 0.4
    if position == 0:
        score += 0.2 if score else 0.1
    return score


def pointing(column: str, table: str, key: str, *, same_table: bool) -> float:
    """How well a column's name points at `key` of `table`: 1 certain, 0 not at all.

    0.95 and more is the same specific name, or the table's name and a suffix; from 0.75 on it ends like that
    (`home_team_id`); below, it only mentions the table, and the values must all be there.
    """
    name, target = Name.of(column), Name.of(key)
    forms = _table_forms(table)
    specific = bool(target.stem) and target.joined not in _GENERIC
    length = len(target.words)
    last = name.stem[-1] if name.stem else ""
    rules = (
        (specific and name.words == target.words and not same_table, 1.0 if target.joined in forms else 0.95),
        (name.keyed and name.joined in forms and not same_table, 0.97),
        (specific and len(name.words) > length and name.words[-length:] == target.words, 0.8),
        (name.keyed and last in forms and len(name.words) > 1, 0.75),
        (name.joined in forms and not same_table, 0.6),
        (last in forms and not same_table and not _is_plural(column), 0.5),
    )
    return next((score for applies, score in rules if applies), 0.0)


def _is_plural(name: str) -> bool:
    """`home_games` counts games; it does not name one."""
    last = split_name(name).split()[-1:]
    return bool(last) and singular(last[0]) != last[0]
