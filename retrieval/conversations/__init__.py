"""Conversation stores: one file a backend, found by its name.

A module of this folder whose name has no leading underscore is a store and offers
`build(settings: Mapping) -> ConversationStore`; the entry-point group `bunmyaku.conversations` adds others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrieval.errors import RetrievalError
from retrieval.plugins import Members
from retrieval.types import ConversationStore

_MEMBERS = Members(__name__, __path__, "conversation store called", RetrievalError)
names = _MEMBERS.names


def build(name: str, settings: Mapping[str, Any]) -> ConversationStore:
    """The store of that name. Raises `RetrievalError` when there is none, or its settings lack something."""
    built: ConversationStore = _MEMBERS.build(name, settings)
    return built
