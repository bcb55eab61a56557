"""Tables that a caller may know of but not read: found by a drafter of their own, told without a word of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.withholding import Beyond, with_tables
from retrieval.types import Context, Principal
from tests.app.making import context
from text2sql.bootstrap import first_model
from text2sql.ddl import catalog_from_ddl
from text2sql.drafters import build
from text2sql.policy import Policy, known_catalog, parse, visible_catalog
from text2sql.values import ValueIndex

CATALOG = catalog_from_ddl(
    "CREATE TABLE stores (id INTEGER PRIMARY KEY, name VARCHAR, region VARCHAR);"
    "CREATE TABLE sales (id INTEGER PRIMARY KEY, store_id INTEGER REFERENCES stores (id), amount INTEGER,"
    " margin INTEGER);"
    "CREATE TABLE salaries (id INTEGER PRIMARY KEY, pay INTEGER);",
    "duckdb",
)
POLICY = parse(
    """
tables:
  stores: {owner: stores@shop, discoverable: true, grants: [{roles: [everyone], rows: all}]}
  sales: {owner: sales@shop, discoverable: true, grants: [{roles: [analyst], rows: all, hide: [margin]}]}
  salaries: {owner: pay@shop, grants: [{roles: [director], rows: all}]}
"""
)
GUEST, ANALYST = Principal("guest"), Principal("ana", roles=("analyst",))


def noted(question: str, principal: Principal = GUEST, policy: Policy = POLICY) -> Context:
    known = known_catalog(policy, CATALOG, principal)
    model = first_model(CATALOG, "shop")
    settings = {
        "catalog": known,
        "model": model,
        "values": ValueIndex.of(known, model),
        "clock": lambda: datetime(2026, 11, 20, tzinfo=UTC),
    }
    beyond = Beyond(build("offline", settings), visible_catalog(policy, CATALOG, principal), policy)
    return beyond.noted(question, context(question))


@pytest.mark.parametrize(
    ("question", "withheld", "owners"),
    [
        ("How many sales are there?", 1, ("sales@shop",)),
        ("Total amount by region", 1, ("sales@shop",)),
        ("How many stores are there?", 0, ()),  # may be read
        ("How many salaries are there?", 0, ()),  # not discoverable: not there
        ("How many submarines are there?", 0, ()),
        ("What is the capital of France?", 0, ()),
    ],
)
def test_only_discoverable_tables_that_would_answer_count(
    question: str, withheld: int, owners: tuple[str, ...]
) -> None:
    found = noted(question)
    assert (found.withheld, found.owners) == (withheld, owners)
    assert found.pieces == ()


def test_whoever_may_read_it_is_told_nothing() -> None:
    assert noted("How many sales are there?", ANALYST).withheld == 0


def test_without_an_owner_it_is_withheld_by_nobody_in_particular() -> None:
    unowned = parse("tables: {sales: {discoverable: true}}")
    found = noted("How many sales are there?", policy=unowned)
    assert (found.withheld, found.owners) == (1, ())


def test_a_column_that_a_grant_hides_is_not_there() -> None:
    question = "Average margin by region"
    assert noted(question).withheld == 0
    tables = dict(POLICY.tables)
    open_to_analysts = tables["sales"].grants[0].model_copy(update={"hide": ()})
    tables["sales"] = tables["sales"].model_copy(update={"grants": (open_to_analysts,)})
    assert noted(question, policy=Policy(tables=tables)).withheld == 1


def test_owners_of_tables_come_first_and_once() -> None:
    before = Context("q", GUEST, "en", (), 0, 100, withheld=2, owners=("memo@shop", "sales@shop"))
    after = with_tables(before, POLICY, ["sales", "salaries", "unknown"])
    assert (after.withheld, after.owners) == (2, ("sales@shop", "memo@shop"))
    assert with_tables(before, None, ["sales"]) == before


def test_what_may_be_known_of_a_table_is_its_names_only() -> None:
    known = known_catalog(POLICY, CATALOG, GUEST)
    assert [table.name for table in known.tables] == ["stores", "sales"]
    sales = known.table("sales")
    assert sales is not None
    assert [column.name for column in sales.columns] == ["id", "store_id", "amount"]
    assert sales.rows is None
    assert all(column.profile is None for column in sales.columns)
    assert [table.name for table in known_catalog(POLICY, CATALOG, ANALYST).tables] == ["stores", "sales"]
