"""Parsers: one module a family of formats, found by name; a media type picks the parser.

A module (or the object behind an entry point of the group `bunmyaku.parsers`) offers `build(settings) -> Parser`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from ingest.errors import IngestError
from ingest.types import Parser
from retrieval.plugins import Members

_MEMBERS = Members(__name__, __path__, "parser", IngestError)
names = _MEMBERS.names


def build(name: str, settings: Mapping[str, Any] | None = None) -> Parser:
    """The parser of this name; raises IngestError for an unknown one."""
    parser: Parser = _MEMBERS.build(name, settings or {})
    return parser


@cache
def by_media_type() -> dict[str, str]:
    """Which parser reads which media type; two that claim the same one are an IngestError."""
    found: dict[str, str] = {}
    for name in names():
        for media_type in build(name).media_types:
            if media_type in found:
                raise IngestError(
                    f"{media_type} is claimed by two parsers", where=f"{found[media_type]}, {name}"
                )
            found[media_type] = name
    return found


@cache
def identities() -> Mapping[str, str]:
    """`name/version` of every parser by name; what a document was read by is compared with this."""
    return {name: f"{name}/{build(name).version}" for name in names()}


@cache
def fingerprint() -> str:
    """Changes whenever a parser is added or its version raised: then what was unreadable is tried again."""
    return hashlib.sha256(" ".join(sorted(identities().values())).encode()).hexdigest()[:16]
