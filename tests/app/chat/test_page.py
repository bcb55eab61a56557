"""The page over a small shop, run by Streamlit's own tester: every outcome, two languages, whose turns are whose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import chat
from app.chat import opening
from retrieval.postgres.database import Database

PAGE = Path(chat.__file__).with_name("page.py")
SALES = "id,store,amount\n1,East,100\n2,East,250\n3,West,4000\n"
POLICY = """
version: 1
name: shop
attributes: {stores: {type: text, list: true}}
tables:
  sales:
    grants:
      - {roles: [analyst], rows: all}
      - {roles: [manager], rows: 'store IN (:stores)'}
"""
MODEL = """
version: 1
name: shop
tables:
  - name: sales
    label: {en: sales, ja: 売上}
    dimensions:
      - {name: store, type: text, label: {en: store, ja: 店舗}}
metrics:
  - {name: revenue, table: sales, agg: sum, expr: amount, unit: JPY, label: {en: revenue, ja: 売上高}}
"""
USERS = """
users:
  - {id: ana, name: Ana, language: en, roles: [analyst]}
  - {id: ken, name: 健, language: ja, roles: [manager], attributes: {stores: [East]}}
"""


@pytest.fixture
def shop(tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    home = tmp_path / "shop"
    (home / "data").mkdir(parents=True)
    (home / "data" / "sales.csv").write_text(SALES, encoding="utf-8")
    for name, content in (("policy", POLICY), ("semantic", MODEL), ("users", USERS)):
        (home / f"{name}.yaml").write_text(content, encoding="utf-8")
    (home / "config.yaml").write_text(
        "warehouse: data\npolicy: policy.yaml\nsemantic_model: semantic.yaml\nusers: {file: users.yaml}\n"
        "default_user: ana\nembeddings: none\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("BUNMYAKU_HOME", str(home))
    monkeypatch.setenv("BUNMYAKU_DATABASE_DSN", database.dsn)
    monkeypatch.setattr(opening, "GRACE_SECONDS", 0.0)
    yield home
    opening.application().close()
    opening._opened.clear()


def begin(query: dict[str, str] | None = None) -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in (query or {}).items():
        page.query_params[name] = value
    return page.run()


def words(page: AppTest) -> str:
    """Everything our own HTML says on the page."""
    return "\n".join(element.proto.body for element in page.get("html"))


def ask(page: AppTest, question: str) -> str:
    page.chat_input[0].set_value(question).run()
    assert not page.exception
    return words(page)


def test_who_asks_decides_what_is_seen(shop: Path) -> None:
    page = begin()
    assert "4,350" in ask(page, "revenue")
    first = page.session_state["conversation"]
    page.selectbox(key="user").set_value("ken").run()
    assert "4,350" not in words(page)
    assert page.session_state["conversation"] != first
    shown = ask(page, "売上高は?")
    assert "350" in shown
    assert "4,350" not in shown
    assert "健（manager）として質問中" in shown
    assert "East" in shown  # his attribute, and the rule that was bound to it


def test_another_session_starts_empty_and_an_address_opens_only_one_s_own(shop: Path) -> None:
    page = begin()
    ask(page, "revenue")
    conversation = page.session_state["conversation"]
    assert "4,350" not in words(begin())
    assert "4,350" in words(begin({"user": "ana", "conversation": conversation}))
    assert "4,350" not in words(begin({"user": "ken", "conversation": conversation}))
    assert "4,350" not in words(begin({"user": "nobody", "conversation": "../../etc"}))


def test_a_record_is_drawn_the_same_again(shop: Path) -> None:
    page = begin()
    before = ask(page, "revenue by store")
    assert "4,000" in before
    assert words(page.run()) == before


def test_a_policy_that_is_edited_counts_at_once(shop: Path) -> None:
    page = begin()
    assert "4,350" in ask(page, "revenue")
    policy = shop / "policy.yaml"
    policy.write_text(POLICY.replace("analyst", "auditor"), encoding="utf-8")
    page.button(key="new").click().run()
    assert "4,350" not in ask(page, "revenue")


def test_trouble_is_a_sentence_with_a_way_on(shop: Path) -> None:
    page = begin()
    assert "5,000 characters" in ask(page, "x" * 5_000)
    (shop / "data").rename(shop / "away")
    assert "no such file or folder" in ask(page, "revenue")
    (shop / "away").rename(shop / "data")
    page.button(key="reload").click().run()
    assert "4,350" in words(page)


def test_both_languages_say_everything(shop: Path) -> None:
    page = begin()
    assert page.chat_input[0].placeholder == "Ask about the documents or the figures"
    page.radio(key="language_ana").set_value("日本語").run()
    assert page.chat_input[0].placeholder == "文書や数値について質問してください"
    assert page.button(key="new").label == "新しい会話"
    assert "として質問中" in words(page)
