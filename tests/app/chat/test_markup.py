"""Data is shown as it is and never comes alive."""

from __future__ import annotations

import pytest

from app.chat import markup

HOSTILE = "<img src=x onerror=alert(1)> & \"quoted\" 'single' </div><script>x</script>"


@pytest.mark.parametrize(
    "made",
    [
        markup.words(HOSTILE),
        markup.answer(HOSTILE, {1}),
        markup.marked(HOSTILE, 3, 9),
        markup.details(HOSTILE, ""),
        markup.pairs([(HOSTILE, HOSTILE)]),
    ],
)
def test_no_tag_of_the_data_survives(made: str) -> None:
    assert "<img" not in made
    assert "<script" not in made
    assert "&lt;" in made


def test_only_markers_of_sources_are_set_apart() -> None:
    made = markup.answer("It is so. [1] See [2] and [12].", {1, 12})
    assert made.count("<sup>") == 2
    assert "<sup>[1]</sup>" in made
    assert "See [2] and" in made


@pytest.mark.parametrize(
    ("start", "end", "quoted"), [(4, 9, "quick"), (-3, 3, "the"), (4, 99, "quick fox"), (9, 4, "")]
)
def test_the_span_is_marked_and_nothing_is_lost(start: int, end: int, quoted: str) -> None:
    made = markup.marked("the quick fox", start, end)
    assert f"<mark>{quoted}</mark>" in made
    assert made.replace("<mark>", "").replace("</mark>", "") == markup.words("the quick fox")


@pytest.mark.parametrize("live", [":smile:", "http://x.example", "www.x.example", "a@b.example", "a -> b"])
def test_labels_read_as_written_and_match_no_pattern(live: str) -> None:
    made = markup.label(live)
    assert made.replace(markup.JOINER, "").replace("\\", "") == live
    assert live not in made.replace("\\", "")


@pytest.mark.parametrize(
    ("live", "escaped"), [("**b**", r"\*\*b\*\*"), ("$x$", r"\$x\$"), ("[a](b)", r"\[a\]\(b\)")]
)
def test_marks_in_labels_are_escaped(live: str, escaped: str) -> None:
    assert markup.label(live) == escaped


def test_labels_are_one_line() -> None:
    assert "\n" not in markup.label("two\nlines")
