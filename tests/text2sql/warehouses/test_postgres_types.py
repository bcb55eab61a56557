"""Values of PostgreSQL as Arrow has them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tests.text2sql.warehouses.postgres_server import OwnServer
from text2sql.types import Limits
from text2sql.warehouses.postgres import PostgresWarehouse

TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN cents AS integer;
CREATE TABLE moods (m mood, c cents, p pair);
INSERT INTO moods VALUES ('ok', 5, (1, 'x'));
"""


@pytest.fixture(scope="module")
def warehouse(postgres: OwnServer) -> Iterator[PostgresWarehouse]:
    name = postgres.fresh("types", TYPES)
    with postgres.connect() as connection:
        connection.execute("ALTER DATABASE types SET TimeZone = 'Asia/Tokyo'")
    with PostgresWarehouse(postgres.url(name)) as opened:
        yield opened


def column(warehouse: PostgresWarehouse, expression: str) -> tuple[pa.DataType, list[Any]]:
    """Type and values of one column: `expression` is what stands after `SELECT * FROM`."""
    table = warehouse.run(f"SELECT * FROM {expression}", Limits()).table
    return table.schema.field(0).type, table.column(0).to_pylist()


TOKYO = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("values", "kind", "wanted"),
    [
        ("(1::smallint), (NULL)", pa.int64(), [1, None]),
        ("(9223372036854775807)", pa.int64(), [9223372036854775807]),
        ("(1.5::real), ('NaN'), ('-Infinity')", pa.float64(), [1.5, math.nan, -math.inf]),
        ("(1.25::numeric(10,2)), (3)", pa.decimal128(38, 2), [Decimal("1.25"), Decimal("3.00")]),
        ("(7::numeric(10,0))", pa.int64(), [7]),
        ("(1700::numeric(6,-2))", pa.int64(), [1700]),
        ("(12::numeric), (NULL), (-3)", pa.int64(), [12, None, -3]),
        ("(12.5000000000::numeric), (3)", pa.decimal128(38, 2), [Decimal("12.5"), Decimal(3)]),
        ("(1::numeric / 3)", pa.decimal128(38, 20), [Decimal("0.33333333333333333333")]),
        ("('NaN'::numeric), (1.5)", pa.float64(), [math.nan, 1.5]),
        ("('Infinity'::numeric)", pa.float64(), [math.inf]),
        ("(12345678901234567890123::numeric)", pa.decimal128(38, 0), [Decimal(12345678901234567890123)]),
        ("(1e50::numeric)", pa.decimal256(76, 0), [Decimal(10) ** 50]),
        ("(1e100::numeric)", pa.float64(), [1e100]),
        ("(true), (false), (NULL)", pa.bool_(), [True, False, None]),
        ("('2024-02-29'::date), (NULL)", pa.date32(), [date(2024, 2, 29), None]),
        ("('infinity'::date), ('2024-01-01')", pa.string(), ["infinity", "2024-01-01"]),
        ("('0044-03-15 BC'::date)", pa.string(), ["0044-03-15 BC"]),
        ("('12024-01-01'::date)", pa.string(), ["12024-01-01"]),
        (
            "('2024-01-02 03:04:05.678'::timestamp)",
            pa.timestamp("us"),
            [datetime(2024, 1, 2, 3, 4, 5, 678000)],  # noqa: DTZ001 - a timestamp without a zone
        ),
        ("('-infinity'::timestamp)", pa.string(), ["-infinity"]),
        (
            "('2024-01-02 03:04:05+00'::timestamptz)",
            pa.timestamp("us", "Asia/Tokyo"),
            [datetime(2024, 1, 2, 12, 4, 5, tzinfo=TOKYO)],
        ),
        ("('10:00:00.5'::time)", pa.time64("us"), [time(10, 0, 0, 500000)]),
        ("('24:00'::time)", pa.string(), ["24:00:00"]),
        ("('10:00+09'::timetz)", pa.string(), ["10:00:00+09"]),
        ("('3 days 04:05:06.5'::interval)", pa.duration("us"), [timedelta(3, 14706.5)]),
        ("('-1 days -00:00:01'::interval)", pa.duration("us"), [-timedelta(1, 1)]),
        ("('1 year 2 mons'::interval), ('1 day')", pa.string(), ["1 year 2 mons", "1 day"]),
        ("('1234.50'::money), ('-5'::money)", pa.decimal128(38, 2), [Decimal("1234.50"), Decimal(-5)]),
        ("('\\xdeadbeef'::bytea), (NULL), ('')", pa.binary(), [b"\xde\xad\xbe\xef", None, b""]),
        ("('{\"a\": [1, \"日本\"]}'::jsonb)", pa.string(), ['{"a": [1, "日本"]}']),
        ("('[1,5)'::int4range)", pa.string(), ["[1,5)"]),
        ("('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid)", pa.string(), ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
        ("('10.0.0.1'::inet)", pa.string(), ["10.0.0.1"]),
        ("(B'101')", pa.string(), ["101"]),
        ("(''::text), (NULL), ('日本 \"x\"')", pa.string(), ["", None, '日本 "x"']),
        ("(ARRAY[1, NULL, 3]), ('{}'), (NULL)", pa.list_(pa.int64()), [[1, None, 3], [], None]),
        (
            "(ARRAY['a,b', 'c\"d', '{e}', 'NULL', NULL, '', 'f\\g'])",
            pa.list_(pa.string()),
            [["a,b", 'c"d', "{e}", "NULL", None, "", "f\\g"]],
        ),
        ("(ARRAY['2024-01-01'::date])", pa.list_(pa.date32()), [[date(2024, 1, 1)]]),
        ("(ARRAY[1.5, 2])", pa.list_(pa.decimal128(38, 1)), [[Decimal("1.5"), Decimal(2)]]),
        ("(ARRAY[[1, 2], [3, 4]]), (ARRAY[5])", pa.string(), ["{{1,2},{3,4}}", "{5}"]),
        ("('[2:3]={1,2}'::int[])", pa.string(), ["[2:3]={1,2}"]),
        ("(NULL)", pa.string(), [None]),
    ],
)  # fmt: skip
def test_types(warehouse: PostgresWarehouse, values: str, kind: pa.DataType, wanted: list[Any]) -> None:
    found, rows = column(warehouse, f"(VALUES {values}) AS v")
    assert found == kind
    assert [repr(row) if isinstance(row, float) else row for row in rows] == [
        repr(row) if isinstance(row, float) else row for row in wanted
    ]


def test_types_of_the_databases_own(warehouse: PostgresWarehouse) -> None:
    row = warehouse.run("SELECT m, c, p, ARRAY[m] AS ms FROM public.moods", Limits()).rows()[0]
    assert row == {"m": "ok", "c": 5, "p": "(1,x)", "ms": "{ok}"}


def test_no_rows_keep_their_types(warehouse: PostgresWarehouse) -> None:
    sql = "SELECT 1 AS i, now() AS t, 1.5 AS n, ARRAY[1] AS a, 'x' AS s, interval '1 day' AS d, 1::money AS m WHERE false"
    table = warehouse.run(sql, Limits()).table
    assert table.num_rows == 0
    assert table.schema.field("i").type == pa.int64()
    assert table.schema.field("t").type == pa.timestamp("us", "Asia/Tokyo")
    assert table.schema.field("a").type == pa.list_(pa.int64())
    assert table.column_names == ["i", "t", "n", "a", "s", "d", "m"]


def test_one_odd_value_far_down_turns_no_earlier_one(warehouse: PostgresWarehouse) -> None:
    sql = """SELECT CASE WHEN i = 5000 THEN 'infinity'::date ELSE date '2024-01-01' END AS d
             FROM pg_catalog.generate_series(1, 5000) AS i"""
    values = warehouse.run(sql, Limits()).table.column("d").to_pylist()
    assert (values[0], values[-1], len(values)) == ("2024-01-01", "infinity", 5000)


@pytest.mark.parametrize("limit", [1_000, 20_000, 400_000])
def test_the_byte_cap_holds_for_types_wider_than_their_text(warehouse: PostgresWarehouse, limit: int) -> None:
    sql = "SELECT i % 10 + 0.5 AS n FROM pg_catalog.generate_series(1, 100000) AS i"
    result = warehouse.run(sql, Limits(rows=10**6, bytes=limit))
    assert result.truncated
    assert 0 < result.total_bytes <= limit


def test_text_of_a_database_without_an_encoding(postgres: OwnServer) -> None:
    with postgres.connect() as connection:
        connection.execute("DROP DATABASE IF EXISTS plain")
        connection.execute("CREATE DATABASE plain ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'")
    with postgres.connect("plain") as connection:
        connection.execute(r"CREATE TABLE t AS SELECT E'A\xffB'::text AS name")
    with PostgresWarehouse(postgres.url("plain")) as opened:
        assert opened.run("SELECT name FROM public.t", Limits()).rows() == [{"name": "A\ufffdB"}]
        assert opened.catalog().table("t") is not None
