"""The semantic model, glossary and verified queries as files: what loads, what does not and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from text2sql import glossary, verified
from text2sql.errors import SemanticModelError
from text2sql.semantics import SemanticModel, check, dump, load
from text2sql.types import Catalog, Column, Table
from text2sql.verified import VerifiedQueries

SHOP = Path(__file__).resolve().parents[1] / "fixtures" / "offline" / "shop.yaml"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_model_survives_being_written_and_read(tmp_path: Path) -> None:
    model = load(SHOP)
    assert load(write(tmp_path, dump(model))) == model


def test_the_key_on_of_a_join_is_a_word() -> None:
    assert dict(load(SHOP).joins[0].on) == {"store_id": "id"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tables": [{"name": "a"}, {"name": "a"}]}, "two tables have the same name: a"),
        ({"tables": [{"name": "a", "dimensions": [{"name": "x"}, {"name": "x"}]}]}, "dimensions of table a"),
        ({"tables": [{"name": "a", "time": "day"}]}, "time dimension day"),
        ({"tables": [{"name": "a", "title": "name"}]}, "title dimension name"),
        ({"tables": [{"name": "a"}], "joins": [{"from": "a", "to": "b", "on": {"x": "y"}}]}, "no table b"),
        ({"metrics": [{"name": "m", "table": "a", "agg": "count"}]}, "no table a"),
        ({"metrics": [{"name": "m"}]}, "either `agg`"),
        ({"metrics": [{"name": "m", "agg": "sum", "table": "a"}]}, "needs an `expr`"),
        (
            {"metrics": [{"name": "m", "ratio": {"numerator": "x", "denominator": "y"}}]},
            "x is not an aggregate metric",
        ),
        (
            {
                "tables": [{"name": "a"}],
                "metrics": [{"name": "m", "table": "a", "agg": "count", "time": "day"}],
            },
            "day is not a dimension",
        ),
        ({"tables": [{"name": "a", "colour": "red"}]}, "Extra inputs"),
        ({"fiscal_year_start": 13}, "less than or equal to 12"),
    ],
)
def test_a_model_that_cannot_hold_is_refused_with_the_place(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    path = write(tmp_path, yaml.safe_dump(change))
    with pytest.raises(SemanticModelError, match=said) as caught:
        load(path)
    assert str(path) in caught.value.where
    assert caught.value.todo


@pytest.mark.parametrize("text", ["{", "a: [", "\x00"])
def test_unreadable_yaml_is_a_clear_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(SemanticModelError, match="not readable"):
        load(write(tmp_path, text))


def test_a_missing_model_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(SemanticModelError, match="no semantic model") as caught:
        load(tmp_path / "nowhere.yaml")
    assert "bunmyaku init" in caught.value.todo


def test_an_empty_file_is_an_empty_model(tmp_path: Path) -> None:
    assert load(write(tmp_path, "")) == SemanticModel()


SALES = Table("sales", (Column("id", "INT"), Column("amount", "INT"), Column("sold on", "DATE")))


def problems(**parts: Any) -> list[str]:
    return check(SemanticModel.model_validate(parts), Catalog("duckdb", (SALES,)))


def test_a_model_that_fits_has_no_problems() -> None:
    dimensions = [
        {"name": "amount", "type": "number"},
        {"name": "sold on"},
        {"name": "half", "expr": "amount / 2"},
    ]
    metrics = [{"name": "m", "table": "sales", "agg": "sum", "expr": "amount", "filter": "amount > 0"}]
    assert (
        problems(tables=[{"name": "sales", "key": ["id"], "dimensions": dimensions}], metrics=metrics) == []
    )


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"tables": [{"name": "orders"}]}, "there is no orders in the warehouse"),
        ({"tables": [{"name": "sales", "key": ["number"]}]}, "key column number is not in sales"),
        ({"tables": [{"name": "sales", "dimensions": [{"name": "region"}]}]}, "no column region in sales"),
        (
            {"tables": [{"name": "sales", "dimensions": [{"name": "x", "expr": "price * 2"}]}]},
            "no column price",
        ),
        (
            {"tables": [{"name": "sales", "dimensions": [{"name": "x", "expr": "amount +"}]}]},
            "is not valid SQL",
        ),
        (
            {
                "tables": [{"name": "sales"}],
                "metrics": [{"name": "m", "table": "sales", "agg": "sum", "expr": "total"}],
            },
            "metric m: there is no column total",
        ),
        (
            {
                "tables": [{"name": "sales"}, {"name": "again", "table": "sales"}],
                "joins": [{"from": "sales", "to": "again", "on": {"store": "id"}}],
            },
            "there is no column store in sales",
        ),
    ],
)
def test_what_does_not_fit_the_catalogue_is_named(parts: dict[str, Any], said: str) -> None:
    assert any(said in problem for problem in problems(**parts))


# -- glossary and verified queries ---------------------------------------------------------------------------------


def test_a_glossary_loads(tmp_path: Path) -> None:
    path = write(
        tmp_path, "terms: [{term: {en: basket, ja: 客単価}, definition: {en: x}, synonyms: {ja: [単価]}}]"
    )
    (term,) = glossary.load(path).terms
    assert term.words == ("basket", "客単価", "単価")


@pytest.mark.parametrize("loader", [glossary.load, verified.load])
@pytest.mark.parametrize("text", ["terms: [{word: x}]", "{", "queries: 3", "- 1"])
def test_broken_files_are_clear_errors(tmp_path: Path, loader: Any, text: str) -> None:
    with pytest.raises(SemanticModelError):
        loader(write(tmp_path, text))
    with pytest.raises(SemanticModelError):
        loader(tmp_path / "nowhere.yaml")


VERIFIED = VerifiedQueries.model_validate(
    {
        "queries": [
            {
                "question": {"en": "Revenue by region in fiscal 2024", "ja": "2024年度の地域別売上高"},
                "sql": "A",
            },
            {"question": {"en": "Monthly refunds of the Ginza store without gift cards"}, "sql": "B"},
            {"question": {"en": "Which stores sold nothing in the last quarter of the year?"}, "sql": "C"},
        ]
    }
)


@pytest.mark.parametrize(
    ("question", "sql"),
    [
        ("revenue by region in fiscal 2024", "A"),
        ("Revenue by region, in fiscal 2024?", "A"),
        ("２０２４年度の地域別売上高", "A"),
        ("2024年度の地域別売上高。", "A"),
        ("Monthly refunds of Ginza store without gift cards", "B"),
        ("which store sold nothing in the last quarter of the year", "C"),
    ],
)
def test_the_same_question_is_found(question: str, sql: str) -> None:
    match = VERIFIED.match(question)
    assert match is not None
    assert match.query.sql == sql


@pytest.mark.parametrize(
    "question",
    [
        "revenue by region in fiscal 2023",
        "revenue by category in fiscal 2024",
        "2023年度の地域別売上高",
        "2024年度の地域別返金額",
        "Monthly refunds of the Ginza store with gift cards",
        "Monthly refunds of the Umeda store without gift cards",
        "Which stores sold anything in the last quarter of the year?",
        "revenue",
        "",
        "?!",
    ],
)
def test_another_question_is_not_taken_for_it(question: str) -> None:
    assert VERIFIED.match(question) is None


def test_one_wording_with_two_queries_is_no_answer() -> None:
    twice = VerifiedQueries.model_validate(
        {
            "queries": [
                {"question": {"en": "revenue"}, "sql": "A"},
                {"question": {"en": "Revenue?"}, "sql": "B"},
            ]
        }
    )
    assert twice.match("revenue") is None
