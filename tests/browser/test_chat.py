"""The chat as a person meets it: figures on the page against an independent SQL run, and what each caller may see.

Screenshots go to the pytest temp folder; `--basetemp=screenshots` keeps them where they can be looked at.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from retrieval.postgres.database import open_database
from tests.browser.conftest import bunmyaku

pytestmark = pytest.mark.browser

EARNED = "SELECT sum(earned_yen) FROM premiums WHERE month >= DATE '2025-04-01' AND month < DATE '2026-04-01'"
BY_PLAN = EARNED.replace("SELECT ", "SELECT product, ") + " GROUP BY product"
ENDS = re.compile("Why this can be trusted|How this came about|信頼できる理由|この結果になった経緯")
QUIET = "[data-testid=stApp][data-test-script-state=notRunning]"


def send(page: Page, question: str) -> None:
    page.get_by_test_id("stChatInputTextArea").fill(question)
    page.get_by_test_id("stChatInputTextArea").press("Enter")


def settled(page: Page, messages: int) -> Locator:
    """The last of so many messages, once the page has come to rest."""
    cards = page.get_by_test_id("stChatMessage")
    expect(cards).to_have_count(messages, timeout=60_000)
    expect(cards.last.get_by_text(ENDS)).to_be_visible(timeout=60_000)
    page.locator(QUIET).wait_for()
    return cards.last


def ask(page: Page, question: str) -> Locator:
    """Ask, and wait for the answer's card."""
    before = page.get_by_test_id("stChatMessage").count()
    send(page, question)
    return settled(page, before + 2)


def question(page: Page, number: int) -> str:
    """What a message says, without its icon."""
    return page.get_by_test_id("stChatMessage").nth(number).locator(".bm-words").first.inner_text().strip()


def choose_user(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_test_id("stSelectbox").locator("input").click()
    page.get_by_role("option", name=re.compile(name)).click()
    expect(page.locator(".bm-asker")).to_contain_text(name)
    page.locator(QUIET).wait_for()


def choose_language(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_text(name, exact=True).click()
    page.locator(QUIET).wait_for()


def warehouse(home: Path, sql: str) -> list[tuple[object, ...]]:
    """An independent run: DuckDB on the file, none of our code."""
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def yen(value: object) -> str:
    return f"{Decimal(str(value)).quantize(Decimal(1), rounding=ROUND_HALF_UP):,}"


def prefectures(home: Path, user: str) -> list[str]:
    with open_database(home) as database, database.connection() as connection:
        row = connection.execute("SELECT attributes FROM insurer.users WHERE id = %s", (user,)).fetchone()
    assert row is not None
    return list(row[0]["prefectures"])


def theirs(home: Path, user: str) -> str:
    names = ", ".join(f"'{name}'" for name in prefectures(home, user))
    return f" AND prefecture IN ({names})"


def cells(card: Locator) -> list[list[str]]:
    return [row.locator("td").all_inner_texts() for row in card.locator(".bm-table tbody tr").all()]


def test_figures_are_the_warehouse_s_own(page: Page, company: Path, tmp_path: Path) -> None:
    [(expected,)] = warehouse(company, EARNED)
    assert yen(expected) in ask(page, "earned premium in fiscal year 2025").inner_text()

    card = ask(page, "Earned premium by plan in FY2025")
    page.screenshot(path=tmp_path / "table.png")
    assert sorted(map(tuple, cells(card))) == sorted((p, yen(v)) for p, v in warehouse(company, BY_PLAN))
    expect(card.locator("th").last).to_contain_text("¥")
    expect(card.get_by_test_id("stVegaLiteChart").locator("canvas, svg").first).to_be_visible()

    card.get_by_text("SQL", exact=True).click()
    expect(card.get_by_text(re.compile("GROUP BY")).first).to_be_visible()
    card.get_by_text("Why this can be trusted").click()
    expect(card.get_by_text("Read-only session")).to_be_visible()
    assert (
        card.get_by_text("Ana Kimura").count() >= 2
    )  # in the line above the answer and in the account below it
    page.screenshot(path=tmp_path / "trust.png")


def test_another_user_another_answer(page: Page, company: Path, tmp_path: Path) -> None:
    [(everything,)], [(part,)] = (
        warehouse(company, EARNED),
        warehouse(company, EARNED + theirs(company, "kenji")),
    )
    assert everything != part
    question = "earned premium in fiscal year 2025"
    assert yen(everything) in ask(page, question).inner_text()
    first = re.search("conversation=([0-9a-f]{32})", page.url)
    assert first

    choose_user(page, "岡本")
    expect(page.get_by_test_id("stChatMessage")).to_have_count(0)
    assert yen(everything) not in page.locator("body").inner_text()
    card = ask(page, question)
    page.screenshot(path=tmp_path / "manager.png")
    assert yen(part) in card.inner_text()
    assert yen(everything) not in page.locator("body").inner_text()
    card.get_by_text(ENDS).click()
    expect(card.get_by_text(re.compile("prefecture.* IN .*Osaka"))).to_be_visible()

    # The address of somebody else's conversation shows nothing of it.
    page.goto(page.url.replace(page.url.rpartition("=")[2], first[1]))
    expect(page.locator(".bm-asker")).to_contain_text("岡本")
    page.locator(QUIET).wait_for()
    expect(page.get_by_test_id("stChatMessage")).to_have_count(0)


def test_japanese(page: Page, company: Path, tmp_path: Path) -> None:
    choose_language(page, "日本語")
    expect(page.get_by_test_id("stChatInputTextArea")).to_have_attribute("placeholder", re.compile("質問"))
    for english in (
        "Asking as",
        "New conversation",
        "Questions to start",
        "Policy",
        "Language model",
        "sign-in",
    ):
        expect(page.locator("body")).not_to_contain_text(english)
    card = ask(page, "2025年度のプラン別の既経過保険料")
    page.screenshot(path=tmp_path / "japanese.png")
    assert "回答" in card.inner_text()
    names = dict(warehouse(company, "SELECT product, name_ja FROM products"))
    shown = {(name, value) for name, value in cells(card)}
    for plan, value in warehouse(company, BY_PLAN):
        assert {(plan, yen(value)), (names[plan], yen(value))} & shown
    expect(card.locator("th").last).to_contain_text("既経過保険料（円）")
    card.get_by_text(ENDS).click()
    expect(card.get_by_text("読み取り専用セッション", exact=False).first).to_be_visible()

    choose_user(page, "岡本")
    [(part,)] = warehouse(company, EARNED + theirs(company, "kenji"))
    assert yen(part) in ask(page, "2025年度の既経過保険料").inner_text()
    page.screenshot(path=tmp_path / "japanese-manager.png")


def test_steps_come_before_the_answer(page: Page) -> None:
    page.evaluate(
        """() => {
          window.seen = [];
          new MutationObserver(() => {
            const last = [...document.querySelectorAll('[data-testid=stChatMessage]')].at(-1)?.innerText ?? '';
            for (const word of ['Working on it', 'Found', 'drafted', 'proved', 'Rows from', 'Answered'])
              if (last.includes(word) && !window.seen.includes(word)) window.seen.push(word);
          }).observe(document.body, {subtree: true, childList: true, characterData: true});
        }"""
    )
    ask(page, "Severity by cause in FY2025")
    seen = page.evaluate("window.seen")
    assert seen[0] == "Working on it"
    assert "Found" in seen
    assert seen[-1] == "Answered"


def test_a_citation_opens_the_passage_with_the_span_marked(page: Page, company: Path, tmp_path: Path) -> None:
    card = ask(page, "Is the premium refunded when a policy is cancelled?")
    source = card.locator("details").first
    expect(source.locator("mark")).to_be_hidden()
    source.locator("summary").click()
    expect(source.locator("mark")).to_be_visible()
    page.screenshot(path=tmp_path / "citation.png")
    quoted = " ".join(source.locator("mark").inner_text().split())
    assert len(quoted) > 20
    assert quoted in " ".join(card.locator(".bm-words").first.inner_text().split())
    path = source.inner_text().rpartition("kazahaya/")[2].split(" ·")[0].strip()
    document = (company / "documents" / path).read_text(encoding="utf-8")
    assert quoted in " ".join(re.sub(r"<[^>]+>", " ", document).split())

    card = ask(page, "What does loss ratio mean?")
    term = card.locator("details", has_text="catalog://").first
    term.locator("summary").click()
    expect(term.locator("mark")).to_be_visible()


def test_declined_offers_what_can_be_asked(page: Page, tmp_path: Path) -> None:
    card = ask(page, "what is the meaning of life")
    expect(card.locator(".stMarkdownBadge")).to_contain_text("Declined")
    offered = card.get_by_role("button").first
    expect(offered).to_be_visible()
    wanted = offered.inner_text().replace("\u2060", "").strip()
    page.screenshot(path=tmp_path / "declined.png")
    offered.click()
    card = settled(page, 4)
    assert question(page, 2) == wanted
    expect(card.locator(".stMarkdownBadge")).to_contain_text("Answered")


def test_a_reading_that_was_picked_is_the_one_that_runs(page: Page, tmp_path: Path) -> None:
    card = ask(page, "by status")
    expect(card.locator(".stMarkdownBadge")).to_contain_text("A question back")
    page.screenshot(path=tmp_path / "clarify.png")
    card.get_by_role("button").filter(has_text="claim").click()
    card = settled(page, 4)
    assert question(page, 2) == "by status"
    expect(card.locator(".stMarkdownBadge")).to_contain_text("Answered")
    card.get_by_text("SQL", exact=True).click()
    expect(card.get_by_test_id("stCode")).to_contain_text("claims")
    expect(card.get_by_test_id("stCode")).not_to_contain_text("policies")


def test_a_reload_shows_the_same_conversation(page: Page) -> None:
    page.get_by_role("button", name="loss ratio by plan").click()  # one of the questions to start with
    settled(page, 2)
    said = page.get_by_test_id("stChatMessage").locator(".stMarkdownBadge, .bm-quiet, .bm-words, td, th")
    before = said.all_inner_texts()
    assert len(before) > 8
    page.reload()
    settled(page, 2)
    assert said.all_inner_texts() == before
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_test_id("stChatMessage")).to_have_count(0)
    assert "conversation=" not in page.url


def test_nothing_typed_comes_alive(page: Page) -> None:
    typed = (
        "<img src=x onerror=alert(1)> ![](http://127.0.0.1:1/x) $x$ **bold** :smile: :material/home:"
        " http://x.example www.x.example a@b.example -> :red[x] <script>alert(1)</script> [1]"
    )
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    card = ask(page, typed)
    messages = page.get_by_test_id("stChatMessage")
    assert question(page, 0) == typed
    assert messages.locator("img, strong, em, .katex, script, a[href]").count() == 0
    assert card.get_by_text("Answered").count() == 0


def test_trouble_is_said_and_mended(page: Page, company: Path, tmp_path: Path) -> None:
    send(page, "x" * 4_001)
    expect(page.get_by_text("The question has 4,001 characters")).to_be_visible()

    assert bunmyaku(company, "stop").returncode == 0
    send(page, "How many open claims are there?")
    expect(page.get_by_text("open claims: ")).to_be_visible()  # the server was started again
    assert question(page, 0) == "How many open claims are there?"  # what was not taken is not kept
    page.locator(QUIET).wait_for()

    (company / "warehouse.duckdb").rename(company / "away")
    send(page, "earned premium in fiscal year 2025")
    expect(page.get_by_text("The warehouse cannot be opened")).to_be_visible()
    expect(page.get_by_text("What to do")).to_be_visible()
    page.screenshot(path=tmp_path / "trouble.png")
    (company / "away").rename(company / "warehouse.duckdb")
    page.get_by_role("button", name="Try again").click()
    [(expected,)] = warehouse(company, EARNED)
    expect(page.get_by_text(yen(expected)).first).to_be_visible()
    assert page.get_by_text("Traceback").count() == 0


def test_on_a_phone(context: BrowserContext, served: str, tmp_path: Path) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(served)
    ask(page, "claims by cause and plan in FY2025")
    page.wait_for_timeout(500)
    page.screenshot(path=tmp_path / "phone.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator(".bm-asker")).to_be_attached()  # the sidebar is folded away: it says who asks
    page.close()
