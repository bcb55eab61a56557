"""The allow-lists, read once from their data files: what a statement of each dialect may be made of."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from retrieval.yaml_files import read_yaml

FOLDER = Path(__file__).parent.parent / "allowlists"
DIALECTS: tuple[str, ...] = ("duckdb", "sqlite", "postgres", "athena", "redshift")

Kind = Literal["aggregate", "window", "scalar", "generator", "table", "sized", "formatted"]
_FEW = 20
_MOST = 1_000
_SQLITE_VERSION = sqlite3.sqlite_version_info[:2]


@dataclass(frozen=True, slots=True)
class Function:
    """One function by name. A name can be two functions by its arguments: SQLite's `max(x)` and `max(x, y)`."""

    kinds: tuple[tuple[Kind, range], ...]
    """What it is with which numbers of arguments."""

    def kind(self, arguments: int) -> Kind | None:
        """What it is with so many arguments; None when it takes another number."""
        return next((kind for kind, numbers in self.kinds if arguments in numbers), None)

    def takes(self) -> str:
        """The numbers of arguments it takes, for a message."""
        return " or ".join(_numbers(numbers) for _, numbers in self.kinds)


def _numbers(numbers: range) -> str:
    first, last = numbers[0], numbers[-1]
    if numbers.step > 1:
        return f"{first}, {first + numbers.step}, {first + 2 * numbers.step}, …"
    if last >= _FEW:
        return f"{first}+"
    return str(first) if first == last else f"{first}-{last}"


@dataclass(frozen=True, slots=True)
class Allowlist:
    """What a dialect allows. `types` is None where any type name is harmless."""

    dialect: str
    nodes: Mapping[str, frozenset[str]]
    function_arguments: Mapping[str, frozenset[str]]
    """What a node made from a function's call may carry; a node that is not there carries nothing and is refused."""
    functions: Mapping[str, Function]
    excluded: Mapping[str, str]
    """Name -> what it does that is not allowed; a name that ends in * stands for all that begin so."""
    counterparts: Mapping[str, tuple[str, ...]]
    """Name in other dialects -> how this one says it."""
    in_order: frozenset[str]
    """Aggregates that take their rows in an order: WITHIN GROUP stands after these alone."""
    always_in_order: frozenset[str]
    """Those of them that cannot go without it."""
    only_in_from: frozenset[str]
    """Functions that give rows, and stand nowhere but in FROM."""
    distinct_windows: bool
    """Whether an aggregate over a window may be of DISTINCT values."""
    types: frozenset[str] | None
    excluded_types: Mapping[str, str]
    collations: frozenset[str]
    written: Mapping[str, tuple[str, ...]]
    """Node -> names of functions that it may have been written as, where the parser has another name for it."""
    words: frozenset[str]
    reserved: frozenset[str]
    reserved_as_alias: bool
    tokens: Mapping[str, str]

    def why_not(self, name: str) -> str:
        """What a function does that is not allowed; "" where nothing is known of it."""
        return self.excluded.get(name) or next(
            (why for start, why in self.starts if name.startswith(start)), ""
        )

    @property
    def starts(self) -> tuple[tuple[str, str], ...]:
        """How names begin that are excluded together."""
        return tuple((name[:-1], why) for name, why in self.excluded.items() if name[-1] == "*")


@cache
def allowlist(dialect: str) -> Allowlist:
    """The allow-list of a dialect. Raises KeyError for one we do not know."""
    if dialect not in DIALECTS:
        raise KeyError(dialect)
    common, own = _read("nodes"), _read(dialect)
    types = str(own["types"])
    return Allowlist(
        dialect=dialect,
        nodes=_nodes(common, own),
        function_arguments=_arguments(),
        functions=_functions(own["functions"], int(own.get("most_arguments", _MOST)), dialect),
        excluded=_by_name((_read(own["excluded_in"]) if "excluded_in" in own else own).get("excluded", {})),
        counterparts=_counterparts(dialect),
        in_order=frozenset(f"{own.get('in_order', '')} {own.get('always_in_order', '')}".split()),
        always_in_order=frozenset(own.get("always_in_order", "").split()),
        only_in_from=frozenset(own.get("only_in_from", "").split()),
        distinct_windows=bool(own.get("distinct_windows", False)),
        excluded_types=_by_name(own.get("excluded_types", {})),
        types=None if types == "any" else frozenset(types.split()),
        collations=frozenset(str(own["collations"]).split()),
        written={node: tuple(names.split()) for node, names in common["written"].items()},
        words=frozenset(common["words"].split()),
        reserved=frozenset(own["reserved"].split()),
        reserved_as_alias=bool(own["reserved_as_alias"]),
        tokens=own.get("tokens", {}),
    )


@cache
def _arguments() -> Mapping[str, frozenset[str]]:
    return {
        node: frozenset(arguments.split())
        for group in _read("arguments")["groups"]
        for arguments, nodes in group["take"].items()
        for node in nodes.split()
    }


def _read(name: str) -> dict[str, Any]:
    data: dict[str, Any] = read_yaml((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return data


def _nodes(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    without = set(own.get("without", "").split())
    taken: dict[str, set[str]] = {}
    for path in own.get("arguments_without", "").split():
        node, argument = path.split(".")
        taken.setdefault(node, set()).add(argument)
    return {
        node: frozenset(arguments.replace('"', "").split()) - taken.get(node, set())
        for group in common["nodes"]
        for node, arguments in group["allow"].items()
        if node not in without
    }


def _by_name(classes: Mapping[str, str]) -> dict[str, str]:
    return {name: why for why, names in classes.items() for name in names.split()}


def _counterparts(dialect: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for ways in _read("counterparts")[dialect]:
        found.update(dict.fromkeys(ways["names"].split(), tuple(ways["instead"])))
    return found


def _functions(groups: list[dict[str, Any]], most: int, dialect: str) -> dict[str, Function]:
    """The functions of a dialect; of SQLite those alone that the engine at hand has, which depends on how it was built."""
    found: dict[str, list[tuple[Kind, range]]] = {}
    there = _in_sqlite() if dialect == "sqlite" else None
    for group in groups:
        kind: Kind = group["kind"]
        for entry in group["names"].split():
            name, _, arity = entry.partition(":")
            arity, _, since = arity.partition("@")
            if since and tuple(int(part) for part in since.split(".")) > _SQLITE_VERSION:
                continue
            if there is None or name in there or group.get("language"):
                found.setdefault(name, []).append((kind, _arity(arity, most)))
    return {name: Function(tuple(kinds)) for name, kinds in found.items()}


@cache
def _in_sqlite() -> frozenset[str] | None:
    """Functions and table functions of the SQLite at hand; None where it does not tell."""
    connection = sqlite3.connect(":memory:")
    try:
        lists = ("function_list", "module_list")
        names = {str(row[0]) for name in lists for row in connection.execute(f"PRAGMA {name}")}
    finally:
        connection.close()
    return frozenset(names) or None


def _arity(text: str, most: int) -> range:
    """`2` two, `1-3` from one to three, `2+` two or more, `1+2` one, three, five …"""
    low, plus, step = text.partition("+")
    if plus:
        return range(int(low), most + 1, int(step or 1))
    low, _, high = text.partition("-")
    return range(int(low), int(high or low) + 1)
