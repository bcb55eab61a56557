"""Blocks put together: offsets, pages, tables, limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.building import TextBuilder, one_line, tidy
from ingest.types import Parsed


def test_blocks_lie_where_they_say() -> None:
    builder = TextBuilder()
    builder.heading("  A \n title ", 2)
    builder.paragraph("one\x00 \u00adtwo\r\nthree")
    builder.table([["a", "b"], ["", ""], ["1", "2"]])
    parsed = builder.build()
    assert parsed.text == "A title\n\none two\nthree\n\na | b\n1 | 2"
    assert [(b.kind, parsed.text[b.start : b.end], b.level) for b in parsed.blocks] == [
        ("heading", "A title", 2),
        ("paragraph", "one two\nthree", 0),
        ("table", "a | b\n1 | 2", 0),
    ]
    assert parsed.blocks[2].header == "a | b"
    assert parsed.title == "A title"


def test_margins_of_a_table_go_and_gaps_stay() -> None:
    builder = TextBuilder()
    builder.table([["", "a", "", "b", ""], ["", "1", "", "", ""], ["", "", "", "2", ""]])
    assert builder.build().text == "a | b\n1\n | 2"


def test_a_row_alone_is_no_table() -> None:
    builder = TextBuilder()
    builder.table([["only", "row"]])
    assert builder.build().blocks[0].kind == "paragraph"


def test_pages_start_at_their_text_and_empty_ones_count() -> None:
    builder = TextBuilder()
    builder.page()
    builder.paragraph("first")
    builder.page()
    builder.page()
    builder.paragraph("third")
    builder.page()
    parsed = builder.build()
    assert len(parsed.pages) == 4
    assert parsed.page_of(parsed.text.index("first")) == 1
    assert parsed.page_of(parsed.text.index("third")) == 3
    assert Parsed("x").page_of(0) is None


def test_the_limit_is_kept_and_said() -> None:
    builder = TextBuilder(limit=10)
    builder.paragraph("12345")
    builder.paragraph("67890")
    builder.paragraph("never")
    parsed = builder.build()
    assert builder.full
    assert parsed.text == "12345\n\n678"
    assert parsed.warnings == ("only the first 10 characters were read",)


def test_another_document_is_included_whole() -> None:
    inner = TextBuilder()
    inner.heading("Inside")
    inner.table([["a", "b"], ["1", "2"]])
    inner.warn("something")
    outer = TextBuilder()
    outer.paragraph("Outside.")
    outer.include(inner.build())
    parsed = outer.build()
    assert [parsed.text[b.start : b.end] for b in parsed.blocks] == ["Outside.", "Inside", "a | b\n1 | 2"]
    assert parsed.warnings == ("something",)


@given(st.text(max_size=200))
def test_tidy_text_can_be_stored_anywhere(text: str) -> None:
    clean = tidy(text)
    clean.encode("utf-8")
    assert "\0" not in clean
    assert tidy(clean) == clean
    assert "\n" not in one_line(text)
    assert len(one_line(text, 10)) <= 10
