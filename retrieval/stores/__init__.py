"""Semantic stores: one file a backend, found by its name.

A module of this folder whose name has no leading underscore is a store and offers
`build(settings: Mapping) -> SemanticStore`; the entry-point group `bunmyaku.stores` adds others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrieval.errors import RetrievalError
from retrieval.plugins import Members
from retrieval.types import SemanticStore

_MEMBERS = Members(__name__, __path__, "semantic store called", RetrievalError)
names = _MEMBERS.names


def build(name: str, settings: Mapping[str, Any]) -> SemanticStore:
    """The store of that name. Raises `RetrievalError` when there is none, or its settings lack something."""
    built: SemanticStore = _MEMBERS.build(name, settings)
    return built
