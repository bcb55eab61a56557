"""Markdown of the demo's own templates (headings, paragraphs, lists, tables) as HTML and PDF, byte for byte the same."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Literal

Language = Literal["en", "ja"]
_FONTS = {"en": ("Helvetica", "Helvetica-Bold"), "ja": ("HeiseiMin-W3", "HeiseiKakuGo-W5")}


@dataclass
class Block:
    """One block: its kind (`h1`, `h2`, `p`, `ul`, `table`) and its text, items or rows of cells."""

    kind: str
    text: str = ""
    items: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


def blocks(markdown: str) -> Iterator[Block]:
    """The blocks of a text; blocks are set apart by empty lines."""
    for part in markdown.strip().split("\n\n"):
        lines = part.strip().split("\n")
        if lines[0].startswith("#"):
            marks, _, text = lines[0].partition(" ")
            yield Block(f"h{len(marks)}", text)
        elif lines[0].startswith("- "):
            yield Block("ul", items=[line.removeprefix("- ") for line in lines])
        elif lines[0].startswith("|"):
            rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
            yield Block("table", rows=[rows[0], *rows[2:]])
        else:
            yield Block("p", " ".join(lines))


def to_html(markdown: str, language: Language, site: str) -> str:
    """A whole page, with the navigation and footer that a company's site has around the text."""
    body: list[str] = []
    title = ""
    for block in blocks(markdown):
        if block.kind == "h1":
            title = block.text
        if block.kind == "ul":
            body.append("<ul>" + "".join(f"<li>{html.escape(item)}</li>" for item in block.items) + "</ul>")
        elif block.kind == "table":
            body.append(_html_table(block.rows))
        else:
            body.append(f"<{block.kind}>{html.escape(block.text)}</{block.kind}>")
    menu = ("Plans", "Claims", "Contact") if language == "en" else ("プラン", "事故対応", "お問い合わせ")
    links = "".join(f'<a href="#">{word}</a> ' for word in menu)
    content = "\n".join(body)
    return f"""<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8"><title>{html.escape(title)}</title></head>
<body>
<nav>{links}</nav>
<main><article>
{content}
</article></main>
<footer>© {html.escape(site)}</footer>
</body>
</html>
"""


def _html_table(rows: list[list[str]]) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in rows[0])
    lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows[1:])
    return f"<table><tr>{head}</tr>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def to_pdf(markdown: str, language: Language, author: str) -> bytes:
    """A PDF with the standard fonts (Japanese through Adobe's CID fonts, nothing embedded)."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate

    parts = list(blocks(markdown))
    title = next((block.text for block in parts if block.kind == "h1"), "")
    out = BytesIO()
    template = SimpleDocTemplate(
        out, pagesize=A4, title=title, author=author, lang=language, invariant=1,
        leftMargin=64, rightMargin=64, topMargin=64, bottomMargin=64,
    )  # fmt: skip
    template.build(_flowables(parts, language))
    return out.getvalue()


def _flowables(parts: list[Block], language: Language) -> list[Any]:
    from reportlab.lib import colors
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import Paragraph, Spacer, Table

    plain, bold = _FONTS[language]
    wrap = "CJK" if language == "ja" else None
    if language == "ja":
        for font in (plain, bold):
            pdfmetrics.registerFont(UnicodeCIDFont(font))

    def style(name: str, font: str, size: float, **more: Any) -> Any:
        return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.5, wordWrap=wrap, **more)

    styles = {
        "h1": style("h1", bold, 17, spaceAfter=10),
        "h2": style("h2", bold, 13, spaceBefore=10, spaceAfter=4),
        "p": style("p", plain, 10.5, spaceAfter=6),
        "li": style("li", plain, 10.5, leftIndent=12, bulletIndent=2, bulletFontName=plain),
        "td": style("td", plain, 9.5),
    }
    result: list[Any] = []
    for block in parts:
        if block.kind == "ul":
            marks = "•" if language == "en" else "・"
            result += [Paragraph(html.escape(item), styles["li"], bulletText=marks) for item in block.items]
        elif block.kind == "table":
            cells = [[Paragraph(html.escape(cell), styles["td"]) for cell in row] for row in block.rows]
            grid = [("GRID", (0, 0), (-1, -1), 0.4, colors.grey), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
            result += [Table(cells, style=grid, repeatRows=1), Spacer(1, 6)]
        else:
            result.append(Paragraph(html.escape(block.text), styles[block.kind]))
    return result
