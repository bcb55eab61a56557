"""Data as it is shown: escaped HTML for bodies, neutral Markdown for labels. Nothing of it ever comes alive.

Streamlit's Markdown finds links, emoji codes, arrows and icons in running text even where their characters are
escaped, so that text goes through HTML; only labels of buttons, which take nothing else, are written as Markdown.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable

JOINER = "\u2060"
"""WORD JOINER: invisible, and what stands around it is no longer one word to a pattern."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$~:^=&@/])")
_LIVE = re.compile(r"(?<=[:@/.\-<>=])|(?<=www)", re.IGNORECASE)
_MARKER = re.compile(r"\[(\d{1,3})\]")


def words(text: str, kind: str = "words") -> str:
    """A block of text that keeps its line breaks and wraps."""
    return f'<div class="bm-{kind}">{html.escape(text)}</div>'


def answer(text: str, markers: Collection[int]) -> str:
    """An answer's text, the markers of its sources set apart."""

    def mark(found: re.Match[str]) -> str:
        return f"<sup>{found[0]}</sup>" if int(found[1]) in markers else found[0]

    return f'<div class="bm-words">{_MARKER.sub(mark, html.escape(text))}</div>'


def marked(text: str, start: int, end: int) -> str:
    """A passage with the quoted span marked."""
    start, end = max(0, start), max(0, start, end)
    before, quoted, after = (html.escape(part) for part in (text[:start], text[start:end], text[end:]))
    return f'<div class="bm-words">{before}<mark>{quoted}</mark>{after}</div>'


def details(summary: str, body: str) -> str:
    """Something that opens: the summary is data, the body is HTML made here."""
    return f'<details class="bm-source"><summary>{html.escape(summary)}</summary>{body}</details>'


def pairs(items: Iterable[tuple[str, str]]) -> str:
    """Names with what is said of them, one line each; an empty name continues the one above."""
    lines = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(said)}</dd>" for name, said in items)
    return f'<dl class="bm-pairs">{lines}</dl>' if lines else ""


def label(text: str) -> str:
    """One line of Markdown that shows exactly this text (the joiners in it cannot be seen)."""
    return _MARKDOWN.sub(r"\\\1", _LIVE.sub(JOINER, " ".join(text.split())))
