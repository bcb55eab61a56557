"""Chunks: exact offsets for any document, sentence bounds, tables whole, pages never crossed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.building import TextBuilder
from ingest.splitting import SIZE, pieces, split
from ingest.types import Parsed
from retrieval.tokens import count_tokens
from retrieval.types import Document

DOCUMENT = Document("d", "v", "file:shop/a.md", "Returns")

WORDS = st.sampled_from(
    ["sales", "rose", "in", "Osaka", "2024", "売上", "が増えた", "店舗、", "https://example.com/" + "x" * 300]
)
SENTENCES = (
    st.lists(WORDS, min_size=1, max_size=40)
    .map(" ".join)
    .flatmap(lambda s: st.sampled_from([s + ".", s + "。", s, s + "\n"]))
)
TEXTS = st.lists(SENTENCES, min_size=1, max_size=12).map(" ".join)
BLOCKS = st.one_of(
    st.tuples(st.just("paragraph"), TEXTS),
    st.tuples(st.just("list"), TEXTS),
    st.tuples(st.just("heading"), st.text(alphabet="abc あ", min_size=1, max_size=40)),
    st.tuples(st.just("table"), st.lists(st.lists(WORDS, min_size=1, max_size=5), min_size=1, max_size=60)),
    st.tuples(st.just("page"), st.none()),
)


def parsed(blocks: list[tuple[str, object]]) -> Parsed:
    builder = TextBuilder()
    for kind, content in blocks:
        if kind == "page":
            builder.page()
        elif kind == "heading":
            builder.heading(str(content), 1 + len(str(content)) % 4)
        elif kind == "table":
            builder.table(content)  # type: ignore[arg-type]
        else:
            builder.paragraph(str(content), kind=kind)  # type: ignore[arg-type]
    return builder.build()


@settings(max_examples=150, deadline=None)
@given(st.lists(BLOCKS, max_size=12), st.sampled_from([16, 64, SIZE]))
def test_any_document(blocks: list[tuple[str, object]], size: int) -> None:
    document = parsed(blocks)
    chunks = split(document, DOCUMENT, size)
    covered = [False] * len(document.text)
    for ordinal, chunk in enumerate(chunks):
        assert chunk.text == document.text[chunk.start : chunk.end]
        assert chunk.text == chunk.text.strip() != ""
        assert chunk.id == f"d#{ordinal}"
        assert chunk.ordinal == ordinal
        assert chunk.page == document.page_of(chunk.start) == document.page_of(chunk.end - 1)
        covered[chunk.start : chunk.end] = [True] * (chunk.end - chunk.start)
    missing = "".join(c for c, seen in zip(document.text, covered, strict=True) if not seen)
    assert not missing.strip()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.just("paragraph"), TEXTS), min_size=1, max_size=8))
def test_running_text_stays_within_the_size(blocks: list[tuple[str, object]]) -> None:
    for chunk in split(parsed(blocks), DOCUMENT):
        # Cutting inside a word may count its halves a little dearer than the whole.
        assert count_tokens(chunk.text) <= SIZE + 8


def test_chunks_end_at_sentences_and_share_one() -> None:
    text = " ".join(
        f"Store number {n} in the northern region sold more than in the year before." for n in range(40)
    )
    document = parsed([("paragraph", text)])
    chunks = split(document, DOCUMENT)
    assert len(chunks) > 3
    for first, second in pairwise(chunks):
        assert first.text.endswith(".")
        shared = document.text[second.start : first.end]
        assert shared.startswith("Store number")
        assert shared.count("Store number") == 1


def test_japanese_is_cut_at_its_own_full_stops() -> None:
    text = "".join(f"店舗{n}の売上は前年を上回りました。" for n in range(60))
    chunks = split(parsed([("paragraph", text)]), DOCUMENT)
    assert len(chunks) > 3
    assert all(chunk.text.endswith("。") and chunk.text.startswith("店舗") for chunk in chunks)


def test_a_small_table_is_one_piece() -> None:
    rows = [["Region", "Sales"], *[[f"R{n}", str(n)] for n in range(20)]]
    blocks = [("paragraph", "Words before the table. " * 20), ("table", rows), ("paragraph", "After it.")]
    holding = [chunk for chunk in split(parsed(blocks), DOCUMENT) if "R7 |" in chunk.text]
    assert len(holding) == 1
    assert "Region | Sales" in holding[0].text
    assert "R19 | 19" in holding[0].text


def test_a_large_table_is_cut_at_rows_and_each_piece_knows_its_columns() -> None:
    rows = [["Region", "Sales"], *[[f"Region number {n}", str(n)] for n in range(200)]]
    chunks = split(parsed([("heading", "Results"), ("table", rows)]), DOCUMENT)
    assert len(chunks) > 3
    assert chunks[0].heading == "Results"
    for chunk in chunks[1:]:
        assert chunk.heading == "Results > Region | Sales"
        assert all(line.startswith("Region number") for line in chunk.text.split("\n"))


def test_headings_are_carried_and_open_chunks() -> None:
    body = "Goods can be returned within seven days of delivery. " * 6
    blocks = [("heading", "Returns"), ("paragraph", body), ("heading", "Refunds"), ("paragraph", body)]
    chunks = split(parsed(blocks), DOCUMENT)
    assert chunks[0].heading == "Returns"
    refunds = [chunk for chunk in chunks if chunk.text.startswith("Refunds")]
    assert len(refunds) == 1
    assert refunds[0].heading.endswith("Refunds")


def test_a_heading_is_not_left_alone() -> None:
    blocks = [("heading", "Policy"), ("heading", "Returns"), ("paragraph", "Seven days. " * 90)]
    first = split(parsed(blocks), DOCUMENT)[0]
    assert first.text.startswith("Policy")
    assert "Seven days." in first.text


def test_a_word_longer_than_a_chunk_is_cut() -> None:
    chunks = split(parsed([("paragraph", "QUJD" * 2000)]), DOCUMENT)
    assert len(chunks) > 5
    assert "".join(chunk.text for chunk in chunks) == "QUJD" * 2000


def test_text_without_blocks_is_split_too() -> None:
    assert [piece.start for piece in pieces(Parsed("One. Two."))] == [0]


def test_a_size_that_makes_no_sense_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least 8"):
        pieces(Parsed("One."), 3)
