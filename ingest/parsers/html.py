"""HTML: the main content by trafilatura; everything visible where that keeps too little of the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lxml import etree, html

from ingest.building import TextBuilder, one_line
from ingest.decoding import declared_in, decode
from ingest.errors import Unreadable
from ingest.limits import Budget
from ingest.markup import Element
from ingest.media import HTML
from ingest.types import Parsed
from ingest.visible import render

# Below this many visible characters there is no boilerplate worth removing, only content worth losing.
_SHORT = 2500
_KEEP = 0.4
_PROLOG = re.compile(r"\A\s*<\?xml[^>]*\?>")


class HtmlParser:
    """Reads `text/html`."""

    version = 1
    media_types = frozenset({HTML})

    def parse(self, raw: bytes, _media_type: str, budget: Budget) -> Parsed:
        """Headings, paragraphs, lists, tables; the title element (or the first heading) as title."""
        return parse_html(decode(raw, declared_in(raw)), budget)


def parse_html(text: str, budget: Budget) -> Parsed:
    """The same for text already decoded (mail bodies, chapters); raises Unreadable where there is no tree."""
    root = _tree(text)
    title = _title(root)
    visible = TextBuilder(budget.limits.text_chars)
    render(root, visible)
    everything = visible.build(title)
    if len(everything.text) < _SHORT:
        return everything
    main = _main(root, budget)
    if main is None or len(main.text) < _KEEP * len(everything.text):
        return everything
    # The page's own heading often stands outside what is taken for its main content.
    return main.with_(title=title or main.title, warnings=everything.warnings)


def _tree(text: str) -> Element:
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False, remove_pis=True)
    body = _PROLOG.sub("", text).replace("\0", "").encode("utf-8", "replace")
    try:
        root = html.document_fromstring(body or b"<html></html>", parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, AssertionError) as error:
        raise Unreadable("no text: the page is empty") from error
    return root


def _title(root: Element) -> str:
    for element in root.iter("title"):
        if found := one_line("".join(element.itertext())):
            return found
    return ""


def _main(root: Element, budget: Budget) -> Parsed | None:
    import trafilatura

    try:
        found = trafilatura.bare_extraction(
            root, include_comments=False, include_tables=True, favor_recall=True, with_metadata=False
        )
    except (etree.LxmlError, ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError):
        # Its heuristics stumble over odd trees; the caller then keeps everything visible.
        return None
    body = getattr(found, "body", None)
    if body is None:
        return None
    builder = TextBuilder(budget.limits.text_chars)
    render(body, builder)
    return builder.build()


def build(_settings: Mapping[str, Any]) -> HtmlParser:
    """There is nothing to set."""
    return HtmlParser()
