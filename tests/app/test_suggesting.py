"""What is suggested to whom: the words of a verified question are data too."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.suggesting import named_values, suggested
from app.walk import Scope, Warehousing
from retrieval.types import Principal, system_clock
from text2sql.drafters import build as build_drafter
from text2sql.guard import SqlGuard
from text2sql.policy import load as load_policy
from text2sql.policy import visible_catalog
from text2sql.scoped_profiles import with_scoped_profiles
from text2sql.semantics import SemanticModel
from text2sql.types import Limits
from text2sql.verified import VerifiedQueries
from text2sql.warehouses import open_warehouse

POLICY = """
version: 1
name: shop
attributes: {regions: {type: text, list: true}}
tables:
  sale:
    grants:
      - {roles: [owner]}
      - {roles: [manager], rows: "region IN (:regions)"}
"""
VERIFIED = VerifiedQueries.model_validate(
    {
        "queries": [
            {"question": {"en": "What did Sato buy?"}, "sql": "SELECT sum(amount) FROM sale WHERE buyer = 'Sato'"},
            {"question": {"en": "What did Kim buy?"}, "sql": "SELECT sum(amount) FROM sale WHERE buyer = 'Kim'"},
            {
                "question": {"en": "Sales since May", "ja": "5月以降の売上"},
                "sql": "SELECT sum(amount) FROM sale WHERE sold_on >= '2026-05-01'",
            },
            {"question": {"en": "What is hidden?"}, "sql": "SELECT count(*) FROM secret"},
        ]
    }
)  # fmt: skip


@pytest.fixture
def side(tmp_path: Path) -> Iterator[Warehousing]:
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.executescript(
            "CREATE TABLE sale (region TEXT, buyer TEXT, sold_on TEXT, amount INTEGER);"
            "INSERT INTO sale VALUES ('North', 'Sato', '2026-05-02', 5), ('South', 'Kim', '2026-06-02', 7);"
            "CREATE TABLE secret (n INTEGER);"
        )
    connection.close()
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    policy = load_policy(tmp_path / "policy.yaml")
    warehouse = open_warehouse(tmp_path / "shop.db")
    guard = SqlGuard()

    def scope(principal: Principal) -> Scope:
        seen = visible_catalog(policy, warehouse.catalog(), principal)
        seen = with_scoped_profiles(seen, principal, policy, guard, warehouse)
        settings = {"catalog": seen, "model": SemanticModel(), "clock": system_clock}
        return Scope(seen, build_drafter("offline", settings))

    yield Warehousing(warehouse, guard, policy, SemanticModel(), scope, Limits())
    warehouse.close()


def test_who_sees_all_rows_may_be_asked_anything_allowed(side: Warehousing) -> None:
    owner = Principal("o", roles=("owner",))
    assert suggested(VERIFIED, side, owner, "en") == [
        "What did Sato buy?",
        "What did Kim buy?",
        "Sales since May",
    ]
    assert suggested(VERIFIED, side, owner, "ja") == ["5月以降の売上"]


def test_a_question_names_nobody_the_caller_cannot_see(side: Warehousing) -> None:
    north = Principal("n", roles=("manager",), attributes={"regions": ("North",)})
    assert suggested(VERIFIED, side, north, "en") == ["What did Sato buy?", "Sales since May"]
    assert suggested(VERIFIED, side, Principal("x"), "en") == []


def test_dates_and_numbers_are_no_values(side: Warehousing) -> None:
    sql = "SELECT 1 FROM sale WHERE sold_on > '2026-05-01' AND buyer IN ('a', 'b') AND amount > 3"
    assert named_values(sql, side.warehouse.catalog()) == {"a", "b"}
