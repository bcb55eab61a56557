"""Word documents (DOCX, DOCM): paragraphs, headings by style or outline level, tables, notes, embedded files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
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
from ingest.media import DOCX
from ingest.office import core_title, main_part
from ingest.types import Parsed

_HEADING_NAME = re.compile(r"(?i)^(?:heading|überschrift|titre|見出し)\s*(\d)$")
# What Word shows only to editors, or shows twice.
_SKIPPED = frozenset({"del", "moveFrom", "Fallback", "instrText", "delText", "pPr", "sectPr", "rPr"})
_NOTES = ("footnotes", "endnotes", "comments")


@dataclass(slots=True)
class _Styles:
    """Style id -> heading level, inherited from the style it is based on."""

    levels: dict[str, int] = field(default_factory=dict)

    def level(self, paragraph: Element) -> int:
        properties = child(paragraph, "pPr")
        own = child(properties, "outlineLvl")
        if own is not None and attribute(own, "val").isdigit():
            level = int(attribute(own, "val"))
            return level + 1 if level < 9 else 0
        style = child(properties, "pStyle")
        return self.levels.get(attribute(style, "val"), 0) if style is not None else 0


class WordParser:
    """Reads DOCX."""

    version = 1
    media_types = frozenset({DOCX})

    def parse(self, raw: bytes, _media_type: str, budget: Budget) -> Parsed:
        """Body, then notes; raises Unreadable when the package is damaged or encrypted."""
        builder = TextBuilder(budget.limits.text_chars)
        with Archive(raw, budget) as archive:
            main = main_part(archive, "word/document.xml")
            links = {}
            with optional_part():
                links = relations(archive.read(relations_of(main)))
            targets: dict[str, list[str]] = {}
            for kind, target in links.values():
                targets.setdefault(kind, []).append(resolve(main, target))
            styles = _styles(archive, targets.get("styles", ["word/styles.xml"])[0])
            body = child(parse_xml(archive.read(main)), "body")
            if body is not None:
                _blocks(body, styles, builder)
            for kind in _NOTES:
                for target in targets.get(kind, []):
                    _notes(archive, target, builder)
            for kind in ("package", "oleObject", "aFChunk"):
                for target in targets.get(kind, []):
                    _embed(archive, target, builder, budget)
            return builder.build(core_title(archive))


def _styles(archive: Archive, name: str) -> _Styles:
    styles = _Styles()
    root = None
    with optional_part():
        root = parse_xml(archive.read(name))
    if root is None:
        return styles
    based: dict[str, str] = {}
    for style in children(root, "style"):
        identifier = attribute(style, "styleId")
        called = child(style, "name")
        named = _HEADING_NAME.match(attribute(called, "val")) if called is not None else None
        outline = child(style, "pPr", "outlineLvl")
        parent = child(style, "basedOn")
        if named is not None:
            styles.levels[identifier] = int(named.group(1))
        elif called is not None and attribute(called, "val").casefold() == "title":
            styles.levels[identifier] = 1
        elif (
            outline is not None and attribute(outline, "val").isdigit() and int(attribute(outline, "val")) < 9
        ):
            styles.levels[identifier] = int(attribute(outline, "val")) + 1
        elif parent is not None:
            based[identifier] = attribute(parent, "val")
    for identifier in based:
        ancestor, seen = identifier, set[str]()
        while ancestor in based and ancestor not in seen:
            seen.add(ancestor)
            ancestor = based[ancestor]
        if ancestor in styles.levels:
            styles.levels[identifier] = styles.levels[ancestor]
    return styles


def _blocks(body: Element, styles: _Styles, builder: TextBuilder) -> None:
    """Paragraphs and tables in order, those inside content controls and text boxes too; without recursion."""
    stack = [body]
    items: list[str] = []
    while stack:
        element = stack.pop()
        name = local(element)
        if name == "p":
            text = text_of(element)
            level = styles.level(element)
            listed = child(element, "pPr", "numPr") is not None and not level
            if items and not listed:
                builder.paragraph("\n".join(items), kind="list")
                items = []
            if level and text.strip() and len(text) < 300:
                builder.heading(text, level)
            elif listed and text.strip():
                items.append(text)
            else:
                builder.paragraph(text)
            stack.extend(reversed(_boxes(element)))
        elif name == "tbl":
            builder.paragraph("\n".join(items), kind="list")
            items = []
            builder.table(_rows(element))
        elif name not in _SKIPPED:
            stack.extend(reversed(list(element)))
    builder.paragraph("\n".join(items), kind="list")


def _boxes(paragraph: Element) -> list[Element]:
    """The text boxes anchored in a paragraph, outermost only, without their fallbacks for old readers."""
    found = []
    for box in descendants(paragraph, "txbxContent"):
        above = [local(ancestor) for ancestor in box.iterancestors()]
        inside = above[: above.index("p")] if "p" in above else above
        if "Fallback" not in inside and "txbxContent" not in inside:
            found.append(box)
    return found


def text_of(paragraph: Element) -> str:
    """A paragraph's own text: runs, tabs, breaks, formulas; not its text boxes, deletions or field codes."""
    parts: list[str] = []
    stack = list(reversed(paragraph))
    while stack:
        element = stack.pop()
        name = local(element)
        if name == "t":
            parts.append(element.text or "")
        elif name in {"tab", "ptab"}:
            parts.append("\t")
        elif name in {"br", "cr"}:
            parts.append("\n")
        elif name == "noBreakHyphen":
            parts.append("-")
        elif name == "sym":
            parts.append(" ")
        elif name not in _SKIPPED and name != "txbxContent":
            stack.extend(reversed(element))
    return "".join(parts)


def _rows(table: Element) -> list[list[str]]:
    return [
        [" ".join(text_of(p) for p in descendants(cell, "p")) for cell in _inside(row, "tc")]
        for row in _inside(table, "tr")
    ]


def _inside(element: Element, name: str) -> list[Element]:
    """Children of this name, those wrapped in content controls too."""
    found = []
    for one in element:
        if local(one) == name:
            found.append(one)
        elif local(one) == "sdt":
            found += (
                list(children(content, name)) if (content := child(one, "sdtContent")) is not None else []
            )
    return found


def _notes(archive: Archive, target: str, builder: TextBuilder) -> None:
    with optional_part():
        for note in parse_xml(archive.read(target)):
            # Word keeps its separator lines as notes of a type.
            if attribute(note, "type") in {"", "normal"}:
                builder.paragraph(" ".join(text_of(p) for p in descendants(note, "p")))


def _embed(archive: Archive, target: str, builder: TextBuilder, budget: Budget) -> None:
    budget.member()
    try:
        builder.attach(target.rpartition("/")[2], archive.read(target))
    except LimitExceeded:
        raise
    except Unreadable as error:
        builder.warn(f"{target}: {error.what}")


def build(_settings: Mapping[str, Any]) -> WordParser:
    """There is nothing to set."""
    return WordParser()
