"""A small shop in SQLite and in DuckDB, with the same rows, and an offline drafter over each."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from retrieval.types import Clock, Context, Piece, Principal
from text2sql.drafters.offline import OfflineDrafter
from text2sql.glossary import Glossary, Term
from text2sql.semantics import SemanticModel, load
from text2sql.types import Catalog, Drafting, Limits, Warehouse
from text2sql.values import ValueIndex
from text2sql.warehouses import open_warehouse

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "offline"
_TABLES = {
    "stores": "id INTEGER PRIMARY KEY, name VARCHAR, city VARCHAR, region VARCHAR, floor_area DOUBLE, opened_on DATE",
    "products": "id INTEGER PRIMARY KEY, name VARCHAR, category VARCHAR, price INTEGER",
    "sales": "id INTEGER PRIMARY KEY, store_id INTEGER, product_id INTEGER, sold_on DATE, channel VARCHAR,"
    " amount INTEGER, quantity INTEGER",
    "returns": "id INTEGER PRIMARY KEY, store_id INTEGER, returned_on DATE, amount INTEGER",
    "staff": "id INTEGER PRIMARY KEY, store_id INTEGER, name VARCHAR, age INTEGER",
}
_STORES = [
    (1, "Ginza", "Tokyo", "Kanto", 820.5, "2015-04-01"),
    (2, "Umeda", "Osaka", "Kansai", 1210.0, "2018-09-15"),
    (3, "Yokohama", "Yokohama", "Kanto", 640.0, "2020-03-20"),
    (4, "Namba", "Osaka", "Kansai", 300.0, "2012-11-03"),
    (5, "Kyoto", "Kyoto", "Kansai", 450.0, "2023-06-30"),
]
_PRODUCTS = [
    (1, "green tea", "drinks", 150),
    (2, "coffee", "drinks", 320),
    (3, "rice cracker", "snacks", 200),
    (4, "melon bread", "bakery", 180),
    (5, "umbrella", "goods", 1500),
]


def _rows() -> dict[str, list[tuple[Any, ...]]]:
    """The same rows every time. Store 5 sells nothing; store 4 has no returns."""
    seeded = random.Random(7)
    start = date(2023, 4, 1)
    sales = []
    for number in range(1, 801):
        day = start + timedelta(days=seeded.randrange(1320))
        product = seeded.choice(_PRODUCTS)
        quantity = seeded.randrange(1, 9)
        channel = seeded.choice(["web", "shop", "shop"])
        sales.append(
            (number, seeded.randrange(1, 5), product[0], str(day), channel, product[3] * quantity, quantity)
        )
    returns = [
        (
            n,
            seeded.randrange(1, 4),
            str(start + timedelta(days=seeded.randrange(1320))),
            seeded.randrange(100, 900),
        )
        for n in range(1, 61)
    ]
    staff = [(n, 2 if n > 20 else 1 + n % 5, f"person {n}", 22 + n * 7 % 45) for n in range(1, 24)]
    return {"stores": _STORES, "products": _PRODUCTS, "sales": sales, "returns": returns, "staff": staff}


def fill(connection: Any) -> None:
    """Create and fill the shop's tables over a DB-API connection."""
    for name, rows in _rows().items():
        connection.execute(f"CREATE TABLE {name} ({_TABLES[name]})")
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)


class Shop:
    """One engine's shop: its catalogue, a drafter over it, and a way to run SQL."""

    def __init__(self, warehouse: Warehouse, model: SemanticModel, clock: Clock) -> None:
        self.warehouse = warehouse
        self.model = model
        self.catalog: Catalog = warehouse.catalog()
        term = Term.model_validate({"term": {"en": "takings", "ja": "稼ぎ"}, "synonyms": {"en": ["revenue"]}})
        self.drafter = OfflineDrafter(
            self.catalog, model, ValueIndex.of(self.catalog, model), Glossary(terms=(term,)), clock=clock
        )

    def ask(self, question: str, *turns: str) -> Drafting:
        """Draft; `turns` are the questions before, oldest first."""
        pieces = tuple(
            Piece("turn", f"Q: {turn}\nA: …", "conversation:1", 5, "a recent turn") for turn in turns
        )
        return self.drafter.draft(question, Context(question, Principal("ana"), "en", pieces, 0, 1000))

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows, numbers rounded: two engines and two ways of adding up differ in the last digits."""
        result = self.warehouse.run(sql, Limits())
        columns = result.table.to_pydict()
        rows = list(zip(*columns.values(), strict=True))
        return [tuple(_plain(value) for value in row) for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, str):
        return value
    return round(float(value), 6)


@pytest.fixture(scope="session")
def shops(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of both engines."""
    folder = tmp_path_factory.mktemp("shops")
    lite, duck = folder / "shop.sqlite", folder / "shop.duckdb"
    with sqlite3.connect(lite) as connection:
        fill(connection)
    connection.close()
    with duckdb.connect(str(duck)) as other:
        fill(other)
    return {"sqlite": lite, "duckdb": duck}


@pytest.fixture(scope="session")
def open_shop(shops: dict[str, Path]) -> Callable[[str, Clock], Shop]:
    """Open one engine's shop; kept open for the session."""
    opened: dict[str, Shop] = {}
    model = load(FIXTURES / "shop.yaml")

    def open_one(engine: str, clock: Clock) -> Shop:
        if engine not in opened:
            opened[engine] = Shop(open_warehouse(shops[engine]), model, clock)
        return opened[engine]

    return open_one


@pytest.fixture(params=["sqlite", "duckdb"])
def shop(request: pytest.FixtureRequest, open_shop: Callable[[str, Clock], Shop], clock: Clock) -> Shop:
    """The shop, once in each engine."""
    return open_shop(request.param, clock)


@pytest.fixture
def duck_shop(open_shop: Callable[[str, Clock], Shop], clock: Clock) -> Shop:
    """The shop in DuckDB, for what does not depend on the engine."""
    return open_shop("duckdb", clock)


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of one file, each one line of JSON."""
    lines = (FIXTURES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]
