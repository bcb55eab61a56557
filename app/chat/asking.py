"""Asking: the question, the steps as they happen, and the record that comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from app.chat import card
from app.events import Answered, Drafted, Event, Guarded, Ran, Retrieved, Routed
from app.messages import text
from app.walk import Given
from retrieval.errors import BunmyakuError
from retrieval.types import Language, Principal
from text2sql.types import Choice, Drafting

if TYPE_CHECKING:
    from app.wiring import Application

SUGGESTIONS = 4


def suggestions(app: Application, principal: Principal, language: Language) -> None:
    """Questions that can be asked as they stand: verified ones this caller may see, in their language."""
    found = app.suggested(principal, language)[:SUGGESTIONS]
    if not found:
        return
    st.caption(text("ui.try", language))
    for number, question in enumerate(found):
        if st.button(question, key=f"suggestion_{number}", width="stretch"):
            st.session_state["asked"] = question


def pending(
    app: Application, principal: Principal, language: Language, typed: str | None, turns: list[dict[str, Any]]
) -> None:
    """Ask what was typed or clicked, if anything, and keep the turn."""
    state = st.session_state
    clicked: str | None = state.pop("asked", None)
    choice: Choice | None = state.pop("choice", None)
    question = typed or clicked
    if not question:
        return
    given = Given(drafting=Drafting(drafts=(choice.draft,))) if choice else None
    with st.chat_message("user"):
        st.markdown(card.plain(question))
    try:
        turn = _ask(app, principal, language, question, given)
    except BunmyakuError as error:
        with st.chat_message("assistant"):
            card.show_error(error, language)
        return
    turns.append(turn)
    st.rerun()


def _ask(
    app: Application, principal: Principal, language: Language, question: str, given: Given | None
) -> dict[str, Any]:
    record: dict[str, Any] = {}
    choices: tuple[Choice, ...] = ()
    with st.chat_message("assistant"), st.status(text("ui.working", language), expanded=True) as status:
        conversation = st.session_state["conversation"]
        for event in app.assistant.ask(question, principal, conversation_id=conversation, given=given):
            line = step(event, language)
            if line:
                st.write(line)
            if isinstance(event, Drafted):
                choices = event.drafting.choices
            if isinstance(event, Answered):
                record = event.record.to_json()
        status.update(label=text("ui.done", language), state="complete", expanded=False)
    return {"record": record, "choices": choices}


def step(event: Event, language: Language) -> str:
    """One line about a step; "" for what needs none."""
    match event:
        case Retrieved(context=context, seconds=seconds):
            passages = len(context.passages("document"))
            return text(
                "step.retrieved", language, passages=passages, facts=len(context.facts()), ms=_ms(seconds)
            )
        case Drafted(drafting=drafting, seconds=seconds):
            if not drafting.drafts:
                return text("step.not_drafted", language)
            return text("step.drafted", language, count=len(drafting.drafts), ms=_ms(seconds))
        case Routed(route=route):
            return text("step.routed", language, route=text(f"label.{route.kind}", language))
        case Guarded(verdict=verdict, seconds=seconds):
            key = "step.allowed" if verdict.allowed else "step.refused"
            return text(key, language, ms=_ms(seconds))
        case Ran(result=result, seconds=seconds):
            return text("step.ran", language, rows=result.table.num_rows, ms=_ms(seconds))
        case _:
            return ""


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
