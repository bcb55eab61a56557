"""The one access decision on documents, in Python. Stores make the same one in their own language."""

from __future__ import annotations

from retrieval.types import Document, Principal


def may_read(principal: Principal, document: Document) -> bool:
    """Whether the caller may read it: same tenant, and at least one label in common (no label admits nobody)."""
    return principal.tenant == document.tenant and not principal.labels.isdisjoint(document.labels)
