"""The offline drafter end to end: what it drafts returns what a query written by hand returns."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import sqlglot

from retrieval.types import Clock, Context, Principal
from tests.text2sql.drafters.conftest import Shop, cases
from text2sql import drafters
from text2sql.drafters.offline import OfflineDrafter
from text2sql.errors import Text2SqlError
from text2sql.semantics import SemanticModel
from text2sql.types import Catalog
from text2sql.values import ValueIndex
from text2sql.verified import VerifiedQueries


@pytest.mark.parametrize("case", cases("answered"), ids=lambda case: case["question"])
def test_answers_like_a_query_written_by_hand(shop: Shop, case: dict[str, Any]) -> None:
    drafting = shop.ask(case["question"])
    assert drafting.drafts, drafting.decline or drafting.clarify
    draft = drafting.drafts[0]
    got, wanted = shop.run(draft.sql), shop.run(case["sql"])
    assert wanted, "a case that returns nothing proves nothing"
    if case.get("ordered"):
        assert got == wanted, draft.sql
    else:
        assert Counter(got) == Counter(wanted), draft.sql
