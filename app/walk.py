"""What is carried along while one question is answered, and what the answer is made with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from app.answering import DocumentAnswer
from app.errors import GivenInvalid
from app.routing import Route
from app.withholding import Beyond
from app.writing import Written
from retrieval.types import Context, Language, Principal
from text2sql.attempting import ROUNDS, Attempt
from text2sql.cost import Purse
from text2sql.policy import Policy
from text2sql.semantics import SemanticModel
from text2sql.types import (
    Catalog,
    Draft,
    Drafter,
    Drafting,
    Guard,
    Limits,
    ModelCall,
    ResultSet,
    Verdict,
    Warehouse,
)


@dataclass(frozen=True)
class Scope:
    """What one caller may name, and a drafter that knows no more than that."""

    catalog: Catalog
    drafter: Drafter
    beyond: Beyond | None = None
    """What lies beyond it that they may know of; None where nothing does."""


@dataclass(frozen=True)
class Warehousing:
    """Everything the query side needs; absent where no warehouse is configured."""

    warehouse: Warehouse
    guard: Guard
    policy: Policy | None
    model: SemanticModel
    scope_for: Callable[[Principal], Scope]
    limits: Limits
    purse: Purse | None = None
    """What pays for each caller's queries; None: nobody counts."""
    rounds: int = ROUNDS
    """Drafts that are put to the guard for one question before giving up."""


@dataclass(frozen=True)
class Given:
    """Steps supplied by the caller, for replay, evaluation and a person's choice among readings."""

    context: Context | None = None
    drafting: Drafting | None = None
    route: Route | None = None
    verdict: Verdict | None = None
    result: ResultSet | None = None
    agreed: str = ""
    """What a person agreed to run though it reads much: a statement's hash, or `attempting.ANYTHING`."""

    def __post_init__(self) -> None:
        if self.verdict is not None and self.result is None:
            raise GivenInvalid(
                "A verdict was supplied without a result",
                where="Given",
                todo="Nothing runs on a supplied verdict.",
            )


@dataclass
class Walk:
    """One question on its way: what the steps so far found. Lives for one call of `ask`."""

    id: str
    question: str
    principal: Principal
    conversation_id: str
    language: Language
    given: Given
    timings: dict[str, float] = field(default_factory=dict)
    context: Context | None = None
    drafting: Drafting = field(default_factory=Drafting)
    rest: str = ""
    """The part of a double question that the documents are asked; "" where it was not taken apart."""
    later: tuple[str, ...] = ()
    """Parts of a double question that want a query of their own."""
    beyond: bool = False
    """Whether a table that the asker may know of, but not read, would be queried."""
    documents: DocumentAnswer | None = None
    route: Route | None = None
    attempts: list[Attempt] = field(default_factory=list)
    chosen: Draft | None = None
    verdict: Verdict | None = None
    result: ResultSet | None = None
    calls: list[ModelCall] = field(default_factory=list)
    failure: str = ""
    """Why the chat model could not be used for the query, "" where it could or was not needed."""
    written: Written | None = None

    @property
    def found(self) -> Context:
        """The context; every step but the first can count on it."""
        assert self.context is not None  # noqa: S101 - set by the first step
        return self.context

    def timed(self, part: str, started: float) -> float:
        """Add the seconds since `started` to a part of the way; returns them."""
        seconds = perf_counter() - started
        self.timings[part] = self.timings.get(part, 0.0) + seconds
        return seconds
