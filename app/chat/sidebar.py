"""The sidebar: who asks, in which language, and what this home holds."""

from __future__ import annotations

import streamlit as st

from app.chat import markup, session
from app.messages import text
from app.wiring import Application
from retrieval.types import Language, Principal

LANGUAGES: dict[str, Language] = {"English": "en", "日本語": "ja"}


def draw(app: Application) -> tuple[Principal, Language]:
    """Draw it; returns who asks and the language of the page. Raises what the directory raises."""
    people = {who.id: who for who in app.directory.everyone()} if app.directory else {}
    first = session.first_user(people) or app.principal(None).id
    known = people.get(st.session_state.get("user", first)) or people[first]
    language = _language(known)
    with st.sidebar:
        st.html('<div class="bm-brand">Bunmyaku <span>文脈</span></div>')
        chosen = st.selectbox(
            text("ui.user", language),
            list(people),
            index=list(people).index(first),
            format_func=lambda user_id: _called(people[user_id]),
            key="user",
        )
        principal = people[chosen]
        language = _language(principal)
        st.radio(
            "Language · 言語",
            list(LANGUAGES),
            index=list(LANGUAGES.values()).index(principal.language),
            horizontal=True,
            key=_language_key(principal),
        )
        _attributes(principal)
        st.button(
            text("ui.new_conversation", language),
            key="new",
            icon=":material/add_comment:",
            width="stretch",
            on_click=session.start,
        )
        st.divider()
        _holdings(app, language)
    return principal, language


def _language_key(principal: Principal) -> str:
    return f"language_{principal.id}"


def _language(principal: Principal) -> Language:
    """The page's language: as chosen, else the caller's own. Known before the radio is drawn, for the labels above."""
    chosen: str = st.session_state.get(_language_key(principal), "")
    return LANGUAGES.get(chosen, principal.language)


def _called(who: Principal) -> str:
    return f"{who.name or who.id} ({', '.join(who.roles) or '–'})"


def _attributes(principal: Principal) -> None:
    items = [
        (name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, tuple) else str(value))
        for name, value in principal.attributes.items()
    ]
    if items:
        st.html(markup.pairs(items))


def _holdings(app: Application, language: Language) -> None:
    side, none = app.warehousing, text("ui.none", language)
    policy = (side.policy.title if side and side.policy else "") or text("ui.policy_none", language)
    model = app.stores.settings.model.name
    lines = [
        (text("label.policy", language), policy),
        (text("ui.model", language), none if model == "none" else model),
    ]
    st.html(markup.pairs(lines))
    st.html(markup.words(text("ui.loopback", language), "quiet"))
