"""YAML as the project's files mean it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from retrieval.yaml_files import read_yaml
from text2sql.errors import PolicyError
from text2sql.policy import load


def test_only_true_and_false_are_booleans() -> None:
    text = "{a: no, b: on, c: yes, d: NO, e: true, f: False, on: 1}"
    assert read_yaml(text) == {"a": "no", "b": "on", "c": "yes", "d": "NO", "e": True, "f": False, "on": 1}


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3\n", "x: {k: 1, k: 1}\n", "- {n: 1, 'n': 2}\n"])
def test_a_key_that_is_there_twice_is_an_error_that_says_where(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="is there twice") as caught:
        read_yaml(text)
    assert caught.value.problem_mark is not None  # type: ignore[attr-defined]  # a MarkedYAMLError


def test_what_is_merged_in_may_be_overridden() -> None:
    assert read_yaml("base: &b {x: 1, y: 2}\nmine: {<<: *b, y: 3}\n")["mine"] == {"x": 1, "y": 3}


def test_keys_of_different_types_are_different() -> None:
    assert read_yaml("{1: a, '1': b}") == {1: "a", "1": "b"}


def test_python_objects_are_not_made() -> None:
    with pytest.raises(yaml.YAMLError):
        read_yaml("!!python/object/apply:os.getcwd []")


def test_a_policy_that_grants_twice_is_refused_instead_of_half_read(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(
        "version: 1\nname: shop\ntables:\n"
        "  sales: {grants: [{roles: [seller], rows: 'seller_id = 1'}]}\n"
        "  sales: {grants: [{roles: [everyone], rows: all}]}\n"
    )
    with pytest.raises(PolicyError, match=r"(?s)sales.*twice|not YAML|cannot be read"):
        load(file)


def test_a_country_code_of_a_policy_is_a_word(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("version: 1\nname: NO\ntables: {}\n")
    assert load(file).name == "NO"
