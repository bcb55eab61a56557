"""The example of docs/situational.md is loaded and asked as it stands."""

import re
from pathlib import Path

import pytest

from retrieval.situational import load_sources
from retrieval.situational.binding import known_parameters
from retrieval.situational.declared import _Source
from retrieval.types import Principal
from tests.conftest import NOW

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "situational.md").read_text(encoding="utf-8")
SHOP = """
CREATE SCHEMA shop;
CREATE TABLE shop.customers (id text, name text, region text, plan text, city text, since date, updated_at timestamptz);
INSERT INTO shop.customers VALUES ('C-00123', '佐藤 花子', 'Kansai', 'Gold', '大阪市', '2020-04-01', '2026-11-01');
CREATE TABLE shop.orders (id integer, item text, ordered_on date, seller text);
INSERT INTO shop.orders SELECT n, 'tea', date '2026-11-01' + n, 'mei' FROM generate_series(1, 9) n;
"""
MEI = Principal("mei", roles=("seller",), attributes={"regions": ("Kansai",)})


@pytest.fixture
def sources(database, tmp_path):
    with database.connection() as connection:
        connection.execute(SHOP)
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "situational.yaml"
    path.write_text(example, encoding="utf-8")
    return load_sources(path, database, lambda: NOW)


def test_the_example_answers(sources):
    _, customers, orders = sources
    plan = customers.fetch(MEI, "佐藤花子さんのプランは？")[0]
    assert (plan.name, plan.value, plan.origin) == ("customer.plan", "Gold", "shop.customers")
    assert customers.fetch(MEI, "C-00123の市区町村は？")
    assert customers.fetch(Principal("ken", roles=("seller",)), "C-00123") == []
    assert {fact.entity for fact in orders.fetch(MEI, "Which orders are open?")} == {
        "order:9",
        "order:8",
        "order:7",
    }
    assert orders.fetch(MEI, "Which plan has C-00123?") == []


def test_every_field_and_parameter_is_documented():
    for field in _Source.model_fields:
        assert f"`{field}`" in PAGE or f"`{field}." in PAGE or f", `{field}`" in PAGE, field
    for parameter in known_parameters({}):
        assert f"`:{parameter}`" in PAGE, parameter
