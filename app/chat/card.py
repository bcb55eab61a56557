"""The answer card: sentence, chart, table, SQL, sources, checks. Everything shown is data, never markup."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from app.messages import error_text, finding_text, text
from app.rendering import pretty_sql
from retrieval.errors import BunmyakuError
from retrieval.types import Language, Principal
from text2sql.types import Warn

if TYPE_CHECKING:
    from app.wiring import Application

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$~:^=])")
Color = Literal["red", "orange", "blue", "green", "violet", "gray"]
BADGES: dict[str, tuple[Color, str]] = {
    "answered": ("green", ":material/check_circle:"),
    "no_rows": ("gray", ":material/inbox:"),
    "clarify": ("blue", ":material/help:"),
    "declined": ("orange", ":material/do_not_disturb_on:"),
    "withheld": ("violet", ":material/lock:"),
    "refused": ("red", ":material/gpp_bad:"),
    "failed": ("red", ":material/error:"),
}


def plain(words: str) -> str:
    """Text as Markdown that shows exactly that text: no link, image, formula or emoji code comes alive."""
    return "  \n".join(_MARKDOWN.sub(r"\\\1", line) for line in words.splitlines())


def show(turn: dict[str, Any], app: Application, principal: Principal, language: Language) -> None:
    """Draw one turn."""
    record = turn["record"]
    with st.chat_message("user"):
        st.markdown(plain(record["question"]))
    with st.chat_message("assistant"):
        color, icon = BADGES[record["outcome"]]
        st.badge(text(f"label.{record['outcome']}", language), color=color, icon=icon)
        st.markdown(plain(record["text"]))
        for number, choice in enumerate(turn["choices"]):
            if st.button(choice.label, key=f"choice_{record['id']}_{number}"):
                st.session_state["asked"], st.session_state["choice"] = record["question"], choice
        _rows(record, language)
        _citations(record, app, principal, language)
        _trust(record, language)


def show_error(error: BunmyakuError, language: Language) -> None:
    """What went wrong, where, and what to do."""
    st.error(plain(error_text(error, language)))


def _rows(record: dict[str, Any], language: Language) -> None:
    if not record["rows"]:
        return
    if record["chart"]:
        st.vega_lite_chart(record["chart"], width="stretch")
    st.dataframe(record["rows"], width="stretch", hide_index=True)
    total = record["result"]["rows"]
    if record["result"]["truncated"] or total > len(record["rows"]):
        st.caption(text("label.rows_shown", language, shown=len(record["rows"]), total=total))
    if record["sql"]:
        with st.expander("SQL"):
            st.code(
                pretty_sql(record["sql"], record["versions"].get("dialect", "")),
                language="sql",
                wrap_lines=True,
            )
            if record["parameters"]:
                st.caption(text("label.parameters", language))
                st.json(record["parameters"])


def _citations(record: dict[str, Any], app: Application, principal: Principal, language: Language) -> None:
    for citation in record["citations"]:
        page = f", p. {citation['page']}" if citation["page"] else ""
        with st.expander(
            f"[{citation['marker']}] {plain(citation['title'])}{page}", icon=":material/description:"
        ):
            _passage(citation, app, principal, language)


def _passage(citation: dict[str, Any], app: Application, principal: Principal, language: Language) -> None:
    """The passage with the quoted span marked, read again as this caller: a right taken away counts at once."""
    found = app.stores.store.get([citation["chunk_id"]], principal)
    chunk = found[0] if found else None
    if chunk is None or chunk.document.version != citation["version"]:
        st.caption(text("ui.passage_changed", language))
        return
    start = max(0, citation["start"] - chunk.start)
    end = max(start, citation["end"] - chunk.start)
    before, quoted, after = chunk.text[:start], chunk.text[start:end], chunk.text[end:]
    marked = f"{html.escape(before)}<mark>{html.escape(quoted)}</mark>{html.escape(after)}"
    st.html(f'<div style="white-space: pre-wrap">{marked}</div>')
    day = f" · {citation['as_of'][:10]}" if citation["as_of"] else ""
    st.caption(plain(citation["uri"]) + day)


def _warn(raw: dict[str, Any]) -> Warn:
    return Warn(raw["code"], raw["message"], subject=raw["subject"], suggestions=tuple(raw["suggestions"]))


def _trust(record: dict[str, Any], language: Language) -> None:
    """Why it can be trusted: checks, warnings, what was understood and assumed, the policy, the time it took."""
    with st.expander(text("ui.why", language), icon=":material/verified_user:"):
        for check in record["checks"]:
            mark = ":material/check:" if check["passed"] else ":material/close:"
            st.markdown(f"{mark} **{plain(check['name'])}** {plain(check['detail'])}")
        for warning in record["warnings"]:
            st.warning(plain(finding_text(_warn(warning), language)))
        for item in record["understood"]:
            st.markdown(f"{text('label.understood', language)}: {plain(item)}")
        for item in record["assumptions"]:
            st.markdown(f"{text('label.assumed', language)}: {plain(item)}")
        for name, words in record["definitions"].items():
            st.markdown(f"**{plain(name)}**: {plain(words)}")
        for item in record["left_out"]:
            st.markdown(f"{text('label.left_out', language)}: {plain(item)}")
        asker = record["principal"]
        roles = ", ".join(asker["roles"]) or "–"
        st.caption(
            plain(
                f"{asker['name']} ({roles}) · {text('label.policy', language)}: {record['policy'] or 'none'}"
            )
        )
        spent = " · ".join(f"{part} {seconds * 1000:.0f} ms" for part, seconds in record["timings"].items())
        st.caption(plain(f"{record['route']}: {record['why']} · {spent} · {record['tokens']} tokens"))
        st.caption(record["id"])
