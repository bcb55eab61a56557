"""What somebody altered by hand of a wall is noticed and mended; what an administrator may not do is said."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from retrieval.types import Principal
from tests.text2sql.warehouses.postgres_server import OwnServer
from tests.text2sql.warehouses.test_postgres_wall import MANAGER, PASSWORD, Site, ids
from text2sql.errors import PolicyError, WallRefused, WarehouseError
from text2sql.guard import SqlGuard
from text2sql.policy import parse
from text2sql.row_security.postgres import Administration
from text2sql.warehouses.postgres import PostgresWarehouse

POLICY = """
name: shop
attributes: {regions: {list: true}}
tables:
  shop.sales: {grants: [{roles: [manager], rows: "region IN (:regions)", hide: [note]}]}
"""
NORTH = {2, 4, 6, 8, 10, 12}


@pytest.fixture(scope="module")
def site(postgres: OwnServer) -> Iterator[Site]:
    made = Site(postgres, "drift")
    made.apply(POLICY)
    yield made
    made.remove()


def by_hand(site: Site, script: str) -> None:
    with psycopg.connect(site.url, autocommit=True) as connection:
        connection.execute(script.encode())


@pytest.mark.parametrize(
    "script",
    [
        "ALTER POLICY drift_1 ON shop.sales USING (true)",
        "ALTER POLICY drift_1 ON shop.sales TO PUBLIC",
        "GRANT SELECT ON shop.sales TO drift_manager",
        "GRANT SELECT, INSERT ON shop.staff TO drift_manager",
        "GRANT UPDATE (note) ON shop.sales TO drift_manager",
        "GRANT SELECT ON drift.key TO PUBLIC",
        "GRANT SELECT (inner_pad) ON drift.key TO drift_manager",
        "CREATE OR REPLACE FUNCTION drift.caller() RETURNS text LANGUAGE sql AS 'SELECT CURRENT_USER::text'",
        "GRANT EXECUTE ON FUNCTION drift.context() TO PUBLIC",
        "ALTER TABLE shop.sales DISABLE ROW LEVEL SECURITY",
        "DROP TABLE drift.key",
        "DROP SCHEMA drift CASCADE",
    ],
)
def test_what_was_altered_by_hand_is_put_right(site: Site, script: str) -> None:
    before = site.everything()
    by_hand(site, script)
    assert site.apply(POLICY).statements
    assert site.apply(POLICY).statements == []
    with site.reader() as warehouse:
        assert ids(warehouse, MANAGER) == NORTH
        for denied in ("SELECT note FROM shop.sales", "SELECT wage FROM shop.staff"):
            with pytest.raises(WarehouseError, match="permission denied"):
                ids(warehouse, MANAGER, denied)
    after = site.everything()
    assert [after[at] for at in (0, 2, 5)] == [before[at] for at in (0, 2, 5)]


def test_a_wall_altered_by_hand_goes_too(postgres: OwnServer) -> None:
    site = Site(postgres, "gone")
    before = site.everything()
    site.apply(POLICY)
    by_hand(site, "GRANT SELECT ON shop.sales, shop.staff TO gone_manager; DROP TABLE gone.key")
    site.remove()
    assert [row[:1] for row in site.everything()[3] if row[2]] == [row[:1] for row in before[3] if row[2]]
    assert site.everything()[0] == before[0]


def test_a_partition_that_everybody_reads_is_in_the_way(postgres: OwnServer) -> None:
    site = Site(postgres, "parts")
    by_hand(
        site,
        "CREATE TABLE shop.log (id integer, region text) PARTITION BY LIST (region);"
        "CREATE TABLE shop.log_n PARTITION OF shop.log FOR VALUES IN ('North');"
        "INSERT INTO shop.log VALUES (1, 'North'); GRANT SELECT ON shop.log_n TO PUBLIC",
    )
    text = "tables: {shop.log: {grants: [{roles: [manager], rows: 'id > 5'}]}}"
    with pytest.raises(PolicyError, match=r"shop\.log or a partition of it"):
        site.apply(text)
    by_hand(site, "REVOKE SELECT ON shop.log_n FROM PUBLIC")
    site.apply(text)
    with site.reader() as warehouse:
        assert ids(warehouse, MANAGER, "SELECT id FROM shop.log") == set()
        with pytest.raises(WarehouseError, match="permission denied"):
            ids(warehouse, MANAGER, "SELECT id FROM shop.log_n")
    site.remove()


def test_two_walls_whose_names_begin_alike_are_not_built(postgres: OwnServer) -> None:
    site = Site(postgres, "twice")
    site.apply(POLICY)
    for prefix in ("twice_b", "twi"):
        with Administration(site.url, prefix=prefix) as administration:
            refusals = administration.plan(parse(POLICY), password=PASSWORD).refusals
        assert [text for text in refusals if "begin as" in text] == ([refusals[0]] if "_" in prefix else [])
    site.remove()


def test_an_owner_who_is_no_superuser_may_apply_it_and_a_right_not_given_is_an_error(
    postgres: OwnServer,
) -> None:
    site = Site(postgres, "owned")
    by_hand(
        site,
        "CREATE ROLE boss LOGIN CREATEROLE PASSWORD 'boss'; GRANT CREATE ON DATABASE owned TO boss;"
        "CREATE TABLE public.tills (id integer); INSERT INTO public.tills VALUES (1), (2);"
        "ALTER TABLE public.tills OWNER TO boss; CREATE SCHEMA other; CREATE TABLE other.tills (id integer);"
        "GRANT USAGE ON SCHEMA other TO boss; ALTER TABLE other.tills OWNER TO boss",
    )
    site.url = postgres.url("owned", "boss", "boss")
    text = "tables: {{{}: {{grants: [{{roles: [till], rows: 'id > 1'}}]}}}}"
    with pytest.raises(WallRefused, match='no privileges were granted for "other"'):
        site.apply(text.format("other.tills"))
    plan = site.apply(text.format("tills"))
    assert plan.statements
    assert site.apply(text.format("tills")).statements == []
    with site.reader() as warehouse:
        assert ids(warehouse, Principal("t", roles=("till",)), "SELECT id FROM public.tills") == {2}
    assert "table nowhere: not in the catalogue" in str(site.apply(text.format("nowhere")).remarks)
    site.remove()
    by_hand(Site(postgres, "owned"), "DROP ROLE boss")


def test_the_wall_s_own_schema_is_in_nobody_s_catalogue(site: Site) -> None:
    with PostgresWarehouse(site.url) as warehouse:  # as an administrator, who may read the key
        catalog = warehouse.catalog()
    assert {table.qualified for table in catalog.tables} >= {"shop.sales", "shop.staff"}
    assert not [table.qualified for table in catalog.tables if table.qualified.startswith("drift.")]
    verdict = SqlGuard().check("SELECT inner_pad FROM drift.key", catalog, MANAGER)
    assert [violation.code for violation in verdict.violations] == ["unknown_table"]


def test_an_attribute_that_no_database_can_hold_admits_nothing(site: Site) -> None:
    with site.reader() as warehouse:
        for value in ("North\0", "\ud800"):
            assert (
                ids(warehouse, Principal("m", roles=("manager",), attributes={"regions": (value,)})) == set()
            )


def test_somebody_who_was_made_a_member_of_a_role_is_named(site: Site) -> None:
    by_hand(site, "CREATE ROLE intruder; GRANT drift_manager TO intruder")
    try:
        assert "intruder was made a member of drift_manager" in str(site.apply(POLICY).remarks)
    finally:
        by_hand(site, "DROP ROLE intruder")
    assert "intruder" not in str(site.apply(POLICY).remarks)


def test_a_table_or_a_column_that_was_renamed_is_not_read_under_its_old_rule(postgres: OwnServer) -> None:
    site = Site(postgres, "renamed")
    site.apply(POLICY)
    by_hand(site, "ALTER TABLE shop.sales RENAME COLUMN note TO remark")
    with pytest.raises(PolicyError, match=r"no column note\. Was it renamed"):
        site.apply(POLICY)
    with site.reader() as warehouse:
        assert ids(warehouse, MANAGER) == NORTH
        with pytest.raises(WarehouseError, match="permission denied"):
            ids(warehouse, MANAGER, "SELECT remark FROM shop.sales")
    by_hand(site, "ALTER TABLE shop.sales RENAME TO sold")
    site.apply(POLICY)
    with site.reader() as warehouse, pytest.raises(WarehouseError, match="permission denied"):
        ids(warehouse, MANAGER, "SELECT id FROM shop.sold")
    site.remove()
