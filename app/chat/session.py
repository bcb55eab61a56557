"""What a browser session remembers: who asks and which conversation. The turns themselves stay in the store.

Both stand in the address, so that a reload shows the conversation again; a conversation's turns are only ever
read as the caller they belong to.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Container

import streamlit as st

from retrieval.types import Language, Principal

_ID = re.compile(r"[0-9a-f]{32}")


def first_user(people: Container[str]) -> str | None:
    """The user the address names, where there is such a user."""
    named = st.query_params.get("user")
    return named if named is not None and named in people else None


def start() -> None:
    """Begin a conversation."""
    st.session_state["conversation"] = uuid.uuid4().hex
    st.session_state.pop("readings", None)
    st.query_params.pop("conversation", None)


def conversation(principal: Principal) -> str:
    """The conversation of this caller. Another caller starts one of their own, as does a new session."""
    state = st.session_state
    before = state.get("asker")
    if before != principal.id:
        named = st.query_params.get("conversation", "")
        start()
        if before is None and st.query_params.get("user") == principal.id and _ID.fullmatch(named):
            state["conversation"] = named
        state["asker"] = principal.id
    found: str = state["conversation"]
    return found


def remember(principal: Principal, *, begun: bool) -> None:
    """Keep the address in step: it names a conversation once there is something in it."""
    wanted = {"user": principal.id}
    if begun:
        wanted["conversation"] = st.session_state["conversation"]
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def language() -> Language:
    """The page's language before it is known who asks: the browser's."""
    return "ja" if (st.context.locale or "").startswith("ja") else "en"
