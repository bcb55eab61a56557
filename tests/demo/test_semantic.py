"""The semantic model fits the warehouse, says every word in both languages, and its metrics are right."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from demo.semantic import build_model, model_text
from text2sql.semantics import Metric, SemanticModel, check
from text2sql.types import Catalog

Query = Callable[..., list[tuple[Any, ...]]]
REQUIRED = {"earned_premium", "loss_ratio", "claim_frequency", "severity", "retention"}
METRICS = build_model().metrics
AGGREGATES = [metric for metric in METRICS if metric.ratio is None]
RATIOS = [metric for metric in METRICS if metric.ratio is not None]


def aggregate(model: SemanticModel, metric: Metric, extra: str = "") -> str:
    """The metric as plain SQL, written here apart from the product's own compiler."""
    entity = model.entity(metric.table)
    assert entity is not None
    inner = metric.expr or "*"
    call = {"count_distinct": f"count(DISTINCT {inner})", "count": f"count({inner})"}.get(
        metric.agg or "", f"{metric.agg}({inner})"
    )
    where = " AND ".join(filter(None, (metric.filter, extra))) or "TRUE"
    return f"SELECT {call} FROM {entity.physical} WHERE {where}"


def in_fiscal_year(model: SemanticModel, metric: Metric, year: int) -> str:
    entity = model.entity(metric.table)
    assert entity is not None
    time = metric.time or entity.time
    return f"{time} >= DATE '{year}-04-01' AND {time} < DATE '{year + 1}-04-01'"


def test_the_file_is_the_model(model: SemanticModel) -> None:
    assert model == build_model()
    assert model.fiscal_year_start == 4
    assert model.currency == "JPY"


def test_the_model_fits_the_catalogue(model: SemanticModel, catalog: Catalog) -> None:
    assert check(model, catalog) == []


def test_every_table_of_the_warehouse_is_modelled(model: SemanticModel, catalog: Catalog) -> None:
    assert {entity.physical for entity in model.tables} == {table.name for table in catalog.tables}


def test_entity_keys_are_the_declared_primary_keys(model: SemanticModel, catalog: Catalog) -> None:
    for entity in model.tables:
        table = catalog.table(entity.physical)
        assert table is not None
        assert entity.key == table.primary_key, entity.name


def test_the_metrics_of_the_trade_are_there() -> None:
    assert {metric.name for metric in METRICS} >= REQUIRED


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_is_named_and_defined_in_both_languages(metric: Metric) -> None:
    assert metric.label.en
    assert metric.description.en.endswith(".")
    assert not metric.label.ja.isascii()
    assert metric.description.ja.endswith("。")
    assert metric.unit
    assert metric.owner


def test_every_dimension_and_table_is_named_in_both_languages(model: SemanticModel) -> None:
    for entity in model.tables:
        assert entity.label.en
        assert entity.label.ja
        assert entity.description.en
        assert entity.description.ja
        for dimension in entity.dimensions:
            assert dimension.label.en, dimension.name
            assert dimension.label.ja, dimension.name


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_word_means_one_metric(language: str) -> None:
    words = Counter(
        word.casefold()
        for metric in METRICS
        for word in {getattr(metric.label, language), *getattr(metric.synonyms, language)}
    )
    assert [word for word, count in words.items() if count > 1] == []


def test_every_stored_value_of_a_listed_dimension_is_listed(model: SemanticModel, query: Query) -> None:
    listed = 0
    for entity in model.tables:
        for dimension in entity.dimensions:
            if dimension.values:
                listed += 1
                rows = query(f"SELECT DISTINCT {dimension.sql} FROM {entity.physical}")
                assert {row[0] for row in rows} <= set(dimension.values), f"{entity.name}.{dimension.name}"
    assert listed >= 15


def test_text_dimensions_with_few_values_are_listed(model: SemanticModel, query: Query) -> None:
    """Otherwise nobody could ask for them in Japanese."""
    for entity in model.tables:
        for dimension in entity.dimensions:
            if dimension.type == "text" and not dimension.values and not dimension.name.endswith("_id"):
                distinct = query(f"SELECT count(DISTINCT {dimension.sql}) FROM {entity.physical}")[0][0]
                assert distinct > 50, f"{entity.name}.{dimension.name}"


def test_values_have_japanese_names_that_mean_one_value(model: SemanticModel) -> None:
    for entity in model.tables:
        for dimension in entity.dimensions:
            words = Counter(word for synonyms in dimension.values.values() for word in synonyms.ja)
            assert all(synonyms.ja for synonyms in dimension.values.values()), dimension.name
            assert [word for word, count in words.items() if count > 1] == [], dimension.name


def test_prefectures_are_known_with_and_without_their_suffix(model: SemanticModel) -> None:
    entity = model.entity("prefectures")
    assert entity is not None
    prefecture = entity.dimension("prefecture")
    assert prefecture is not None
    assert prefecture.values["Tokyo"].ja == ("東京", "東京都")
    assert prefecture.values["Hokkaido"].ja == ("北海道",)
    assert "Osaka Prefecture" in prefecture.values["Osaka"].en


@pytest.mark.parametrize("metric", AGGREGATES, ids=lambda metric: metric.name)
def test_every_aggregate_has_a_value_for_the_last_full_year(
    metric: Metric, model: SemanticModel, query: Query
) -> None:
    year = 2026 if metric.name == "active_policies" else 2025
    if metric.name in ("open_claims", "outstanding_reserve"):
        year = 2026
    value = query(aggregate(model, metric, in_fiscal_year(model, metric, year)))[0][0]
    assert value is not None
    assert value > 0


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("loss_ratio", 0.55, 0.75),
        ("claim_frequency", 0.04, 0.08),
        ("severity", 400_000, 1_200_000),
        ("retention", 0.85, 0.92),
        ("first_call_resolution", 0.6, 0.95),
    ],
)
@pytest.mark.parametrize("year", [2023, 2024, 2025, 2026])
def test_every_ratio_is_plausible(
    name: str, lowest: float, highest: float, year: int, model: SemanticModel, query: Query
) -> None:
    ratio = model.metric(name)
    assert ratio is not None
    assert ratio.ratio is not None
    parts = [model.metric(part) for part in (ratio.ratio.numerator, ratio.ratio.denominator)]
    values = [
        query(aggregate(model, part, in_fiscal_year(model, part, year)))[0][0] for part in parts if part
    ]
    assert lowest < values[0] / values[1] < highest


def test_ratios_can_be_grouped_alike(model: SemanticModel) -> None:
    """Both sides of a ratio join the tables that people group it by."""
    for metric in RATIOS:
        assert metric.ratio is not None
        for part in (metric.ratio.numerator, metric.ratio.denominator):
            side = model.metric(part)
            assert side is not None
            joined = {join.to for join in model.joins if join.from_ == side.table}
            assert joined >= {"products", "prefectures", "channels", "agents"}, (metric.name, part)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_word_means_one_dimension_of_the_model(model: SemanticModel, language: str) -> None:
    """Where a word could mean two tables' columns, a question with it could be read in two ways."""
    words = Counter(
        word.casefold()
        for entity in model.tables
        for dimension in entity.dimensions
        for word in {getattr(dimension.label, language), *getattr(dimension.synonyms, language)}
        if word
    )
    assert [word for word, count in words.items() if count > 1] == []


def test_values_used_by_several_tables_are_written_once() -> None:
    text = model_text()
    assert len(re.findall(r"^\s+Kagoshima:", text, flags=re.MULTILINE)) == 1
    assert len(text.splitlines()) < 2500
