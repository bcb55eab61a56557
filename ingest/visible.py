"""Visible text of an HTML tree (or of trafilatura's own tree) as blocks. No recursion: depth is the author's choice."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from ingest.building import TextBuilder
from ingest.markup import Element, descendants, local

_UNSEEN = (
    "script style noscript template head svg math iframe object embed canvas audio video select datalist"
)
_SKIPPED = frozenset(_UNSEEN.split())
_HEADINGS = {f"h{level}": level for level in range(1, 7)} | {"head": 2}
_ITEMS = frozenset({"li", "item", "dt", "dd"})
_TABLES = frozenset({"table"})
_ROWS = frozenset({"tr", "row"})
_CELLS = frozenset({"td", "th", "cell"})
_CODE = frozenset({"pre"})
_ENDS_TEXT = (
    "p div section article main header footer nav aside ul ol dl list quote blockquote figure"
    " figcaption form fieldset address details summary body html table tbody thead tfoot tr td th"
    " caption center"
)
_BLOCKS = frozenset(_ENDS_TEXT.split())
_BREAKS = frozenset({"br", "lb", "hr"})
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\n\f\u00a0]+")


class _Walk:
    """Collects inline text and gives it to the builder at every block bound."""

    def __init__(self, builder: TextBuilder) -> None:
        self.builder = builder
        self.inline: list[str] = []
        self.items: list[str] = []
        self.headings: list[int] = []
        self.in_item = 0

    def text(self, value: str | None) -> None:
        if value:
            self.inline.append(_SPACES.sub(" ", value))

    def flush(self) -> None:
        """Ends the running text."""
        text = "".join(self.inline).strip()
        self.inline.clear()
        if not text:
            return
        if self.headings:
            self.end_list()
            self.builder.heading(text, self.headings[-1])
        elif self.in_item:
            self.items.append(_SPACES.sub(" ", text))
        else:
            self.end_list()
            self.builder.paragraph(text)

    def end_list(self) -> None:
        """Ends a list: its items are one block, a line each."""
        if self.items:
            self.builder.paragraph("\n".join(self.items), kind="list")
            self.items.clear()


def render(root: Element, builder: TextBuilder) -> None:
    """Adds everything a reader of the page would see."""
    walk = _Walk(builder)
    context = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in context:
        name = local(element).lower()
        if event in {"comment", "pi"}:
            walk.text(element.tail)
        elif event == "start":
            if (name in _SKIPPED and not (name == "head" and element.get("rend"))) or _hidden(element):
                context.skip_subtree()
            elif name in _TABLES and _is_data(element):
                walk.flush()
                walk.end_list()
                builder.table(_table(element))
                context.skip_subtree()
            elif name in _CODE:
                walk.flush()
                walk.end_list()
                builder.paragraph("".join(element.itertext()), kind="code")
                context.skip_subtree()
            else:
                _start(walk, element, name)
        else:
            _end(walk, element, name)
    walk.flush()
    walk.end_list()


def _start(walk: _Walk, element: Element, name: str) -> None:
    if name in _HEADINGS:
        walk.flush()
        rend = element.get("rend") or ""
        walk.headings.append(int(rend[1]) if re.fullmatch(r"h[1-9]", rend) else _HEADINGS[name])
    elif name in _ITEMS:
        walk.flush()
        walk.in_item += 1
    elif name in _BLOCKS or name in _ROWS:
        walk.flush()
    elif name in _BREAKS:
        walk.inline.append("\n")
    elif name == "img":
        walk.text(f" {element.get('alt') or ''} ")
    walk.text(element.text)


def _end(walk: _Walk, element: Element, name: str) -> None:
    skipped = (name in _SKIPPED and not (name == "head" and element.get("rend"))) or _hidden(element)
    rendered = name in _CODE or (name in _TABLES and _is_data(element))
    if not skipped and not rendered:
        if name in _HEADINGS:
            walk.flush()
            walk.headings.pop()
        elif name in _ITEMS:
            walk.flush()
            walk.in_item -= 1
        elif name in _BLOCKS or name in _ROWS:
            walk.flush()
        elif name in _CELLS:
            walk.text(" ")
    walk.text(element.tail)


def _hidden(element: Element) -> bool:
    return element.get("hidden") is not None or bool(_HIDDEN.search(element.get("style") or ""))


def _is_data(table: Element) -> bool:
    """A table of data, not one that lays out a page: no table inside, more than one cell in some row, short cells."""
    if next((inner for inner in descendants(table, *_TABLES) if inner is not table), None) is not None:
        return False
    cells = list(descendants(table, *_CELLS))
    rows = sum(1 for _ in descendants(table, *_ROWS))
    if len(cells) <= rows or rows < 2:
        return False
    return sum(1 for cell in cells if len("".join(cell.itertext())) > 800) * 5 <= len(cells)


def _table(table: Element) -> list[list[str]]:
    rows = []
    for row in descendants(table, *_ROWS):
        cells = [cell for cell in row if local(cell).lower() in _CELLS and not _hidden(cell)]
        rows.append([" ".join(_cell_text(cell)) for cell in cells])
    return rows


def _cell_text(cell: Element) -> list[str]:
    found: list[str] = []
    context: Any = etree.iterwalk(cell, events=("start", "end"))
    for event, element in context:
        name = local(element).lower()
        if event == "start":
            if element is not cell and (name in _SKIPPED or _hidden(element)):
                context.skip_subtree()
            elif element.text:
                found.append(element.text)
        elif element is not cell and element.tail:
            found.append(element.tail)
    return found
