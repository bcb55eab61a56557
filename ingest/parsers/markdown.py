"""Markdown without its marks: headings, lists, tables and code as structure, links and emphasis as their words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from ingest.building import TextBuilder
from ingest.decoding import decode
from ingest.flow import unwrap
from ingest.limits import Budget
from ingest.media import MARKDOWN
from ingest.types import Parsed

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_SETEXT = re.compile(r" {0,3}(=+|-{2,})\s*$")
_RULE = re.compile(r" {0,3}([-*_])(?:\s*\1){2,}\s*$")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s+")
_DIVIDER = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_FRONT = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)\s*(?:\n|\Z)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_INLINE = (
    (re.compile(r"!\[([^\]]*)\]\([^)\n]*\)"), r"\1"),
    (re.compile(r"\[([^\]]+)\]\([^)\n]*\)"), r"\1"),
    (re.compile(r"\[([^\]]+)\]\[[^\]]*\]"), r"\1"),
    (re.compile(r"<((?:https?|mailto):[^>\s]+)>"), r"\1"),
    (re.compile(r"</?[A-Za-z][^<>\n]{0,300}>"), ""),
    (re.compile(r"(?<!\\)(\*\*|__)(?=\S)(.+?)(?<=[^\s\\])\1"), r"\2"),
    (re.compile(r"(?<![\w*\\])\*(?=\S)([^*\n]+?)(?<=[^\s\\])\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<![\w\\])_(?=\S)([^_\n]+?)(?<=[^\s\\])_(?!\w)"), r"\1"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~"), r"\1"),
    (re.compile(r"`+([^`\n]+)`+"), r"\1"),
    (re.compile(r"\\([\\`*_{}\[\]()#+\-.!|~<>])"), r"\1"),
)


class MarkdownParser:
    """Reads `text/markdown` (CommonMark's blocks and GitHub's tables; front matter gives the title)."""

    version = 1
    media_types = frozenset({MARKDOWN})

    def parse(self, raw: bytes, _media_type: str, budget: Budget) -> Parsed:
        """Blocks in order; raises Unreadable for binary data."""
        text = decode(raw)
        builder = TextBuilder(budget.limits.text_chars)
        title = ""
        if (front := _FRONT.match(text)) is not None:
            title = _front_title(front.group(1))
            text = text[front.end() :]
        _blocks(_COMMENT.sub("", text).split("\n"), builder)
        return builder.build(title)


def plain(text: str) -> str:
    """One line or paragraph without inline marks."""
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    return text


def _front_title(front: str) -> str:
    try:
        values = yaml.safe_load(front)
    except (yaml.YAMLError, RecursionError, ValueError):
        return ""
    return str(values.get("title") or "") if isinstance(values, dict) else ""


def _blocks(lines: list[str], builder: TextBuilder) -> None:
    index, pending = 0, list[str]()
    while index < len(lines) and not builder.full:
        line = lines[index]
        if (fence := _FENCE.match(line)) is not None:
            _flush(pending, builder)
            end = _fence_end(lines, index + 1, fence.group(1))
            builder.paragraph("\n".join(lines[index + 1 : end]), kind="code")
            index = end + 1
            continue
        if (heading := _HEADING.match(line)) is not None:
            _flush(pending, builder)
            builder.heading(plain(heading.group(2)), len(heading.group(1)))
        elif pending and _SETEXT.match(line) and len(pending) == 1 and not _ITEM.match(pending[0]):
            builder.heading(plain(pending.pop()), 1 if "=" in line else 2)
        elif (
            "|" in line
            and index + 1 < len(lines)
            and "-" in lines[index + 1]
            and _DIVIDER.match(lines[index + 1])
        ):
            _flush(pending, builder)
            index = _table(lines, index, builder)
            continue
        elif not line.strip() or _RULE.match(line):
            _flush(pending, builder)
        else:
            pending.append(line)
        index += 1
    _flush(pending, builder)


def _fence_end(lines: list[str], index: int, fence: str) -> int:
    while index < len(lines):
        closing = lines[index].strip()
        if closing.startswith(fence) and not closing.strip(fence[0]):
            return index
        index += 1
    return index


def _table(lines: list[str], index: int, builder: TextBuilder) -> int:
    rows = [_cells(lines[index])]
    index += 2
    while index < len(lines) and "|" in lines[index]:
        rows.append(_cells(lines[index]))
        index += 1
    builder.table(rows)
    return index


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [plain(cell.replace("\\|", "|")) for cell in re.split(r"(?<!\\)\|", inner)]


def _flush(pending: list[str], builder: TextBuilder) -> None:
    if not pending:
        return
    lines = [line.lstrip().removeprefix("> ").removeprefix(">") for line in pending]
    pending.clear()
    if any(_ITEM.match(line) for line in lines):
        items = list[str]()
        for line in lines:
            if _ITEM.match(line) or not items:
                items.append(line)
            else:
                items[-1] += " " + line.strip()
        builder.paragraph("\n".join(map(plain, items)), kind="list")
        return
    # In Markdown a line break within a paragraph means nothing, except in text without spaces.
    builder.paragraph(plain("\n".join(_soft(lines))))


def _soft(lines: list[str]) -> list[str]:
    hard = [line for line in lines if line.endswith(("  ", "\\"))]
    if hard:
        return [line.rstrip("\\") for line in lines]
    if any(line[-1:] > "\u2e80" for line in lines):
        return unwrap(lines)
    return [" ".join(line.strip() for line in lines)]


def build(_settings: Mapping[str, Any]) -> MarkdownParser:
    """There is nothing to set."""
    return MarkdownParser()
