"""Puts extracted text together: blocks one after another, blank lines between, offsets kept as it grows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ingest.types import Block, BlockKind, Embedded, Parsed

# Characters that PostgreSQL cannot hold (NUL), that JSON cannot (lone surrogates), or that nobody sees: soft hyphen,
# zero-width space, byte-order mark, pdfium's line-end hyphen.
_DROPPED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\u00ad\u200b\ufeff\ufffe\uffff]")
_BREAKS = re.compile("\r\n|[\r\x0c\x85\u2028\u2029]")
_BLANKS = re.compile("[ \t\u00a0]+")
_LINE_BLANKS = re.compile(" *\n *")
_MANY_BREAKS = re.compile("\n{3,}")


def tidy(text: str) -> str:
    """Without control characters, runs of blanks and blank ends of lines; single line breaks are kept."""
    text = _BREAKS.sub("\n", _DROPPED.sub("", text.replace("\ufffe", "")))
    return _MANY_BREAKS.sub("\n\n", _LINE_BLANKS.sub("\n", _BLANKS.sub(" ", text))).strip(" \n")


def one_line(text: str, limit: int = 300) -> str:
    """`text` on one line, cut at `limit` characters: for titles and headings."""
    return " ".join(tidy(text).split())[:limit].strip()


class TextBuilder:
    """Collects blocks; `build` gives the Parsed. Stops taking text at `limit` characters and says so."""

    def __init__(self, limit: int = 10_000_000) -> None:
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._pages: list[int] = []
        self._length = 0
        self._limit = limit
        self._cut = False
        self._warnings: list[str] = []
        self._embedded: list[Embedded] = []

    @property
    def full(self) -> bool:
        """True once the limit was reached: readers of long inputs can stop."""
        return self._cut

    @property
    def length(self) -> int:
        """Characters so far."""
        return self._length

    def page(self) -> None:
        """A new page starts with whatever is added next."""
        self._pages.append(self._length + (2 if self._length else 0))

    def heading(self, text: str, level: int = 1) -> None:
        """A heading, on one line."""
        self._add("heading", one_line(text), level=min(max(level, 1), 9))

    def paragraph(self, text: str, kind: BlockKind = "paragraph") -> None:
        """Running text, list items (one a line) or code."""
        self._add(kind, tidy(text) if kind != "code" else _plain(text))

    def table(self, rows: Iterable[Sequence[str]], *, first_is_header: bool = True) -> None:
        """Rows of cells, one line a row; rows without content are left out."""
        cleaned = [[one_line(cell, 2000) for cell in row] for row in rows]
        # Columns that are empty from top to bottom are margins, not structure.
        filled = sorted({place for row in cleaned for place, cell in enumerate(row) if cell})
        lines = []
        for row in cleaned:
            cells = [row[place] for place in filled if place < len(row)]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                lines.append(" | ".join(cells))
        if len(lines) > 1:
            self._add("table", "\n".join(lines), header=lines[0][:300] if first_is_header else "")
        elif lines:
            self._add("paragraph", lines[0])

    def warn(self, warning: str) -> None:
        """Something was left out."""
        if warning not in self._warnings:
            self._warnings.append(warning)

    def attach(self, name: str, data: bytes) -> None:
        """A file inside this one, to be read next."""
        self._embedded.append(Embedded(name, data))

    def include(self, other: Parsed) -> None:
        """Everything of another document, after this one's text: its pages are not this document's pages."""
        for block in other.blocks:
            self._add(block.kind, other.text[block.start : block.end], block.level, block.header)
        for warning in other.warnings:
            self.warn(warning)

    def build(self, title: str = "") -> Parsed:
        """The document; `title` falls back to the first heading."""
        first = next((b for b in self._blocks if b.kind == "heading"), None)
        text = "".join(self._parts)
        title = one_line(title) or (text[first.start : first.end] if first else "")
        if self._cut:
            self.warn(f"only the first {self._limit:,} characters were read")
        # Pages announced after the last text hold nothing but still count; they start where the text ends.
        pages = tuple(min(page, self._length) for page in self._pages)
        return Parsed(
            text,
            tuple(self._blocks),
            title,
            pages,
            warnings=tuple(self._warnings),
            embedded=tuple(self._embedded),
        )

    def _add(self, kind: BlockKind, text: str, level: int = 0, header: str = "") -> None:
        if not text or self._cut:
            return
        separator = "\n\n" if self._parts else ""
        if self._length + len(separator) + len(text) > self._limit:
            self._cut = True
            text = text[: max(0, self._limit - self._length - len(separator))].rstrip()
            if not text:
                return
        start = self._length + len(separator)
        self._parts += [separator, text]
        self._length = start + len(text)
        self._blocks.append(Block(kind, start, self._length, level, header))


def _plain(text: str) -> str:
    """Code keeps its indentation."""
    return _BREAKS.sub("\n", _DROPPED.sub("", text)).strip("\n").rstrip()
