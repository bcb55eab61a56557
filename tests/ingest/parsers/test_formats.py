"""What each format's structure becomes: titles, headings, pages, tables, hidden and deleted text."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest

from ingest.errors import Unreadable
from ingest.limits import Limits
from ingest.reading import read
from tests.ingest import samples
from tests.ingest.compound_files import compound, message_file, word_file
from tests.ingest.samples import FIRST, SECOND, TITLE


@pytest.mark.parametrize("name", [name for name in samples.SAMPLES if name != "policy.md"])
def test_the_same_two_sentences_are_read_from_every_format(name: str) -> None:
    parsed = read(samples.SAMPLES[name](), name)
    assert FIRST in parsed.text
    assert SECOND in parsed.text.replace(" ", "") or SECOND in parsed.text
    assert parsed.parser
    assert parsed.media_type


@pytest.mark.parametrize(
    "name",
    [
        "policy.md",
        "policy.html",
        "policy.pdf",
        "policy.docx",
        "policy.eml",
        "policy.epub",
        "policy.rtf",
        "policy.odt",
        "policy.xlsx",
        "policy.pptx",
        "policy.xml",
    ],
)
def test_the_title_comes_from_the_document(name: str) -> None:
    assert read(samples.SAMPLES[name](), name).title == TITLE


def headings(raw: bytes, name: str) -> list[str]:
    parsed = read(raw, name)
    return [parsed.text[b.start : b.end] for b in parsed.blocks if b.kind == "heading"]


def test_the_content_decides_not_the_name() -> None:
    for name, maker in samples.SAMPLES.items():
        if name.endswith((".txt", ".md", ".csv", ".tsv", ".xml", ".gz")):
            continue  # kinds of text, which only their names tell apart
        assert read(maker(), "wrong.pdf").parser == read(maker(), name).parser, name


class TestMarkdown:
    def test_marks_are_taken_off_and_structure_kept(self) -> None:
        text = "# One\n\nSome **bold** and `code` in\na line.\n\n## Two\n- first\n- second\n  more\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx = 1\n```\n"
        parsed = read(text.encode(), "a.md")
        kinds = [(b.kind, parsed.text[b.start : b.end]) for b in parsed.blocks]
        assert kinds == [
            ("heading", "One"),
            ("paragraph", "Some bold and code in a line."),
            ("heading", "Two"),
            ("list", "- first\n- second more"),
            ("table", "a | b\n1 | 2"),
            ("code", "x = 1"),
        ]

    def test_setext_headings_comments_html_and_escapes(self) -> None:
        text = "Title\n=====\n\n<!-- hidden -->Shown <b>here</b> \\*not bold\\* snake_case_name and 3 * 4 * 5.\n\nPart\n---\n\n> quoted\n"
        parsed = read(text.encode(), "a.md")
        assert headings(text.encode(), "a.md") == ["Title", "Part"]
        assert "Shown here *not bold* snake_case_name and 3 * 4 * 5." in parsed.text
        assert "hidden" not in parsed.text
        assert parsed.text.endswith("quoted")

    def test_an_unclosed_fence_keeps_its_text(self) -> None:
        assert "still here" in read(b"```python\nstill here", "a.md").text

    def test_broken_front_matter_is_no_error(self) -> None:
        assert read(b"---\ntitle: [unclosed\n---\n\nText here.", "a.md").text == "Text here."


class TestHtml:
    def test_what_nobody_sees_is_left_out(self) -> None:
        parsed = read(samples.html(), "a.html")
        assert "hidden" not in parsed.text
        assert "unseen" not in parsed.text
        assert [b.kind for b in parsed.blocks] == ["heading", "paragraph", "list", "table", "paragraph"]

    def test_shift_jis_by_its_meta_tag(self) -> None:
        assert SECOND in read(samples.html("shift_jis"), "a.html").text

    def test_boilerplate_goes_from_a_long_page_and_the_content_stays(self) -> None:
        article = "".join(
            f"<p>Paragraph {n} explains how a store returns goods it could not sell to the depot.</p>"
            for n in range(60)
        )
        menu = "".join(f"<li><a href='/{n}'>Menu entry {n}</a></li>" for n in range(40))
        page = f"<html><head><title>Returns</title></head><body><nav><ul>{menu}</ul></nav><article><h1>Returns</h1>{article}</article><footer>Imprint</footer></body></html>"
        parsed = read(page.encode(), "a.html")
        assert "Paragraph 59 explains" in parsed.text
        assert "Menu entry 7" not in parsed.text

    def test_everything_visible_where_the_main_content_is_too_little(self) -> None:
        rows = "".join(f"<div>Branch {n}: open from nine to five</div>" for n in range(200))
        parsed = read(f"<html><body><p>Short.</p>{rows}</body></html>".encode(), "a.html")
        assert "Branch 199" in parsed.text

    def test_deep_nesting_is_no_crash(self) -> None:
        page = b"<div>" * 5000 + b"deep" + b"</div>" * 5000
        with suppress(Unreadable):
            assert "deep" in read(page, "a.html").text

    def test_layout_tables_are_no_data(self) -> None:
        page = b"<table><tr><td><p>Left</p></td><td><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table></td></tr></table>"
        parsed = read(page, "a.html")
        assert [parsed.text[b.start : b.end] for b in parsed.blocks if b.kind == "table"] == ["a | b\n1 | 2"]


class TestPdf:
    def test_pages_are_known(self) -> None:
        parsed = read(samples.pdf(pages=3), "a.pdf")
        assert len(parsed.pages) == 3
        for page in (1, 2, 3):
            assert parsed.page_of(parsed.text.index(f"on page {page}.")) == page

    def test_wrapped_lines_are_joined(self) -> None:
        lines = (
            "Goods that were bought in one of our stores can be returned to any other",
            "store of the same region within seven days.",
        )
        assert (
            "to any other store of the same region"
            in read(samples.pdf(lines=lines, japanese=False), "a.pdf").text
        )

    def test_scanned_pages_say_so(self) -> None:
        with pytest.raises(Unreadable, match="no text: scanned pages; OCR is not installed"):
            read(samples.scanned_pdf(), "a.pdf")

    def test_a_blank_page_is_not_called_scanned(self) -> None:
        with pytest.raises(Unreadable, match="no text: the pages are blank"):
            read(samples.blank_pdf(), "a.pdf")

    def test_filled_in_forms_and_notes_are_read(self) -> None:
        from reportlab.pdfgen.canvas import Canvas

        buffer = io.BytesIO()
        canvas = Canvas(buffer, invariant=1)
        canvas.acroForm.textfield(name="customer", value="Sato Stores", x=72, y=700)
        canvas.acroForm.textfield(name="empty", value="", x=72, y=650)
        canvas.textAnnotation("Ask for the receipt.", [72, 600, 100, 620])
        canvas.showPage()
        canvas.save()
        text = read(buffer.getvalue(), "a.pdf").text
        assert "customer: Sato Stores" in text
        assert "Ask for the receipt." in text
        assert "empty" not in text

    def test_encrypted(self) -> None:
        with pytest.raises(Unreadable, match="encrypted: a password is needed"):
            read(samples.encrypted_pdf(), "a.pdf")

    def test_damaged(self) -> None:
        with pytest.raises(Unreadable, match="damaged"):
            read(b"%PDF-1.7\n" + b"rubbish " * 50, "a.pdf")


class TestOffice:
    def test_word_headings_by_inherited_style_tables_and_no_deleted_text(self) -> None:
        parsed = read(samples.docx(), "a.docx")
        assert headings(samples.docx(), "a.docx") == [TITLE]
        assert "Region | Sales\nOsaka | 12" in parsed.text
        assert "struck out" not in parsed.text

    def test_text_boxes_once(self) -> None:
        box = "<w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent>"
        body = f'<w:p xmlns:mc="m"><w:r><w:t>outside</w:t></w:r><mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:p>'
        text = read(samples.docx(body), "a.docx").text
        assert text.count("boxed") == 1
        assert "outside" in text

    def test_sheet_dates_numbers_and_furigana(self) -> None:
        text = read(samples.xlsx(), "a.xlsx").text
        assert f"{FIRST} | 2024-04-01" in text
        assert f"{SECOND} | 2024-04-01 12:00:00 | 0.1" in text
        assert "ソウリョウ" not in text

    def test_slides_in_the_order_shown_with_their_titles_and_pages(self) -> None:
        parsed = read(samples.pptx(), "a.pptx")
        assert headings(samples.pptx(), "a.pptx") == [TITLE, "Shipping"]
        assert parsed.page_of(parsed.text.index(SECOND)) == 2
        assert "99" not in parsed.text

    def test_a_spreadsheet_that_repeats_a_cell_to_its_margin_stays_small(self) -> None:
        assert len(read(samples.ods(), "a.ods").text) < 200

    def test_an_office_file_without_its_main_part(self) -> None:
        raw = samples.zipped({"[Content_Types].xml": "<Types/>", "word/other.xml": "<x/>"})
        with pytest.raises(Unreadable, match=r"word/document\.xml is missing"):
            read(raw, "a.docx")

    def test_entities_are_not_expanded(self) -> None:
        bomb = (
            '<!DOCTYPE x [<!ENTITY a "'
            + "lol" * 100
            + '">'
            + "".join(
                f'<!ENTITY {chr(98 + n)} "{"&" + chr(97 + n) + ";"}{"&" + chr(97 + n) + ";"}">'
                for n in range(20)
            )
            + "]><x><p>Text.</p>&u;</x>"
        )
        assert len(read(bomb.encode(), "a.xml").text) < 1000


class TestMail:
    def test_japanese_mail_in_its_own_encoding(self) -> None:
        text = read(samples.eml("iso-2022-jp"), "a.eml").text
        assert SECOND in text
        assert "From: Sato <sato@shop.example>" in text

    def test_attachments_are_read_under_their_names(self) -> None:
        parsed = read(samples.eml(attachment=samples.docx()), "a.eml")
        assert "添付.docx" in headings(samples.eml(attachment=samples.docx()), "a.eml")
        assert "Osaka | 12" in parsed.text

    def test_an_attachment_that_cannot_be_read_is_said(self) -> None:
        parsed = read(samples.eml(attachment=b"\x7fELF" + bytes(100)), "a.eml")
        assert parsed.warnings == ("添付.docx: unsupported format: program (.docx)",)
        assert FIRST in parsed.text

    def test_a_mailbox_holds_every_message(self) -> None:
        assert read(samples.SAMPLES["policy.mbox"](), "a.mbox").text.count(FIRST) == 2


class TestOldOffice:
    def test_outlook_message(self) -> None:
        parsed = read(message_file(), "a.msg")
        assert parsed.title == TITLE
        assert FIRST in parsed.text
        assert SECOND in parsed.text
        assert "From: Sato" in parsed.text
        assert "Date: 2024-01-17T21:20" in parsed.text

    @pytest.mark.parametrize("compressed", [False, True])
    def test_word_97(self, compressed: bool) -> None:
        text = f"{FIRST}\rSee \x13 HYPERLINK x \x14the site\x15 now.\r" + ("" if compressed else SECOND)
        parsed = read(word_file(text, compressed=compressed), "a.doc")
        assert FIRST in parsed.text
        assert "See the site now." in parsed.text
        assert compressed or SECOND in parsed.text

    def test_encrypted_files_are_said_to_be(self) -> None:
        for raw in (word_file(FIRST, encrypted=True), compound({"EncryptedPackage": b"x" * 50})):
            with pytest.raises(Unreadable, match="encrypted: a password is needed"):
                read(raw, "a.docx")

    def test_kinds_that_are_not_read_are_named(self) -> None:
        with pytest.raises(Unreadable, match="old PowerPoint presentation"):
            read(compound({"PowerPoint Document": b"x" * 50}), "a.ppt")


class TestArchives:
    def test_files_inside_under_their_names(self) -> None:
        assert headings(samples.SAMPLES["policy.zip"](), "a.zip") == ["a.txt", "c.txt"]

    def test_a_bomb_is_refused(self) -> None:
        with pytest.raises(Unreadable, match="unpacks to"):
            read(samples.bomb(80), "a.zip", Limits(expanded_bytes=50_000_000))

    def test_the_budget_is_shared_by_everything_inside(self) -> None:
        inner = samples.bomb(6)
        raw = samples.zipped({f"{n}.zip": inner for n in range(5)})
        parsed_or_reason = ""
        try:
            parsed_or_reason = " ".join(read(raw, "a.zip", Limits(expanded_bytes=16_000_000)).warnings)
        except Unreadable as error:
            parsed_or_reason = error.what
        assert "unpacks to more than 16 MB" in parsed_or_reason

    def test_nesting_is_bounded_and_said(self) -> None:
        assert FIRST in read(samples.nested(2), "a.zip").text
        with pytest.raises(Unreadable, match="nested deeper than 4"):
            read(samples.nested(10), "a.zip")

    def test_too_many_files_are_refused(self) -> None:
        raw = samples.zipped({f"{n}.txt": "x" for n in range(60)})
        with pytest.raises(Unreadable, match="more than 50 files"):
            read(raw, "a.zip", Limits(members=50))

    def test_an_empty_archive_has_no_text(self) -> None:
        with pytest.raises(Unreadable, match="empty"):
            read(samples.zipped({}), "a.zip")


class TestTables:
    def test_a_row_says_what_it_is(self) -> None:
        raw = "店舗;売上;日付\n大阪;1,200;2024-04-01\n東京;;2024-04-02\n".encode("cp932")
        assert (
            read(raw, "a.csv").text
            == "店舗: 大阪; 売上: 1,200; 日付: 2024-04-01\n店舗: 東京; 日付: 2024-04-02"
        )

    def test_without_column_names_rows_stay_rows(self) -> None:
        parsed = read(b"1,2,3\n4,5,6\n", "a.csv")
        assert parsed.text == "1 | 2 | 3\n4 | 5 | 6"
        assert parsed.blocks[0].header == ""

    def test_line_breaks_in_cells_and_ragged_rows(self) -> None:
        parsed = read(b'name,note\nA,"two\nlines"\nB,x,extra\n', "a.csv")
        assert parsed.text == "name: A; note: two lines\nname: B; note: x; extra"


class TestRefusals:
    @pytest.mark.parametrize(
        ("raw", "name", "reason"),
        [
            (b"", "a.txt", "no text: the file is empty"),
            (b" \n\t ", "a.txt", "no text: nothing but blanks"),
            (b"--- *** ---", "a.txt", "no text: nothing but blanks and signs"),
            (b"\x89PNG\r\n\x1a\n" + bytes(50), "a.png", "damaged: not an image that can be opened"),
            (b"7z\xbc\xaf\x27\x1c" + bytes(50), "a.7z", "unsupported format: 7-Zip archive (.7z)"),
            (bytes(range(256)), "a.xyz", "unsupported format: binary data (.xyz)"),
            (b"PK\x03\x04rubbish", "a.docx", "damaged: the zip container cannot be opened"),
            (("\ue000" * 50).encode(), "a.txt", "no text: nothing but blanks and signs"),
            (("\ufffdab" * 50).encode(), "a.txt", "garbled"),
        ],
    )
    def test_reasons(self, raw: bytes, name: str, reason: str) -> None:
        with pytest.raises(Unreadable) as caught:
            read(raw, name)
        assert caught.value.what.startswith(reason)
