"""The chat asks before a query that reads much: a button, in the asker's language, that runs what was shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.test_chat import EARNED, QUIET, send, warehouse, yen

pytestmark = pytest.mark.browser


@pytest.fixture
def careful(company: Path) -> Iterator[Path]:
    """The same company, where ten rows are much."""
    config = company / "config.yaml"
    before = config.read_text(encoding="utf-8")
    config.write_text(before + "\nlimits: {confirm_rows: 10}\n", encoding="utf-8")
    yield company
    config.write_text(before, encoding="utf-8")


def test_nothing_runs_before_the_button_and_then_what_was_shown(
    context: BrowserContext, served: str, careful: Path, tmp_path: Path
) -> None:
    page = context.new_page()
    page.goto(served)
    page.get_by_test_id("stChatInputTextArea").wait_for()
    send(page, "earned premium in fiscal year 2025")
    button = page.get_by_role("button", name=re.compile("Run it"))
    button.wait_for()
    page.locator(QUIET).wait_for()
    [(expected,)] = warehouse(careful, EARNED)
    cards = page.get_by_test_id("stChatMessage")
    expect(cards.last).not_to_contain_text(yen(expected))
    page.screenshot(path=tmp_path / "confirm.png")
    page.reload()  # what waits is in the record, not in the session
    button.wait_for()
    page.locator(QUIET).wait_for()
    button.click()
    expect(cards).to_have_count(4)
    expect(cards.last).to_contain_text(yen(expected))
    page.close()
