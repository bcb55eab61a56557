r"""RTF: its words without its controls. Text is bytes in a code page (`\'82\'a0`), by font, or `\u12354`."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ingest.building import TextBuilder
from ingest.errors import LimitExceeded
from ingest.limits import Budget
from ingest.media import RTF
from ingest.types import Parsed

_TOKEN = re.compile(
    rb"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z])|([{}])|[\r\n]+|([^\\{}\r\n]+)"
)
_NO_TEXT = (
    "fonttbl colortbl stylesheet pict object listtable listoverridetable rsidtbl generator themedata"
    " datastore colorschememapping latentstyles xmlnstbl header footer headerl headerr footerl"
    " footerr info fldinst bkmkstart bkmkend pgdsctbl filetbl revtbl"
)
_SKIPPED = frozenset(_NO_TEXT.split())
_CHARACTERS = {
    "par": "\n\n", "sect": "\n\n", "page": "\n\n", "line": "\n", "tab": "\t", "cell": " | ", "row": "\n",
    "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
}  # fmt: skip
_CHARSETS = {0: "cp1252", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "cp950", 161: "cp1253", 162: "cp1254",
             177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250"}  # fmt: skip
_DEEPEST = 2000


@dataclass(frozen=True, slots=True)
class _State:
    """What a group inherits from the one around it."""

    skipped: bool = False
    fonts: bool = False
    title: bool = False
    encoding: str = ""
    fallback: int = 1
    """Characters to pass over after `\\u`, meant for readers without Unicode."""


@dataclass(slots=True)
class _Reader:
    text: list[str] = field(default_factory=list)
    title: list[str] = field(default_factory=list)
    pending: bytearray = field(default_factory=bytearray)
    encoding: str = "cp1252"
    fonts: dict[int, str] = field(default_factory=dict)
    font: int = 0
    state: _State = field(default_factory=_State)
    stack: list[_State] = field(default_factory=list)
    pass_over: int = 0
    starred: bool = False

    def flush(self) -> None:
        """Bytes collected so far, in the code page that holds for them."""
        if self.pending:
            text = bytes(self.pending).decode(self.state.encoding or self.encoding, "replace")
            self.pending.clear()
            self.put(text)

    def put(self, text: str) -> None:
        if self.state.title:
            self.title.append(text)
        elif not self.state.skipped:
            self.text.append(text)

    def group(self, mark: bytes) -> None:
        self.flush()
        self.pass_over = 0
        if mark == b"{":
            if len(self.stack) >= _DEEPEST:
                raise LimitExceeded("nested too deep")
            self.stack.append(self.state)
        elif self.stack:
            self.state = self.stack.pop()
        self.starred = False

    def byte(self, value: int) -> None:
        if self.pass_over:
            self.pass_over -= 1
        else:
            self.pending.append(value)

    def literal(self, data: bytes) -> None:
        """Plain characters between the controls."""
        passed = min(self.pass_over, len(data))
        self.pass_over -= passed
        self.pending += data[passed:]

    def symbol(self, mark: bytes) -> None:
        if mark == b"*":
            self.starred = True
        elif mark in b"\\{}":
            self.byte(mark[0])
        elif mark in {b"~", b"_"}:
            self.byte(0x20 if mark == b"~" else 0x2D)
        elif mark in {b"\n", b"\r"}:
            self.flush()
            self.put("\n\n")

    def word(self, name: str, number: int | None) -> None:
        if name == "u" and number is not None:
            self.flush()
            self.put(chr(number % 65536))
            self.pass_over = self.state.fallback
            return
        self.flush()
        if name in _CHARACTERS:
            self.put(_CHARACTERS[name])
        elif name == "title":
            self.state = replace(self.state, title=True)
        elif name in _SKIPPED or self.starred:
            self.state = replace(self.state, skipped=True, fonts=name == "fonttbl" or self.state.fonts)
        elif name == "bin" and number is not None:
            # Raw bytes follow; the tokeniser has no way to jump, and no text lies there.
            self.state = replace(self.state, skipped=True)
        elif number is not None:
            self.setting(name, number)
        self.starred = False

    def setting(self, name: str, number: int) -> None:
        if name == "ansicpg":
            self.encoding = _code_page(number)
        elif name == "uc":
            self.state = replace(self.state, fallback=min(max(number, 0), 8))
        elif name == "fcharset" and self.state.fonts:
            self.fonts[self.font] = _CHARSETS.get(number, "")
        elif name == "f":
            self.font = number
            if not self.state.fonts:
                self.state = replace(self.state, encoding=self.fonts.get(number, ""))


class RtfParser:
    """Reads `application/rtf`."""

    version = 1
    media_types = frozenset({RTF})

    def parse(self, raw: bytes, _media_type: str, budget: Budget) -> Parsed:
        """Paragraphs; the title its author gave."""
        reader = _Reader()
        for token in _TOKEN.finditer(raw):
            word, number, code, symbol, group, literal = token.groups()
            if word is not None:
                reader.word(word.decode(), int(number) if number is not None else None)
            elif code is not None:
                reader.byte(int(code, 16))
            elif symbol is not None:
                reader.symbol(symbol)
            elif group is not None:
                reader.group(group)
            elif literal is not None:
                reader.literal(literal)
        reader.flush()
        builder = TextBuilder(budget.limits.text_chars)
        # Characters beyond the first 65,536 are written as two halves.
        text = "".join(reader.text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        # A cell ends with its mark, the last one of a row too.
        for paragraph in re.sub(r" \| (?=\n|$)", "", text).split("\n\n"):
            builder.paragraph(paragraph)
        return builder.build("".join(reader.title))


def _code_page(number: int) -> str:
    name = "utf-8" if number == 65001 else f"cp{number}"
    try:
        codecs.lookup(name)
    except LookupError:
        return "cp1252"
    return name


def build(_settings: Mapping[str, Any]) -> RtfParser:
    """There is nothing to set."""
    return RtfParser()
