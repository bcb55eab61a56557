"""Which catalogue documents others may learn of, and whom they are told to ask."""

from __future__ import annotations

from text2sql.bootstrap import first_model
from text2sql.ddl import catalog_from_ddl
from text2sql.documents import catalog_documents
from text2sql.glossary import Glossary
from text2sql.policy import parse
from text2sql.verified import VerifiedQueries

CATALOG = catalog_from_ddl(
    "CREATE TABLE sales (amount INTEGER, margin INTEGER); CREATE TABLE pay (amount INTEGER);", "duckdb"
)
POLICY = parse(
    """
tables:
  sales: {owner: sales@shop, discoverable: true, grants: [{roles: [analyst], rows: all}, {roles: [seller], rows: all, hide: [margin]}]}
  pay: {owner: pay@shop, grants: [{roles: [analyst], rows: all}]}
"""
)


def test_a_table_says_whether_it_may_be_known_of_and_who_owns_it() -> None:
    chunks = catalog_documents(CATALOG, first_model(CATALOG, "shop"), Glossary(), VerifiedQueries(), POLICY)
    tables = {c.document.uri: c.document for c in chunks if c.document.kind == "table"}
    said = {uri.rpartition("/")[2].rpartition(".")[2]: (d.discoverable, d.owner) for uri, d in tables.items()}
    assert said == {"sales": (True, "sales@shop"), "pay": (False, "pay@shop")}
    others = [chunk.document for chunk in chunks if chunk.document.kind != "table"]
    assert others
    assert not any(document.discoverable or document.owner for document in others)


def test_a_column_hidden_from_some_is_not_in_what_all_may_find() -> None:
    chunks = catalog_documents(CATALOG, first_model(CATALOG, "shop"), Glossary(), VerifiedQueries(), POLICY)
    (sales,) = [c for c in chunks if c.document.kind == "table" and "sales" in c.document.uri]
    assert "amount" in sales.text
    assert "margin" not in sales.text


def test_without_a_policy_nothing_is_withheld() -> None:
    chunks = catalog_documents(CATALOG, first_model(CATALOG, "shop"), Glossary(), VerifiedQueries(), None)
    assert not any(chunk.document.discoverable for chunk in chunks)
