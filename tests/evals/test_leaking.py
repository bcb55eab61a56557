"""Secrets are found wherever they stand, and nothing else is taken for one."""

from __future__ import annotations

from typing import Any

import pytest

from evals.leaking import folded, leaks, stands_in_text


def record(**fields: Any) -> dict[str, Any]:
    return {"id": "r1", "question": "Who buys most?", "text": "", "rows": [], **fields}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", "It is Ada Lovelace."),
        ("text", "ADA　LOVELACE"),
        ("rows", [{"name": "Ada Lovelace"}]),
        ("suggestions", ["orders of ada lovelace"]),
        ("chart", {"data": {"values": [{"x": "Ada Lovelace", "y": 1}]}}),
        ("citations", [{"quote": "… said Ada Lovelace, who …"}]),
        ("attempts", [{"verdict": {"sql": "SELECT 'Ada Lovelace'"}}]),
        ("definitions", {"Ada Lovelace": "a name as a key"}),
    ],
)
def test_a_name_is_found_in_every_field(field: str, value: Any) -> None:
    assert leaks(record(**{field: value}), ["Ada Lovelace"]) == [field]


def test_numbers_are_found_as_cells_and_as_they_are_written() -> None:
    assert leaks(record(text="That makes 1,234,567 yen."), [1234567]) == ["text"]
    assert leaks(record(text="１,２３４,５６７円です"), [1234567]) == ["text"]
    assert leaks(record(rows=[{"n": 1234567.0}]), [1234567]) == ["rows"]
    assert leaks(record(rows=[{"n": 0.6871234}]), [0.6871234]) == ["rows"]
    assert leaks(record(text="51234567 and 1234567.5 and 1,234,5678"), [1234567]) == []


def test_what_is_no_secret_is_not_found() -> None:
    assert leaks(record(text="A0012 and PA001"), ["A001"]) == []
    assert leaks(record(text="17 of them"), [17]) == []  # small numbers stand in every text
    assert leaks(record(rows=[{"x": None, "y": True}]), [None, True, "", "a"]) == []
    assert leaks(record(question="What of A001?", text="A001 is not known."), ["A001"]) == []
    assert leaks(record(text="200 yours"), [200], allowed=[200]) == []
    assert leaks(record(versions={"policy": "Ada"}, principal={"name": "Ada"}), ["Ada"]) == []


def test_several_fields_are_named_once_and_in_order() -> None:
    found = leaks(record(text="Ada, Grace", rows=[{"n": "Grace"}]), ["Ada", "Grace"])
    assert found == ["rows", "text"]


def test_texts_are_folded() -> None:
    assert folded("  ＡＢＣ  1,000\n円 ") == "abc 1000 円"
    assert folded("a,b 1,00") == "a,b 1,00"


@pytest.mark.parametrize(
    ("wanted", "text", "there"),
    [
        ("120 km", "up to 120 km.", True),
        ("20 km", "up to 120 km", False),
        ("50,000", "50000円", True),
        ("120", "120km", True),
        ("12.5", "12.55", False),
        ("満期", "契約は満期日に", True),
        ("a.b", "axb", False),
    ],
)
def test_facts_stand_at_word_boundaries(wanted: str, text: str, there: bool) -> None:
    assert stands_in_text(wanted, text) is there
