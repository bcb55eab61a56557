"""Semantic stores: one file a backend, found by its name.

A module of this folder whose name has no leading underscore is a store and offers
`build(settings: Mapping) -> SemanticStore`; the entry-point group `bunmyaku.stores` adds others.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from retrieval.errors import RetrievalError
from retrieval.types import SemanticStore

_GROUP = f"bunmyaku.{__name__.rsplit('.', 1)[-1]}"


def names() -> list[str]:
    """Every semantic store there is: modules of this folder, then what other packages registered."""
    return sorted({*_own(), *(point.name for point in entry_points(group=_GROUP))})


def build(name: str, settings: Mapping[str, Any]) -> SemanticStore:
    """The store of that name. Raises `RetrievalError` when there is none, or its settings lack something."""
    if name in _own():
        store: SemanticStore = import_module(f"{__name__}.{name}").build(settings)
        return store
    for point in entry_points(group=_GROUP, name=name):
        registered: SemanticStore = point.load()(settings)
        return registered
    raise RetrievalError(
        f"There is no semantic store called {name}", todo=f"Use one of: {', '.join(names())}."
    )


def _own() -> set[str]:
    return {info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")}
