"""Where sentences end: cases as data, and what holds for any text."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sentences import sentences

CASES = [
    line.split(" =>", 1)
    for line in (Path(__file__).parents[1] / "fixtures/ingest/sentences.txt")
    .read_text(encoding="utf-8")
    .splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_case(text: str, expected: str) -> None:
    text = text.replace("\\n", "\n")
    found = [text[start:end] for start, end in sentences(text)]
    assert found == [part for part in expected.strip().split("|") if part]


@given(st.text(alphabet="ab A.!?。「」（）\n　1、", max_size=200))
def test_nothing_but_blanks_is_lost_and_stretches_ascend(text: str) -> None:
    found = list(sentences(text))
    assert "".join(text[s:e] for s, e in found).split() == "".join(text.split()).split() or (
        "".join("".join(text[s:e] for s, e in found).split()) == "".join(text.split())
    )
    assert all(start < end for start, end in found)
    assert all(first[1] <= second[0] for first, second in pairwise(found))
    assert all(text[s:e] == text[s:e].strip() for s, e in found)


def test_a_quotation_that_never_closes_does_not_swallow_the_text() -> None:
    text = "「" + "これは文です。" * 200
    assert len(list(sentences(text))) > 50
