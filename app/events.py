"""What an answer streams while it is made: one event a step, the last one carries the record."""

from __future__ import annotations

from dataclasses import dataclass

from app.record import AnswerRecord
from app.routing import Route
from retrieval.types import Context
from text2sql.types import Drafting, ResultSet, Verdict


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Context was found and merged."""

    context: Context
    seconds: float


@dataclass(frozen=True, slots=True)
class Drafted:
    """Queries were drafted, or not, with the reason."""

    drafting: Drafting
    seconds: float


@dataclass(frozen=True, slots=True)
class Routed:
    """It was decided where the answer comes from."""

    route: Route


@dataclass(frozen=True, slots=True)
class Guarded:
    """The guard spoke on one draft."""

    verdict: Verdict
    seconds: float


@dataclass(frozen=True, slots=True)
class Ran:
    """The warehouse answered."""

    result: ResultSet
    seconds: float


@dataclass(frozen=True, slots=True)
class Answered:
    """The way is walked; the record was kept."""

    record: AnswerRecord


Event = Retrieved | Drafted | Routed | Guarded | Ran | Answered
