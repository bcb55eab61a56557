"""Asking: the question, the steps as they happen, and the record that comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.chat import card, markup, opening
from app.confirming import agreed_to
from app.events import Answered, Drafted, Event, Guarded, Ran, Retrieved, Routed
from app.messages import text
from app.walk import Given
from app.wiring import Application
from retrieval.errors import BunmyakuError
from retrieval.types import Language, Principal
from text2sql.types import Choice, Drafting

SUGGESTIONS = 4


@dataclass(frozen=True)
class Asked:
    """What is to be asked in this run: typed, or clicked; a chosen reading brings its draft along."""

    question: str
    choice: Choice | None = None
    confirmed: str = ""
    """The id of the record whose statement the caller agreed to."""


def taken(typed: str | None) -> Asked | None:
    """What was typed or clicked, once."""
    clicked: str | None = st.session_state.pop("asked", None)
    choice: Choice | None = st.session_state.pop("choice", None)
    confirmed: str = st.session_state.pop("confirmed", "")
    if typed:
        return Asked(typed)
    return Asked(clicked, choice, confirmed) if clicked else None


def welcome(app: Application, principal: Principal, language: Language) -> None:
    """Questions that can be asked as they stand: verified ones this caller may see, in their language."""
    st.html(markup.words(text("ui.welcome", language)))
    found = app.suggested(principal, language)[:SUGGESTIONS]
    if not found:
        return
    st.caption(text("ui.try", language))
    for number, question in enumerate(found):
        key = f"start_{principal.id}_{language}_{number}"
        st.button(markup.label(question), key=key, on_click=card.ask_again, args=(question,))


def ask(app: Application, principal: Principal, language: Language, asked: Asked) -> str | None:
    """Ask, showing each step; returns the record's id. What goes wrong is shown with a way to ask again."""
    place = st.empty()
    try:
        with place.container():
            return _walk(app, principal, language, asked)
    except BunmyakuError as error:
        with place.container():
            card.show_error(error, language)
            again = text("ui.again", language)
            st.button(
                again,
                key="again",
                on_click=card.ask_again,
                args=(asked.question, asked.choice, asked.confirmed),
            )
        return None


def _walk(app: Application, principal: Principal, language: Language, asked: Asked) -> str:
    with st.status(text("ui.working", language), expanded=True) as status:
        opening.warm(
            app, principal
        ).exception()  # waits; what failed there fails again below, where it is shown
        given = _given(app, principal, asked)
        conversation = st.session_state["conversation"]
        events = app.assistant.ask(asked.question, principal, conversation_id=conversation, given=given)
        seen: list[Event] = []
        try:
            for event in events:
                seen.append(event)
                line = step(event, language)
                if line:
                    st.write(line)
        finally:
            # A click meanwhile ends this run at its next drawing: the question is still answered and kept.
            seen.extend(events)
        status.update(label=text("ui.done", language), state="complete", expanded=False)
    return _noted(seen)


def _given(app: Application, principal: Principal, asked: Asked) -> Given | None:
    """What the click brings along: a reading, or the statement agreed to, read again as this caller's own record."""
    if asked.confirmed:
        kept = app.records.get(principal, asked.confirmed)
        return agreed_to(kept) if kept else None
    return Given(drafting=Drafting(drafts=(asked.choice.draft,))) if asked.choice else None


def _noted(events: list[Event]) -> str:
    """The record's id; keeps the readings of a question back, of the last one only."""
    found = next(event.record.id for event in events if isinstance(event, Answered))
    choices = next((event.drafting.choices for event in events if isinstance(event, Drafted)), ())
    st.session_state["readings"] = (found, choices)
    return found


def readings(record_id: str) -> tuple[Choice, ...]:
    """The readings of a question back that are still at hand; none for an earlier one."""
    kept: tuple[str, tuple[Choice, ...]] = st.session_state.get("readings", ("", ()))
    return kept[1] if kept[0] == record_id else ()


def step(event: Event, language: Language) -> str:
    """One line about a step, of figures and our own words only; "" for what needs none."""
    values: dict[str, Any]
    match event:
        case Retrieved(context=context, seconds=seconds):
            values = {"passages": len(context.passages("document")), "facts": len(context.facts())}
            return text("step.retrieved", language, ms=_ms(seconds), **values)
        case Drafted(drafting=drafting, seconds=seconds):
            if not drafting.drafts:
                return text("step.not_drafted", language)
            return text("step.drafted", language, count=len(drafting.drafts), ms=_ms(seconds))
        case Routed(route=route):
            return text(f"step.routed_{route.kind}", language)
        case Guarded(verdict=verdict, seconds=seconds):
            key = "step.allowed" if verdict.allowed else "step.refused"
            return text(key, language, ms=_ms(seconds))
        case Ran(result=result, seconds=seconds):
            return text("step.ran", language, rows=f"{result.table.num_rows:,}", ms=_ms(seconds))
        case _:
            return ""


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f}"
