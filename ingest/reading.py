"""One document's bytes to text: sniff, parse, read what is inside, refuse what is no text. Pure: the same bytes and
name give the same result, wherever it runs.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath

from ingest.building import TextBuilder
from ingest.errors import LimitExceeded, Unreadable
from ingest.limits import Budget, Limits
from ingest.media import describe, sniff
from ingest.parsers import build, by_media_type, identities
from ingest.types import Parsed
from retrieval.language import detect

_LETTERS = re.compile(r"[^\W_]")
# Private use, replacement and unassigned-looking characters: what a font without a character map leaves behind.
_GARBAGE = re.compile("[\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff]")


def read(raw: bytes, name: str, limits: Limits | None = None) -> Parsed:
    """Text with structure, media type, language, title ("" where it has none), and what was left out.

    Raises Unreadable with the reason, LimitExceeded among them. Never returns a document without a letter or digit.
    """
    budget = Budget(limits or Limits())
    if not raw.strip(b"\0 \t\r\n"):
        raise Unreadable("no text: the file is empty" if not raw else "no text: nothing but blanks")
    parsed = _read(raw, name, budget, depth=0)
    _judge(parsed)
    return replace(parsed, language=detect(parsed.text), embedded=())


def _read(raw: bytes, name: str, budget: Budget, depth: int) -> Parsed:
    media_type = sniff(raw, name)
    parser_name = by_media_type().get(media_type)
    if parser_name is None:
        raise Unreadable(_unsupported(media_type, name))
    try:
        parsed = build(parser_name).parse(raw, media_type, budget)
    except RecursionError as error:
        raise LimitExceeded("nested too deep") from error
    except MemoryError as error:
        raise LimitExceeded("needs more memory than a document may take") from error
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(f"damaged: the {parser_name} parser failed ({type(error).__name__})") from error
    parsed = replace(parsed, media_type=media_type, parser=identities()[parser_name])
    return _with_embedded(parsed, name, budget, depth) if parsed.embedded else parsed


def _with_embedded(parsed: Parsed, name: str, budget: Budget, depth: int) -> Parsed:
    """The document with the text of the files inside it, each under its name as a heading."""
    builder = TextBuilder(budget.limits.text_chars)
    builder.include(parsed)
    found, title = bool(parsed.text), parsed.title
    reason = None
    for inside in parsed.embedded:
        label = inside.name or file_stem(name)
        try:
            if depth + 1 >= budget.limits.depth:
                raise LimitExceeded(f"nested deeper than {budget.limits.depth} files")
            inner = _read(inside.data, label, budget, depth + 1)
            _judge(inner)
        except Unreadable as error:
            reason = reason or error
            builder.warn(f"{label}: {error.what}" if inside.name else error.what)
            continue
        if inside.name:
            builder.heading(PurePosixPath(inside.name.replace("\\", "/")).name, 1)
        title = title or (inner.title if not inside.name else "")
        builder.include(inner)
        found = True
    if not found:
        raise _nothing(reason)
    # Pages are the outer document's own: an attachment comes after the last of them.
    combined = builder.build(title)
    return replace(combined, pages=parsed.pages, media_type=parsed.media_type, parser=parsed.parser)


def _nothing(reason: Unreadable | None) -> Unreadable:
    if isinstance(reason, LimitExceeded):
        return reason
    return Unreadable(f"nothing inside can be read: {reason.what}" if reason is not None else "no text")


def _judge(parsed: Parsed) -> None:
    """Raises Unreadable for a text that says nothing, or that is not what a reader would see."""
    letters = len(_LETTERS.findall(parsed.text[:100_000]))
    if not letters:
        raise Unreadable(
            "no text: nothing but blanks and signs" if parsed.text else "no text: the document is empty"
        )
    garbage = len(_GARBAGE.findall(parsed.text[:100_000]))
    if garbage * 3 > letters:
        raise Unreadable("garbled: its characters cannot be told (a font or an encoding without a map)")


def _unsupported(media_type: str, name: str) -> str:
    suffix = PurePosixPath(name).suffix
    kind = describe(media_type) + (f" ({suffix})" if suffix else "")
    if media_type.startswith("image/"):
        return f"no text: {kind}; OCR is not installed"
    return f"unsupported format: {kind}"


def file_stem(name: str) -> str:
    """A file's name without its folder and ending: its title where it says none of its own."""
    return PurePosixPath(name.replace("\\", "/")).stem or name
