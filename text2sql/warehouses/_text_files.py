"""Delimited text as people have it: its encoding, delimiter and header, found before an engine reads it."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from text2sql.errors import WarehouseUnavailable
from text2sql.types import unique_names

_CHUNK = 1024 * 1024
_SAMPLE = 64 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHERS = ("cp932", "euc_jp", "cp1252")
"""Tried where UTF-8 does not decode; of Shift_JIS and EUC-JP, which often both do, the likelier is taken."""
_HALF_KATAKANA = re.compile("[\uff61-\uff9f]")
_NUMBER = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_DELIMITERS = (",", "\t", ";", "|")


@dataclass(frozen=True, slots=True)
class TextFile:
    """How to read one file. `skip`: blank lines before the first record; `header`: the first record is names."""

    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    header: bool
    skip: int


def opened(path: Path) -> gzip.GzipFile | io.BufferedReader:
    """The file's bytes, unpacked where its name ends in .gz."""
    return gzip.open(path, "rb") if path.suffix.casefold() == ".gz" else path.open("rb")


def inspect(path: Path) -> TextFile:
    """Read what is needed to load the file. Raises `WarehouseUnavailable` naming the file and what is wrong."""
    try:
        encoding = encoding_of(path)
        with opened(path) as file, io.TextIOWrapper(file, encoding, newline="") as text:
            sample = text.read(_SAMPLE)
    except (OSError, EOFError, UnicodeError) as error:
        raise WarehouseUnavailable(
            f"The file cannot be read: {error}", where=str(path), todo="Mend or remove it."
        ) from error
    if "\0" in sample:
        raise _unusable(path, "The file holds binary data, not text")
    body = sample.lstrip("\r\n")
    skip = len(sample[: len(sample) - len(body)].replace("\r\n", "\n"))
    if not body.strip():
        raise _unusable(path, "The file is empty: not even column names")
    delimiter = _delimiter(path, body)
    first = next(iter(_records(body, delimiter)))
    header = not any(_NUMBER.fullmatch(c.strip()) and not _YEAR.fullmatch(c.strip()) for c in first)
    return TextFile(encoding, delimiter, tuple(_names(first, header=header)), header, skip)


def _unusable(path: Path, what: str) -> WarehouseUnavailable:
    return WarehouseUnavailable(what, where=str(path), todo="Mend the file, or take it out of the folder.")


def encoding_of(path: Path) -> str:
    """Python's name of the encoding that the whole file decodes with. Raises UnicodeError when none does."""
    with opened(path) as file:
        head = file.read(_CHUNK)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if b"\x1b$" in head and _decodes(path, "iso2022_jp"):  # ASCII to every other encoding
        return "iso2022_jp"
    if _decodes(path, "utf-8"):
        return "utf-8"
    fitting = [encoding for encoding in _OTHERS if _decodes(path, encoding)]
    if not fitting:
        raise UnicodeError("its text is in none of the known encodings (UTF-8, Shift_JIS, EUC-JP, …)")
    if fitting[:2] == ["cp932", "euc_jp"]:
        # EUC-JP read as Shift_JIS is full of half-width katakana, which hardly anybody writes.
        return min(fitting[:2], key=lambda e: _strange(path, e))
    return fitting[0]


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with opened(path) as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _strange(path: Path, encoding: str) -> int:
    with opened(path) as file:
        text = file.read(_CHUNK).decode(encoding, "ignore")
    return len(_HALF_KATAKANA.findall(text))


def _delimiter(path: Path, body: str) -> str:
    name = path.name.casefold()
    if name.endswith((".tsv", ".tsv.gz", ".tab", ".tab.gz")):
        return "\t"
    best, most = ",", 1
    for delimiter in _DELIMITERS:
        widths = [len(record) for record in itertools.islice(_records(body, delimiter), 20)]
        if widths and len(set(widths)) == 1 and widths[0] > most:
            best, most = delimiter, widths[0]
    if most == 1:  # ragged: the first record decides
        counts = {d: len(next(iter(_records(body, d)))) for d in _DELIMITERS}
        best = max(_DELIMITERS, key=lambda d: counts[d])
    return best


def _records(body: str, delimiter: str) -> Iterator[list[str]]:
    """Records of the sample, without a last one that the sample may have cut off."""
    whole = body if len(body) < _SAMPLE - 2 else body[: body.rfind("\n") + 1] or body
    reader = csv.reader(io.StringIO(whole, newline=""), delimiter=delimiter)
    for record in reader:
        if record:
            yield record


def _names(first: list[str], *, header: bool) -> list[str]:
    """Column names: trimmed, never empty, unique also for an engine that ignores case."""
    if not header:
        return [f"column_{number}" for number in range(1, len(first) + 1)]
    cleaned = [
        re.sub(r"\s+", " ", cell.replace("\ufeff", "")).strip() or f"column_{number}"
        for number, cell in enumerate(first, 1)
    ]
    folded = unique_names([name.casefold() for name in cleaned])
    return [name + wide[len(name.casefold()) :] for name, wide in zip(cleaned, folded, strict=True)]


def transcode(path: Path, encoding: str, target: Path) -> None:
    """Write the file's text to `target` in UTF-8."""
    with (
        opened(path) as source,
        io.TextIOWrapper(source, encoding, newline="") as text,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        while chunk := text.read(_CHUNK):
            out.write(chunk)
