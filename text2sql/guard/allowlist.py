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
_UNLIMITED = 1_000
_SQLITE_VERSION = sqlite3.sqlite_version_info[:2]


@dataclass(frozen=True, slots=True)
class Function:
    """One function by name. A name can be two functions by its arguments: SQLite's `max(x)` and `max(x, y)`."""

    kinds: tuple[tuple[Kind, int, int], ...]

    def kind(self, arguments: int) -> Kind | None:
        """What it is with so many arguments; None when it takes another number."""
        return next((kind for kind, low, high in self.kinds if low <= arguments <= high), None)

    def takes(self) -> str:
        """The numbers of arguments it takes, for a message."""
        return " or ".join(f"{low}+" if high == _UNLIMITED else str(low) if low == high else f"{low}-{high}"
                           for _, low, high in self.kinds)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Allowlist:
    """What a dialect allows. `types` is None where any type name is harmless."""

    dialect: str
    nodes: Mapping[str, frozenset[str]]
    function_arguments: frozenset[str]
    functions: Mapping[str, Function]
    excluded: Mapping[str, str]
    types: frozenset[str] | None
    collations: frozenset[str]
    written: Mapping[str, tuple[str, ...]]
    """Node -> names of functions that it may have been written as, where the parser has another name for it."""
    words: frozenset[str]
    reserved: frozenset[str]
    reserved_as_alias: bool
    tokens: Mapping[str, str]


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
        function_arguments=frozenset(common["function_arguments"].split()),
        functions=_functions(own["functions"]),
        excluded={name: why for why, names in own.get("excluded", {}).items() for name in names.split()},
        types=None if types == "any" else frozenset(types.split()),
        collations=frozenset(str(own["collations"]).split()),
        written={node: tuple(names.split()) for node, names in common["written"].items()},
        words=frozenset(common["words"].split()),
        reserved=frozenset(own["reserved"].split()),
        reserved_as_alias=bool(own["reserved_as_alias"]),
        tokens=own.get("tokens", {}),
    )


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


def _functions(groups: list[dict[str, str]]) -> dict[str, Function]:
    found: dict[str, list[tuple[Kind, int, int]]] = {}
    for group in groups:
        kind: Kind = group["kind"]  # type: ignore[assignment]  # a test reads every kind in the files
        for entry in group["names"].split():
            name, _, arity = entry.partition(":")
            arity, _, since = arity.partition("@")
            if since and tuple(int(part) for part in since.split(".")) > _SQLITE_VERSION:
                continue
            low, high = _arity(arity)
            found.setdefault(name, []).append((kind, low, high))
    return {name: Function(tuple(kinds)) for name, kinds in found.items()}


def _arity(text: str) -> tuple[int, int]:
    if text.endswith("+"):
        return int(text[:-1]), _UNLIMITED
    low, _, high = text.partition("-")
    return int(low), int(high or low)
