"""How a plural folder finds its members: by module name, then by an entry-point group `bunmyaku.<folder>`.

A member is a module whose name has no leading underscore (a sub-package is none), or the module behind an entry
point; either offers `build(settings: Mapping)`. Adding one means adding one file, here or in another package.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from retrieval.errors import BunmyakuError


class Members:
    """The members of one folder. `noun` names one of them in the error for an unknown name."""

    def __init__(self, package: str, path: Iterable[str], noun: str, error: type[BunmyakuError]) -> None:
        self._package = package
        self._path = list(path)
        self._noun = noun
        self._error = error
        self._group = f"bunmyaku.{package.rsplit('.', 1)[-1]}"

    def names(self) -> list[str]:
        """Every member's name, sorted: modules of the folder, and what other packages registered."""
        return sorted(self._own() | {point.name for point in entry_points(group=self._group)})

    def build(self, name: str, settings: Mapping[str, Any]) -> Any:
        """What the member's `build` makes of the settings. Raises the folder's error for an unknown name."""
        return self.module(name).build(settings)

    def module(self, name: str) -> Any:
        """The module of that name; one of the folder wins over an entry point."""
        if name in self._own():
            return import_module(f"{self._package}.{name}")
        for point in entry_points(group=self._group, name=name):
            return point.load()
        raise self._error(f"There is no {self._noun} {name}", todo=f"Use one of: {', '.join(self.names())}.")

    def _own(self) -> set[str]:
        found = pkgutil.iter_modules(self._path)
        return {info.name for info in found if not info.ispkg and not info.name.startswith("_")}
