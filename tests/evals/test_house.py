"""Reading our own suites: strictly, with the line of whatever is wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from evals.errors import SuiteError
from evals.suites.house import load, tagged

GOOD = """\
version: 1
name: shop
cases:
  - id: one
    question: 売上は?
    user: kim
    sql: SELECT sum(amount) FROM sales
    alternatives: [SELECT 1, SELECT 2]
    ordered: true
    facts: [yen, [a, b]]
    tags: [sales, ja]
  - {id: 2, question: "May I see it?", must_withhold: true, secrets: [Ada, 12000], tags: sales}
  - {id: three, question: "Who?", documents: [[handbook.en, Handbook]], route: documents}
  - {id: four, question: "Weather?", must_decline: true}
  - {id: five, question: "Rows?", result: [{n: 1}]}
"""


def suite(folder: Path, text: str, name: str = "suite.yaml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_a_suite_is_read(tmp_path: Path) -> None:
    read = load(suite(tmp_path, GOOD))
    one, two, three, four, five = read.cases
    assert read.name == "shop"
    assert (one.language, one.user, one.kind, one.ordered) == ("ja", "kim", "answer", True)
    assert one.sql == ("SELECT sum(amount) FROM sales", "SELECT 1", "SELECT 2")
    assert one.facts == (("yen",), ("a", "b"))
    assert one.where.endswith("suite.yaml, line 4")
    assert (two.id, two.kind, two.secrets, two.language) == ("2", "withhold", ("Ada", "12000"), "en")
    assert three.documents == (("handbook.en", "Handbook"),)
    assert four.kind == "decline"
    assert five.result == ({"n": 1},)


def test_tags_choose(tmp_path: Path) -> None:
    read = load(suite(tmp_path, GOOD))
    assert [case.id for case in tagged(read, ("ja", "none"))] == ["one"]
    assert [case.id for case in tagged(read, ("sales",))] == ["one", "2"]
    assert len(list(tagged(read, ()))) == 5


@pytest.mark.parametrize("name", ["s.jsonl", "s.jsonl.gz"])
def test_json_lines_are_read(tmp_path: Path, name: str) -> None:
    lines = [
        {"id": "a", "question": "Q?", "must_decline": True},
        {"id": "b", "question": "R?", "facts": ["x"]},
    ]
    data = "\n\n".join(json.dumps(line) for line in lines).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    read = load(tmp_path / name)
    assert [case.id for case in read.cases] == ["a", "b"]
    assert read.name == "s"
    assert read.cases[1].where.endswith("line 3")


def case(**fields: Any) -> str:
    whole = {"id": "x", "question": "Q?", "facts": ["y"], **fields}
    return "cases:\n  - " + json.dumps({k: v for k, v in whole.items() if v is not None})


@pytest.mark.parametrize(
    ("text", "what", "todo"),
    [
        ("[", "not YAML", ""),
        ("cases: 3", "no list of cases", "cases:"),
        ("cases: []", "no cases", "at least one"),
        ("cases: [3]", "names with values", "id"),
        ("casse: []\ncases: []", "Unknown key 'casse'", "'cases'"),
        (case(user="a", must_declin=True), "Unknown key 'must_declin'", "'must_decline'"),
        (case(id=None), "no id", "id:"),
        (case(question=" "), "no question", "question:"),
        (case(facts=None), "Nothing is expected", "must_withhold"),
        (case(facts=[]), "not a list of texts", ""),
        (case(facts=[[]]), "not a list of texts", ""),
        (case(facts="x"), "not a list of texts", ""),
        (case(route="query!"), "one of documents", ""),
        (case(language="fr"), "one of en, ja", ""),
        (case(ordered="yes"), "true or false", ""),
        (case(result=[3]), "list of rows", ""),
        (case(user=True), "not a text", ""),
        (case(must_decline=True), "cannot expect an answer", ""),
        (case(facts=None, must_decline=True, must_withhold=True), "both decline and withhold", ""),
        (case(alternatives=["SELECT 1"]), "Alternatives to no statement", "sql"),
        ("cases:\n  - {id: a, id: b, question: Q, facts: [x]}", "not YAML", "twice"),
    ],
)
def test_mistakes_are_said_with_their_line(tmp_path: Path, text: str, what: str, todo: str) -> None:
    with pytest.raises(SuiteError, match=what) as caught:
        load(suite(tmp_path, text))
    assert "suite.yaml" in caught.value.where
    assert todo in caught.value.todo
    assert caught.value.todo


def test_an_id_that_is_there_twice_is_said_with_both_lines(tmp_path: Path) -> None:
    text = GOOD + "  - {id: one, question: 'Again?', must_decline: true}\n"
    with pytest.raises(SuiteError, match="'one'") as caught:
        load(suite(tmp_path, text))
    assert "line 16; first" in caught.value.where
    assert caught.value.where.endswith("line 4")


def test_a_suite_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="cannot be read"):
        load(tmp_path / "none.yaml")
