import re

import pytest

from retrieval.situational.recognition import comparable, keys_by_shape, without_name

CODE = re.compile(r"\bC-\d{5}\b", re.ASCII)  # as the declared ones are


@pytest.mark.parametrize(
    ("question", "keys"),
    [
        ("Which plan has C-00123?", ["C-00123"]),
        ("Ｃ－００１２３のプランは？", ["C-00123"]),
        ("C-00002 or C-00001 or C-00002", ["C-00002", "C-00001"]),
        ("C-001234 and XC-00123", []),
    ],
)
def test_keys_by_their_shape(question, keys):
    assert keys_by_shape([CODE], question) == keys


def test_the_group_is_the_key_where_there_is_one():
    assert keys_by_shape([re.compile(r"customer (\d+)")], "of customer 17") == ["17"]


@pytest.mark.parametrize(
    ("question", "name", "named"),
    [
        ("What does Ann Lee buy?", "Ann Lee", True),
        ("What does ann  lee buy?", "Ann Lee", True),
        ("Planning leeway", "Ann Lee", False),
        ("佐藤花子さんのプランは？", "佐藤 花子", True),
        ("佐藤　花子さんのプランは？", "佐藤花子", True),
        ("サトウハナコさんは", "さとう はなこ", True),
        ("What of JR東日本?", "JR東日本", True),
        ("A plan for X", "X", False),
        ("ann", "Ann Lee", False),
    ],
)
def test_names(question, name, named):
    assert (without_name(question, name) is not None) is named


def test_a_name_is_taken_out_so_that_a_shorter_one_within_it_is_not_found():
    rest = without_name("田中太郎さん", "田中太郎")
    assert rest is not None
    assert without_name(rest, "田中") is None


def test_what_the_database_compares():
    assert comparable("Ｓａｔｏ　 花子\n") == "sato花子"
