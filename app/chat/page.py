"""The page itself. Run by `bunmyaku ui`; importing it does nothing.

Who asks is chosen in the sidebar, as long as the home has no sign-in: it is served on the loopback address only.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from app import settings as configuration
from app.errors import AppError

if TYPE_CHECKING:
    from app.wiring import Application
    from retrieval.types import Principal


def main() -> None:
    """Draw the page for this session."""
    import streamlit as st

    from app.chat import asking, card, sidebar
    from app.messages import text
    from retrieval.errors import BunmyakuError

    st.set_page_config(page_title="Bunmyaku", page_icon="文", layout="centered")
    try:
        app = _application()
        principal, language = sidebar.draw(app)
        turns = _turns(principal)
    except BunmyakuError as error:
        card.show_error(error, "en")
        st.stop()
    st.title("Bunmyaku 文脈")
    st.caption(text("ui.asking_as", language, name=principal.name, roles=", ".join(principal.roles) or "–"))
    if not turns:
        asking.suggestions(app, principal, language)
    for turn in turns:
        card.show(turn, app, principal, language)
    question = st.chat_input(text("ui.ask", language), key="question", max_chars=4_000)
    asking.pending(app, principal, language, question, turns)


def _application() -> Application:
    """One application for all sessions of this server."""
    import streamlit as st

    from app.wiring import open_application

    @st.cache_resource(show_spinner=True)
    def opened(home: str) -> Application:
        settings = configuration.load()
        if not configuration.has_config(settings.home):
            raise AppError(
                "Nothing is set up here yet", where=home, todo="Run `bunmyaku init` or `bunmyaku demo`."
            )
        return open_application(settings)

    return opened(str(configuration.home_folder()))


def _turns(principal: Principal) -> list[dict[str, Any]]:
    """This caller's turns of the current conversation. Another caller starts a conversation of their own."""
    import streamlit as st

    state = st.session_state
    if state.get("asker") != principal.id:
        state["asker"] = principal.id
        state["conversation"] = uuid.uuid4().hex
        state["turns"] = []
    turns: list[dict[str, Any]] = state["turns"]
    return turns


if __name__ == "__main__":
    main()
