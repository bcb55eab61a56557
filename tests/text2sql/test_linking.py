"""Words to model objects and to stored values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from text2sql.glossary import Glossary
from text2sql.linking import Link, Linker
from text2sql.semantics import SemanticModel
from text2sql.types import Catalog, Column, Profile, Table
from text2sql.values import ValueIndex
from text2sql.words import normal, tokenize

MODEL = SemanticModel.model_validate(
    {
        "tables": [
            {
                "name": "stores",
                "label": {"en": "store", "ja": "店舗"},
                "synonyms": {"en": ["branch"]},
                "title": "store_name",
                "dimensions": [
                    {"name": "store_name"},
                    {"name": "region", "label": {"en": "region", "ja": "地域"}},
                    {"name": "overall_rating", "type": "number"},
                    {"name": "num_of_staff", "type": "number"},
                    {"name": "open_year", "type": "number"},
                ],
            },
            {"name": "sales", "dimensions": [{"name": "store_id"}, {"name": "is_paid"}]},
        ],
        "metrics": [
            {
                "name": "revenue",
                "table": "sales",
                "agg": "sum",
                "expr": "amount",
                "label": {"en": "revenue", "ja": "売上高"},
            }
        ],
    }
)
LINKER = Linker(MODEL)


def names(text: str, linker: Linker = LINKER) -> list[str]:
    return [f"{link.kind} {link.entity}.{link.name}" for link in linker.named(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("revenue", "metric .revenue"),
        ("Revenue", "metric .revenue"),
        ("売上高", "metric .revenue"),
        ("stores", "entity stores."),
        ("branches", "entity stores."),
        ("店舗", "entity stores."),
        ("store name", "dimension stores.store_name"),
        ("name", "dimension stores.store_name"),
        ("region", "dimension stores.region"),
        ("store region", "dimension stores.region"),
        ("店舗の地域".replace("の", ""), "dimension stores.region"),
        ("number of staff", "dimension stores.num_of_staff"),
        ("opening year", "dimension stores.open_year"),
        ("rating", "dimension stores.overall_rating"),
    ],
)
def test_words_name_what_the_model_calls_so(text: str, wanted: str) -> None:
    assert names(text)[0] == wanted


@pytest.mark.parametrize("text", ["colour", "paid", "staff", "of", "", "年"])
def test_other_words_name_nothing(text: str) -> None:
    assert [link for link in LINKER.named(text) if link.score >= 0.8] == []


def test_the_models_own_words_score_more_than_similar_ones() -> None:
    exact, part = LINKER.named("overall rating")[0], LINKER.named("rating")[0]
    assert (exact.score, exact.how) == (1.0, "label")
    assert part.score < exact.score
    assert part.how == "part"


def test_the_longest_name_comes_first() -> None:
    tokens = tokenize(normal("number of staff in stores"))
    ends = [end for end, _ in LINKER.at(tokens, 0)]
    assert ends[0] == 3
    assert ends == sorted(ends, reverse=True)


def test_a_name_written_as_the_column_is_found() -> None:
    tokens = tokenize("overall_rating")
    (end, links), *_ = LINKER.at(tokens, 0)
    assert end == len(tokens)
    assert links[0].name == "overall_rating"


def test_misspelt_words_are_found_above_a_margin_only() -> None:
    assert LINKER.fuzzy("revennue")[0].name == "revenue"
    assert LINKER.fuzzy("revennue")[0].how == "fuzzy"
    assert LINKER.fuzzy("reversal") == ()
    assert LINKER.fuzzy("rated") == ()
    assert LINKER.fuzzy("regon") == ()


def test_a_glossary_gives_its_other_words_to_what_one_of_them_names() -> None:
    glossary = Glossary.model_validate(
        {
            "terms": [
                {"term": {"en": "takings", "ja": "稼ぎ"}, "synonyms": {"en": ["revenue"]}},
                {"term": {"en": "mood"}},
            ]
        }
    )
    linker = Linker(MODEL, glossary)
    assert names("takings", linker) == ["metric .revenue"]
    assert names("稼ぎ", linker) == ["metric .revenue"]
    assert names("mood", linker) == []


def test_a_metric_that_only_says_average_of_a_column_is_no_word_of_its_own() -> None:
    model = SemanticModel.model_validate(
        {
            "tables": [
                {
                    "name": "staff",
                    "label": {"en": "staff"},
                    "dimensions": [{"name": "age", "type": "number", "label": {"en": "age"}}],
                }
            ],
            "metrics": [
                {"name": "a", "table": "staff", "agg": "avg", "expr": "age", "label": {"en": "average age"}},
                {
                    "name": "b",
                    "table": "staff",
                    "agg": "avg",
                    "expr": "age",
                    "label": {"en": "average age"},
                    "filter": "age > 18",
                },
            ],
        }
    )
    assert names("average age", Linker(model)) == ["metric .b"]


def test_numbers_that_are_years_are_marked() -> None:
    (link, *_) = LINKER.named("open year")
    assert link == Link("dimension", "stores", "open_year", 1.0, "label", "year")


# -- values ------------------------------------------------------------------------------------------------------


def column(name: str, *values: str, family: str = "text") -> Column:
    return Column(name, "VARCHAR", family, profile=Profile(distinct=len(values), values=values))  # type: ignore[arg-type]


CATALOG = Catalog(
    "duckdb",
    (
        Table(
            "stores",
            (
                column("name", "Ginza", "Umeda Sky", "カテゴリ館"),
                column("region", "Kanto"),
                column("size", "5", family="integer"),
            ),
        ),
        Table("staff", (column("name", "Ginza", "Rock n' Roll"),)),
    ),
)
VALUES = ValueIndex.of(CATALOG)


def held(text: str) -> list[tuple[str, str, str]]:
    return [(match.table, match.column, match.value) for match in VALUES.lookup(text)]


def test_a_value_is_found_wherever_it_is() -> None:
    assert held("ginza") == [("stores", "name", "Ginza"), ("staff", "name", "Ginza")]


@pytest.mark.parametrize("text", ["umeda sky", "ＵＭＥＤＡ　ＳＫＹ", "UMEDA  sky"])
def test_width_and_case_make_no_difference(text: str) -> None:
    assert held(text) == [("stores", "name", "Umeda Sky")]


def test_kana_make_no_difference() -> None:
    assert held("ｶﾃｺﾞﾘ館") == held("かてごり館") == [("stores", "name", "カテゴリ館")]


def test_numbers_are_not_values() -> None:
    assert held("5") == []


def test_values_inside_a_text_come_longest_first() -> None:
    tokens = tokenize("Umeda Sky Ginza")
    assert [(end, found[0].value) for end, found in VALUES.at(tokens, 0)] == [(2, "Umeda Sky")]
    assert VALUES.at(tokens, 1) == []


def test_marks_inside_a_value_do_not_matter() -> None:
    tokens = tokenize("rock n roll")
    assert [found[0].value for _, found in VALUES.at(tokens, 0)] == ["Rock n' Roll"]


def test_nearest_values_are_offered_above_a_cutoff() -> None:
    assert [match.value for match in VALUES.nearest("Ginzaa")] == ["Ginza", "Ginza"]
    assert VALUES.nearest("Paris") == ()


def test_the_index_knows_only_the_callers_catalogue() -> None:
    narrow = Catalog("duckdb", (CATALOG.tables[1],))
    assert ValueIndex.of(narrow).lookup("Kanto") == ()
    hidden = Catalog("duckdb", (Table("stores", (Column("region", "VARCHAR", "text"),)),))
    assert len(ValueIndex.of(hidden)) == 0


def test_other_ways_to_say_a_value_need_the_value_to_be_visible() -> None:
    model = SemanticModel.model_validate(
        {
            "tables": [
                {
                    "name": "stores",
                    "dimensions": [
                        {"name": "region", "values": {"Kanto": {"ja": ["関東"]}, "Kansai": {"ja": ["関西"]}}}
                    ],
                }
            ]
        }
    )
    index = ValueIndex.of(CATALOG, model)
    assert [match.value for match in index.lookup("関東")] == ["Kanto"]
    assert index.lookup("関西") == ()
    hidden = Catalog("duckdb", (Table("stores", (Column("region", "VARCHAR", "text"),)),))
    assert ValueIndex.of(hidden, model).lookup("関東") == ()


@given(st.text(max_size=60))
def test_any_text_can_be_looked_up(text: str) -> None:
    VALUES.lookup(text)
    tokens = tokenize(normal(text))
    for at in range(len(tokens)):
        assert all(at < end <= len(tokens) for end, _ in VALUES.at(tokens, at))
