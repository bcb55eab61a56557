"""Bytes to text, Japanese encodings first: what is declared, what the bytes allow, then a guess that is checked."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

from ingest.errors import Unreadable

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ISO_2022_JP = re.compile(rb"\x1b\$[@B]|\x1b\(J|\x1b\(I|\x1b\$\(D")
_META = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:\-]+)""")
# What a declaration says and what its writers mean: browsers read these supersets.
_MEANT = {
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "ms_kanji": "cp932",
    "windows-31j": "cp932",
    "iso-2022-jp": "iso2022_jp_2004",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
}
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufffe\uffff]")
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_HALF_KATAKANA = re.compile("[\uff61-\uff9f]")
_JAPANESE = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff5e]")


def decode(raw: bytes, declared: str = "") -> str:
    """The text of `raw`; `declared` is an encoding named outside it (a header). Line ends become `\\n`.

    Raises Unreadable when no reading of the bytes looks like text.
    """
    text = _decode(raw, declared)
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


def declared_in(raw: bytes) -> str:
    """The encoding that the head of an HTML or XML document names, "" if none."""
    found = _META.search(raw[:4096])
    return found.group(1).decode("ascii") if found else ""


def _decode(raw: bytes, declared: str) -> str:
    for bom, encoding in _BOMS:
        if raw.startswith(bom):
            return raw.decode(encoding, errors="replace")
    if _ISO_2022_JP.search(raw) and not any(byte >= 0x80 for byte in raw[:4096]):
        text = _try(raw, "iso2022_jp_2004") or _try(raw, "iso2022_jp_ext")
        return text if text is not None else raw.decode("iso2022_jp_2", errors="replace")
    return _wide(raw) or _eight_bit(raw, declared)


def _eight_bit(raw: bytes, declared: str) -> str:
    named = _named(raw, declared)
    if named is not None and not _CONTROL.search(named[:4096]):
        return named
    if (utf8 := _try(raw, "utf-8")) is not None:
        return utf8
    # A multi-byte character cut at the very end, or a few broken bytes in much good UTF-8.
    lenient = raw.decode("utf-8", errors="replace")
    if lenient.count("\ufffd") * 50 < sum(1 for character in lenient if character > "\x7f"):
        return lenient
    return _guess(raw, named)


def _named(raw: bytes, declared: str) -> str | None:
    encoding = declared.strip().strip("\"'").casefold()
    if not encoding:
        return None
    try:
        return raw.decode(_MEANT.get(encoding, encoding))
    except (LookupError, UnicodeDecodeError, ValueError):
        return None


def _try(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _wide(raw: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: every second (or three of four) bytes of its ASCII are zero."""
    head = raw[:4096]
    if len(head) < 4 or b"\0" not in head:
        return None
    odd, even = head[1::2].count(0) / len(head[1::2]), head[::2].count(0) / len(head[::2])
    fours = [head[offset::4].count(0) / max(1, len(head[offset::4])) for offset in range(4)]
    if min(sorted(fours)[1:]) > 0.9 and len(raw) % 4 == 0:
        return _try(raw, "utf-32-le" if fours[0] < 0.9 else "utf-32-be")
    if odd > 0.2 and even < 0.02:
        return _try(raw[: len(raw) // 2 * 2], "utf-16-le")
    if even > 0.2 and odd < 0.02:
        return _try(raw[: len(raw) // 2 * 2], "utf-16-be")
    return None


def _guess(raw: bytes, named: str | None) -> str:
    """The likeliest of the Japanese encodings, else what charset-normalizer says."""
    best, best_score = None, 0.3
    for encoding in ("euc_jp", "cp932"):
        text = _try(raw, encoding)
        if text is None and len(raw) > 4096:
            text = _try(_whole_characters(raw, encoding), encoding)
            text = None if text is None else raw.decode(encoding, errors="replace")
        if text is not None and (score := _japanese(text)) > best_score:
            best, best_score = text, score
    if best is not None:
        return best
    if b"\0" in raw[:4096]:
        raise Unreadable("not text: binary data in an unknown format")
    if named is not None:
        return named
    guess = from_bytes(raw[:200_000]).best()
    text = (
        raw.decode(guess.encoding, errors="replace") if guess is not None else raw.decode("cp1252", "replace")
    )
    if len(_CONTROL.findall(text)) > len(text) / 20:
        raise Unreadable("not text: binary data in an unknown format")
    return text


def _whole_characters(raw: bytes, encoding: str) -> bytes:
    """The first bytes of `raw`, cut where a character ends: enough to judge a long text with a broken byte."""
    try:
        raw[:4096].decode(encoding)
    except UnicodeDecodeError as error:
        return raw[: error.start] if error.start > 4000 else raw
    return raw[:4096]


def _japanese(text: str) -> float:
    """How much of the non-ASCII text reads as Japanese, 0 to 1; half-width katakana are the mark of a wrong guess."""
    foreign = [character for character in text[:20_000] if character > "\x7f"]
    if not foreign:
        return 0.0
    joined = "".join(foreign)
    japanese = len(_JAPANESE.findall(joined)) - 2 * len(_HALF_KATAKANA.findall(joined))
    kana = 0.1 if _KANA.search(joined) else 0.0
    return japanese / len(foreign) * 0.9 + kana
