"""What is put to the warehouse for one question, and how a person's agreement to a statement comes back.

An agreement is to one statement for one caller: the draft goes the whole way again as that caller, the guard judges
it anew, and where that gives another statement than the one that was shown, it does not run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast, get_args

from app.routing import Route, RouteKind
from app.walk import Given, Walk, Warehousing
from text2sql.attempting import ANYTHING, Engine
from text2sql.types import Draft, Drafting
from text2sql.warehouses import session_for


def engine_for(walk: Walk, side: Warehousing, *, paid: bool) -> Engine:
    """The engine of one question: a session for its caller, whose statements carry the id of its record.

    Unless it is `paid` for, nobody's budget is touched and nobody is asked first: that is evaluation.
    """
    return Engine(
        session_for(side.warehouse, walk.principal, walk.id),
        side.guard,
        side.policy,
        side.limits,
        known=side.scope_for(walk.principal).catalog,
        purse=side.purse if paid else None,
        agreed=walk.given.agreed or ("" if paid else ANYTHING),
    )


def agreed_to(record: Mapping[str, Any]) -> Given | None:
    """The steps that run what a record waits for, of its JSON form; None where it waits for nothing."""
    if not record.get("confirm") or not record["attempts"]:
        return None
    kept = record["attempts"][-1]["draft"]
    draft = Draft(**{one.name: _as_was(kept[one.name]) for one in fields(Draft) if one.name in kept})
    kind = record["route"] if record["route"] in get_args(RouteKind) else "query"
    return Given(
        drafting=Drafting((draft,), linked=tuple(record["linked"])),
        route=Route(cast("RouteKind", kind), record["why"], kind),
        agreed=record["confirm"],
    )


def _as_was(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
