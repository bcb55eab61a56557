from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.language import detect, fold


@pytest.mark.parametrize(
    "text",
    [
        "How many stores sold coffee in 2024?",
        "sales in 東京都 last month",
        "What does ありがとう mean?",
        "What was the revenue of 三菱商事 by quarter?",
        "",
        "2024-03-01",
        "Größe der Straße",
        "Выручка за месяц",
    ],
)
def test_english_and_everything_else_is_en(text: str) -> None:
    assert detect(text) == "en"


@pytest.mark.parametrize(
    "text",
    [
        "先月の売上はいくらですか?",
        "ASTMは何を意味するものか。",
        "KPIのYoYを教えて",
        "売上",
        "ﾃﾚﾋﾞの値段",
        "LED照明の価格 vs 蛍光灯",
        "コーヒー",
        "Tokyo StationとOsaka Stationの来店客数",
    ],
)
def test_japanese(text: str) -> None:
    assert detect(text) == "ja"


def test_a_long_text_is_judged_by_its_beginning_in_bounded_time() -> None:
    assert detect("売上が伸びた。" * 200_000) == "ja"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ＡＢＣ　１２３", "abc 123"),
        ("ｺｰﾋｰ", "コーヒー"),
        ("コーヒー", "こーひー"),
        ("㈱山田", "(株)山田"),
        ("  New\n\tYork ", "new york"),
        ("STRASSE", "straße"),
        ("ヴァイオリン", "ゔぁいおりん"),
        ("ﬁle", "file"),
    ],
)
def test_fold_makes_equal_what_readers_take_as_equal(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_fold_keeps_apart_what_differs() -> None:
    assert fold("ハハ") != fold("パパ")
    assert fold("a b") != fold("ab")
    assert fold("カ") != fold("ガ")


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_short_way_for_ascii_gives_what_the_long_way_gives(text: str) -> None:
    # One character beyond ASCII sends the text the long way round.
    assert fold(text + " é") == f"{fold(text)} é".strip()
