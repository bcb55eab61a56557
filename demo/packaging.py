"""Markdown of the demo's own templates as Word documents, workbooks, mails and scanned pages, the same bytes each time."""

from __future__ import annotations

import csv
import io
import zipfile
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from html import escape

from demo.rendering import Block, Language, blocks, to_pdf

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TILT = 0.6
"""Degrees by which the page lay askew on the glass."""
_CHARSETS = {"en": "utf-8", "ja": "iso-2022-jp"}


def _zipped(parts: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            # The date is fixed: otherwise the bytes would tell when they were made.
            archive.writestr(
                zipfile.ZipInfo(name, (2026, 4, 1, 0, 0, 0)), _HEAD + content, zipfile.ZIP_DEFLATED
            )
    return out.getvalue()


def _office(kind: str, main: str, types: dict[str, str], links: dict[str, str]) -> dict[str, str]:
    """The parts that every Office package has around its own."""
    content = f"application/vnd.openxmlformats-officedocument.{kind}"
    named = "".join(f'<Override PartName="/{n}" ContentType="{content}.{t}+xml"/>' for n, t in types.items())
    folder, _, file = main.rpartition("/")
    inner = "".join(
        f'<Relationship Id="rId{i}" Type="{_OFFICE}/{kind_}" Target="{target}"/>'
        for i, (target, kind_) in enumerate(links.items(), 1)
    )
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{named}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}relationships"><Relationship Id="rId1"'
        f' Type="{_OFFICE}/officeDocument" Target="{main}"/></Relationships>',
        f"{folder}/_rels/{file}.rels": f'<Relationships xmlns="{_PACKAGE}relationships">{inner}</Relationships>',
    }


def to_docx(markdown: str, _language: Language) -> bytes:
    """A Word document with styled headings, lists and tables."""
    body = "".join(_word_block(block) for block in blocks(markdown))
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="Heading{n}"><w:name w:val="heading {n}"/><w:pPr><w:outlineLvl'
        f' w:val="{n - 1}"/></w:pPr><w:rPr><w:b/><w:sz w:val="{40 - 8 * n}"/></w:rPr></w:style>'
        for n in (1, 2)
    )
    types = {"word/document.xml": "document.main", "word/styles.xml": "styles"}
    return _zipped(
        {
            **_office("wordprocessingml", "word/document.xml", types, {"styles.xml": "styles"}),
            "word/document.xml": f"<w:document {_W}><w:body>{body}<w:sectPr/></w:body></w:document>",
            "word/styles.xml": f"<w:styles {_W}>{styles}</w:styles>",
        }
    )


def _word_block(block: Block) -> str:
    def paragraph(text: str, style: str = "") -> str:
        properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
        return f'<w:p>{properties}<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'

    if block.kind == "ul":
        return "".join(paragraph(f"• {item}") for item in block.items)
    if block.kind == "table":
        rows = (
            "<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) + "</w:tr>"
            for row in block.rows
        )
        return f"<w:tbl>{''.join(rows)}</w:tbl>"
    return paragraph(block.text, f"Heading{block.kind[1:]}" if block.kind != "p" else "")


def to_xlsx(markdown: str, _language: Language) -> bytes:
    """A workbook of one sheet: text in the first column, tables as rows, whole numbers as numbers."""
    rows: list[list[str]] = []
    title = "Sheet"
    for block in blocks(markdown):
        title = block.text if block.kind == "h1" else title
        rows += block.rows or [[item] for item in block.items] or [[block.text]]
        rows.append([])
    lines = "".join(
        f'<row r="{number}">{"".join(_cell(f"{chr(65 + at)}{number}", text) for at, text in enumerate(row))}</row>'
        for number, row in enumerate(rows, 1)
    )
    types = {"xl/workbook.xml": "sheet.main", "xl/worksheets/sheet1.xml": "worksheet"}
    return _zipped(
        {
            **_office("spreadsheetml", "xl/workbook.xml", types, {"worksheets/sheet1.xml": "worksheet"}),
            "xl/workbook.xml": f'<workbook {_S} xmlns:r="{_OFFICE}"><sheets><sheet name="{escape(title[:31])}"'
            ' sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/worksheets/sheet1.xml": f"<worksheet {_S}><sheetData>{lines}</sheetData></worksheet>",
        }
    )


def _cell(place: str, text: str) -> str:
    if text.isdigit():
        return f'<c r="{place}"><v>{text}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def to_eml(markdown: str, language: Language) -> bytes:
    """A mail: the heading is its subject, the first list its headers, a table goes along as `figures.csv`."""
    charset = _CHARSETS[language]
    parts = list(blocks(markdown))
    subject, heads, *rest = parts
    text = "\n\n".join(
        "\n".join(f"- {item}" for item in block.items) if block.kind == "ul" else block.text
        for block in rest
        if block.kind != "table"
    )
    body = MIMEText(text + "\n", "plain", charset)
    tables = [block for block in rest if block.kind == "table"]
    message: MIMEText | MIMEMultipart = body
    if tables:
        message = MIMEMultipart(boundary="=_figures")
        message.attach(body)
        out = io.StringIO()
        csv.writer(out).writerows(tables[0].rows)
        attached = MIMEText(out.getvalue(), "csv", "utf-8")
        attached.add_header("Content-Disposition", "attachment", filename="figures.csv")
        message.attach(attached)
    message["Subject"] = Header(subject.text, charset).encode()
    for line in heads.items:
        name, _, value = line.partition(": ")
        message[name] = value if value.isascii() else Header(value, charset).encode()
    return message.as_bytes()


def to_scan(markdown: str, language: Language) -> bytes:
    """The first page as an office scanner gives it: grey, a little askew, with specks. Latin letters only: fonts for
    others are the machine's."""
    import numpy as np
    import pypdfium2
    from PIL import Image

    document = pypdfium2.PdfDocument(to_pdf(markdown, language, ""))
    try:
        page = document[0].render(scale=200 / 72).to_pil().convert("L")
    finally:
        document.close()
    page = page.rotate(_TILT, resample=Image.Resampling.BICUBIC, fillcolor=255)
    rng = np.random.default_rng(7)
    grey = np.asarray(page, dtype=float) * 0.93 + 8 + rng.normal(0, 6, (page.height, page.width))
    grey[rng.random(grey.shape) < 0.0006] = 60
    out = io.BytesIO()
    # Sixteen greys are what such a machine keeps, and a fifth of the bytes.
    Image.fromarray((np.clip(grey, 0, 255) // 16 * 17).astype(np.uint8)).save(out, "PNG", optimize=False)
    return out.getvalue()
