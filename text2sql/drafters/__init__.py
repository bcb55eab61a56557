"""Drafters: one file each, found by its name. A drafter turns a question into candidate queries or declines.

A module of this folder whose name has no leading underscore is a drafter and offers
`build(settings: Mapping) -> Drafter`; the entry-point group `bunmyaku.drafters` adds others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrieval.plugins import Members
from text2sql.errors import Text2SqlError
from text2sql.types import Drafter

_MEMBERS = Members(__name__, __path__, "drafter", Text2SqlError)
names = _MEMBERS.names


def build(name: str, settings: Mapping[str, Any]) -> Drafter:
    """The drafter of that name. Raises `Text2SqlError` when there is none, or its settings lack something."""
    built: Drafter = _MEMBERS.build(name, settings)
    return built
