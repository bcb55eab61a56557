"""Metrics whose name is said in pieces, and counts that must not undo what the question says."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from retrieval.types import Clock
from tests.text2sql.drafters.conftest import Shop
from text2sql.semantics import SemanticModel
from text2sql.warehouses import open_warehouse

DDL = (
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, status VARCHAR, ended VARCHAR, turn INTEGER, ordered_on DATE);"
    "CREATE TABLE transfers (id INTEGER PRIMARY KEY, order_id INTEGER, kind VARCHAR, yen INTEGER, sent_on DATE);"
)
ROWS = (
    "INSERT INTO orders VALUES (1, 'Open', 'n', 1, '2025-05-01'), (2, 'Cancelled', 'Cancelled', 1, '2025-05-02'),"
    " (3, 'Refused', 'n', 2, '2025-06-01'), (4, 'Refused', 'n', 1, '2024-06-01'), (5, 'Open', 'n', 2, '2025-07-01');"
    "INSERT INTO transfers VALUES (1, 1, 'bank', 300, '2025-05-03'), (2, 1, 'card', 50, '2025-05-04'),"
    " (3, 5, 'bank', 40, '2025-07-05')"
)
MODEL = SemanticModel.model_validate(
    {
        "version": 1,
        "name": "parts",
        "fiscal_year_start": 4,
        "tables": [
            {
                "name": "orders", "label": {"en": "order", "ja": "注文"}, "key": ["id"], "time": "ordered_on",
                "dimensions": [
                    {"name": "status", "values": {"Open": {"ja": ["対応中"]}, "Refused": {"ja": ["却下"]}}},
                    {"name": "ended"},
                    {"name": "turn", "type": "number"},
                    {"name": "ordered_on", "type": "date"},
                ],
            },
            {
                "name": "transfers", "label": {"en": "transfer", "ja": "振込"}, "key": ["id"], "time": "sent_on",
                "dimensions": [
                    {"name": "kind", "label": {"en": "transfer type", "ja": "振込種別"}},
                    {"name": "sent_on", "type": "date"},
                ],
            },
        ],
        "joins": [{"from": "transfers", "to": "orders", "on": {"order_id": "id"}}],
        "metrics": [
            {"name": "order_count", "table": "orders", "agg": "count", "filter": "status <> 'Refused'",
             "label": {"en": "order count", "ja": "注文件数"}, "synonyms": {"en": ["orders"]}},
            {"name": "first_orders", "table": "orders", "agg": "count", "filter": "turn = 1",
             "label": {"en": "first orders", "ja": "初回注文件数"}},
            {"name": "cancelled_orders", "table": "orders", "agg": "count", "filter": "status = 'Cancelled'",
             "label": {"en": "cancelled orders", "ja": "取消件数"}},
            {"name": "in_hand", "table": "orders", "agg": "count", "filter": "status = 'Open'",
             "label": {"en": "orders in hand", "ja": "手持ち件数"}},
            {"name": "paid", "table": "transfers", "agg": "sum", "expr": "yen", "unit": "JPY",
             "label": {"en": "amount paid", "ja": "支払額"}, "synonyms": {"en": ["orders paid"]}},
        ],
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("together") / "orders.sqlite"
    with sqlite3.connect(made) as connection:
        connection.executescript(DDL + ROWS)
    connection.close()
    return made


@pytest.fixture
def desk(path: Path, clock: Clock) -> Shop:
    return Shop(open_warehouse(path), MODEL, clock)


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("2025年度の初回注文は何件ですか?", [(2.0,)]),
        ("2025年度に発生した注文は何件?", [(3.0,)]),  # the metric's: without the refused ones
        ("How many orders were cancelled in fiscal year 2025?", [(1.0,)]),
        ("How many orders were refused in fiscal year 2025?", [(1.0,)]),  # by the metric alone: always 0
        ("2025年度の却下の注文は何件?", [(1.0,)]),
        ("How many orders are in hand?", [(2.0,)]),
        ("How many orders are there?", [(3.0,)]),
        ("How much did we pay on orders in fiscal year 2025, by transfer type?", [("bank", 340.0), ("card", 50.0)]),
        ("How much have we paid for our orders?", [(390.0,)]),
    ],
)  # fmt: skip
def test_what_is_meant_is_counted_or_summed(
    desk: Shop, question: str, rows: list[tuple[object, ...]]
) -> None:
    drafting = desk.ask(question)
    assert drafting.drafts, drafting.decline or drafting.clarify
    assert sorted(desk.run(drafting.drafts[0].sql), key=str) == rows, drafting.drafts[0].sql


def test_a_count_against_the_metrics_own_condition_says_so(desk: Shop) -> None:
    refused = desk.ask("How many orders were refused in fiscal year 2025?").drafts[0]
    assert any("order count" in line for line in refused.assumptions)
    assert not any(
        "order count" in line for line in desk.ask("How many orders are there?").drafts[0].assumptions
    )


@pytest.mark.parametrize(
    "question", ["How much are orders?", "How much do we spend on orders?", "注文はいくら?"]
)
def test_an_amount_is_never_a_count(desk: Shop, question: str) -> None:
    drafting = desk.ask(question)
    assert not drafting.drafts
    assert drafting.decline is not None


def test_a_group_with_nothing_of_the_metric_is_not_shown(desk: Shop) -> None:
    drafting = desk.ask("order count by status")
    assert dict(desk.run(drafting.drafts[0].sql)) == {"Open": 2.0, "Cancelled": 1.0}  # type: ignore[arg-type]  # pairs


def test_metrics_with_conditions_of_their_own_keep_them(desk: Shop) -> None:
    drafting = desk.ask("order count and first orders by status")
    found = {row[0]: row[1:] for row in desk.run(drafting.drafts[0].sql)}
    assert found == {"Open": (2.0, 1.0), "Cancelled": (1.0, 1.0), "Refused": (0.0, 1.0)}
