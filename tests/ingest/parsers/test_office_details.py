"""The corners of office files: what surrounds the text, what only some writers produce, what must not be read."""

from __future__ import annotations

from contextlib import suppress

import pytest

from ingest.errors import Unreadable
from ingest.limits import Limits
from ingest.reading import read
from tests.ingest import samples
from tests.ingest.samples import FIRST, SECOND, zipped

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
C = 'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart"'


def blocks(raw: bytes, name: str) -> list[tuple[str, str]]:
    parsed = read(raw, name)
    return [(block.kind, parsed.text[block.start : block.end]) for block in parsed.blocks]


class TestWord:
    def test_paragraph_kinds(self) -> None:
        body = (
            '<w:p><w:pPr><w:outlineLvl w:val="1"/></w:pPr><w:r><w:t>By level</w:t></w:r></w:p>'
            "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>first</w:t></w:r></w:p>"
            "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>second</w:t></w:r></w:p>"
            "<w:p><w:r><w:t>one</w:t><w:tab/><w:t>two</w:t><w:br/><w:t>three</w:t><w:noBreakHyphen/><w:t>four</w:t></w:r></w:p>"
        )
        assert blocks(samples.docx(body), "a.docx") == [
            ("heading", "By level"),
            ("list", "first\nsecond"),
            ("paragraph", "one two\nthree-four"),
        ]

    def test_content_controls_hold_paragraphs_and_rows(self) -> None:
        row = "<w:tr><w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc><w:sdt><w:sdtContent><w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc></w:sdtContent></w:sdt></w:tr>"
        body = (
            "<w:sdt><w:sdtContent><w:p><w:r><w:t>controlled</w:t></w:r></w:p></w:sdtContent></w:sdt>"
            f"<w:tbl>{row.format('a', 'b')}<w:sdt><w:sdtContent>{row.format('1', '2')}</w:sdtContent></w:sdt></w:tbl>"
        )
        assert blocks(samples.docx(body), "a.docx") == [
            ("paragraph", "controlled"),
            ("table", "a | b\n1 | 2"),
        ]

    def test_field_codes_moves_and_deletions_are_not_text(self) -> None:
        body = (
            "<w:p><w:r><w:instrText>HYPERLINK secret</w:instrText></w:r><w:hyperlink><w:r><w:t>shown</w:t></w:r></w:hyperlink>"
            "<w:ins><w:r><w:t> added</w:t></w:r></w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
            "<w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom></w:p>"
        )
        assert read(samples.docx(body), "a.docx").text == "shown added"

    def test_notes_and_comments_follow_the_body(self) -> None:
        relations = (
            '<Relationships><Relationship Id="f" Type="x/footnotes" Target="footnotes.xml"/>'
            '<Relationship Id="c" Type="x/comments" Target="comments.xml"/></Relationships>'
        )
        note = f'<w:footnotes {W}><w:footnote w:type="separator"><w:p><w:r><w:t>---</w:t></w:r></w:p></w:footnote><w:footnote><w:p><w:r><w:t>A footnote.</w:t></w:r></w:p></w:footnote></w:footnotes>'
        comment = (
            f"<w:comments {W}><w:comment><w:p><w:r><w:t>A comment.</w:t></w:r></w:p></w:comment></w:comments>"
        )
        raw = samples.docx(
            **{
                "word/_rels/document.xml.rels": relations,
                "word/footnotes.xml": note,
                "word/comments.xml": comment,
            }
        )
        text = read(raw, "a.docx").text
        assert text.endswith("A footnote.\n\nA comment.")
        assert "---" not in text

    def test_embedded_files_are_read_and_bad_ones_said(self) -> None:
        relations = (
            '<Relationships><Relationship Id="a" Type="x/package" Target="embeddings/book.xlsx"/>'
            '<Relationship Id="b" Type="x/aFChunk" Target="chunk.html"/>'
            '<Relationship Id="c" Type="x/oleObject" Target="embeddings/gone.bin"/>'
            '<Relationship Id="d" Type="x/package" TargetMode="External" Target="https://shop.example/x"/></Relationships>'
        )
        raw = samples.docx(
            **{
                "word/_rels/document.xml.rels": relations,
                "word/embeddings/book.xlsx": samples.xlsx(),
                "word/chunk.html": b"<html><body><p>From a chunk.</p></body></html>",
            }
        )
        parsed = read(raw, "a.docx")
        assert "2024-04-01" in parsed.text
        assert "From a chunk." in parsed.text
        assert parsed.warnings == (
            "word/embeddings/gone.bin: damaged: word/embeddings/gone.bin is missing inside",
        )

    def test_the_title_in_the_properties(self) -> None:
        core = '<cp:coreProperties xmlns:cp="c" xmlns:dc="d"><dc:title>Rules of the house</dc:title></cp:coreProperties>'
        assert read(samples.docx(**{"docProps/core.xml": core}), "a.docx").title == "Rules of the house"
        # Broken properties cost the title, not the document.
        assert read(samples.docx(**{"docProps/core.xml": b"\0\0"}), "a.docx").title == samples.TITLE

    def test_styles_that_inherit_in_a_circle(self) -> None:
        styles = f'<w:styles {W}><w:style w:styleId="H1"><w:basedOn w:val="B"/></w:style><w:style w:styleId="B"><w:basedOn w:val="H1"/></w:style></w:styles>'
        assert FIRST in read(samples.docx(**{"word/styles.xml": styles}), "a.docx").text

    def test_without_relations_and_styles(self) -> None:
        body = f"<w:document {W}><w:body><w:p><w:r><w:t>Bare.</w:t></w:r></w:p></w:body></w:document>"
        assert read(zipped({"[Content_Types].xml": "", "word/document.xml": body}), "a.docx").text == "Bare."

    def test_strict_namespaces_and_backslashes_in_names(self) -> None:
        body = '<w:document xmlns:w="http://purl.oclc.org/ooxml/wordprocessingml/main"><w:body><w:p><w:r><w:t>Strict.</w:t></w:r></w:p></w:body></w:document>'
        assert (
            read(zipped({"[Content_Types].xml": "", "word\\Document.XML": body}), "a.docx").text == "Strict."
        )

    def test_deep_nesting_is_bounded(self) -> None:
        deep = (
            "<w:sdt><w:sdtContent>" * 3000
            + "<w:p><w:r><w:t>deep</w:t></w:r></w:p>"
            + "</w:sdtContent></w:sdt>" * 3000
        )
        with suppress(Unreadable):
            assert "deep" in read(samples.docx(deep), "a.docx").text


class TestSlides:
    def deck(self, slide: str, relations: str = "", **parts: str | bytes) -> bytes:
        p = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
        r = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
        return zipped(
            {
                "[Content_Types].xml": "",
                "ppt/presentation.xml": f'<p:presentation {p} {r}><p:sldIdLst><p:sldId r:id="a"/><p:sldId r:id="lost"/></p:sldIdLst></p:presentation>',
                "ppt/_rels/presentation.xml.rels": '<Relationships><Relationship Id="a" Type="x/slide" Target="/ppt/slides/slide1.xml"/></Relationships>',
                "ppt/slides/slide1.xml": f"<p:sld {p} {A}><p:cSld><p:spTree>{slide}</p:spTree></p:cSld></p:sld>",
                "ppt/slides/_rels/slide1.xml.rels": f"<Relationships>{relations}</Relationships>",
                **parts,
            }
        )

    def test_tables_and_groups(self) -> None:
        def cell(text: str) -> str:
            return f"<a:tc><a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody></a:tc>"

        slide = (
            "<p:grpSp><p:grpSp><p:sp><p:txBody><a:p><a:r><a:t>grouped</a:t></a:r></a:p></p:txBody></p:sp></p:grpSp></p:grpSp>"
            f"<p:graphicFrame><a:tbl><a:tr>{cell('a')}{cell('b')}</a:tr><a:tr>{cell('1')}{cell('2')}</a:tr></a:tbl></p:graphicFrame>"
        )
        assert blocks(self.deck(slide), "a.pptx") == [("paragraph", "grouped"), ("table", "a | b\n1 | 2")]

    def test_notes_charts_and_diagrams(self) -> None:
        relations = "".join(
            f'<Relationship Id="{kind}" Type="x/{kind}" Target="../{target}"/>'
            for kind, target in (
                ("notesSlide", "notes/n.xml"),
                ("chart", "charts/c.xml"),
                ("diagramData", "diagrams/d.xml"),
            )
        )
        note = f'<p:notes xmlns:p="p" {A}><p:sp><p:nvSpPr><p:nvPr><p:ph type="sldNum"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>7</a:t></a:r></a:p></p:txBody></p:sp><p:sp><p:txBody><a:p><a:r><a:t>Say hello.</a:t></a:r></a:p></p:txBody></p:sp></p:notes>'
        chart = f"<c:chart {C} {A}><c:title><c:tx><c:rich><a:p><a:r><a:t>Sales by region</a:t></a:r></a:p></c:rich></c:tx></c:title><c:cat><c:strRef><c:strCache><c:pt><c:v>Osaka</c:v></c:pt></c:strCache></c:strRef></c:cat></c:chart>"
        diagram = f'<d:dataModel xmlns:d="d" {A}><d:pt><d:t><a:p><a:r><a:t>Order, then ship</a:t></a:r></a:p></d:t></d:pt></d:dataModel>'
        raw = self.deck(
            "",
            relations,
            **{"ppt/notes/n.xml": note, "ppt/charts/c.xml": chart, "ppt/diagrams/d.xml": diagram},
        )
        text = read(raw, "a.pptx").text
        for said in ("Say hello.", "Sales by region", "Osaka", "Order, then ship"):
            assert text.count(said) == 1, said
        assert "7" not in text

    def test_a_slide_that_is_missing_is_said(self) -> None:
        raw = self.deck("<p:sp><p:txBody><a:p><a:r><a:t>here</a:t></a:r></a:p></p:txBody></p:sp>", ppt__x="")
        assert read(raw, "a.pptx").text == "here"
        broken = zipped(
            {
                "[Content_Types].xml": "",
                "ppt/presentation.xml": '<p xmlns:r="x/"><sldId r:id="a"/></p>',
                "ppt/_rels/presentation.xml.rels": '<Relationships><Relationship Id="a" Type="x/slide" Target="slides/none.xml"/></Relationships>',
            }
        )
        with pytest.raises(Unreadable):
            read(broken, "a.pptx")


class TestSheets:
    def book(self, rows: str, *, properties: str = "", relations: str = "", **parts: str | bytes) -> bytes:
        r = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
        return zipped(
            {
                "[Content_Types].xml": "",
                "xl/workbook.xml": f'<workbook {S} {r}>{properties}<sheets><sheet name="Data" r:id="a"/><sheet name="Chart" r:id="b"/></sheets></workbook>',
                "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="a" Type="x/worksheet" Target="worksheets/s.xml"/>'
                '<Relationship Id="b" Type="x/chartsheet" Target="c.xml"/><Relationship Id="c" Type="x/styles" Target="styles.xml"/></Relationships>',
                "xl/styles.xml": f'<styleSheet {S}><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="20"/></cellXfs></styleSheet>',
                "xl/worksheets/s.xml": f"<worksheet {S}><sheetData>{rows}</sheetData></worksheet>",
                "xl/worksheets/_rels/s.xml.rels": f"<Relationships>{relations}</Relationships>",
                **parts,
            }
        )

    def test_every_kind_of_cell(self) -> None:
        rows = (
            '<row><c t="b"><v>1</v></c><c t="b"><v>0</v></c><c t="e"><v>#N/A</v></c><c t="str"><f>A1</f><v>computed</v></c>'
            '<c t="s"><v>99</v></c><c><v>1.1000000000000001</v></c><c><v>12345678901234567890</v></c><c s="2"><v>0.5</v></c>'
            '<c s="1"><v>1e99</v></c><c><f>only a formula</f></c><c t="d"><v>2024-04-01</v></c></row>'
        )
        text = read(self.book(rows), "a.xlsx").text
        assert (
            text.split("\n\n")[1]
            == "TRUE | FALSE | #N/A | computed | 1.1 | 12345678901234567890 | 12:00:00 | 1e+99 | 2024-04-01"
        )

    def test_dates_that_count_from_1904(self) -> None:
        raw = self.book('<row><c s="1"><v>43921</v></c></row>', properties='<workbookPr date1904="1"/>')
        assert "2024-04-01" in read(raw, "a.xlsx").text

    def test_empty_rows_part_tables(self) -> None:
        rows = "".join(f'<row r="{n}"><c><v>{n}</v></c><c><v>0</v></c></row>' for n in (1, 2, 5, 6))
        assert [text for kind, text in blocks(self.book(rows), "a.xlsx") if kind == "table"] == [
            "1 | 0\n2 | 0",
            "5 | 0\n6 | 0",
        ]

    def test_comments_text_boxes_and_diagrams(self) -> None:
        relations = '<Relationship Id="a" Type="x/comments" Target="../comments.xml"/><Relationship Id="b" Type="x/drawing" Target="../drawings/d.xml"/>'
        parts = {
            "xl/comments.xml": f"<comments {S}><commentList><comment><text><t>Check this.</t></text></comment></commentList></comments>",
            "xl/drawings/d.xml": f'<x:wsDr xmlns:x="x" {A}><x:txBody><a:p><a:r><a:t>A text box.</a:t></a:r></a:p></x:txBody></x:wsDr>',
            "xl/drawings/_rels/d.xml.rels": '<Relationships><Relationship Id="a" Type="x/diagramData" Target="../diagrams/data.xml"/></Relationships>',
            "xl/diagrams/data.xml": f'<d:dataModel xmlns:d="d" {A}><d:t><a:t>Order first</a:t></d:t></d:dataModel>',
        }
        text = read(self.book("<row><c><v>1</v></c></row>", relations=relations, **parts), "a.xlsx").text
        for said in ("Check this.", "A text box.", "Order first"):
            assert text.count(said) == 1, said

    def test_a_damaged_sheet_costs_itself_only(self) -> None:
        raw = self.book("<row><c><v>1</v></c></row>", **{"xl/worksheets/s.xml": b"\0\0\0"})
        with pytest.raises(Unreadable, match="sheets are empty"):
            read(raw, "a.xlsx")

    def test_sheets_far_to_the_right_stay_narrow(self) -> None:
        raw = self.book('<row><c r="A1"><v>1</v></c><c r="XFD1"><v>2</v></c></row>')
        assert "1 | 2" in read(raw, "a.xlsx").text
        with pytest.raises(Unreadable):
            read(self.book('<row><c r="ZZZ1"><v>2</v></c></row>'), "a.xlsx")


class TestOpenDocument:
    def document(self, kind: str, body: str, **more: str) -> bytes:
        names = 'xmlns:office="o" xmlns:text="t" xmlns:table="tb" xmlns:draw="d" xmlns:presentation="p"'
        content = f"<office:document {names}><office:body>{body}</office:body></office:document>"
        return zipped(
            {"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content, **more}
        )

    def test_lists_notes_breaks_and_changes(self) -> None:
        body = (
            "<office:text><text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
            "<text:list><text:list-item><text:p>one</text:p></text:list-item><text:list-item><text:p>two</text:p></text:list-item></text:list>"
            "<text:p>a<text:tab/>b<text:line-break/>c<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>noted</text:p></text:note-body></text:note> end"
            "<draw:frame><draw:text-box><text:p>boxed</text:p></draw:text-box></draw:frame></text:p></office:text>"
        )
        assert blocks(self.document("text", body), "a.odt") == [
            ("list", "one\ntwo"),
            ("paragraph", "a b\nc (noted) end"),
            ("paragraph", "boxed"),
        ]

    def test_slides_are_pages(self) -> None:
        body = f"<office:presentation><draw:page><text:p>{FIRST}</text:p></draw:page><draw:page><text:p>{SECOND}</text:p></draw:page></office:presentation>"
        parsed = read(self.document("presentation", body), "a.odp")
        assert parsed.page_of(parsed.text.index(SECOND)) == 2

    def test_repeated_cells_and_the_title(self) -> None:
        body = "<office:spreadsheet><table:table table:name='T'><table:table-row><table:table-cell table:number-columns-repeated='3'><text:p>x</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet>"
        parsed = read(
            self.document("spreadsheet", body, **{"meta.xml": "<m><title>Meta</title></m>"}), "a.ods"
        )
        assert parsed.title == "Meta"
        assert parsed.text == "T\n\nx | x | x"

    def test_encrypted(self) -> None:
        raw = self.document(
            "text", "", **{"META-INF/manifest.xml": "<manifest><encryption-data/></manifest>"}
        )
        with pytest.raises(Unreadable, match="encrypted"):
            read(raw, "a.odt")


class TestBooks:
    def test_a_missing_chapter_is_said_and_the_rest_read(self) -> None:
        raw = zipped(
            {
                "mimetype": "application/epub+zip",
                "META-INF/container.xml": '<c><rootfile full-path="b.opf"/></c>',
                "b.opf": '<p><item id="a" href="a%20b.html"/><item id="b" href="gone.html"/><itemref idref="a"/><itemref idref="b"/><itemref idref="c"/></p>',
                "a b.html": f"<html><body><p>{FIRST}</p></body></html>",
            }
        )
        parsed = read(raw, "a.epub")
        assert parsed.text == FIRST
        assert parsed.warnings == ("gone.html: damaged: gone.html is missing inside",)

    def test_limits_are_not_taken_for_damage(self) -> None:
        with pytest.raises(Unreadable, match="unpacks to more than"):
            read(samples.epub(), "a.epub", Limits(expanded_bytes=300))
        with pytest.raises(Unreadable, match="unpacks to more than"):
            read(samples.docx(), "a.docx", Limits(expanded_bytes=300))
        with pytest.raises(Unreadable, match="unpacks to more than"):
            read(samples.xlsx(), "a.xlsx", Limits(expanded_bytes=1500))
        with pytest.raises(Unreadable, match="unpacks to more than"):
            read(samples.pptx(), "a.pptx", Limits(expanded_bytes=1000))
