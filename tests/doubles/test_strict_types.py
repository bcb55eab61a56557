"""The walk over types: as strict as a service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NotRequired, Required

import pytest
from typing_extensions import TypedDict

from tests.doubles.strict_types import problems


class Part(TypedDict, total=False):
    text: Required[str]
    size: int


class Inherited(Part):
    more: str
    less: NotRequired[str]


class Whole(TypedDict, total=False):
    kind: Required[Literal["a", "b"]]
    parts: Iterable[Part]
    ratio: float | None
    tags: dict[str, str]
    content: str | Iterable[Part]
    anything: object


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "a"},
        {
            "kind": "b",
            "parts": [{"text": "x", "size": 1}],
            "ratio": None,
            "tags": {"a": "b"},
            "anything": [{}],
        },
        {"kind": "a", "ratio": 1, "content": "x"},
        {"kind": "a", "ratio": 0.5, "content": [{"text": "x"}], "parts": []},
    ],
)
def test_what_fits(value: Any) -> None:
    assert problems(value, Whole) == []


@pytest.mark.parametrize(
    ("value", "at", "what"),
    [
        ({}, "kind", "Missing"),
        ({"kind": "c"}, "kind", "Invalid value"),
        ({"kind": "a", "more": 1}, "more", "Unrecognized"),
        ({"kind": "a", "parts": [{"text": "x"}, {"text": 1}]}, "parts[1].text", "expected str"),
        ({"kind": "a", "parts": [{"text": "x", "extra": 1}]}, "parts[0].extra", "Unrecognized"),
        ({"kind": "a", "parts": [{"text": "x", "size": True}]}, "parts[0].size", "expected int"),
        ({"kind": "a", "parts": {"text": "x"}}, "parts", "expected an array"),
        ({"kind": "a", "ratio": "1"}, "ratio", "expected float"),
        ({"kind": "a", "tags": {"a": 1}}, "tags.a", "expected str"),
        ({"kind": "a", "tags": []}, "tags", "expected an object"),
        ({"kind": "a", "content": 1}, "content", "Invalid type"),
        ([], "", "expected an object"),
    ],
)
def test_what_does_not(value: Any, at: str, what: str) -> None:
    found = problems(value, Whole)
    assert [place for place, _ in found] == [at]
    assert what in found[0][1]


def test_what_is_required_is_inherited() -> None:
    assert problems({"text": "x", "more": "y"}, Inherited) == []
    assert [place for place, _ in problems({}, Inherited)] == ["more", "text"]


def test_a_type_without_a_rule_is_an_error_not_a_pass() -> None:
    with pytest.raises(TypeError):
        problems(1, complex)
