from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from app.record import AnswerRecord, Attempt, summarise
from app.rendering import cell, show
from tests.app.making import ASKER, DATED, MODEL, draft, result
from text2sql.types import Check, Verdict, Warn


@pytest.mark.parametrize(
    ("value", "column", "shown"),
    [
        (1234567, "paid_amount", "1,234,567"),  # "id" inside a word is none
        (1234567, "sides", "1,234,567"),
        (1234567, "前年売上", "1,234,567"),
        (1234567, "store_id", "1234567"),
        (1234567, "storeID", "1234567"),
        (1234567, "postal code", "1234567"),
        (2024, "fiscal_year", "2024"),
        (2024, "年", "2024"),
        (2024, "年度", "2024"),
        (1234.5, "amount", "1,234.5"),
        (1000.0, "amount", "1,000"),
        (True, "open", "true"),
        (None, "amount", "–"),
        ("007", "store_id", "007"),
    ],
)
def test_numbers_are_read_and_names_are_kept(value: object, column: str, shown: str) -> None:
    assert cell(value, column) == shown


def test_figures_carry_the_units_of_their_metrics() -> None:
    table = result(region=["Kanto"], return_rate=[0.1234], revenue=[1234567])
    summary, rows = summarise(table)
    drafted = draft("return_rate", "revenue")
    record = AnswerRecord(
        id="r", at=DATED, principal=ASKER, conversation_id="c", question="?", language="en", route="query", why="",
        outcome="answered", text="told", result=summary, rows=rows, attempts=(Attempt(drafted, Verdict(allowed=True)),),
    )  # fmt: skip
    console = Console(record=True, width=120, file=StringIO())
    show(record, console, MODEL)
    shown = console.export_text()
    assert "12.3%" in shown
    assert "¥1,234,567" in shown
    plain = Console(record=True, width=120, file=StringIO())
    show(record, plain)
    assert "0.1234" in plain.export_text()


def test_checks_and_warnings_are_said_in_the_asker_s_language() -> None:
    verdict = Verdict(allowed=True, masked=("sales.customer",))
    checks = (Check("only reads", True, "9 nodes"), Check("policy written in", True, "shop v1: 0 row rules"))
    record = AnswerRecord(
        id="r", at=DATED, principal=ASKER, conversation_id="c", question="?", language="ja", route="query", why="",
        outcome="answered", text="told", attempts=(Attempt(draft("revenue"), verdict),), checks=checks,
        warnings=(Warn("literal_absent", "Nothing is called Tokio.", subject="Tokio", suggestions=("Tokyo",)),),
    )  # fmt: skip
    console = Console(record=True, width=120, file=StringIO())
    show(record, console, MODEL)
    shown = console.export_text()
    assert "読み取りのみ" in shown
    assert "マスクした列 1 件" in shown
    assert "近いもの：Tokyo" in shown
    assert "nodes" not in shown
    assert "Nothing is called" not in shown
