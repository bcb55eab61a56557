"""How a plural folder finds its members: by module name, then by an entry-point group."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from ingest.errors import IngestError


def member_names(package: str, path: Iterable[str]) -> list[str]:
    """Names of every member of the folder `path` of `package`, sorted; modules first win over entry points."""
    modules = {info.name for info in pkgutil.iter_modules(path) if not info.name.startswith("_")}
    return sorted(modules | {point.name for point in entry_points(group=_group(package))})


def member(package: str, path: Iterable[str], name: str) -> Any:
    """The module (or the object behind the entry point) of this name; raises IngestError for an unknown one."""
    if name in {info.name for info in pkgutil.iter_modules(path) if not info.name.startswith("_")}:
        return import_module(f"{package}.{name}")
    for point in entry_points(group=_group(package)):
        if point.name == name:
            return point.load()
    kind = package.rsplit(".", 1)[-1]
    raise IngestError(
        f"no such member of {kind}: {name}", todo=f"Known: {', '.join(member_names(package, path))}."
    )


def _group(package: str) -> str:
    return f"bunmyaku.{package.rsplit('.', 1)[-1]}"
