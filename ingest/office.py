"""What the office packages share: where the main part is, and the title that its author gave."""

from __future__ import annotations

from ingest.archives import Archive
from ingest.errors import optional_part
from ingest.markup import descendants, parse_xml, relations, resolve


def main_part(archive: Archive, usual: str) -> str:
    """The name of the main part: by relation, else the usual name."""
    found = usual
    with optional_part():
        for kind, target in relations(archive.read("_rels/.rels")).values():
            name = resolve("", target)
            if kind == "officeDocument" and archive.has(name):
                found = name
    return found


def core_title(archive: Archive) -> str:
    """The title in the document's properties, "" where none was given."""
    if not archive.has("docProps/core.xml"):
        return ""
    titles: list[str] = []
    with optional_part():
        root = parse_xml(archive.read("docProps/core.xml"))
        titles = [element.text or "" for element in descendants(root, "title")]
    return titles[0] if titles else ""
