"""What of a PostgreSQL database is offered: what the role may read, under the names it has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from retrieval.types import Principal
from tests.text2sql.warehouses.postgres_server import OwnServer
from text2sql.errors import WarehouseError
from text2sql.guard import SqlGuard
from text2sql.types import Catalog, ForeignKey, Limits, Table
from text2sql.warehouses.postgres import PostgresWarehouse

SCRIPT = """
CREATE SCHEMA hr; CREATE SCHEMA "Sales Dept"; CREATE SCHEMA closed;
CREATE TYPE public.mood AS ENUM ('sad', 'ok');
CREATE DOMAIN public.code AS varchar(5);
CREATE TABLE public.kinds (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), flag boolean, m public.mood, c public.code, n numeric(8,2),
    whole numeric(6), ts timestamptz, r int4range, j jsonb, pt point, a int[], iv interval, b bytea, big bigint, o oid);
INSERT INTO public.kinds (flag, m, c, n, ts) VALUES (true, 'ok', 'A1', 1.5, '2024-01-01'), (false, 'sad', 'B2', NULL, 'infinity');
COMMENT ON TABLE public.kinds IS 'every kind'; COMMENT ON COLUMN public.kinds.flag IS '有効か';
CREATE TABLE hr.people (id int PRIMARY KEY, email text UNIQUE, salary int, boss int REFERENCES hr.people);
INSERT INTO hr.people VALUES (1, 'a@x', 100, NULL), (2, 'b@x', 200, 1);
CREATE TABLE "Sales Dept"."受注" ("受注 番号" int, "Line" int, "a""b" text, 担当 int REFERENCES hr.people,
    PRIMARY KEY ("受注 番号", "Line"));
CREATE TABLE "Sales Dept"."Notes" (o int, l int, FOREIGN KEY (l, o) REFERENCES "Sales Dept"."受注" ("Line", "受注 番号"));
CREATE UNIQUE INDEX only_some ON "Sales Dept"."Notes" (o) WHERE l > 0;
CREATE UNIQUE INDEX computed ON "Sales Dept"."Notes" (abs(l));
CREATE TABLE closed.hidden (id int); CREATE TABLE public.secret (id int);
CREATE TABLE public.measures (day date, v int) PARTITION BY RANGE (day);
CREATE TABLE public.measures_2023 PARTITION OF public.measures FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE public.measures_2024 PARTITION OF public.measures FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO public.measures SELECT date '2023-06-01' + i, i FROM generate_series(1, 300) i;
CREATE VIEW public.bosses AS SELECT * FROM hr.people WHERE boss IS NULL;
CREATE MATERIALIZED VIEW public.totals AS SELECT count(*) AS n FROM hr.people;
CREATE MATERIALIZED VIEW public.later AS SELECT 1 AS one WITH NO DATA;
CREATE TABLE public.empty_one ();
CREATE VIEW public.broken AS SELECT 1 / (id - 1) AS v FROM hr.people;
"""
GRANTS = """
GRANT USAGE ON SCHEMA public, hr, "Sales Dept" TO reader;
GRANT SELECT ON public.kinds, public.measures, public.bosses, public.totals, public.later, public.empty_one,
    public.broken TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA "Sales Dept" TO reader;
GRANT SELECT (id, email) ON hr.people TO reader;
GRANT SELECT ON closed.hidden TO reader;
"""


@pytest.fixture(scope="module")
def reader(postgres: OwnServer) -> Iterator[PostgresWarehouse]:
    name = postgres.fresh("odd", SCRIPT)
    with postgres.connect(name) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'r'")
        connection.execute(GRANTS)
        connection.execute("ANALYZE")
    with PostgresWarehouse(postgres.url(name, "reader", "r")) as opened:
        yield opened
    with postgres.connect(name) as connection:
        connection.execute("DROP OWNED BY reader; DROP ROLE reader")


@pytest.fixture(scope="module")
def catalog(reader: PostgresWarehouse) -> Catalog:
    return reader.catalog()


def table(catalog: Catalog, name: str) -> Table:
    found = catalog.table(name)
    assert found is not None
    return found


def test_only_what_the_role_may_read_is_there(catalog: Catalog) -> None:
    assert [t.qualified for t in catalog.tables] == [
        "Sales Dept.Notes", "Sales Dept.受注", "hr.people", "public.bosses", "public.broken", "public.kinds",
        "public.later", "public.measures", "public.totals",
    ]  # fmt: skip
    assert [c.name for c in table(catalog, "hr.people").columns] == ["id", "email"]
    assert (catalog.default_schema, catalog.default_catalog) == ("public", "odd")


def test_kinds_of_relations_and_their_sizes(catalog: Catalog) -> None:
    kinds = {t.qualified: (t.kind, t.rows) for t in catalog.tables}
    assert kinds["public.measures"] == ("table", 300)
    assert kinds["public.totals"] == ("table", 1)
    assert kinds["public.bosses"] == ("view", None)
    assert kinds["public.later"] == ("view", None)


def test_keys(catalog: Catalog) -> None:
    people, orders, notes = (table(catalog, n) for n in ("hr.people", "Sales Dept.受注", "Sales Dept.Notes"))
    assert (people.primary_key, people.unique) == (("id",), (("email",),))
    assert people.foreign_keys == (), "of a column that is not granted nothing is said"
    assert orders.primary_key == ("受注 番号", "Line")
    assert orders.foreign_keys == (ForeignKey(("担当",), "hr.people", ("id",)),)
    assert notes.foreign_keys[0] == ForeignKey(("l", "o"), "Sales Dept.受注", ("Line", "受注 番号"))
    assert notes.unique == (), "neither a partial index nor one over an expression is a key"


def test_families_profiles_and_comments(catalog: Catalog) -> None:
    kinds = table(catalog, "kinds")
    assert kinds.comment == "every kind"
    assert {c.name: c.family for c in kinds.columns} == {
        "id": "text", "flag": "boolean", "m": "text", "c": "text", "n": "number", "whole": "integer",
        "ts": "timestamp", "r": "other", "j": "other", "pt": "other", "a": "other", "iv": "other", "b": "binary",
        "big": "integer", "o": "integer",
    }  # fmt: skip
    flag, mood, code = (kinds.column(name) for name in ("flag", "m", "c"))
    assert flag is not None
    assert mood is not None
    assert code is not None
    assert flag.comment == "有効か"
    assert flag.profile is not None
    assert flag.profile.values == ("false", "true")
    assert mood.profile is not None
    assert set(mood.profile.values) == {"ok", "sad"}
    assert code.profile is not None
    assert (code.profile.minimum, code.profile.maximum, code.profile.nulls) == ("A1", "B2", 0)


def test_every_name_passes_the_guard_and_runs(reader: PostgresWarehouse, catalog: Catalog) -> None:
    asker = Principal(id="ana", roles=("analyst",), name="Ana", language="ja")
    for found in catalog.tables:
        if found.name in ("later", "broken", "bosses"):
            continue
        names = ", ".join('"' + c.name.replace('"', '""') + '"' for c in found.columns)
        verdict = SqlGuard().check(f'SELECT {names} FROM "{found.schema}"."{found.name}"', catalog, asker)
        assert verdict.allowed, verdict.violations
        assert reader.run(verdict.sql, Limits()).columns == [c.name for c in found.columns]


def test_what_is_not_granted_cannot_be_read(reader: PostgresWarehouse) -> None:
    for sql in (
        "SELECT salary FROM hr.people",
        "SELECT id FROM public.secret",
        "SELECT id FROM closed.hidden",
    ):
        with pytest.raises(WarehouseError, match="permission denied"):
            reader.run(sql, Limits())


def test_schemas_of_the_url_are_the_only_ones(postgres: OwnServer, reader: PostgresWarehouse) -> None:
    with PostgresWarehouse(postgres.url("odd", "reader", "r", schemas="hr, Sales Dept")) as warehouse:
        found = warehouse.catalog()
    assert {t.schema for t in found.tables} == {"hr", "Sales Dept"}
    assert found.default_schema == "hr"
    assert table(found, "people").schema == "hr"


def test_the_roles_search_path_says_what_a_bare_name_means(
    postgres: OwnServer, reader: PostgresWarehouse
) -> None:
    url = postgres.url("odd", "reader", "r", options="-c search_path=nowhere,hr,public")
    with PostgresWarehouse(url) as warehouse:
        assert warehouse.catalog().default_schema == "hr"


def test_a_role_that_may_write_is_noted(postgres: OwnServer, reader: PostgresWarehouse) -> None:
    assert reader.notes() == ()
    with PostgresWarehouse(postgres.url("odd")) as warehouse:
        assert "superuser" in warehouse.notes()[0]
    with postgres.connect("odd") as connection:
        connection.execute("GRANT UPDATE ON public.kinds TO reader")
    with PostgresWarehouse(postgres.url("odd", "reader", "r")) as warehouse:
        assert "may write" in warehouse.notes()[0]
    with postgres.connect("odd") as connection:
        connection.execute("REVOKE UPDATE ON public.kinds FROM reader")


def test_a_big_table_is_sampled_not_counted(postgres: OwnServer) -> None:
    name = postgres.fresh(
        "big",
        "CREATE UNLOGGED TABLE facts AS SELECT i AS id, 'k' || i % 7 AS kind, i % 2 = 0 AS even, date '2024-01-01' + i % 365 AS day "
        "FROM generate_series(1, 1200000) i; ANALYZE facts;",
    )  # fmt: skip
    with PostgresWarehouse(postgres.url(name), infer_keys=False) as warehouse:
        facts = table(warehouse.catalog(), "facts")
    assert facts.rows is not None
    assert abs(facts.rows - 1_200_000) < 60_000
    kind, day = facts.column("kind"), facts.column("day")
    assert kind is not None
    assert day is not None
    assert kind.profile is not None
    assert kind.profile.complete
    assert sorted(kind.profile.values) == [f"k{i}" for i in range(7)]
    assert day.profile is not None
    assert (day.profile.minimum, day.profile.maximum) == ("2024-01-01", "2024-12-30")
