"""E-mail: headers people read, the body as text, attachments read as files of their own; mailboxes message by message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from email import policy
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from typing import Any

from ingest.building import TextBuilder, one_line
from ingest.decoding import decode
from ingest.errors import Unreadable
from ingest.flow import paragraphs
from ingest.limits import Budget
from ingest.media import EMAIL, MBOX
from ingest.parsers.html import parse_html
from ingest.types import Parsed

_SHOWN = ("From", "To", "Cc", "Date")
_FROM_LINE = re.compile(rb"^From .*\r?\n", re.MULTILINE)
_MAX_PARTS = 1000
# Text that a saved web page needs, and no one reads.
_MACHINERY = frozenset({"css", "javascript", "x-javascript", "ecmascript", "xml"})


class EmailParser:
    """Reads `message/rfc822` (saved web pages, `.mht`, among them) and `application/mbox`."""

    version = 1
    media_types = frozenset({EMAIL, MBOX})

    def parse(self, raw: bytes, media_type: str, budget: Budget) -> Parsed:
        """The subject as title and heading; raises Unreadable where there is neither header nor body."""
        builder = TextBuilder(budget.limits.text_chars)
        title = ""
        messages = _messages(raw) if media_type == MBOX else iter((raw,))
        for one in messages:
            budget.member()
            subject = _message(BytesParser(policy=policy.compat32).parsebytes(_narrow(one)), builder, budget)
            title = title or subject
            if builder.full:
                break
        return builder.build(title)


def _narrow(raw: bytes) -> bytes:
    """Mail saved by an editor as UTF-16, back in the bytes it was made of."""
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in raw[:64]:
        return decode(raw).encode()
    return raw.lstrip(b"\xef\xbb\xbf\r\n")


def _messages(raw: bytes) -> Iterator[bytes]:
    """A mailbox cut at its `From ` lines (only those after a blank line, as the format wants)."""
    starts = [
        match
        for match in _FROM_LINE.finditer(raw)
        if match.start() == 0 or raw[: match.start()].endswith((b"\n\n", b"\n\r\n"))
    ]
    for index, match in enumerate(starts):
        end = starts[index + 1].start() if index + 1 < len(starts) else len(raw)
        yield re.sub(rb"(?m)^>(>*From )", rb"\1", raw[match.end() : end])


def _message(message: Message, builder: TextBuilder, budget: Budget) -> str:
    subject = header(message, "Subject")
    if subject:
        builder.heading(subject, 1)
    shown = [f"{name}: {value}" for name in _SHOWN if (value := header(message, name))]
    builder.paragraph("\n".join(shown), kind="list")
    bodies: list[Message] = []
    for part in _leaves(message):
        name = _file_name(part)
        if name or part.get_content_disposition() == "attachment" or part.get_content_maintype() != "text":
            data = _payload(part)
            # Pictures in a mail are mostly logos: not worth a warning each.
            if data and part.get_content_maintype() != "image":
                budget.spend(len(data))
                budget.member()
                builder.attach(name or f"attachment.{part.get_content_subtype()}", data)
        elif part.get_content_subtype() not in _MACHINERY:
            bodies.append(part)
    for part in _chosen(bodies):
        _body(part, builder, budget)
    return subject


def _leaves(message: Message) -> Iterator[Message]:
    """Parts that hold content, forwarded messages opened; the number of parts is bounded."""
    stack, seen = [message], 0
    while stack and seen < _MAX_PARTS:
        part = stack.pop()
        seen += 1
        payload = part.get_payload()
        if isinstance(payload, list):
            stack.extend(piece for piece in reversed(payload) if isinstance(piece, Message))
        elif part.get_content_maintype() != "multipart" or payload:
            yield part


def _chosen(bodies: list[Message]) -> list[Message]:
    """Plain text where there is some: the HTML beside it says the same."""
    plain = [part for part in bodies if part.get_content_subtype() != "html"]
    if any(len(_payload(part).strip()) > 20 for part in plain):
        return plain
    return [part for part in bodies if part.get_content_subtype() == "html"] or plain


def _body(part: Message, builder: TextBuilder, budget: Budget) -> None:
    raw = _payload(part)
    if not raw.strip():
        return
    try:
        text = decode(raw, str(part.get_param("charset") or ""))
        if part.get_content_subtype() == "html" or raw.lstrip()[:5].lower() in {b"<html", b"<!doc"}:
            builder.include(parse_html(text, budget))
            return
    except Unreadable as error:
        builder.warn(f"a part of the message could not be read: {error.what}")
        return
    for paragraph in paragraphs(text):
        builder.paragraph(paragraph)


def _payload(part: Message) -> bytes:
    try:
        data = part.get_payload(decode=True)
    except (ValueError, LookupError, AttributeError, AssertionError):
        data = None
    if isinstance(data, bytes):
        return data
    text = part.get_payload()
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else b""


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename() or ""
    except (ValueError, LookupError, TypeError, AttributeError):
        name = "attachment"
    return one_line(_decoded(name), 120)


def header(message: Message, name: str) -> str:
    """A header's text, encoded words decoded, on one line.

    Taken as it came (`get` would turn undeclared 8-bit text into question marks).
    """
    for key, value in message.raw_items():
        if key.casefold() == name.casefold():
            return one_line(_decoded(str(value)), 500)
    return ""


def _decoded(value: str) -> str:
    # Undecoded 8-bit headers arrive as lone surrogates: these are the bytes themselves.
    if any("\udc80" <= character <= "\udcff" for character in value):
        value = _guess(value.encode("utf-8", "surrogateescape"))
    if "=?" not in value:
        return value
    try:
        parts = decode_header(value)
    except (ValueError, LookupError, AssertionError):
        return value
    words = []
    for data, charset in parts:
        words.append(data if isinstance(data, str) else _guess(data, charset or ""))
    return "".join(words)


def _guess(raw: bytes, charset: str = "") -> str:
    try:
        return decode(raw, charset)
    except Unreadable:
        return raw.decode("ascii", "replace")


def build(_settings: Mapping[str, Any]) -> EmailParser:
    """There is nothing to set."""
    return EmailParser()
