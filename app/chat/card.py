"""The answer card: what came out, the sentence, chart and table, sources, SQL, and why it can be trusted.

Drawn from the record as it was kept, so that a turn looks the same right after it was asked and ever after.
Everything shown is data, never markup (see `markup`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import streamlit as st

from app import costs
from app.chat import markup, tables, trust
from app.messages import error_text, text
from app.rendering import pretty_sql
from retrieval.errors import BunmyakuError
from retrieval.types import Chunk, Language
from text2sql.semantics import SemanticModel
from text2sql.types import Choice

Color = Literal["red", "orange", "blue", "green", "violet", "gray"]
Record = Mapping[str, Any]
BADGES: dict[str, tuple[Color, str]] = {
    "answered": ("green", ":material/check_circle:"),
    "no_rows": ("gray", ":material/inbox:"),
    "clarify": ("blue", ":material/help:"),
    "declined": ("orange", ":material/do_not_disturb_on:"),
    "withheld": ("violet", ":material/lock:"),
    "refused": ("red", ":material/gpp_bad:"),
    "confirm": ("orange", ":material/hourglass_top:"),
    "failed": ("red", ":material/error:"),
}
HINTS = frozenset({"no_rows", "withheld", "refused", "failed"})
"""Outcomes whose text does not say by itself what to do next."""


def ask_again(question: str, choice: Choice | None = None, confirmed: str = "") -> None:
    """Called by a button: have this asked in the run that follows. `confirmed`: the record that waited for a word."""
    state = st.session_state
    state["asked"], state["choice"], state["confirmed"] = question, choice, confirmed


def question(words: str) -> None:
    """The asker's own words."""
    with st.chat_message("user", avatar=":material/person:"):
        st.html(markup.words(words))


def show(
    record: Record,
    *,
    model: SemanticModel,
    passages: Mapping[str, Chunk],
    choices: Sequence[Choice],
    language: Language,
) -> None:
    """Draw one answer. `passages`: the cited chunks that may be read now; `choices`: readings still at hand."""
    outcome = record["outcome"]
    color, icon = BADGES[outcome]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(text(f"label.{outcome}", language), color=color, icon=icon)
        st.html(markup.words(trust.byline(record, language), "quiet"), width="content")
    st.html(markup.answer(said(record), {citation["marker"] for citation in record["citations"]}))
    if outcome in HINTS:
        st.html(markup.words(text(f"ui.todo_{outcome}", language), "quiet"))
    _buttons(record, choices)
    if record["result"]:
        tables.show(record, model)
        _cut(record, language)
    _sources(record, passages, language)
    _sql(record, language)
    why = text("ui.why" if outcome in ("answered", "no_rows") else "ui.how", language)
    with st.expander(why, icon=":material/verified_user:"):
        st.html(trust.html(record, model, language))


def show_error(error: BunmyakuError, language: Language) -> None:
    """What went wrong, where, and what to do."""
    st.badge(text("label.trouble", language), color="red", icon=":material/error:")
    st.html(markup.words(error_text(error, language), "trouble bm-words"))


def said(record: Record) -> str:
    """The record's text without the list of suggestions, which stand below it as buttons."""
    told = str(record["text"])
    lines = "".join(f"\n- {suggestion}" for suggestion in record["suggestions"])
    return told.removesuffix(text("part.suggestions", record["language"], items=lines)).rstrip()


def _buttons(record: Record, choices: Sequence[Choice]) -> None:
    """Readings to choose from, or questions to ask instead. A reading that is no longer at hand asks again."""
    if record.get("confirm"):  # records of before have none
        name = markup.label(costs.confirm_label(record, "cost.confirm", record["language"]))
        st.button(
            name,
            key=f"confirm_{record['id']}",
            type="primary",
            on_click=ask_again,
            args=(record["question"], None, record["id"]),
        )
    if record["outcome"] == "clarify":
        known = {choice.label: choice for choice in choices}
        offered = [(label, record["question"], known.get(label)) for label in record["choices"]]
    else:
        offered = [(suggestion, suggestion, None) for suggestion in record["suggestions"]]
    if not offered:
        return
    with st.container(horizontal=True, gap="small"):
        for number, (label, asked, choice) in enumerate(offered):
            key = f"offer_{record['id']}_{number}"
            st.button(markup.label(label), key=key, on_click=ask_again, args=(asked, choice))


def _cut(record: Record, language: Language) -> None:
    result, shown = record["result"], len(record["rows"])
    if result["truncated"]:
        st.caption(text("outcome.truncated", language, count=f"{result['rows']:,}"))
    if result["rows"] > shown:
        st.caption(text("label.rows_shown", language, shown=f"{shown:,}", total=f"{result['rows']:,}"))


def _sql(record: Record, language: Language) -> None:
    """What ran; or, where nothing ran, the draft that was stopped."""
    dialect = record["versions"].get("dialect", "")
    stopped = not record["sql"] and record["attempts"]
    sql = record["attempts"][-1]["draft"]["sql"] if stopped else record["sql"]
    if record.get("confirm"):  # what would run, word for word
        sql = record["attempts"][-1]["verdict"]["sql"]
    if not sql:
        return
    name = text("ui.sql_stopped" if stopped else "ui.sql", language)
    with st.expander(name, icon=":material/code:"):
        st.code(pretty_sql(sql, dialect), language="sql", wrap_lines=True)
        if record["parameters"]:
            st.caption(text("label.parameters", language))
            bound = ((name, trust.listed(value)) for name, value in record["parameters"].items())
            st.html(markup.pairs(bound))


def _sources(record: Record, passages: Mapping[str, Chunk], language: Language) -> None:
    shown = "".join(_source(citation, passages, language) for citation in record["citations"])
    if shown:
        st.html(shown)


def _source(citation: Mapping[str, Any], passages: Mapping[str, Chunk], language: Language) -> str:
    """The passage with the quoted span marked, read again as this caller: a right taken away counts at once."""
    page = text("ui.page", language, page=citation["page"]) if citation["page"] else ""
    summary = f"[{citation['marker']}] {citation['title']}{page}"
    chunk = passages.get(citation["chunk_id"])
    if chunk is None or chunk.document.version != citation["version"]:
        body = markup.words(text("ui.passage_changed", language), "quiet")
    else:
        body = markup.marked(chunk.text, citation["start"] - chunk.start, citation["end"] - chunk.start)
    day = f" · {citation['as_of'][:10]}" if citation["as_of"] else ""
    return markup.details(summary, body + markup.words(citation["uri"] + day, "quiet"))
