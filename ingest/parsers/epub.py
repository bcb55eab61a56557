"""EPUB books: chapters in reading order, each a page of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ingest.archives import Archive
from ingest.building import TextBuilder
from ingest.decoding import declared_in, decode
from ingest.errors import LimitExceeded, Unreadable
from ingest.limits import Budget
from ingest.markup import attribute, descendants, parse_xml, resolve
from ingest.media import EPUB
from ingest.parsers.html import parse_html
from ingest.types import Parsed


class EpubParser:
    """Reads `application/epub+zip`."""

    version = 1
    media_types = frozenset({EPUB})

    def parse(self, raw: bytes, _media_type: str, budget: Budget) -> Parsed:
        """The spine's chapters; raises Unreadable when damaged or protected."""
        builder = TextBuilder(budget.limits.text_chars)
        with Archive(raw, budget) as archive:
            container = parse_xml(archive.read("META-INF/container.xml"))
            package = next((attribute(r, "full-path") for r in descendants(container, "rootfile")), "")
            root = parse_xml(archive.read(package))
            title = next((element.text or "" for element in descendants(root, "title")), "")
            items = {attribute(i, "id"): attribute(i, "href") for i in descendants(root, "item")}
            for reference in descendants(root, "itemref"):
                href = unquote(items.get(attribute(reference, "idref"), ""))
                if href:
                    builder.page()
                    _chapter(archive, resolve(package, href), builder, budget)
        return builder.build(title)


def _chapter(archive: Archive, name: str, builder: TextBuilder, budget: Budget) -> None:
    try:
        raw = archive.read(name)
        builder.include(parse_html(decode(raw, declared_in(raw)), budget))
    except LimitExceeded:
        raise
    except Unreadable as error:
        builder.warn(f"{name}: {error.what}")


def build(_settings: Mapping[str, Any]) -> EpubParser:
    """There is nothing to set."""
    return EpubParser()
