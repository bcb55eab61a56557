"""The page itself: run by `bunmyaku ui`, imported by nobody.

Who asks is chosen in the sidebar, as long as the home has no sign-in: it is served on the loopback address only.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.chat import asking, card, markup, opening, session, sidebar
from app.chat.asking import Asked
from app.messages import text
from app.wiring import Application
from retrieval.errors import BunmyakuError
from retrieval.types import Chunk, Language, Principal
from text2sql.semantics import SemanticModel

SHOWN_TURNS = 20  # of a conversation; earlier ones stay in the store
# Drawn here: Streamlit fetches named icons and emoji from the network.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#2f5d8a"/>'
    '<path d="M8 11h16M16 7v4M10 11c2 6 7 10 13 13M22 11c-2 6-7 10-13 13" stroke="#fff" stroke-width="2.4"'
    ' stroke-linecap="round" fill="none"/></svg>'
)
OPENING = "Opening · 準備しています"
AVATAR = ":material/forum:"


def main() -> None:
    """Draw the page for this session."""
    st.set_page_config(page_title="Bunmyaku 文脈", page_icon=ICON, layout="centered")
    st.html(Path(__file__).with_name("style.css"))
    language: Language = session.language()
    try:
        with st.spinner(OPENING, show_time=True):
            app = opening.application()
        principal, language = sidebar.draw(app)
        talk(app, principal, language)
    except BunmyakuError as error:
        card.show_error(error, language)
        typed = st.session_state.get("question") or ""
        st.button(text("ui.again", language), key="reload", on_click=card.ask_again, args=(typed,))
    except Exception as error:  # noqa: BLE001 - the edge: a person sees a sentence, the terminal kind and place
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        logging.getLogger(__name__).log(logging.ERROR, "%s on the page, at %s", type(error).__name__, place)
        st.error(text("ui.fault", language, kind=type(error).__name__))


def talk(app: Application, principal: Principal, language: Language) -> None:
    """The conversation so far, and what is asked now."""
    opening.warm(app, principal)
    conversation = session.conversation(principal)
    typed = st.chat_input(text("ui.ask", language), key="question", submit_mode="disable")
    asked = asking.taken(typed)
    name, roles = principal.name or principal.id, ", ".join(principal.roles) or "–"
    st.html(markup.words(text("ui.asking_as", language, name=name, roles=roles), "quiet bm-asker"))
    records = app.records.recent(principal, conversation, SHOWN_TURNS)
    if not records and not asked:
        asking.welcome(app, principal, language)
    if len(records) == SHOWN_TURNS:
        st.caption(text("ui.earlier", language, count=SHOWN_TURNS))
    readable = _readable(app, principal, records)
    for record in records:
        card.question(record["question"])
        # In a place of its own like the answer that is being made: what stands in the same place is kept, not mixed up.
        with st.chat_message("assistant", avatar=AVATAR), st.empty().container():
            _draw(app, record, readable, language)
    if asked:
        _ask(app, principal, language, asked)
    session.remember(principal, begun=bool(records or asked))


def _ask(app: Application, principal: Principal, language: Language, asked: Asked) -> None:
    """Ask, and draw the answer as it was kept, in the place of the steps."""
    card.question(asked.question)
    with st.chat_message("assistant", avatar=AVATAR):
        place = st.empty()
        with place.container():
            found = asking.ask(app, principal, language, asked)
        record = app.records.get(principal, found) if found else None
        if record is not None:
            with place.container():
                _draw(app, record, _readable(app, principal, [record]), language)


def _draw(
    app: Application, record: Mapping[str, Any], readable: Mapping[str, Chunk], language: Language
) -> None:
    model = app.warehousing.model if app.warehousing else SemanticModel()
    choices = asking.readings(record["id"])
    card.show(record, model=model, passages=readable, choices=choices, language=language)


def _readable(
    app: Application, principal: Principal, records: Sequence[Mapping[str, Any]]
) -> dict[str, Chunk]:
    """The cited passages that this caller may read now, by chunk id."""
    cited = {citation["chunk_id"] for record in records for citation in record["citations"]}
    return {chunk.id: chunk for chunk in app.stores.store.get(sorted(cited), principal)} if cited else {}


if __name__ == "__main__":
    main()
