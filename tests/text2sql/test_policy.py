"""Policies: read, checked when loaded, default deny, and what of a catalogue they leave to a caller."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.types import Principal
from text2sql.ddl import catalog_from_ddl
from text2sql.errors import PolicyError
from text2sql.policy import Policy, load, parse, problems, visible_catalog
from text2sql.types import Catalog, Column, ForeignKey, Profile, Table

SHOP = """
version: 1
name: shop
attributes: {regions: {type: text, list: true}, seller_id: {type: integer}, rate: {type: number}, flag: {type: boolean}}
tables:
  sales:
    owner: sales-data@shop
    discoverable: true
    grants:
      - {roles: [analyst], rows: all, masks: {buyer: null, born: year, age: {bucket: 10}}, hide: [note]}
      - {roles: [regional_manager], rows: "region IN (:regions)"}
      - {roles: [seller], rows: "seller_id = :seller_id AND region IN (:regions, 'everywhere')"}
  stores: {grants: [{roles: [everyone]}]}
  hr.wages: {grants: [{roles: [boss]}]}
documents:
  - {match: "handbook/*", roles: [everyone]}
  - {match: "minutes", roles: [boss, analyst]}
"""


@pytest.fixture
def policy() -> Policy:
    return parse(SHOP)


def caller(*roles: str, **attributes: object) -> Principal:
    return Principal("ana", roles=roles, attributes=attributes)


def test_reads_what_it_documents(policy: Policy) -> None:
    assert policy.title == "shop v1"
    rule = policy.rule("sales")
    assert rule is not None
    assert rule.owner == "sales-data@shop"
    analyst = rule.grants[0]
    assert analyst.mask("BUYER") == "null"
    assert analyst.hides("Note")
    assert analyst.predicate is None


def test_its_docstring_is_a_policy() -> None:
    text = (parse.__globals__["__doc__"] or "").split("\n\n", 1)[1].split("\n\nDefault deny")[0]
    assert parse(text).rule("sales") is not None


def test_no_grant_is_no_table(policy: Policy) -> None:
    assert policy.grants("sales", caller()) == ()
    assert policy.grants("sales", caller("nobody")) == ()
    assert policy.grants("payroll", caller("analyst")) == ()
    assert len(policy.grants("stores", caller())) == 1


@pytest.mark.parametrize(
    ("attributes", "admitted"),
    [
        ({"regions": ["Kanto"]}, True),
        ({"regions": ("Kanto", "Kansai")}, True),
        ({"regions": {"Kanto"}}, True),
        ({"regions": "Kanto"}, True),
        ({}, False),
        ({"regions": []}, False),
        ({"regions": None}, False),
        ({"regions": [1]}, False),
        ({"regions": ["Kanto", None]}, False),
        ({"regions": [True]}, False),
    ],
)
def test_an_attribute_missing_empty_or_mistyped_admits_nothing(
    policy: Policy, attributes: dict[str, object], admitted: bool
) -> None:
    assert bool(policy.grants("sales", caller("regional_manager", **attributes))) == admitted


@pytest.mark.parametrize(
    ("value", "admitted"),
    [(7, True), ([7], True), ([7, 8], False), ("7", False), (7.5, False), (True, False), (None, False)],
)
def test_a_single_attribute_is_a_single_value(policy: Policy, value: object, admitted: bool) -> None:
    grants = policy.grants("sales", caller("seller", seller_id=value, regions=["Kanto"]))
    assert bool(grants) == admitted


def test_types_of_attributes(policy: Policy) -> None:
    assert policy.values("rate", caller(rate=1)) == (1,)
    assert policy.values("rate", caller(rate=1.5)) == (1.5,)
    assert policy.values("flag", caller(flag=True)) == (True,)
    assert policy.values("flag", caller(flag=1)) == ()


def test_a_bare_name_means_the_schema_nobody_names(policy: Policy) -> None:
    assert policy.rule(Table("SALES", (), schema="main")) is not None
    assert policy.rule(Table("sales", (), schema="public")) is not None
    assert policy.rule(Table("sales", (), schema="hr")) is None
    assert policy.rule("hr.sales") is None
    assert policy.rule(Table("wages", (), schema="hr")) is not None
    assert policy.rule("wages") is None


def test_labels(policy: Policy) -> None:
    assert policy.labels_for("sales") == {"role:analyst", "role:regional_manager", "role:seller"}
    assert policy.labels_for("stores") == {"everyone"}
    assert policy.labels_for("payroll") == frozenset()
    assert policy.discoverable("sales")
    assert not policy.discoverable("stores")
    assert not policy.discoverable("payroll")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tables: {sales: {grants: [{roles: [a], rows: 'region = :city'}]}}", "does not declare"),
        (
            "attributes: {r: {list: true}}\ntables: {sales: {grants: [{roles: [a], rows: 'region = :r'}]}}",
            "stands only in",
        ),
        ("tables: {sales: {grants: [{roles: [a], rows: 'region = (SELECT 1)'}]}}", "more than a predicate"),
        ("tables: {sales: {grants: [{roles: [a], rows: 'region IN (SELECT 1)'}]}}", "more than a predicate"),
        ("tables: {sales: {grants: [{roles: [a], rows: 'pg_sleep(9)'}]}}", "more than a predicate"),
        ("tables: {sales: {grants: [{roles: [a], rows: 's.region = 1'}]}}", "bare name"),
        ("tables: {sales: {grants: [{roles: [a], rows: '1 = 1'}]}}", "names a column"),
        ("tables: {sales: {grants: [{roles: [a], rows: 'a = 1; DROP TABLE x'}]}}", "not one predicate"),
        ("tables: {sales: {grants: [{roles: [a], rows: 'a = = 1'}]}}", "not a predicate"),
        ("tables: {sales: {grants: [{roles: [a], rows: 'a = ?'}]}}", "written :name"),
        ("tables: {sales: {grants: [{roles: [a], rows: ''}]}}", "rows"),
        ("tables: {sales: {grants: [{roles: []}]}}", "at least 1"),
        ("tables: {sales: {grants: [{roles: [a], masks: {b: blur}}]}}", ""),
        ("tables: {sales: {grants: [{roles: [a], masks: {b: {bucket: 0}}}]}}", "masks"),
        ("tables: {sales: {grants: [{roles: [a], masks: {b: hash}, hide: [B]}]}}", "both masked and hidden"),
        ("tables: {sales: {grants: []}, SALES: {grants: []}}", "named twice"),
        ("tabels: {}", "Extra inputs"),
        ("tables: [", "not readable YAML"),
    ],
)
def test_what_cannot_be_enforced_does_not_load(text: str, says: str) -> None:
    with pytest.raises(PolicyError) as raised:
        parse(text, "policy.yaml")
    assert says in str(raised.value)
    assert "policy.yaml" in str(raised.value)


def test_load(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    with pytest.raises(PolicyError, match="There is no policy"):
        load(path)
    path.write_bytes(b"\xff\xfe\x00bad")
    with pytest.raises(PolicyError, match="cannot be read"):
        load(path)
    path.write_text(SHOP, encoding="utf-8")
    assert load(path).name == "shop"


def catalog() -> Catalog:
    profile = Profile(distinct=1, values=("x",))
    columns = ("sale_id", "store_id", "region", "seller_id", "buyer", "born", "age", "note")
    sales = Table(
        "sales",
        tuple(Column(c, "text", "text", profile=profile) for c in columns),
        primary_key=("sale_id",),
        unique=(("note",),),
        foreign_keys=(
            ForeignKey(("store_id",), "stores", ("store_id",)),
            ForeignKey(("note",), "hidden", ("id",)),
        ),
        rows=9,
    )
    stores = Table("stores", (Column("store_id", "int"),), primary_key=("store_id",), rows=3)
    return Catalog("sqlite", (sales, stores, Table("hidden", (Column("id", "int"),))))


def test_visible_catalog(policy: Policy) -> None:
    seen = visible_catalog(policy, catalog(), caller("analyst"))
    assert [t.name for t in seen.tables] == ["sales", "stores"]
    sales = seen.tables[0]
    assert sales.column("note") is None
    assert sales.rows == 9
    assert sales.unique == ()
    assert [fk.to_table for fk in sales.foreign_keys] == ["stores"]
    buyer, region = sales.column("buyer"), sales.column("region")
    assert buyer is not None
    assert region is not None
    assert buyer.profile is None
    assert region.profile is not None


def test_visible_catalog_of_some_rows_has_no_profiles(policy: Policy) -> None:
    sales = visible_catalog(policy, catalog(), caller("regional_manager", regions=["Kanto"])).tables[0]
    assert sales.rows is None
    assert all(column.profile is None for column in sales.columns)
    assert sales.column("note") is not None


def test_visible_catalog_of_two_grants(policy: Policy) -> None:
    """What one grant hides another may show in its rows: the column is there, without its profile."""
    both = caller("analyst", "regional_manager", regions=["Kanto"])
    sales = visible_catalog(policy, catalog(), both).tables[0]
    note, region = sales.column("note"), sales.column("region")
    assert note is not None
    assert note.profile is None
    assert region is not None
    assert region.profile is not None  # the analyst's grant admits every row


def test_without_a_policy_everything_is_visible() -> None:
    assert visible_catalog(None, catalog(), caller()).tables == catalog().tables


def test_problems_for_a_catalogue() -> None:
    text = """
    tables:
      sales: {grants: [{roles: [a], rows: "colour = 'red'", masks: {shade: hash}, hide: [hue]}]}
      nowhere: {grants: [{roles: [a]}]}
    """
    found = problems(parse(text), catalog_from_ddl("CREATE TABLE sales (sale_id INTEGER)", "sqlite"))
    assert len(found) == 4
    assert all(any(word in problem for problem in found) for word in ("colour", "shade", "hue", "nowhere"))


def test_a_rule_is_for_the_name_that_engines_compare() -> None:
    found = parse("tables: {masse: {grants: [{roles: [everyone]}]}}")
    assert found.rule("MASSE") is not None
    assert found.rule("maße") is None
    assert not found.grants("maße", Principal("x"))
