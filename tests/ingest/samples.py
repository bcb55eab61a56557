"""Documents made in memory, one of every format, all saying the same two things."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any

TITLE = "Return policy"
FIRST = "Goods can be returned within seven days of delivery."
SECOND = "送料はお客様のご負担となります。"

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
_P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
_R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'
)


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _relations(*relations: tuple[str, str, str]) -> str:
    inner = "".join(f'<Relationship Id="{i}" Type="{_OFFICE}{k}" Target="{t}"/>' for i, k, t in relations)
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{inner}</Relationships>'


def docx(body: str | None = None, **parts: str | bytes) -> bytes:
    paragraphs = (
        body
        if body is not None
        else (
            f'<w:p><w:pPr><w:pStyle w:val="H1"/></w:pPr><w:r><w:t>{TITLE}</w:t></w:r></w:p>'
            f"<w:p><w:r><w:t>{FIRST}</w:t></w:r></w:p><w:p><w:r><w:t>{SECOND}</w:t></w:r></w:p>"
            "<w:p><w:del><w:r><w:delText>struck out</w:delText></w:r></w:del></w:p>"
            "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Region</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Sales</w:t></w:r></w:p></w:tc></w:tr>"
            "<w:tr><w:tc><w:p><w:r><w:t>Osaka</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>12</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
        )
    )
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": _relations(("rId1", "officeDocument", "word/document.xml")),
            "word/document.xml": f"<w:document {_W}><w:body>{paragraphs}</w:body></w:document>",
            "word/styles.xml": f'<w:styles {_W}><w:style w:styleId="Base"><w:name w:val="heading 1"/></w:style>'
            '<w:style w:styleId="H1"><w:name w:val="House"/><w:basedOn w:val="Base"/></w:style></w:styles>',
            "word/_rels/document.xml.rels": _relations(("rId1", "styles", "styles.xml")),
            **{name.replace("__", "/"): content for name, content in parts.items()},
        }
    )


def xlsx() -> bytes:
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": _relations(("rId1", "officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": f'<workbook {_S} {_R}><sheets><sheet name="{TITLE}" sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": _relations(
                ("rId1", "worksheet", "worksheets/sheet1.xml"),
                ("rId2", "sharedStrings", "sharedStrings.xml"),
                ("rId3", "styles", "styles.xml"),
            ),
            "xl/sharedStrings.xml": f"<sst {_S}><si><t>Rule</t></si><si><t>{FIRST}</t></si>"
            f'<si><r><t>送料は</t></r><r><t>お客様のご負担となります。</t></r><rPh sb="0" eb="2"><t>ソウリョウ</t></rPh></si></sst>',
            "xl/styles.xml": f'<styleSheet {_S}><numFmts><numFmt numFmtId="170" formatCode="yyyy&quot;年&quot;m&quot;月&quot;"/></numFmts>'
            '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/></cellXfs></styleSheet>',
            "xl/worksheets/sheet1.xml": f'<worksheet {_S}><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c>'
            '<c r="B1" t="inlineStr"><is><t>Since</t></is></c></row>'
            '<row r="2"><c r="A2" t="s"><v>1</v></c><c r="B2" s="1"><v>45383</v></c></row>'
            '<row r="3"><c r="A3" t="s"><v>2</v></c><c r="B3" s="2"><v>45383.5</v></c><c r="D3"><v>0.1</v></c></row>'
            "</sheetData></worksheet>",
        }
    )


def pptx() -> bytes:
    def slide(title: str, text: str) -> str:
        return (
            f"<p:sld {_P} {_A}><p:cSld><p:spTree>"
            f"<p:sp><p:nvSpPr><p:nvPr/></p:nvSpPr><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
            f'<p:sp><p:nvSpPr><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>{title}</a:t></a:r></a:p></p:txBody></p:sp>'
            '<p:sp><p:nvSpPr><p:nvPr><p:ph type="sldNum"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>99</a:t></a:r></a:p></p:txBody></p:sp>'
            "</p:spTree></p:cSld></p:sld>"
        )

    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": _relations(("rId1", "officeDocument", "ppt/presentation.xml")),
            # The order shown is not the order of the files.
            "ppt/presentation.xml": f'<p:presentation {_P} {_R}><p:sldIdLst><p:sldId id="256" r:id="rId2"/><p:sldId id="257" r:id="rId1"/></p:sldIdLst></p:presentation>',
            "ppt/_rels/presentation.xml.rels": _relations(
                ("rId1", "slide", "slides/slide1.xml"), ("rId2", "slide", "slides/slide2.xml")
            ),
            "ppt/slides/slide1.xml": slide("Shipping", SECOND),
            "ppt/slides/slide2.xml": slide(TITLE, FIRST),
        }
    )


def odt() -> bytes:
    body = f'<text:h text:outline-level="1">{TITLE}</text:h><text:p>{FIRST}</text:p><text:p>送料は<text:s/>お客様のご負担となります。</text:p>'
    return _odf("text", f"<office:text>{body}</office:text>")


def ods() -> bytes:
    row = "<table:table-row><table:table-cell><text:p>{}</text:p></table:table-cell><table:table-cell table:number-columns-repeated='16000'/></table:table-row>"
    return _odf(
        "spreadsheet",
        f"<office:spreadsheet><table:table table:name='{TITLE}'>{row.format(FIRST)}{row.format(SECOND)}</table:table></office:spreadsheet>",
    )


def _odf(kind: str, body: str) -> bytes:
    return zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": f"<office:document-content {_ODF}><office:body>{body}</office:body></office:document-content>",
        }
    )


def epub() -> bytes:
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>',
            "OPS/book.opf": f'<package><metadata><dc:title xmlns:dc="d">{TITLE}</dc:title></metadata><manifest><item id="b" href="two.xhtml"/>'
            '<item id="a" href="one.xhtml"/></manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
            "OPS/one.xhtml": f"<html><body><p>{FIRST}</p></body></html>",
            "OPS/two.xhtml": f"<html><body><p>{SECOND}</p></body></html>",
        }
    )


def html(charset: str = "utf-8") -> bytes:
    page = (
        f'<!doctype html><html><head><meta charset="{charset}"><title>{TITLE}</title><style>p {{}}</style></head>'
        f"<body><h1>{TITLE}</h1><p>{FIRST}</p><script>var hidden = 1;</script><p style='display:none'>unseen</p>"
        f"<ul><li>one</li><li>two</li></ul><table><tr><th>Region</th><th>Sales</th></tr><tr><td>Osaka</td><td>12</td></tr></table><p>{SECOND}</p></body></html>"
    )
    return page.encode(charset)


def eml(charset: str = "utf-8", attachment: bytes | None = None) -> bytes:
    message = EmailMessage()
    message["Subject"] = TITLE
    message["From"] = "Sato <sato@shop.example>"
    message["To"] = "team@shop.example"
    message.set_content(f"{FIRST}\n\n{SECOND}\n", charset=charset)
    if attachment is not None:
        message.add_attachment(
            attachment, maintype="application", subtype="octet-stream", filename="添付.docx"
        )
    return bytes(message)


def rtf() -> bytes:
    japanese = "".join(f"\\'{byte:02x}" for byte in SECOND.encode("cp932"))
    return (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset128 Gothic;}}{\info{\title Return policy}}"
        rb"\f0 " + FIRST.encode() + rb"\par\f1 " + japanese.encode() + rb"\par\f0\u12354?\par{\pict 00ff}}"
    )


def pdf(pages: int = 1, *, japanese: bool = True, lines: tuple[str, ...] = ()) -> bytes:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiKakuGo-W5"))
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)
    canvas.setTitle(TITLE)
    for number in range(1, pages + 1):
        canvas.setFont("Helvetica", 11)
        for place, line in enumerate(lines or (FIRST, f"This stands on page {number}.")):
            canvas.drawString(72, 760 - 16 * place, line)
        if japanese:
            canvas.setFont("HeiseiKakuGo-W5", 11)
            canvas.drawString(72, 600, SECOND)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def scanned_pdf() -> bytes:
    from PIL import Image
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)
    canvas.drawImage(ImageReader(Image.new("RGB", (64, 64), "white")), 72, 600)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def blank_pdf() -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def encrypted_pdf() -> bytes:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, encrypt=StandardEncryption("secret", strength=128))
    canvas.drawString(72, 760, FIRST)
    canvas.save()
    return buffer.getvalue()


def markdown() -> bytes:
    return f"---\ntitle: {TITLE}\n---\n\n# {TITLE}\n\n**Goods** can be [returned](https://shop.example) within\nseven days of delivery.\n\n{SECOND}\n".encode()


def bomb(megabytes: int = 400) -> bytes:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros.txt", "w") as member,
    ):
        block = b"0" * 1_000_000
        for _ in range(megabytes):
            member.write(block)
    return buffer.getvalue()


def nested(levels: int, core: bytes = FIRST.encode()) -> bytes:
    inner, name = core, "core.txt"
    for level in range(levels):
        inner, name = zipped({name: inner}), f"level{level}.zip"
    return inner


SAMPLES: dict[str, Any] = {
    "policy.txt": f"{TITLE}\n\n{FIRST}\n\n{SECOND}\n".encode,
    "policy.md": markdown,
    "policy.html": html,
    "policy.pdf": pdf,
    "policy.csv": lambda: f"rule,text\nreturns,{FIRST}\nshipping,{SECOND}\n".encode("cp932"),
    "policy.tsv": f"rule\ttext\nreturns\t{FIRST}\nshipping\t{SECOND}\n".encode,
    "policy.eml": eml,
    "policy.mbox": lambda: (
        b"From a@b Mon Jan  1 00:00:00 2024\n" + eml() + b"\nFrom c@d Mon Jan  1 00:00:00 2024\n" + eml()
    ),
    "policy.docx": docx,
    "policy.xlsx": xlsx,
    "policy.pptx": pptx,
    "policy.odt": odt,
    "policy.ods": ods,
    "policy.epub": epub,
    "policy.rtf": rtf,
    "policy.zip": lambda: zipped({"a.txt": FIRST, "b/c.txt": SECOND}),
    "policy.txt.gz": lambda: gzip.compress(f"{FIRST}\n\n{SECOND}".encode()),
    "policy.xml": f"<doc><title>{TITLE}</title><p>{FIRST}</p><p>{SECOND}</p></doc>".encode,
}
