"""XML as hostile input: no entities, no network, no deep recursion. Shared by the office formats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from ingest.errors import Unreadable

Element = Any
"""lxml's element; the library ships no types."""


def parse_xml(raw: bytes) -> Element:
    """The root element; raises Unreadable when even a lenient reading finds none."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, recover=True, remove_pis=True
    )
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable("damaged: not well-formed XML") from error
    if root is None:
        raise Unreadable("damaged: not well-formed XML")
    return root


def local(element: Element) -> str:
    """The tag without its namespace (writers of "strict" files use other namespaces); "" for comments."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Element, name: str) -> str:
    """An attribute by its local name, "" where it is not there."""
    for key, value in element.attrib.items():
        if key == name or key.endswith("}" + name):
            return str(value)
    return ""


def children(element: Element, name: str) -> Iterator[Element]:
    """Direct children of this local name."""
    return (child for child in element if local(child) == name)


def child(element: Element | None, *path: str) -> Element | None:
    """The first descendant along a path of local names, None where it breaks off."""
    for name in path:
        if element is None:
            return None
        element = next(children(element, name), None)
    return element


def descendants(element: Element, *names: str) -> Iterator[Element]:
    """Every descendant of these local names, in document order."""
    return (found for found in element.iter() if local(found) in names)


def relations(raw: bytes) -> dict[str, tuple[str, str]]:
    """An office package's relations: id -> (last part of the type, target)."""
    found = {}
    for relation in descendants(parse_xml(raw), "Relationship"):
        external = relation.get("TargetMode", "") == "External"
        kind = "external" if external else relation.get("Type", "").rpartition("/")[2]
        found[relation.get("Id", "")] = (kind, relation.get("Target", ""))
    return found


def resolve(base: str, target: str) -> str:
    """A target of a relation as a path inside the archive; `base` is the part that holds the relation."""
    if target.startswith("/"):
        return target.lstrip("/")
    parts = base.split("/")[:-1]
    for step in target.replace("\\", "/").split("/"):
        if step == "..":
            parts = parts[:-1]
        elif step not in {"", "."}:
            parts.append(step)
    return "/".join(parts)


def relations_of(base: str) -> str:
    """Where the relations of a part are kept."""
    folder, _, name = base.rpartition("/")
    return f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels"
