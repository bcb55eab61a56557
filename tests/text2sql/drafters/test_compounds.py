"""Words of a database nobody has described: compounds, sizes, splits and values that lie far away."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from retrieval.types import Clock, Context, Principal
from text2sql.bootstrap import first_model
from text2sql.drafters.offline import OfflineDrafter
from text2sql.drafters.reading.lexicon import lexicon
from text2sql.drafters.telling.confidence import THRESHOLD
from text2sql.types import Drafting
from text2sql.values import ValueIndex
from text2sql.warehouses import open_warehouse

CONTEXT = Context("", Principal("ana"), "ja", (), 0, 0)
_SCHEMA = """
CREATE TABLE category (category_small_cd TEXT PRIMARY KEY, category_major_name TEXT, category_medium_name TEXT,
  category_small_name TEXT);
CREATE TABLE item (item_id TEXT PRIMARY KEY, item_name TEXT,
  category_small_cd TEXT REFERENCES category(category_small_cd), price INT);
CREATE TABLE place (postal TEXT PRIMARY KEY, town TEXT, population INT, area REAL);
CREATE TABLE branch (branch_id TEXT PRIMARY KEY, branch_name TEXT, prefecture TEXT, floor_area REAL);
CREATE TABLE shopper (shopper_id TEXT PRIMARY KEY, shopper_name TEXT, age INT,
  branch_id TEXT REFERENCES branch(branch_id), postal TEXT REFERENCES place(postal));
INSERT INTO category VALUES ('a1', '飲料', 'お茶', '緑茶'), ('a2', '飲料', 'お茶', '紅茶'), ('b1', '文具', '筆記具', 'ペン');
INSERT INTO item VALUES ('i1', 'せん茶', 'a1', 150), ('i2', 'ダージリン', 'a2', 300), ('i3', '青ペン', 'b1', 90);
INSERT INTO place VALUES ('1', '中', 900, 2.5), ('2', '港町', 400, 8.0), ('3', '山手', 100, 9.5);
INSERT INTO branch VALUES ('s1', '駅前', '東京都', 100), ('s2', '南口', '東京都', 300), ('s3', '北口', '千葉県', 200);
INSERT INTO shopper VALUES ('c1', 'Aoi', 30, 's1', '1'), ('c2', 'Ken', 50, 's1', '2'), ('c3', 'Mei', 40, 's3', '2');
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("compounds") / "branches.sqlite"
    with sqlite3.connect(made) as connection:
        connection.executescript(_SCHEMA)
    connection.close()
    return made


@pytest.fixture
def ask(path: Path, clock: Clock) -> Callable[[str], Drafting]:
    with_rows = open_warehouse(path)
    catalog = with_rows.catalog()
    model = first_model(catalog, "branches")
    drafter = OfflineDrafter(catalog, model, ValueIndex.of(catalog, model), clock=clock)
    return lambda question: drafter.draft(question, CONTEXT)


@pytest.fixture
def rows(path: Path, ask: Callable[[str], Drafting]) -> Callable[[str], list[tuple[object, ...]]]:
    """The rows a question is answered with, in the order of the answer."""

    def answer(question: str) -> list[tuple[object, ...]]:
        drafting = ask(question)
        assert drafting.drafts, drafting.decline or drafting.clarify
        assert drafting.drafts[0].confidence >= THRESHOLD
        with sqlite3.connect(path) as connection:
            found = connection.execute(drafting.drafts[0].sql).fetchall()
        connection.close()
        return found

    return answer


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("大区分別の商品数", {("飲料", 2), ("文具", 1)}),
        ("カテゴリ大区分別の商品数", {("飲料", 2), ("文具", 1)}),
        ("大カテゴリごとの商品数", {("飲料", 2), ("文具", 1)}),
        ("中区分別の商品数", {("お茶", 2), ("筆記具", 1)}),
        ("都道府県別の床面積", {("東京都", 400.0), ("千葉県", 200.0)}),
        ("floor area by prefecture", {("東京都", 400.0), ("千葉県", 200.0)}),
        ("支店は何店ありますか", {(3,)}),
    ],
)
def test_compounds_and_splits(
    rows: Callable[[str], list[tuple[object, ...]]], question: str, wanted: set[tuple[object, ...]]
) -> None:
    assert set(rows(question)) == wanted


def test_what_is_taken_as_a_sum_or_an_average_is_said(ask: Callable[[str], Drafting]) -> None:
    assert "floor_areaは合計しました" in ask("都道府県別の床面積").drafts[0].assumptions
    assert "ageは平均しました" in ask("支店別の年齢").drafts[0].assumptions


def test_rows_are_not_added_up_by_their_own_names(
    rows: Callable[[str], list[tuple[object, ...]]], ask: Callable[[str], Drafting]
) -> None:
    assert set(rows("floor area by branch name")) == {("駅前", 100.0), ("南口", 300.0), ("北口", 200.0)}
    assert "SUM" not in ask("floor area by branch name").drafts[0].sql


def test_a_size_that_two_columns_may_mean_is_asked_back(ask: Callable[[str], Drafting]) -> None:
    drafting = ask("which is the largest place?")
    assert not drafting.drafts
    assert drafting.clarify
    assert {"population of place", "area of place"} == {choice.label for choice in drafting.choices}
    assert "place.population DESC" in next(c.draft.sql for c in drafting.choices if "population" in c.label)


def test_one_size_is_taken_and_said(
    rows: Callable[[str], list[tuple[object, ...]]], ask: Callable[[str], Drafting]
) -> None:
    assert rows("the 2 largest branches") == [("南口",), ("北口",)]
    assert any("floor_area" in line for line in ask("the 2 largest branches").drafts[0].assumptions)


@pytest.mark.parametrize("question", ["港町の支店を教えて", "港町の支店は何店ですか", "branches in 港町"])
def test_a_value_of_something_rows_have_many_of_is_declined(
    ask: Callable[[str], Drafting], question: str
) -> None:
    decline = ask(question).decline
    assert decline is not None
    assert any("港町" in line and "place" in line for line in decline.lacking), decline.lacking


def test_a_value_of_a_parent_is_near(rows: Callable[[str], list[tuple[object, ...]]]) -> None:
    assert set(rows("shoppers in 港町")) == {("Ken",), ("Mei",)}


def test_one_kanji_of_a_compound_is_no_value(ask: Callable[[str], Drafting]) -> None:
    """中 is a town; 中央 is not."""
    decline = ask("中央の支店").decline
    assert decline is not None
    assert any("中央" in line for line in decline.lacking), decline.lacking


def test_phrases_know_their_script() -> None:
    japanese = lexicon("ja")
    assert not japanese.phrases[("と",)].katakana
    assert any(phrase.katakana for phrase in japanese.phrases.values())
