"""Which tables a question is about: by names, values, comments, the other language, meaning, and keys."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from langchain_core.embeddings import Embeddings

from retrieval.embeddings import EmbeddingModel
from text2sql.common_words import common_words
from text2sql.table_linking import COLUMNS_IN_CARD, TableRanker, card
from text2sql.table_terms import VALUES, TableTerms
from text2sql.types import Catalog, Column, ForeignKey, Profile, Table


def table(
    name: str,
    columns: str,
    *,
    schema: str = "",
    keys: Sequence[tuple[str, str, str]] = (),
    values: dict[str, tuple[str, ...]] | None = None,
    comment: str = "",
) -> Table:
    known = values or {}
    return Table(
        name,
        tuple(
            Column(c, "TEXT", "text", profile=Profile(values=known[c]) if c in known else None)
            for c in columns.split()
        ),
        schema=schema,
        comment=comment,
        foreign_keys=tuple(ForeignKey((a,), to, (b,)) for a, to, b in keys),
    )


SHOP = (
    table("stores", "store_id name city", schema="shop", values={"city": ("Oslo", "New York", "東京")}),
    table("sales", "sale_id store_id amount", schema="shop", keys=[("store_id", "shop.stores", "store_id")]),
    table("customers", "customer_id name gender birth_date", schema="shop"),
)
ZOO = (
    table(
        "animals",
        "animal_id species keeper_id",
        schema="zoo",
        keys=[("keeper_id", "zoo.keepers", "keeper_id")],
    ),
    table("keepers", "keeper_id full_name", schema="zoo"),
    table("countrylanguage", "code language", schema="zoo"),
    table("country", "code name", schema="zoo"),
    table("language", "code name", schema="zoo"),
)
CATALOG = Catalog("sqlite", (*SHOP, *ZOO))


def first(question: str, catalog: Catalog = CATALOG, limit: int = 1) -> list[str]:
    return [found.name for found, _ in TableRanker(catalog).rank(question, limit)]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many animals are there?", "animals"),
        ("List the species", "animals"),
        ("What is the total amount?", "sales"),
        ("Which store is the oldest?", "stores"),
        ("What opened in New York?", "stores"),
        ("東京にあるのはどこですか", "stores"),
        ("性別ごとの人数", "customers"),
        ("Who was born on that date: the sex of each one", "customers"),
    ],
)
def test_names_columns_values_and_both_languages(question: str, expected: str) -> None:
    assert first(question) == [expected]


def test_a_glued_name_is_cut_with_the_catalogues_own_words() -> None:
    catalog = Catalog("sqlite", (*ZOO, table("country_notes", "note"), table("language_notes", "note")))
    terms = TableTerms(catalog.tables, common_words())
    assert terms.words("countrylanguage") == ["country", "language"]
    assert terms.words("keeper") == ["keeper"]
    found = first("Which languages does each country speak?", catalog, 5)
    assert "countrylanguage" in found[:3]


def test_what_keys_join_comes_along() -> None:
    ranked = first("How much did the stores in Oslo sell?", limit=8)
    assert ranked[0] == "stores"
    assert ranked.index("sales") < ranked.index("keepers")


def test_a_comment_says_what_a_name_does_not() -> None:
    cryptic = table("t_0815", "c1 c2", comment="claims that were settled out of court")
    assert first("Which claims were settled?", Catalog("duckdb", (*SHOP, cryptic))) == ["t_0815"]


def test_tables_of_one_schema_are_preferred_together() -> None:
    twin = Catalog(
        "sqlite",
        (*SHOP, *ZOO, table("city", "name zone", schema="zoo"), table("city", "name", schema="shop")),
    )
    ranked = [
        found.qualified for found, _ in TableRanker(twin).rank("Sales by customer and city in the stores", 8)
    ]
    assert ranked.index("shop.city") < ranked.index("zoo.city")


def test_scores_fall_and_ties_keep_the_order_of_the_catalogue() -> None:
    ranker = TableRanker(CATALOG)
    scores = [score for _, score in ranker.rank("stores and sales", 8)]
    assert scores == sorted(scores, reverse=True)
    assert [t.name for t, _ in ranker.rank("xyzzy", 8)] == [t.name for t in CATALOG.tables]


@pytest.mark.parametrize("question", ["", "   ", "?!", "\x00", "a" * 5_000, "🙂" * 50, "の" * 300])
def test_any_text_is_ranked(question: str) -> None:
    assert len(TableRanker(CATALOG).rank(question, 3)) == 3


def test_nothing_to_rank() -> None:
    assert TableRanker(Catalog("sqlite", ())).rank("stores") == []
    assert TableRanker(CATALOG).rank("stores", 0) == []
    assert len(TableRanker(CATALOG).rank("stores", 99)) == len(CATALOG.tables)


def test_a_key_into_nowhere_or_to_itself_harms_nothing() -> None:
    odd = table("parts", "part_id parent_id", keys=[("parent_id", "parts", "part_id"), ("x", "gone", "y")])
    assert first("parts", Catalog("duckdb", (odd, *SHOP))) == ["parts"]


def test_of_values_only_a_bounded_number_is_kept() -> None:
    many = table("codes", "code", values={"code": tuple(f"value {chr(97 + n % 26)}{n}" for n in range(500))})
    terms = TableTerms([many], common_words())
    heard = terms.hear(f"where is value {chr(97 + 3)}3")
    assert heard.values.max() == 1.0
    beyond = f"value {chr(97 + (VALUES + 7) % 26)}{VALUES + 7}"
    assert terms.hear(beyond).values.sum() == 0.0


def test_a_card_is_short_and_says_where_it_is() -> None:
    wide = table("wide", " ".join(f"column_{n}" for n in range(300)), schema="lab", comment="x" * 900)
    text = card(wide)
    assert text.startswith("lab wide (xxx")
    assert text.count("column") == COLUMNS_IN_CARD
    assert len(text) < 600


class Kinship(Embeddings):
    """A vector that knows two meanings: money and beasts."""

    asked = 0

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self._of(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        self.asked += 1
        return self._of(text)

    def _of(self, text: str) -> list[float]:
        money = float(any(word in text.lower() for word in ("sales", "amount", "turnover")))
        beasts = float(any(word in text.lower() for word in ("animal", "species", "wildlife")))
        length = (money**2 + beasts**2 + 0.01) ** 0.5
        return [money / length, beasts / length, 0.1 / length]


def test_meaning_finds_what_no_word_names_and_is_not_asked_in_a_language_it_cannot_read() -> None:
    model = EmbeddingModel(kin := Kinship(), "kin@1", 3, frozenset({"en"}))
    ranker = TableRanker(CATALOG, model)
    assert ranker.rank("Wildlife?", 1)[0][0].name == "animals"
    assert ranker.rank("Turnover?", 1)[0][0].name == "sales"
    assert kin.asked == 2
    assert ranker.rank("性別ごとの人数", 1)[0][0].name == "customers"
    assert kin.asked == 2


def test_the_same_from_many_threads() -> None:
    ranker = TableRanker(CATALOG)
    questions = ["stores in Oslo", "animals", "性別ごとの人数", "total amount"] * 5
    alone = [ranker.rank(question, 5) for question in questions]
    found: list[list[tuple[Table, float]]] = [[] for _ in questions]

    def ask(at: int) -> None:
        found[at] = ranker.rank(questions[at], 5)

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(len(questions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


def test_ten_thousand_tables_are_ranked_in_time() -> None:
    """The work grows with the words of the question, not with the square of the tables."""
    import time

    words = ("order", "claim", "store", "flight", "music", "player", "course", "patient", "vehicle", "ticket")
    tables = tuple(
        table(
            f"{words[n % 10]}_{words[n // 10 % 10]}_{n}",
            f"id {words[n // 100 % 10]}_name amount",
            schema=f"s{n // 50}",
        )
        for n in range(10_000)
    )
    ranker = TableRanker(Catalog("duckdb", tables))
    ranker.rank("warm", 1)
    times = []
    for n in (1234, 5, 9999, 777, 4321):
        started = time.thread_time()
        found = ranker.rank(f"the name and amount of {tables[n].name.replace('_', ' ')}", 5)
        times.append(time.thread_time() - started)
        assert tables[n].name in [each.name for each, _ in found]
    assert sorted(times)[2] < 0.1
