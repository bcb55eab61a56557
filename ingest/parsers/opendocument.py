"""OpenDocument text, spreadsheets and presentations (ODT, ODS, ODP)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.archives import Archive
from ingest.building import TextBuilder
from ingest.errors import Unreadable, optional_part
from ingest.limits import Budget
from ingest.markup import Element, attribute, child, children, descendants, local, parse_xml
from ingest.media import ODP, ODS, ODT
from ingest.types import Parsed

_SKIPPED = frozenset(
    {"tracked-changes", "annotation", "forms", "sequence-decls", "settings", "variable-decls"}
)
# A spreadsheet says "repeat this cell a million times" of its empty margins; of full cells a few are kept.
_MOST_REPEATS = 50


class OpenDocumentParser:
    """Reads ODT, ODS and ODP."""

    version = 1
    media_types = frozenset({ODT, ODS, ODP})

    def parse(self, raw: bytes, _media_type: str, budget: Budget) -> Parsed:
        """Blocks in order, a page a sheet or slide; raises Unreadable when damaged or encrypted."""
        builder = TextBuilder(budget.limits.text_chars)
        title = ""
        with Archive(raw, budget) as archive:
            if archive.has("META-INF/manifest.xml") and b"encryption-data" in archive.read(
                "META-INF/manifest.xml"
            ):
                raise Unreadable("encrypted: a password is needed")
            with optional_part():
                meta = parse_xml(archive.read("meta.xml"))
                title = next((element.text or "" for element in descendants(meta, "title")), "")
            body = child(parse_xml(archive.read("content.xml")), "body")
        if body is not None:
            _walk(body, builder)
        return builder.build(title)


def _walk(body: Element, builder: TextBuilder) -> None:
    stack = [body]
    while stack and not builder.full:
        element = stack.pop()
        name = local(element)
        if name == "h":
            level = attribute(element, "outline-level")
            builder.heading(_text(element), int(level) if level.isdigit() else 1)
        elif name == "p":
            builder.paragraph(_text(element))
            stack.extend(descendants(element, "text-box"))
        elif name == "list":
            items = [_text(p) for p in descendants(element, "p", "h")]
            builder.paragraph("\n".join(item for item in items if item.strip()), kind="list")
        elif name == "table":
            _table(element, builder)
        elif name == "page":
            builder.page()
            stack.extend(reversed(element))
        elif name not in _SKIPPED:
            stack.extend(reversed(element))


def _table(table: Element, builder: TextBuilder) -> None:
    parent = table.getparent()
    if parent is not None and local(parent) == "spreadsheet":
        builder.page()
        builder.heading(attribute(table, "name"), 1)
    rows = []
    for row in descendants(table, "table-row"):
        cells: list[str] = []
        for cell in children(row, "table-cell"):
            text = " ".join(filter(None, (_text(p) for p in descendants(cell, "p", "h"))))
            repeats = attribute(cell, "number-columns-repeated")
            cells += [text] * min(int(repeats) if repeats.isdigit() else 1, _MOST_REPEATS)
        rows.append(cells)
    builder.table(rows)


def _text(paragraph: Element) -> str:
    """A paragraph's text with its spaces, tabs and breaks, without notes' marks and text boxes."""
    parts: list[str] = []
    stack: list[Element | str] = [*reversed(paragraph)]
    parts.append(paragraph.text or "")
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            parts.append(item)
            continue
        stack.append(item.tail or "")
        name = local(item)
        if name == "s":
            parts.append(" ")
        elif name == "tab":
            parts.append("\t")
        elif name == "line-break":
            parts.append("\n")
        elif name == "note-body":
            parts.append(" (")
            stack.append(")")
        if name in {"text-box", "annotation", "note-citation", "object", ""}:
            continue
        parts.append(item.text or "")
        stack.extend(reversed(item))
    return "".join(parts)


def build(_settings: Mapping[str, Any]) -> OpenDocumentParser:
    """There is nothing to set."""
    return OpenDocumentParser()
