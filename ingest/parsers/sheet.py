"""Excel workbooks (XLSX, XLSM): a page a sheet, rows as text with dates and shared strings resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from lxml import etree

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
from ingest.media import XLSX
from ingest.office import core_title, main_part
from ingest.types import Parsed

_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_DATE_CODE = re.compile(r"[ymdhs]", re.IGNORECASE)
_NOT_CODE = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d+)")
_LAST_COLUMN = 16_384
# Cells kept of one row: beyond that a sheet is data for the warehouse, not text to be found.
_WIDEST = 400


@dataclass(frozen=True, slots=True)
class _Book:
    strings: list[str]
    dates: frozenset[int]
    """Cell formats that show a number as a date."""
    epoch: datetime


class SheetParser:
    """Reads XLSX."""

    version = 1
    media_types = frozenset({XLSX})

    def parse(self, raw: bytes, _media_type: str, budget: Budget) -> Parsed:
        """Sheets in order, the last calculated values; raises Unreadable when the package is damaged."""
        builder = TextBuilder(budget.limits.text_chars)
        with Archive(raw, budget) as archive:
            main = main_part(archive, "xl/workbook.xml")
            workbook = parse_xml(archive.read(main))
            links = relations(archive.read(relations_of(main)))
            book = _book(archive, workbook, main, links)
            for sheet in descendants(workbook, "sheet"):
                identifier = next((str(v) for k, v in sheet.attrib.items() if k.endswith("}id")), "")
                kind, target = links.get(identifier, ("", ""))
                name = attribute(sheet, "name")
                builder.page()
                builder.heading(name, 1)
                if kind == "worksheet":
                    _sheet(archive, resolve(main, target), book, builder, budget, name)
            parsed = builder.build(core_title(archive))
        if not any(block.kind != "heading" for block in parsed.blocks) and not parsed.embedded:
            raise Unreadable("no text: the sheets are empty")
        return parsed


def _book(archive: Archive, workbook: Element, main: str, links: Mapping[str, tuple[str, str]]) -> _Book:
    parts = {kind: resolve(main, target) for kind, target in links.values()}
    strings: list[str] = []
    if (name := parts.get("sharedStrings", "")) and archive.has(name):
        strings = [_string(item) for item in children(parse_xml(archive.read(name)), "si")]
    dates = frozenset[int]()
    if (name := parts.get("styles", "")) and archive.has(name):
        dates = _date_styles(parse_xml(archive.read(name)))
    properties = child(workbook, "workbookPr")
    from_1904 = properties is not None and attribute(properties, "date1904") in {"1", "true"}
    # Serial 60 is a 29 February 1900 that never was; counting from 30 December is right for every later day.
    return _Book(strings, dates, datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30))  # noqa: DTZ001 - a spreadsheet's dates have no zone


def _string(item: Element) -> str:
    """A shared or inline string without its phonetic guides (furigana)."""
    return "".join(
        t.text or "" for t in descendants(item, "t") if not any(local(a) == "rPh" for a in t.iterancestors())
    )


def _date_styles(styles: Element) -> frozenset[int]:
    codes = {
        int(attribute(f, "numFmtId") or 0): attribute(f, "formatCode") for f in descendants(styles, "numFmt")
    }
    formats = child(styles, "cellXfs")
    found = set()
    for index, style in enumerate(children(formats, "xf") if formats is not None else ()):
        number = int(attribute(style, "numFmtId") or 0)
        code = _NOT_CODE.sub("", codes.get(number, ""))
        if (number in _DATE_FORMATS and number not in codes) or ("0" not in code and _DATE_CODE.search(code)):
            found.add(index)
    return frozenset(found)


def _sheet(
    archive: Archive, name: str, book: _Book, builder: TextBuilder, budget: Budget, title: str
) -> None:
    try:
        rows = _rows(archive.read(name), book, budget.limits.text_chars - builder.length)
        _tables(rows, builder)
        links = relations(archive.read(relations_of(name))) if archive.has(relations_of(name)) else {}
    except LimitExceeded:
        raise
    except Unreadable as error:
        builder.warn(f"sheet {title}: {error.what}")
        return
    for kind, target in links.values():
        part = resolve(name, target)
        if archive.has(part):
            with optional_part():
                _related(archive, kind, part, builder, budget)


def _related(archive: Archive, kind: str, part: str, builder: TextBuilder, budget: Budget) -> None:
    """Comments, text boxes, diagrams, and files put into a sheet."""
    if kind in {"comments", "drawing", "threadedComment"}:
        for paragraph in _notes(parse_xml(archive.read(part))):
            builder.paragraph(paragraph)
    if kind == "drawing" and archive.has(relations_of(part)):
        for inner, target in relations(archive.read(relations_of(part))).values():
            if inner == "diagramData":
                points = descendants(parse_xml(archive.read(resolve(part, target))), "t")
                texts = ["".join(point.itertext()).strip() for point in points]
                builder.paragraph("\n".join(dict.fromkeys(filter(None, texts))), kind="list")
    elif kind in {"package", "oleObject"}:
        budget.member()
        builder.attach(part.rpartition("/")[2], archive.read(part))


def _notes(root: Element) -> Iterator[str]:
    for holder in descendants(root, "comment", "txBody", "threadedComment"):
        yield "".join(t.text or "" for t in descendants(holder, "t", "text") if local(t) == "t" or not len(t))


def _tables(rows: Iterator[tuple[int, list[str]]], builder: TextBuilder) -> None:
    """Neighbouring rows are one table; an empty row ends it."""
    table: list[list[str]] = []
    last = 0
    for number, cells in rows:
        if table and number > last + 1:
            builder.table(table)
            table = []
        table.append(cells)
        last = number
    builder.table(table)


def _rows(raw: bytes, book: _Book, room: int) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold something, with their numbers; read as a stream, so that an inflated sheet stays small."""
    number, size = 0, 0
    context = etree.iterparse(
        BytesIO(raw),
        events=("end",),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        recover=True,
    )
    try:
        for _, element in context:
            if local(element) != "row":
                continue
            number = int(attribute(element, "r")) if attribute(element, "r").isdigit() else number + 1
            cells = _cells(element, book)
            element.clear()
            while (before := element.getprevious()) is not None:
                element.getparent().remove(before)
            if any(cells):
                size += sum(map(len, cells))
                yield number, cells
            if size > room:
                return
    except etree.XMLSyntaxError as error:
        raise Unreadable("damaged: not well-formed XML") from error


def _cells(row: Element, book: _Book) -> list[str]:
    cells: list[str] = []
    for position, cell in enumerate(children(row, "c")):
        column = _column(attribute(cell, "r"), position)
        text = _value(cell, book)
        if text and column < _LAST_COLUMN and len(cells) < _WIDEST:
            # Far apart cells are neighbours in text; a gap of one keeps its place.
            cells.extend([""] * min(column - len(cells), 20))
            cells.append(text)
    return cells


def _column(reference: str, position: int) -> int:
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return position
    index = 0
    for letter in match.group(1):
        index = index * 26 + ord(letter) - 64
    return index - 1


def _value(cell: Element, book: _Book) -> str:
    kind = attribute(cell, "t") or "n"
    if kind == "inlineStr":
        return _string(cell)
    value = child(cell, "v")
    text = (value.text or "").strip() if value is not None else ""
    if not text:
        return ""
    if kind == "s":
        return book.strings[int(text)] if text.isdigit() and int(text) < len(book.strings) else ""
    if kind == "b":
        return "TRUE" if text == "1" else "FALSE"
    if kind == "n":
        style = attribute(cell, "s")
        return _number(text, book, dated=style.isdigit() and int(style) in book.dates)
    return text


def _number(text: str, book: _Book, *, dated: bool) -> str:
    try:
        number = float(text)
        if dated and 0 <= number < 2_958_466:
            moment = book.epoch + timedelta(days=number)
            if number < 1:
                return moment.strftime("%H:%M:%S")
            # Half a second up: a time of day is a fraction that binary numbers cannot hold.
            moment = (moment + timedelta(microseconds=500_000)).replace(microsecond=0)
            return (
                moment.strftime("%Y-%m-%d") if number == int(number) else moment.strftime("%Y-%m-%d %H:%M:%S")
            )
        # 17 digits are how the number is stored, 15 are what Excel shows.
        return f"{number:.15g}" if "." in text or "e" in text.casefold() else text
    except (ValueError, OverflowError):
        return text


def build(_settings: Mapping[str, Any]) -> SheetParser:
    """There is nothing to set."""
    return SheetParser()
