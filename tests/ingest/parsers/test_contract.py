"""Every parser against the contract they share."""

from __future__ import annotations

from ingest import parsers
from tests.contracts.parser_contract import ParserContract
from tests.ingest import samples
from tests.ingest.compound_files import message_file


def _made(*names: str) -> dict[str, bytes]:
    return {name: samples.SAMPLES[name]() for name in names}


class TestText(ParserContract):
    name = "text"
    samples = _made("policy.txt")


class TestMarkdown(ParserContract):
    name = "markdown"
    samples = _made("policy.md")


class TestHtml(ParserContract):
    name = "html"
    samples = _made("policy.html") | {"sjis.htm": samples.html("shift_jis")}


class TestPdf(ParserContract):
    name = "pdf"
    samples = _made("policy.pdf")


class TestDelimited(ParserContract):
    name = "delimited"
    samples = _made("policy.csv", "policy.tsv")


class TestEmail(ParserContract):
    name = "email"
    samples = _made("policy.eml", "policy.mbox") | {"jis.eml": samples.eml("iso-2022-jp")}


class TestWord(ParserContract):
    name = "word"
    samples = _made("policy.docx")


class TestSheet(ParserContract):
    name = "sheet"
    samples = _made("policy.xlsx")


class TestSlides(ParserContract):
    name = "slides"
    samples = _made("policy.pptx")


class TestOpenDocument(ParserContract):
    name = "opendocument"
    samples = _made("policy.odt", "policy.ods")


class TestEpub(ParserContract):
    name = "epub"
    samples = _made("policy.epub")


class TestRtf(ParserContract):
    name = "rtf"
    samples = _made("policy.rtf")


class TestArchive(ParserContract):
    name = "archive"
    samples = _made("policy.zip", "policy.txt.gz")


class TestXml(ParserContract):
    name = "xml"
    samples = _made("policy.xml")


class TestLegacy(ParserContract):
    name = "legacy"
    samples = {"policy.msg": message_file()}  # noqa: RUF012 - the contract declares it


def test_every_parser_is_held_to_the_contract() -> None:
    held = {cls.name for cls in ParserContract.__subclasses__()}
    assert held == set(parsers.names())
