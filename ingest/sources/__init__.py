"""Sources: one module a kind of place documents come from, found by its name.

A module of this folder whose name has no leading underscore is a source and offers
`build(settings: Mapping) -> DocumentSource`; the entry-point group `bunmyaku.sources` adds others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.errors import IngestError
from ingest.types import DocumentSource
from retrieval.plugins import Members

_MEMBERS = Members(__name__, __path__, "source of the kind", IngestError)
names = _MEMBERS.names


def build(name: str, settings: Mapping[str, Any]) -> DocumentSource:
    """The source of that name. Raises `IngestError` when there is none, or its settings lack something."""
    built: DocumentSource = _MEMBERS.build(name, settings)
    return built
