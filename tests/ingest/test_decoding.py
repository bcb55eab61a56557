"""Encodings: what was written in one is read back, declared or not."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ingest.decoding import declared_in, decode
from ingest.errors import Unreadable

JAPANESE = "返品は商品の到着から七日以内にお申し出ください。送料はお客様のご負担です。カタカナも、ＡＢＣも。"
ENCODINGS = [
    "utf-8",
    "utf-8-sig",
    "cp932",
    "euc_jp",
    "iso2022_jp",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_japanese_is_read_in_every_encoding_without_being_told(encoding: str) -> None:
    # ASCII beside it, as in any real file: it is what shows an unmarked UTF-16.
    text = "Return policy (2024)\n" + JAPANESE
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("encoding", "declared"), [("cp932", "Shift_JIS"), ("euc_jp", "EUC-JP"), ("cp1252", "iso-8859-1")]
)
def test_a_declared_encoding_is_believed_when_it_fits(encoding: str, declared: str) -> None:
    text = "café “quoted”" if encoding == "cp1252" else "①店舗" if encoding == "cp932" else "店"
    assert decode(text.encode(encoding), declared) == text


def test_a_declaration_that_does_not_fit_is_not_believed() -> None:
    assert decode(JAPANESE.encode("utf-8"), "us-ascii") == JAPANESE
    assert decode(JAPANESE.encode("cp932"), "utf-8") == JAPANESE
    assert decode(b"plain", "no-such-encoding") == "plain"


def test_short_shift_jis_with_half_width_katakana_neighbours() -> None:
    assert decode("店舗名,売上\n東京店,100\n".encode("cp932")) == "店舗名,売上\n東京店,100\n"
    assert decode("店舗名,売上\n東京店,100\n".encode("euc_jp")) == "店舗名,売上\n東京店,100\n"


def test_western_text_is_not_taken_for_japanese() -> None:
    assert "Überraschung" in decode(
        "Die Überraschung für größere Händler im März über Köln.".encode("cp1252")
    )


def test_a_broken_byte_in_much_good_text_costs_one_character() -> None:
    raw = (JAPANESE * 20).encode()
    assert decode(raw[:300] + b"\xff" + raw[300:]).count("\ufffd") < 5


def test_line_ends_become_one_kind() -> None:
    assert decode(b"a\r\nb\rc\n") == "a\nb\nc\n"


def test_binary_data_is_refused() -> None:
    with pytest.raises(Unreadable, match="not text"):
        decode(bytes(range(256)) * 20)


def test_meta_charset_is_found() -> None:
    assert declared_in(b'<html><head><meta charset="Shift_JIS">') == "Shift_JIS"
    assert declared_in(b'<?xml version="1.0" encoding="EUC-JP"?>') == "EUC-JP"
    assert declared_in(b"<p>no word of it</p>") == ""


@given(st.binary(max_size=400))
def test_any_bytes_give_text_or_a_reason(raw: bytes) -> None:
    with suppress(Unreadable):
        assert isinstance(decode(raw), str)


@given(st.text(alphabet="あいうえおかきくけこ売上店舗返品東京大阪、。", min_size=8, max_size=80))
def test_any_japanese_in_euc_and_shift_jis(text: str) -> None:
    assume(not text.isspace())
    for encoding in ("euc_jp", "cp932"):
        assert decode(text.encode(encoding)) == text, encoding
