"""PowerPoint (PPTX, PPTM): a page a slide, its title as heading, text, tables, charts, diagrams and speaker's notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ingest.archives import Archive
from ingest.building import TextBuilder
from ingest.errors import LimitExceeded, Unreadable, optional_part
from ingest.limits import Budget
from ingest.markup import (
    Element,
    attribute,
    child,
    children,
    descendants,
    local,
    parse_xml,
    relations,
    relations_of,
    resolve,
)
from ingest.media import PPTX
from ingest.office import core_title, main_part
from ingest.types import Parsed

_TITLES = frozenset({"title", "ctrTitle"})
# Page furniture that repeats on every slide.
_FURNITURE = frozenset({"sldNum", "dt", "ftr", "hdr"})


class SlidesParser:
    """Reads PPTX."""

    version = 1
    media_types = frozenset({PPTX})

    def parse(self, raw: bytes, _media_type: str, budget: Budget) -> Parsed:
        """Slides in the order they are shown; raises Unreadable when the package is damaged."""
        builder = TextBuilder(budget.limits.text_chars)
        with Archive(raw, budget) as archive:
            main = main_part(archive, "ppt/presentation.xml")
            for name in _slides(archive, main):
                builder.page()
                try:
                    _slide(archive, name, builder, budget)
                except LimitExceeded:
                    raise
                except Unreadable as error:
                    builder.warn(f"{name.rpartition('/')[2]}: {error.what}")
            return builder.build(core_title(archive))


def _slides(archive: Archive, main: str) -> list[str]:
    links = relations(archive.read(relations_of(main)))
    shown = descendants(parse_xml(archive.read(main)), "sldId")
    ordered = [links.get(_relation(slide), ("", ""))[1] for slide in shown]
    return [resolve(main, target) for target in ordered if target]


def _relation(slide: Element) -> str:
    """The relation's id: `r:id` beside the plain `id`."""
    return next((str(v) for k, v in slide.attrib.items() if k.endswith("}id")), "")


def _slide(archive: Archive, name: str, builder: TextBuilder, budget: Budget) -> None:
    root = parse_xml(archive.read(name))
    shapes = list(_shapes(root))
    shapes.sort(key=lambda shape: _placeholder(shape) not in _TITLES)
    for shape in shapes:
        if local(shape) == "tbl":
            builder.table([[_text(cell) for cell in children(row, "tc")] for row in children(shape, "tr")])
        elif _placeholder(shape) in _TITLES:
            builder.heading(_text(shape), 1)
        elif _placeholder(shape) not in _FURNITURE:
            builder.paragraph(_text(shape))
    links: dict[str, tuple[str, str]] = {}
    with optional_part():
        links = relations(archive.read(relations_of(name)))
    for kind, target in links.values():
        part = resolve(name, target)
        if kind in {"chart", "diagramData", "notesSlide"} and archive.has(part):
            _related(kind, parse_xml(archive.read(part)), builder)
        elif kind in {"package", "oleObject"} and archive.has(part):
            budget.member()
            builder.attach(part.rpartition("/")[2], archive.read(part))


def _related(kind: str, root: Element, builder: TextBuilder) -> None:
    if kind == "notesSlide":
        for shape in _shapes(root):
            if _placeholder(shape) not in _FURNITURE:
                builder.paragraph(_text(shape))
        return
    texts = [
        _text(element)
        for element in descendants(root, "rich", "tx", "t" if kind == "diagramData" else "rich")
    ]
    if kind == "chart":
        texts += [v.text or "" for cache in descendants(root, "strCache") for v in descendants(cache, "v")]
    unique = dict.fromkeys(text.strip() for text in texts if text.strip())
    builder.paragraph("\n".join(unique), kind="list")


def _shapes(root: Element) -> Iterator[Element]:
    """Shapes and tables in document order, those inside groups too; a fallback repeats what stands before it."""
    for element in descendants(root, "sp", "tbl"):
        if not any(local(ancestor) == "Fallback" for ancestor in element.iterancestors()):
            yield element


def _placeholder(shape: Element) -> str:
    mark = child(shape, "nvSpPr", "nvPr", "ph")
    return attribute(mark, "type") if mark is not None else ""


def _text(element: Element) -> str:
    """A line a paragraph."""
    lines = []
    for paragraph in descendants(element, "p"):
        pieces = descendants(paragraph, "t", "br", "tab")
        parts = [piece.text or "" if local(piece) == "t" else " " for piece in pieces]
        lines.append("".join(parts).strip())
    if not lines and element.text:
        lines = [element.text]
    return "\n".join(line for line in lines if line)


def build(_settings: Mapping[str, Any]) -> SlidesParser:
    """There is nothing to set."""
    return SlidesParser()
