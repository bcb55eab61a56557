"""The offline drafter keeps the contract of drafters, and its drafts pass the guard as they are."""

from __future__ import annotations

import pytest

from retrieval.types import Principal
from tests.contracts.drafter_contract import DrafterContract
from tests.text2sql.drafters.conftest import Shop, cases
from text2sql.guard import SqlGuard
from text2sql.types import Drafter


class TestOffline(DrafterContract):
    @pytest.fixture
    def drafter(self, shop: Shop) -> Drafter:
        return shop.drafter


def test_every_draft_passes_the_guard(shop: Shop) -> None:
    guard = SqlGuard()
    for case in cases("answered"):
        draft = shop.ask(case["question"]).drafts[0]
        verdict = guard.check(draft.sql, shop.catalog, Principal("ana"))
        assert verdict.allowed, (case["question"], verdict.violations)
        warned = {warning.code for warning in verdict.warnings}
        assert not warned & {"cartesian", "cartesian_product"}, (case["question"], warned)
        assert set(verdict.tables) == set(draft.tables), case["question"]
