"""XML of no known kind: the text of its elements, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.building import TextBuilder
from ingest.limits import Budget
from ingest.markup import local, parse_xml
from ingest.media import XML
from ingest.types import Parsed


class XmlParser:
    """Reads `application/xml`."""

    version = 1
    media_types = frozenset({XML})

    def parse(self, raw: bytes, _media_type: str, budget: Budget) -> Parsed:
        """A paragraph for each element that holds text of its own; a `title` element as title."""
        root = parse_xml(raw)
        builder = TextBuilder(budget.limits.text_chars)
        title = ""
        for element in root.iter():
            name = local(element)
            parts = [element.text if name else None, *(child.tail for child in element)]
            text = " ".join(part.strip() for part in parts if part and part.strip())
            if name == "title" and not title:
                title = text
            builder.paragraph(text)
        return builder.build(title)


def build(_settings: Mapping[str, Any]) -> XmlParser:
    """There is nothing to set."""
    return XmlParser()
