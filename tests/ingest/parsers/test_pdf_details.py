"""PDF beyond plain pages: outlines, attachments, damage in part, fonts that say nothing."""

from __future__ import annotations

import io

import pytest

from ingest.errors import Unreadable
from ingest.limits import Limits
from ingest.parsers.pdf import _pages
from ingest.reading import read
from tests.ingest import samples
from tests.ingest.samples import FIRST, SECOND


def test_headings_come_from_the_outline() -> None:
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)
    for level, (title, text) in enumerate((("1 Returns", FIRST), ("1.1 Who pays", "The customer pays."))):
        canvas.bookmarkPage(title)
        canvas.addOutlineEntry(title, title, level)
        canvas.drawString(72, 760, title)
        canvas.drawString(72, 730, text)
        canvas.showPage()
    canvas.save()
    parsed = read(buffer.getvalue(), "a.pdf")
    headings = [(parsed.text[b.start : b.end], b.level) for b in parsed.blocks if b.kind == "heading"]
    assert headings == [("1 Returns", 1), ("1.1 Who pays", 2)]
    # No title in its properties ("untitled" is none): the first heading.
    assert parsed.title == "1 Returns"


def test_attached_files_are_read() -> None:
    import pypdfium2

    document = pypdfium2.PdfDocument(samples.pdf())
    for name, data in (("terms.txt", SECOND.encode()), ("picture.png", b"\x89PNG\r\n\x1a\n")):
        document.new_attachment(name).set_data(data)
    buffer = io.BytesIO()
    document.save(buffer)
    document.close()
    parsed = read(buffer.getvalue(), "a.pdf")
    assert parsed.text.index("terms.txt") < parsed.text.rindex(SECOND)
    assert parsed.warnings == ("picture.png: damaged: not an image that can be opened",)
    assert parsed.pages == (0,)


def test_pages_without_text_are_named() -> None:
    from PIL import Image
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)
    for number in range(6):
        if number in {1, 2, 4}:
            canvas.drawImage(ImageReader(Image.new("RGB", (32, 32), "red")), 72, 600)
        else:
            canvas.drawString(72, 760, f"Text of page {number + 1}.")
        canvas.showPage()
    canvas.save()
    parsed = read(buffer.getvalue(), "a.pdf")
    assert parsed.warnings == ("no text on pages 2-3, 5: scanned; OCR is not installed",)
    assert parsed.page_of(parsed.text.index("page 6.")) == 6


def test_drawings_alone_are_said_to_be_drawn() -> None:
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)
    canvas.line(10, 10, 200, 200)
    canvas.showPage()
    canvas.save()
    with pytest.raises(Unreadable, match="no text: drawn pages; OCR is not installed"):
        read(buffer.getvalue(), "a.pdf")


def test_a_long_document_is_cut_and_said() -> None:
    parsed = read(samples.pdf(pages=30), "a.pdf", Limits(text_chars=500))
    assert len(parsed.text) <= 500
    assert parsed.warnings == ("only the first 500 characters were read",)


def test_a_cut_off_file_gives_its_pages_or_a_reason() -> None:
    raw = samples.pdf(pages=5)
    for share in (0.3, 0.6, 0.9, 0.99):
        try:
            assert read(raw[: int(len(raw) * share)], "a.pdf").text
        except Unreadable as error:
            assert error.what.startswith(("damaged", "no text"))  # noqa: PT017 - either outcome is right


def test_runs_of_pages_are_shortened() -> None:
    assert _pages([3]) == "page 3"
    assert _pages([1, 2, 3, 7, 9, 10]) == "pages 1-3, 7, 9-10"
    assert _pages(list(range(1, 60, 2))).endswith("and 20 more stretches")


def test_radicals_that_stand_for_kanji_become_kanji() -> None:
    from ingest.parsers.pdf import _LOOKALIKES

    assert "\u2f76\u2f42 \ufb01ve".translate(_LOOKALIKES) == "米文 five"
