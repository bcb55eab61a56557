"""Catalogue objects as documents, and the part of a model that a caller's catalogue carries."""

from __future__ import annotations

from retrieval.types import EVERYONE, Chunk
from text2sql.documents import catalog_documents
from text2sql.glossary import Glossary
from text2sql.policy import Policy
from text2sql.semantics import SemanticModel
from text2sql.types import Catalog, Column, Profile, Table
from text2sql.verified import VerifiedQueries
from text2sql.visible_model import visible_model, visible_queries

SALES = Table(
    "sales",
    (
        Column("region", "VARCHAR", "text", profile=Profile(distinct=1, values=("SECRET VALUE",))),
        Column("amount", "INT", "integer"),
        Column("note", "VARCHAR", "text"),
        Column("store_id", "INT", "integer"),
    ),
)
STORES = Table("stores", (Column("id", "INT", "integer"), Column("city", "VARCHAR", "text")))
CATALOG = Catalog("duckdb", (SALES, STORES))
MODEL = SemanticModel.model_validate(
    {
        "tables": [
            {
                "name": "sales",
                "label": {"en": "sales", "ja": "売上"},
                "title": "note",
                "dimensions": [{"name": "region", "label": {"en": "region", "ja": "地域"}}, {"name": "note"}],
            },
            {"name": "stores", "dimensions": [{"name": "city"}]},
        ],
        "joins": [{"from": "sales", "to": "stores", "on": {"store_id": "id"}}],
        "metrics": [
            {"name": "revenue", "table": "sales", "agg": "sum", "expr": "amount", "label": {"en": "revenue"}},
            {"name": "shops", "table": "stores", "agg": "count"},
            {"name": "per_shop", "ratio": {"numerator": "revenue", "denominator": "shops"}},
        ],
    }
)
GLOSSARY = Glossary.model_validate({"terms": [{"term": {"en": "basket"}, "definition": {"ja": "客単価"}}]})
VERIFIED = VerifiedQueries.model_validate(
    {
        "queries": [
            {"question": {"en": "all revenue"}, "sql": "SELECT SUM(amount) FROM sales"},
            {"question": {"en": "home"}, "sql": "SELECT SUM(amount) FROM sales WHERE region = 'home'"},
            {"question": {"en": "broken"}, "sql": "SELECT FROM WHERE"},
        ]
    }
)
POLICY = Policy.model_validate(
    {
        "tables": {
            "sales": {
                "discoverable": True,
                "grants": [
                    {"roles": ["analyst"], "hide": ["note"]},
                    {"roles": ["manager"], "rows": "region = 'x'"},
                ],
            },
            "stores": {"grants": [{"roles": ["everyone"]}]},
        }
    }
)


def made(policy: Policy | None = None) -> dict[str, Chunk]:
    return {c.document.id: c for c in catalog_documents(CATALOG, MODEL, GLOSSARY, VERIFIED, policy)}


def test_every_object_is_one_document_with_one_chunk() -> None:
    chunks = made()
    kinds = [chunk.document.kind for chunk in chunks.values()]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "table": 2, "metric": 3, "dimension": 3, "term": 1, "verified": 3,
    }  # fmt: skip
    for identity, chunk in chunks.items():
        assert chunk.id == f"{identity}#0"
        assert (chunk.start, chunk.end) == (0, len(chunk.text))
        assert chunk.document.title


def test_words_of_both_languages_can_be_found_and_no_stored_value() -> None:
    chunks = made()
    assert "売上" in chunks["catalog:table:sales"].text
    assert "地域" in chunks["catalog:dimension:sales.region"].text
    assert "客単価" in chunks["catalog:term:basket"].text
    assert not any("SECRET VALUE" in chunk.text for chunk in chunks.values())


def test_without_a_policy_everything_is_for_everyone() -> None:
    assert all(
        chunk.document.labels == {EVERYONE} for chunk in made().values() if chunk.text.find("broken") < 0
    )


def test_labels_come_from_the_policy() -> None:
    chunks = made(POLICY)
    labels = {identity: set(chunk.document.labels) for identity, chunk in chunks.items()}
    assert labels["catalog:table:sales"] == {"role:analyst", "role:manager"}
    assert labels["catalog:table:stores"] == {EVERYONE}
    assert labels["catalog:metric:revenue"] == {"role:analyst", "role:manager"}
    assert labels["catalog:metric:per_shop"] == {"role:analyst", "role:manager"}
    assert labels["catalog:dimension:sales.note"] == {"role:manager"}
    assert labels["catalog:term:basket"] == {EVERYONE}
    assert chunks["catalog:table:sales"].document.discoverable
    assert not chunks["catalog:table:stores"].document.discoverable


def test_a_formula_over_a_hidden_column_is_for_those_who_see_it() -> None:
    metric = MODEL.metrics[0].model_copy(update={"filter": "note IS NOT NULL"})
    model = MODEL.model_copy(update={"metrics": (metric, *MODEL.metrics[1:])})
    chunks = catalog_documents(CATALOG, model, Glossary(), VerifiedQueries(), POLICY)
    labels = {chunk.document.id: set(chunk.document.labels) for chunk in chunks}
    assert labels["catalog:metric:revenue"] == labels["catalog:metric:per_shop"] == {"role:manager"}


def test_a_query_that_names_values_is_for_those_who_see_all_rows() -> None:
    by_text = {chunk.text.splitlines()[0]: set(chunk.document.labels) for chunk in made(POLICY).values()}
    assert by_text["all revenue"] == {"role:analyst", "role:manager"}
    assert by_text["home"] == {"role:analyst"}
    assert by_text["broken"] == set()


def test_a_table_that_the_policy_does_not_name_is_for_nobody() -> None:
    empty = made(Policy.model_validate({"tables": {}}))
    assert empty["catalog:table:sales"].document.labels == frozenset()
    assert empty["catalog:metric:per_shop"].document.labels == frozenset()


def test_a_changed_text_is_another_version_of_the_same_document() -> None:
    before = made()["catalog:metric:revenue"].document
    metric = MODEL.metrics[0].model_copy(update={"unit": "EUR"})
    model = MODEL.model_copy(update={"metrics": (metric, *MODEL.metrics[1:])})
    after = next(
        c.document
        for c in catalog_documents(CATALOG, model, GLOSSARY, VERIFIED, None)
        if c.document.id == before.id
    )
    assert after.version != before.version
    assert made()["catalog:metric:revenue"].document.version == before.version


# -- the visible part of a model ---------------------------------------------------------------------------------


def test_objects_without_their_table_are_not_there() -> None:
    seen = visible_model(MODEL, Catalog("duckdb", (STORES,)))
    assert [entity.name for entity in seen.tables] == ["stores"]
    assert [metric.name for metric in seen.metrics] == ["shops"]
    assert seen.joins == ()


def test_objects_without_their_column_are_not_there() -> None:
    narrow = Table("sales", (SALES.columns[0], SALES.columns[3]))
    seen = visible_model(MODEL, Catalog("duckdb", (narrow, STORES)))
    sales = seen.entity("sales")
    assert sales is not None
    assert [dimension.name for dimension in sales.dimensions] == ["region"]
    assert sales.title == ""
    assert [metric.name for metric in seen.metrics] == ["shops"]
    assert len(seen.joins) == 1


def test_a_whole_catalogue_changes_nothing() -> None:
    assert visible_model(MODEL, CATALOG) == MODEL


def test_verified_queries_over_hidden_tables_are_not_there() -> None:
    assert len(visible_queries(VERIFIED, CATALOG).queries) == 2
    assert visible_queries(VERIFIED, Catalog("duckdb", (STORES,))).queries == ()
    common = VerifiedQueries.model_validate(
        {"queries": [{"question": {"en": "x"}, "sql": "WITH t AS (SELECT * FROM stores) SELECT * FROM t"}]}
    )
    assert len(visible_queries(common, CATALOG).queries) == 1
