"""The one JSON object that a model replies with, and what it means as a `Drafting`.

Forgiving in form (null for "nothing", one text for a list of one), strict in substance: a query without SQL or a
question back without readings is no reply, and the model is told so.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from text2sql.drafters.prompting.compiled import metrics_in
from text2sql.semantics import SemanticModel
from text2sql.types import Catalog, Choice, Decline, Draft, Drafting
from text2sql.visible_model import tables_of

MOST_CHOICES = 4
MOST_LINES = 12
"""Phrases of one list that are kept; a model that lists more has lost its way."""
LONGEST = 500
"""Characters of one phrase that are kept."""
_ADDRESS = re.compile(
    r"\b(?:[a-z][a-z0-9+.-]{1,20}://|www\.|javascript:|data:|mailto:)[^\s)\]）」>\"']*", re.IGNORECASE
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Reading(_Part):
    """One reading of an ambiguous question."""

    label: str = Field(min_length=1)
    sql: str = Field(min_length=1)


class DraftReply(_Part):
    """What the prompts `draft` and `revise` ask for."""

    action: Literal["query", "clarify", "decline"]
    sql: str = ""
    reading: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    question: str = ""
    choices: tuple[Reading, ...] = ()
    lacking: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()

    @field_validator("sql", "question", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return "" if value is None else value

    @field_validator("reading", "assumptions", "lacking", "suggestions", mode="before")
    @classmethod
    def _phrases(cls, value: Any) -> Any:
        if value is None:
            return ()
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list | tuple):
            return listed
        return tuple(_line(item) if isinstance(item, str) else item for item in listed if item)[:MOST_LINES]

    @field_validator("choices", mode="before")
    @classmethod
    def _choices(cls, value: Any) -> Any:
        return () if value is None else value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.action == "query" and not statement(self.sql):
            raise ValueError("`sql` is empty though `action` is query")
        if self.action == "clarify" and len({statement(choice.sql) for choice in self.choices}) < 2:
            raise ValueError("`choices` holds fewer than two readings with different `sql`")
        return self


def statement(sql: str) -> str:
    """The text without white space and semicolons at its end; what stands within is for the guard to judge."""
    return sql.strip().rstrip("; \t\r\n")


def understood_as(reply: DraftReply, catalog: Catalog, model: SemanticModel, made: Draft) -> Drafting:
    """The reply as a drafting; `made` carries what all its drafts share: drafter, model, prompt, confidence."""

    def drafted(sql: str, reading: tuple[str, ...]) -> Draft:
        text = statement(sql)
        return replace(
            made,
            sql=text,
            understood=reading or made.understood,
            assumptions=reply.assumptions,
            metrics=metrics_in(text, catalog, model),
            tables=tables_of(text, catalog) or (),
        )

    if reply.action == "query":
        return Drafting(drafts=(drafted(reply.sql, reply.reading),))
    if reply.action == "clarify":
        choices = tuple(
            Choice(_line(choice.label), drafted(choice.sql, (_line(choice.label),)))
            for choice in reply.choices[:MOST_CHOICES]
        )
        return Drafting(choices=choices, clarify=_line(reply.question))
    return Drafting(decline=Decline(reply.reading, reply.lacking, reply.suggestions[:3]))


def _line(text: str) -> str:
    """A phrase on one line. Addresses go: no question about data is answered with a place to go to."""
    return " ".join(_ADDRESS.sub("…", text).split())[:LONGEST]
