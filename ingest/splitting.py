"""Documents into chunks small enough to be found by: about 128 tokens, cut at sentences, never inside a small table.

The size is measured: on budgets of one and two thousand tokens, chunks of 128 tokens on sentence bounds held more
evidence than those of 256 or 512. A chunk never crosses a page, so that a citation names the right one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ingest.sentences import Stretch, sentences
from ingest.types import Block, Parsed
from retrieval.tokens import count_tokens
from retrieval.types import Chunk, Document

VERSION = 1
"""Raised whenever the same document would be cut otherwise."""

SIZE = 128

# Pieces an over-long sentence may be cut into: after a comma, between words, else anywhere.
_ATOM = re.compile(r"[^\s、,，;；]{1,24}[、,，;；]?\s*|\s+|.")


@dataclass(frozen=True, slots=True)
class Piece:
    """Where one chunk lies in the extracted text, and under which headings."""

    start: int
    end: int
    page: int | None
    heading: str


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is never cut further."""

    start: int
    end: int
    tokens: int
    kind: str
    page: int | None
    heading: str


@dataclass(slots=True)
class _Current:
    """The chunk being filled."""

    units: list[_Unit] = field(default_factory=list)
    tokens: int = 0

    @property
    def body(self) -> int:
        """Tokens that are not headings."""
        return sum(unit.tokens for unit in self.units if unit.kind != "heading")

    def add(self, unit: _Unit) -> None:
        self.units.append(unit)
        self.tokens += unit.tokens

    def piece(self) -> Piece:
        first = next((unit for unit in self.units if unit.kind != "heading"), self.units[-1])
        return Piece(self.units[0].start, self.units[-1].end, self.units[0].page, first.heading)


def identity() -> str:
    """What the manifest compares: documents cut by another splitter, or to another size, are cut again."""
    return f"{VERSION}/{SIZE}"


def split(parsed: Parsed, document: Document, size: int = SIZE) -> list[Chunk]:
    """The chunks of one document version, in order; `chunk.text == parsed.text[chunk.start:chunk.end]`."""
    return chunks_of(pieces(parsed, size), parsed, document)


def chunks_of(found: Sequence[Piece], parsed: Parsed, document: Document) -> list[Chunk]:
    """Chunks at places already found (the process that parses finds them, the one that stores makes chunks)."""
    return [
        Chunk(
            id=f"{document.id}#{ordinal}",
            document=document,
            ordinal=ordinal,
            text=parsed.text[piece.start : piece.end],
            start=piece.start,
            end=piece.end,
            page=piece.page,
            heading=piece.heading,
        )
        for ordinal, piece in enumerate(found)
    ]


def pieces(parsed: Parsed, size: int = SIZE) -> list[Piece]:
    """Where the chunks lie. Neighbours in running text share one sentence; every word is in at least one."""
    if size < 8:
        raise ValueError("a chunk holds at least 8 tokens")
    found: list[Piece] = []
    current = _Current()
    for unit in _units(parsed, size):
        if current.units and _must_break(current, unit, size):
            overlap = _overlap(current, unit, size)
            found.append(current.piece())
            current = _Current()
            if overlap is not None:
                current.add(overlap)
        current.add(unit)
    if current.units:
        found.append(current.piece())
    return found


def _must_break(current: _Current, unit: _Unit, size: int) -> bool:
    if unit.page != current.units[-1].page:
        return True
    if unit.kind == "heading" and current.body * 4 >= size:
        return True
    # Headings alone are no chunk: what they head comes along, even a table that is a little too large.
    return current.tokens + unit.tokens > size and (current.body > 0 or current.tokens >= size)


def _overlap(current: _Current, unit: _Unit, size: int) -> _Unit | None:
    """The last sentence, said again at the start of the next chunk, where both are running text and it fits."""
    last = current.units[-1]
    fits = last.tokens * 2 <= size and last.tokens + unit.tokens <= size and len(current.units) > 1
    same = last.page == unit.page and last.heading == unit.heading
    return last if fits and same and last.kind == unit.kind == "paragraph" else None


def _units(parsed: Parsed, size: int) -> Iterator[_Unit]:
    path: list[tuple[int, str]] = []
    blocks = parsed.blocks or (Block("paragraph", 0, len(parsed.text)),)
    for block in blocks:
        text = parsed.text[block.start : block.end]
        page = parsed.page_of(block.start)
        if block.kind == "heading":
            while path and path[-1][0] >= block.level:
                path.pop()
            path.append((block.level, text))
        heading = " > ".join(part for _, part in path[-4:])
        if block.kind == "table":
            yield from _table(block, text, page, heading, size)
            continue
        stretches = [(0, len(text))] if block.kind == "heading" else sentences(text)
        for start, end in stretches:
            yield from _fitting(text, start, end, block, page, heading, size)


def _table(block: Block, text: str, page: int | None, heading: str, size: int) -> Iterator[_Unit]:
    """Whole when small (up to twice the size of a chunk), else row by row under its column names."""
    tokens = count_tokens(text)
    if tokens <= 2 * size:
        yield _Unit(block.start, block.end, tokens, "table", page, heading)
        return
    below = " > ".join(part for part in (heading, block.header) if part)
    start = 0
    for row in text.split("\n"):
        # The first rows stand under their own header already.
        yield from _fitting(text, start, start + len(row), block, page, below if start else heading, size)
        start += len(row) + 1


def _fitting(
    text: str, start: int, end: int, block: Block, page: int | None, heading: str, size: int
) -> Iterator[_Unit]:
    tokens = count_tokens(text[start:end])
    stretches = [(start, end, tokens)] if tokens <= size else _cut(text, start, end, size)
    for first, last, cost in stretches:
        yield _Unit(block.start + first, block.start + last, cost, block.kind, page, heading)


def _cut(text: str, start: int, end: int, size: int) -> Iterator[tuple[int, int, int]]:
    """An over-long sentence in parts of at most `size` tokens, blanks between them left out."""
    first, cost = start, 0
    for match in _ATOM.finditer(text, start, end):
        tokens = count_tokens(match.group())
        if cost and cost + tokens > size:
            yield from _priced(text, (first, match.start()))
            first, cost = match.start(), 0
        cost += tokens
    yield from _priced(text, (first, end))


def _priced(text: str, stretch: Stretch) -> Iterator[tuple[int, int, int]]:
    first, last = stretch
    while first < last and text[first].isspace():
        first += 1
    while last > first and text[last - 1].isspace():
        last -= 1
    if first < last:
        yield first, last, count_tokens(text[first:last])
