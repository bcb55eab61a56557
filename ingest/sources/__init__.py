"""Sources: one module a kind of place documents come from, found by name.

A module (or the object behind an entry point of the group `bunmyaku.sources`) offers `build(settings) ->
DocumentSource`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.plugins import member, member_names
from ingest.types import DocumentSource


def names() -> list[str]:
    """Every kind of source, sorted."""
    return member_names(__name__, __path__)


def build(name: str, settings: Mapping[str, Any]) -> DocumentSource:
    """A source of this kind; raises IngestError for an unknown kind, SourceUnavailable for unusable settings."""
    source: DocumentSource = member(__name__, __path__, name).build(settings)
    return source
