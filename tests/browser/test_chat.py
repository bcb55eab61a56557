"""The chat as a person meets it: figures on the page against an independent SQL run, and what each caller may see.

Screenshots go to the pytest temp folder; `--basetemp=screenshots` keeps them where they can be looked at.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

FISCAL_2024 = "SELECT sum(earned_premium) FROM premiums WHERE month >= DATE '2024-04-01' AND month < DATE '2025-04-01'"


def ask(page: Page, question: str) -> str:
    """Ask, wait for the answer's card, return the text of the last one."""
    cards = page.get_by_test_id("stChatMessage")
    before = cards.count()
    page.get_by_test_id("stChatInputTextArea").fill(question)
    page.get_by_test_id("stChatInputTextArea").press("Enter")
    expect(cards).to_have_count(before + 2, timeout=60_000)
    expect(cards.last.get_by_text(re.compile("Why this can be trusted|信頼できる理由"))).to_be_visible(timeout=60_000)
    return cards.last.inner_text()


def choose_user(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_test_id("stSelectbox").locator("input").click()
    page.get_by_role("option", name=re.compile(name)).click()
    expect(page.get_by_text(re.compile(f"(Asking as|として質問中).*{name}|{name}.*として質問中"))).to_be_visible()


def warehouse(home: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def numbers(text: str) -> set[int]:
    return {int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", text)}


def test_a_figure_on_the_page_is_the_warehouse_s_own(page: Page, company: Path, tmp_path: Path) -> None:
    shown = ask(page, "earned premium in fiscal 2024")
    page.screenshot(path=tmp_path / "figure.png", full_page=True)
    [(expected,)] = warehouse(company, FISCAL_2024)
    assert round(float(str(expected))) in numbers(shown)


def test_a_table_with_chart_sql_and_checks(page: Page, tmp_path: Path) -> None:
    ask(page, "claims by prefecture in fiscal 2024")
    card = page.get_by_test_id("stChatMessage").last
    expect(card.get_by_test_id("stDataFrame")).to_be_visible()
    expect(card.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg").first).to_be_visible()
    card.get_by_text("SQL", exact=True).click()
    expect(card.get_by_text(re.compile("GROUP BY"))).to_be_visible()
    card.get_by_text("Why this can be trusted").click()
    page.wait_for_timeout(500)
    page.screenshot(path=tmp_path / "table.png", full_page=True)
    assert "read-only" in card.inner_text()


def test_a_citation_opens_the_passage_with_the_span_marked(page: Page, tmp_path: Path) -> None:
    ask(page, "How far does roadside assistance tow the car?")
    card = page.get_by_test_id("stChatMessage").last
    card.get_by_text(re.compile(r"^\[1\]")).first.click()
    mark = card.locator("mark").first
    expect(mark).to_be_visible()
    page.screenshot(path=tmp_path / "citation.png", full_page=True)
    assert mark.inner_text().strip()


def test_another_user_sees_another_answer(page: Page, company: Path, tmp_path: Path) -> None:
    question = "number of claims in fiscal 2024"
    [(everything,)] = warehouse(
        company, "SELECT count(*) FROM claims WHERE occurred_on BETWEEN DATE '2024-04-01' AND DATE '2025-03-31'"
    )
    assert int(str(everything)) in numbers(ask(page, question))
    choose_user(page, "Kenji")
    page.screenshot(path=tmp_path / "kenji.png", full_page=True)
    theirs = ask(page, question)
    page.screenshot(path=tmp_path / "kenji-answer.png", full_page=True)
    assert int(str(everything)) not in numbers(theirs.replace(",", ""))


def test_japanese(page: Page, tmp_path: Path) -> None:
    page.get_by_test_id("stSidebar").get_by_text("日本語").click()
    shown = ask(page, "2024年度の都道府県別の事故件数は？")
    page.screenshot(path=tmp_path / "japanese.png", full_page=True)
    assert "回答" in shown


def test_markup_in_a_question_stays_text(page: Page) -> None:
    ask(page, "<img src=x onerror=alert(1)> ![](http://127.0.0.1:1/x) $x$ **bold**")
    card = page.get_by_test_id("stChatMessage").nth(page.get_by_test_id("stChatMessage").count() - 2)
    assert card.locator("img[src='x'], img[src*='127.0.0.1:1'], strong, .katex").count() == 0
