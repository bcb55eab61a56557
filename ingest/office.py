"""What the office packages share: where the main part is, and the title that its author gave."""

from __future__ import annotations

from ingest.archives import Archive
from ingest.errors import LimitExceeded, Unreadable
from ingest.markup import descendants, parse_xml, relations, resolve


def main_part(archive: Archive, usual: str) -> str:
    """The name of the main part: by relation, else the usual name."""
    try:
        for kind, target in relations(archive.read("_rels/.rels")).values():
            name = resolve("", target)
            if kind == "officeDocument" and archive.has(name):
                return name
    except LimitExceeded:
        raise
    except Unreadable:
        pass
    return usual


def core_title(archive: Archive) -> str:
    """The title in the document's properties, "" where none was given."""
    if not archive.has("docProps/core.xml"):
        return ""
    try:
        root = parse_xml(archive.read("docProps/core.xml"))
    except LimitExceeded:
        raise
    except Unreadable:
        return ""
    return next((element.text or "" for element in descendants(root, "title")), "")
