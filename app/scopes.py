"""What each caller may name, with a drafter over it, kept while they ask."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from app.walk import Scope
from retrieval.types import Principal

SCOPES = 64
"""Callers' scopes kept in memory; the least recently used is built again when needed."""


class Scopes:
    """Scopes by what decides them: tenant, roles and attributes; never shared between callers who differ in those."""

    def __init__(self, build: Callable[[Principal], Scope]) -> None:
        self._build = build
        self._kept: OrderedDict[str, Scope] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, principal: Principal) -> Scope:
        """The caller's scope, built when it is not kept."""
        attributes = sorted((name, repr(value)) for name, value in principal.attributes.items())
        key = repr((principal.tenant, principal.id, sorted(principal.roles), attributes))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        scope = self._build(principal)
        with self._lock:
            self._kept[key] = scope
            while len(self._kept) > SCOPES:
                self._kept.popitem(last=False)
        return scope
