"""Plain text in any encoding: paragraphs, wrapped lines joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest.building import TextBuilder
from ingest.decoding import decode
from ingest.flow import paragraphs
from ingest.limits import Budget
from ingest.media import PLAIN
from ingest.types import Parsed


class TextParser:
    """Reads `text/plain`."""

    version = 1
    media_types = frozenset({PLAIN, "application/json", "application/yaml"})

    def parse(self, raw: bytes, _media_type: str, budget: Budget) -> Parsed:
        """Paragraphs; raises Unreadable for binary data."""
        builder = TextBuilder(budget.limits.text_chars)
        for paragraph in paragraphs(decode(raw)):
            builder.paragraph(paragraph)
        return builder.build()


def build(_settings: Mapping[str, Any]) -> TextParser:
    """There is nothing to set."""
    return TextParser()
