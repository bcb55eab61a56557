"""The model drafter keeps the contract of drafters, whatever the model says and in either wire format."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from retrieval.types import Clock
from tests.contracts.drafter_contract import CONTEXT, DrafterContract
from tests.doubles.behaviours import Asked, Behaviour, Fail, Say
from tests.doubles.fixtures import model_server, session_server
from tests.doubles.model_server import ModelServer
from tests.text2sql.drafters.conftest import Shop
from text2sql.drafters import build
from text2sql.types import Drafter

__all__ = ["model_server", "session_server"]

_SQL = {
    "revenue by region": "SELECT s.region, SUM(x.amount) AS revenue FROM sales x JOIN stores s ON s.id = x.store_id GROUP BY s.region",
    "How many stores are there?": "SELECT COUNT(*) AS stores FROM stores;",
    "売上高は？": "SELECT SUM(amount) AS revenue FROM sales",
}


def said(asked: Asked) -> Behaviour:
    """A model that can answer what the contract asks and declines the rest."""
    question = asked.messages[-1][1]
    for words, sql in _SQL.items():
        if f"The question:\n{words}\n" in question:
            return Say(json.dumps({"action": "query", "sql": sql, "reading": [words]}, ensure_ascii=False))
    return Say(json.dumps({"action": "decline", "lacking": ["nothing of this is in the tables"]}))


def over(shop: Shop, server: ModelServer, wire: str, clock: Clock) -> Drafter:
    return build(
        "model",
        {
            "catalog": shop.catalog,
            "model": shop.model,
            "chat": getattr(server, wire)(),
            "fallback": shop.drafter,
            "clock": clock,
            "seconds": 10.0,
        },
    )


class TestModel(DrafterContract):
    @pytest.fixture(params=["bedrock", "openai"])
    def drafter(
        self, request: pytest.FixtureRequest, duck_shop: Shop, model_server: ModelServer, clock: Clock
    ) -> Iterator[Drafter]:
        model_server.when(said)
        yield over(duck_shop, model_server, request.param, clock)
        assert model_server.refused == [], "the real service would have refused a request"


class TestFailing(DrafterContract):
    """A model that is never there: the fallback drafts, and the contract holds."""

    @pytest.fixture
    def drafter(self, duck_shop: Shop, model_server: ModelServer, clock: Clock) -> Drafter:
        model_server.otherwise(Fail("denied"))
        return over(duck_shop, model_server, "openai", clock)

    def test_each_says_that_the_model_failed(self, drafter: Drafter) -> None:
        assert drafter.draft("revenue by region", CONTEXT).failure == "misconfigured"


class TestRambling(DrafterContract):
    """A model that never gives the object asked for."""

    @pytest.fixture
    def drafter(self, duck_shop: Shop, model_server: ModelServer, clock: Clock) -> Drafter:
        model_server.otherwise("Let me think about that for a while.")
        return over(duck_shop, model_server, "bedrock", clock)

    def test_each_says_that_the_model_failed(self, drafter: Drafter) -> None:
        assert drafter.draft("revenue by region", CONTEXT).failure == "nonsense"
