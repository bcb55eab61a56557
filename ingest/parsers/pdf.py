"""PDF through pdfium: text page by page, headings from the outline, attached files read too.

Pages that hold pictures of text need OCR, which is not installed: they are named in a warning, and a document
made of nothing else is unreadable.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from ingest.building import TextBuilder, one_line
from ingest.errors import LimitExceeded, Unreadable
from ingest.flow import unwrap
from ingest.limits import Budget
from ingest.media import PDF
from ingest.pdf_pages import form_values, made_of, notes, page_text
from ingest.types import Parsed

_JUNK_TITLE = re.compile(
    r"(?i)^(untitled.*|microsoft (word|powerpoint|excel) - .*|.*\.(docx?|indd|tex|dvi|pptx?|xlsx?))$"
)
# Ligatures, and the radicals that Japanese fonts give instead of the kanji they look like.
_LOOKALIKES = {
    code: unicodedata.normalize("NFKC", chr(code))
    for code in (*range(0xFB00, 0xFB07), *range(0x2F00, 0x2FD6))
}
_MAX_ATTACHMENT_NAMES = 200
_SILENT = {
    "damaged": "damaged",
    "unmapped": "what is written has no characters behind it; OCR is not installed",
    "scanned": "scanned; OCR is not installed",
    "drawn": "drawn; OCR is not installed",
}
"""What is said of single pages; blank ones are not worth a word."""
_DYNAMIC = frozenset({2, 3})
"""pdfium's numbers for the two kinds of XFA forms."""
_WHOLE = {
    "unmapped": "no text: what is written has no characters behind it; OCR is not installed",
    "scanned": "no text: scanned pages; OCR is not installed",
    "drawn": "no text: drawn pages; OCR is not installed",
    "damaged": "damaged: no page can be read",
}


class PdfParser:
    """Reads `application/pdf`."""

    version = 1
    media_types = frozenset({PDF})

    def parse(self, raw: bytes, _media_type: str, budget: Budget) -> Parsed:
        """Text with page offsets; raises Unreadable for encrypted, damaged and scanned documents."""
        import pypdfium2

        try:
            document = pypdfium2.PdfDocument(raw)
        except pypdfium2.PdfiumError as error:
            raise Unreadable(_why(str(error))) from error
        try:
            return _read(document, budget)
        except pypdfium2.PdfiumError as error:
            raise Unreadable(f"damaged: {one_line(str(error))}") from error
        finally:
            document.close()


def _why(message: str) -> str:
    if "password" in message.casefold():
        return "encrypted: a password is needed"
    if "security" in message.casefold():
        return "encrypted: by a scheme that is not supported"
    return "damaged: not a PDF that can be opened"


def _read(document: Any, budget: Budget) -> Parsed:
    from pypdfium2 import PdfiumError

    builder = TextBuilder(budget.limits.text_chars)
    with suppress(PdfiumError):
        document.init_forms()
    outline = _outline(document)
    silent: dict[str, list[int]] = {}
    count = len(document)
    for index in range(count):
        builder.page()
        if (why := _page(document, index, outline.get(index, {}), builder)) is not None:
            silent.setdefault(why, []).append(index + 1)
        if builder.full:
            break
    for why, numbers in silent.items():
        if why in _SILENT:
            builder.warn(f"no text on {_pages(numbers)}: {_SILENT[why]}")
    _attachments(document, builder)
    parsed = builder.build(_title(document))
    if not parsed.text and not parsed.embedded:
        raise _no_text(silent, count, dynamic=document.get_formtype() in _DYNAMIC)
    return parsed


def _no_text(silent: Mapping[str, list[int]], count: int, *, dynamic: bool) -> Unreadable:
    if not count:
        return Unreadable("damaged: there are no pages")
    if dynamic:
        return Unreadable("unsupported format: a PDF that is nothing but a dynamic form (XFA)")
    # The first that holds, in the order that helps a person most.
    for why, told in _WHOLE.items():
        if why in silent:
            return Unreadable(told)
    return Unreadable("no text: the pages are blank")


def _page(document: Any, index: int, headings: Mapping[str, int], builder: TextBuilder) -> str | None:
    """Adds one page; returns why it has no text, None where it has some."""
    from pypdfium2 import PdfiumError

    try:
        page = document[index]
    except (PdfiumError, IndexError, ValueError):
        return "damaged"
    try:
        text = page_text(page)
        said = form_values(document, page), notes(page)
        if any(character.isalnum() for character in text):
            _add_page(text, headings, builder)
        elif not any(said):
            return made_of(page, text)
        builder.paragraph("\n".join(said[0]), kind="list")
        for note in said[1]:
            builder.paragraph(note)
    except (PdfiumError, UnicodeError, ValueError):
        return "damaged"
    finally:
        page.close()
    return None


def _add_page(text: str, headings: Mapping[str, int], builder: TextBuilder) -> None:
    # U+FFFE and U+0002 are pdfium's marks for a hyphen that stands at the end of a line only.
    text = text.translate(_LOOKALIKES).replace("\r\n", "\n").replace("\r", "\n").replace("\x02", "\ufffe")
    text = text.replace("\ufffe\n", "\ufffe")
    text = re.sub("(?<=\\w)\ufffe(?=\\w)", "", text)
    pending: list[str] = []
    for line in [*text.split("\n"), ""]:
        level = headings.get(_key(line)) if line.strip() else None
        if line.strip() and level is None:
            pending.append(line.rstrip())
            continue
        if pending:
            builder.paragraph("\n".join(unwrap(pending)))
            pending = []
        if level is not None:
            builder.heading(line, level)


def _outline(document: Any) -> dict[int, dict[str, int]]:
    """Page index -> heading (folded) -> level, from the document's own table of contents."""
    from pypdfium2 import PdfiumError

    found: dict[int, dict[str, int]] = {}
    with suppress(PdfiumError, ValueError, UnicodeError, RecursionError):
        for number, bookmark in enumerate(document.get_toc(max_depth=9)):
            if number > 5000:
                break
            destination = bookmark.get_dest()
            index = destination.get_index() if destination is not None else None
            if index is not None and (key := _key(bookmark.get_title())):
                found.setdefault(index, {})[key] = int(getattr(bookmark, "level", 0)) + 1
    return found


def _key(text: str) -> str:
    return "".join(one_line(text).casefold().split())


def _title(document: Any) -> str:
    from pypdfium2 import PdfiumError

    title = ""
    with suppress(PdfiumError, ValueError, UnicodeError):
        title = one_line(document.get_metadata_value("Title") or "")
    return "" if _JUNK_TITLE.match(title) else title


def _attachments(document: Any, builder: TextBuilder) -> None:
    from pypdfium2 import PdfiumError

    with suppress(PdfiumError, ValueError):
        for index in range(min(document.count_attachments(), _MAX_ATTACHMENT_NAMES)):
            name = f"attachment {index + 1}"
            try:
                attachment = document.get_attachment(index)
                name = one_line(attachment.get_name()) or name
                builder.attach(name, bytes(attachment.get_data()))
            except (PdfiumError, ValueError, UnicodeError, LimitExceeded):
                builder.warn(f"attached file {name} could not be read")


def _pages(numbers: list[int]) -> str:
    """`page 3`, `pages 3-5 and 9`: runs shortened, at most ten named."""
    runs = list(_runs(numbers))
    shown = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs[:10])
    more = f" and {len(runs) - 10} more stretches" if len(runs) > 10 else ""
    return f"page{'s' if len(numbers) > 1 else ''} {shown}{more}"


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    start = previous = numbers[0]
    for number in numbers[1:]:
        if number != previous + 1:
            yield start, previous
            start = number
        previous = number
    yield start, previous


def build(_settings: Mapping[str, Any]) -> PdfParser:
    """There is nothing to set."""
    return PdfParser()
