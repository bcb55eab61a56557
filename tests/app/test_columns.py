from dataclasses import replace

from app.columns import fields_of
from app.describing import describe_result
from tests.app.making import MODEL, draft, result


def test_columns_of_a_verified_query_have_the_units_of_the_metrics_they_are_named_after() -> None:
    verified = replace(draft(), origin="verified")
    table = result(region=["Kanto", "Kansai"], return_rate=[0.2, 0.1])
    region, rate = fields_of(table, verified, MODEL, "en")
    assert (region.unit, region.measured) == ("", False)
    assert (rate.unit, rate.title) == ("percent", "return rate")
    assert "20.0%" in describe_result("", verified, table, MODEL, "en")


def test_columns_of_other_drafts_are_metrics_only_where_the_draft_compiled_them() -> None:
    table = result(return_rate=[0.2])
    [rate] = fields_of(table, draft(), MODEL, "en")
    assert rate.unit == ""
