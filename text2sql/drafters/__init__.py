"""Drafters: one file each, found by its name. A drafter turns a question into candidate queries or declines.

A module of this folder (not a sub-package, no leading underscore) is a drafter and offers
`build(settings: Mapping) -> Drafter`; the entry-point group `bunmyaku.drafters` adds others.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from text2sql.errors import Text2SqlError
from text2sql.types import Drafter

_GROUP = f"bunmyaku.{__name__.rsplit('.', 1)[-1]}"


def names() -> list[str]:
    """Every drafter there is: modules of this folder, then what other packages registered."""
    return sorted({*_own(), *(point.name for point in entry_points(group=_GROUP))})


def build(name: str, settings: Mapping[str, Any]) -> Drafter:
    """Build the drafter of that name. Raises `Text2SqlError` when there is none."""
    if name in _own():
        drafter: Drafter = import_module(f"{__name__}.{name}").build(settings)
        return drafter
    for point in entry_points(group=_GROUP, name=name):
        registered: Drafter = point.load()(settings)
        return registered
    raise Text2SqlError(f"There is no drafter {name}", todo=f"Use one of: {', '.join(names())}.")


def _own() -> set[str]:
    found = pkgutil.iter_modules(__path__)
    return {info.name for info in found if not info.ispkg and not info.name.startswith("_")}
