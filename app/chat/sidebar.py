"""The sidebar: who asks, in which language, and what this home holds."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import streamlit as st

from app.messages import text
from retrieval.types import Language, Principal

if TYPE_CHECKING:
    from app.wiring import Application

LANGUAGES: dict[str, Language] = {"English": "en", "日本語": "ja"}


def draw(app: Application) -> tuple[Principal, Language]:
    """Draw it; returns who asks and the language of the page."""
    people = app.directory.everyone() if app.directory else []
    by_id = {who.id: who for who in people}
    default = app.principal(None).id
    with st.sidebar:
        chosen = st.selectbox(
            "User · 利用者",
            list(by_id),
            index=list(by_id).index(default),
            format_func=lambda user_id: f"{by_id[user_id].name} ({', '.join(by_id[user_id].roles)})",
            key="user",
        )
        principal = by_id[chosen]
        names = list(LANGUAGES)
        start = list(LANGUAGES.values()).index(principal.language)
        name = st.radio(
            "Language · 言語", names, index=start, horizontal=True, key=f"language_{principal.id}"
        )
        language = LANGUAGES[name]
        for attribute, value in principal.attributes.items():
            shown = ", ".join(str(item) for item in value) if isinstance(value, tuple) else str(value)
            st.caption(f"{attribute}: {shown}")
        if st.button(text("ui.new_conversation", language), width="stretch"):
            st.session_state["conversation"] = uuid.uuid4().hex
            st.session_state["turns"] = []
        _holdings(app, language)
    return principal, language


def _holdings(app: Application, language: Language) -> None:
    side = app.warehousing
    policy = (side.policy.name if side and side.policy else None) or "none"
    st.divider()
    st.caption(f"{text('label.policy', language)}: {policy}")
    st.caption(f"{text('ui.model', language)}: {app.stores.settings.model}")
    st.caption(text("ui.loopback", language))
