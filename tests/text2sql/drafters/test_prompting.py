"""What goes into a prompt and what a reply means, without any model."""

from __future__ import annotations

import json

import pydantic
import pytest

from retrieval.tokens import count_tokens
from retrieval.types import Chunk, Context, Document, DocumentKind, Passage, Piece, Principal
from tests.text2sql.drafters.conftest import Shop
from text2sql.drafters.prompting.cards import Cards, metric_card
from text2sql.drafters.prompting.compiled import metrics_in
from text2sql.drafters.prompting.dialects import NAMES, NOTES
from text2sql.drafters.prompting.material import Material
from text2sql.drafters.prompting.replies import DraftReply, statement, understood_as
from text2sql.drafters.prompting.schema import SchemaText
from text2sql.glossary import Glossary
from text2sql.semantics import SemanticModel
from text2sql.types import Catalog, Column, Draft, ForeignKey, Profile, Table
from text2sql.verified import VerifiedQueries

MADE = Draft("", "model", 0.7, understood=("q",), drafter="model", prompt_version="v", model="m")


def context(question: str = "", *pieces: Piece) -> Context:
    return Context(question, Principal("ana"), "en", pieces, 0, 1000)


def piece(kind: DocumentKind, identity: str, text: str) -> Piece:
    document = Document(identity, "v", "uri", "Title", kind=kind)
    return Piece(kind, text, "o", 1, "r", passage=Passage(Chunk(f"{identity}#0", document, 0, text), 1.0))


def material(shop: Shop, tokens: int = 6000, queries: list[dict[str, object]] | None = None) -> Material:
    verified = VerifiedQueries.model_validate({"queries": queries or []})
    return Material(shop.catalog, shop.model, verified=verified, glossary=Glossary(), tokens=tokens)


# -- cards ---------------------------------------------------------------------------------------------------


def test_a_card_says_what_a_query_needs(duck_shop: Shop) -> None:
    cards = Cards(duck_shop.catalog, duck_shop.model)
    stores = duck_shop.catalog.table("stores")
    sales = duck_shop.catalog.table("sales")
    assert stores is not None
    assert sales is not None
    card = cards.full(stores)
    assert card.startswith("table stores primary key (id): store / 店舗")
    assert "region VARCHAR | region / 地域 | values" in card
    assert "'Kansai'" in card
    assert "key store_id -> stores.id (many to one)" in cards.full(sales)
    assert cards.full(sales).count("store_id -> stores.id") == 1, "a key known twice is said once"
    assert cards.brief(sales).startswith("table sales (id INTEGER, store_id INTEGER")


def test_values_are_shown_as_stored_and_only_where_there_is_a_profile() -> None:
    columns = (
        Column("code", "TEXT", "text", profile=Profile(distinct=2, values=("A'b", "B"))),
        Column("many", "TEXT", "text", profile=Profile(distinct=9000, values=tuple("abcdefgh"))),
        Column("hidden", "TEXT", "text"),
        Column("day", "DATE", "date", profile=Profile(minimum="2020-01-01", maximum="2024-12-31")),
    )
    catalog = Catalog("duckdb", (Table("t", columns),))
    lines = Cards(catalog, SemanticModel()).full(catalog.tables[0]).splitlines()
    assert lines[1:] == [
        "  code TEXT | values 'A''b', 'B'",
        "  many TEXT | for example 'a', 'b', 'c'",
        "  hidden TEXT",
        "  day DATE | 2020-01-01 to 2024-12-31",
    ]


def test_a_metric_says_how_it_is_computed(duck_shop: Shop) -> None:
    model = duck_shop.model
    cards = {metric.name: metric_card(metric, model) for metric in model.metrics}
    assert cards["web_revenue"].startswith(
        "web_revenue = SUM(amount) from sales where channel = 'web'; periods apply to sold_on"
    )
    assert cards["unit_price"].startswith("unit_price = revenue / units (metrics: sum each, then divide)")


def test_every_dialect_has_a_name_and_notes() -> None:
    assert NAMES.keys() == NOTES.keys() == {"duckdb", "sqlite", "postgres", "athena", "redshift"}


# -- the budget ----------------------------------------------------------------------------------------------


def test_a_small_schema_is_there_whole(duck_shop: Shop) -> None:
    values = material(duck_shop).values("anything", context())
    assert all(f"table {table.name}" in values["schema"] for table in duck_shop.catalog.tables)
    assert "Notes on DuckDB" in values["schema"]
    assert "The fiscal year starts in month 4." in values["metrics"]


@pytest.fixture(scope="module")
def wide() -> Catalog:
    """600 tables, one of them about what is asked, joined to a second."""
    columns = tuple(Column(f"column_{n}", "INTEGER", "integer") for n in range(12))
    tables = [Table(f"part_{n}", columns) for n in range(598)]
    key = ForeignKey(("office_id",), "office", ("id",))
    trip = Table("trip", (*columns, Column("office_id", "INTEGER", "integer")), foreign_keys=(key,))
    return Catalog("postgres", (*tables, trip, Table("office", (Column("id", "INTEGER", "integer"),))))


@pytest.mark.parametrize("budget", [500, 1000, 3000])
def test_of_a_wide_schema_the_tables_that_matter_come_first(wide: Catalog, budget: int) -> None:
    schema = SchemaText(wide, SemanticModel(), budget)
    text = schema.text("how many trips were there", context(), (), budget)
    assert "table trip" in text.splitlines()[0]
    assert count_tokens(text) <= budget
    if budget > 500:
        assert "table office" in text, "what its keys join to comes along"
    found = piece("table", "catalog:table:part_77", "part_77")
    assert "table part_77" in schema.text("x", context("x", found), (), budget).splitlines()[0]


def test_one_table_beyond_the_budget_is_cut_and_says_so() -> None:
    huge = Table("huge", tuple(Column(f"column_{n}", "INTEGER", "integer") for n in range(2000)))
    text = SchemaText(Catalog("sqlite", (huge,)), SemanticModel(), 500).text("huge", context(), (), 500)
    assert count_tokens(text) < 520
    assert text.endswith("(further columns left out)")


def test_no_part_takes_more_than_its_share(duck_shop: Shop) -> None:
    turns = [Piece("turn", f"Q: {'long ' * 200}{n}", "conversation", 1, "r") for n in range(30)]
    notes = [piece("document", f"d{n}", "word " * 500) for n in range(9)]
    values = material(duck_shop, tokens=1500).values("revenue", context("revenue", *turns, *notes))
    total = sum(count_tokens(values[name]) for name in values if name not in ("question", "dialect"))
    assert total <= 1500 + 150, "but for the notes on the dialect"


# -- examples ------------------------------------------------------------------------------------------------

OPEN = {
    "question": {"en": "revenue by product"},
    "sql": "SELECT product_id, SUM(amount) FROM sales GROUP BY 1",
}
NAMING = {
    "question": {"en": "revenue by product of the Ginza store"},
    "sql": "SELECT SUM(amount) FROM sales JOIN stores ON stores.id = store_id WHERE stores.name = 'Ginza'",
}


def test_an_example_that_names_values_is_shown_only_where_it_was_found(duck_shop: Shop) -> None:
    made = material(duck_shop, queries=[OPEN, NAMING])
    assert "Ginza" not in made.values("revenue by product", context())["examples"]
    assert "SUM(amount)" in made.values("revenue by product", context())["examples"]
    found = piece("verified", "catalog:verified:x", f"{NAMING['question']['en']}\n{NAMING['sql']}")  # type: ignore[index]
    assert "Ginza" in made.values("revenue by product", context("", found))["examples"]


def test_an_example_with_nothing_in_common_is_not_shown(duck_shop: Shop) -> None:
    assert material(duck_shop, queries=[OPEN]).values("staff age", context())["examples"] == ""


# -- replies -------------------------------------------------------------------------------------------------


def read(**reply: object) -> DraftReply:
    return DraftReply.model_validate(json.loads(json.dumps(reply)))


def test_a_query_reply(duck_shop: Shop) -> None:
    reply = read(
        action="query", sql="SELECT COUNT(*) FROM stores ;\n", reading="stores", assumptions=None, x=1
    )
    [draft] = understood_as(reply, duck_shop.catalog, duck_shop.model, MADE).drafts
    assert (draft.sql, draft.tables, draft.understood) == (
        "SELECT COUNT(*) FROM stores",
        ("main.stores",),
        ("stores",),
    )
    assert (draft.origin, draft.model, draft.prompt_version, draft.confidence) == ("model", "m", "v", 0.7)


def test_a_second_statement_is_left_for_the_guard() -> None:
    assert statement("SELECT 1; DROP TABLE x;") == "SELECT 1; DROP TABLE x"


@pytest.mark.parametrize(
    "reply",
    [
        {"action": "query"},
        {"action": "query", "sql": " ; "},
        {"action": "query", "sql": None},
        {"action": "explain", "sql": "SELECT 1"},
        {"action": "clarify", "question": "which?"},
        {"action": "clarify", "choices": [{"label": "a", "sql": "SELECT 1"}]},
        {
            "action": "clarify",
            "choices": [{"label": "a", "sql": "SELECT 1"}, {"label": "b", "sql": "SELECT 1;"}],
        },
        {"action": "query", "sql": "SELECT 1", "reading": {"a": 1}},
        {"sql": "SELECT 1"},
    ],
)
def test_what_is_no_reply(reply: dict[str, object]) -> None:
    with pytest.raises(pydantic.ValidationError):
        read(**reply)


def test_a_clarify_reply_keeps_at_most_four_readings(duck_shop: Shop) -> None:
    choices = [{"label": f"reading {n}", "sql": f"SELECT {n} FROM stores"} for n in range(9)]
    drafting = understood_as(
        read(action="clarify", question="which?", choices=choices), duck_shop.catalog, duck_shop.model, MADE
    )
    assert drafting.clarify == "which?"
    assert [choice.label for choice in drafting.choices] == [f"reading {n}" for n in range(4)]
    assert drafting.choices[1].draft.understood == ("reading 1",)
    assert not drafting.drafts


def test_a_decline_reply(duck_shop: Shop) -> None:
    reply = read(action="decline", lacking=["costs", "", "x" * 900], suggestions=["a", "b", "c", "d"])
    decline = understood_as(reply, duck_shop.catalog, duck_shop.model, MADE).decline
    assert decline is not None
    assert decline.lacking == ("costs", "x" * 500)
    assert decline.suggestions == ("a", "b", "c")


# -- metrics found in a query --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "metrics"),
    [
        ("SELECT SUM(amount) FROM sales", ("revenue",)),
        (
            "SELECT st.region, sum(x.AMOUNT) FROM sales x JOIN stores st ON st.id = x.store_id GROUP BY 1",
            ("revenue",),
        ),
        ("SELECT SUM(amount) FROM sales WHERE channel = 'web' AND quantity > 1", ("web_revenue",)),
        ("SELECT SUM(amount) FROM sales WHERE channel = 'shop'", ("revenue",)),
        ("SELECT SUM(amount) / SUM(quantity) FROM sales", ("unit_price", "revenue", "units")),
        ("SELECT SUM(amount), SUM(quantity) FROM sales", ("revenue", "units")),
        ("SELECT SUM(amount) FROM returns", ("refunds",)),
        ("SELECT AVG(amount) FROM sales", ()),
        ("SELECT SUM(amount + 1) FROM sales", ()),
        ("SELECT SUM(amount) FROM elsewhere", ()),
        ("SELECT (", ()),
    ],
)
def test_metrics_are_found_in_the_query_itself(duck_shop: Shop, sql: str, metrics: tuple[str, ...]) -> None:
    assert metrics_in(sql, duck_shop.catalog, duck_shop.model) == metrics


def test_rows_of_a_join_are_no_counted_metric() -> None:
    model = SemanticModel.model_validate(
        {
            "tables": [{"name": "t"}, {"name": "u"}],
            "metrics": [{"name": "n", "table": "t", "agg": "count", "filter": "a > 1 AND b = 2"}],
        }
    )
    columns = (Column("a", "INTEGER", "integer"), Column("b", "INTEGER", "integer"))
    catalog = Catalog("sqlite", (Table("t", columns), Table("u", (Column("a", "INTEGER", "integer"),))))
    assert metrics_in("SELECT COUNT(*) FROM t WHERE b = 2 AND t.a > 1", catalog, model) == ("n",)
    assert metrics_in("SELECT COUNT(*) FROM t WHERE b = 2", catalog, model) == ()
    assert metrics_in("SELECT COUNT(*) FROM t, u WHERE b = 2 AND t.a > 1", catalog, model) == ()


@pytest.mark.parametrize(
    "phrase",
    [
        "see https://evil.example/?q=1 for it",
        "see [it](javascript:alert(1)) for it",
        "see www.evil.example/x for it",
        "see ftp://evil.example for it",
        "see data:text/html;base64,xx for it",
    ],
)
def test_a_phrase_sends_nobody_anywhere(phrase: str) -> None:
    reply = DraftReply.model_validate({"action": "decline", "lacking": [phrase], "suggestions": phrase})
    assert "evil" not in reply.lacking[0]
    assert "alert" not in reply.suggestions[0].replace("(1)", "") or "javascript" not in reply.suggestions[0]
    assert reply.lacking[0].startswith("see ")


def test_a_phrase_without_addresses_stays() -> None:
    reply = DraftReply.model_validate({"action": "decline", "lacking": ["metadata: 1.5, data, 資料: なし"]})
    assert reply.lacking == ("metadata: 1.5, data, 資料: なし",)
