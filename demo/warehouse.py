"""The DuckDB warehouse: staging arrays in, tables of `warehouse.sql` out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from demo.book import Book, Columns, simulate
from demo.calls import calls_of
from demo.campaigns import CAMPAIGNS, contacts_of
from demo.claims import claims_of, payments_of
from demo.constants import (
    AGE_BANDS,
    CAUSES,
    CHANNELS,
    FIRST_DAY,
    LAST_DAY,
    PAYMENT_TYPES,
    PRODUCTS,
    REASONS,
    VEHICLE_CLASSES,
)
from demo.names import GIVEN_NAMES, SURNAMES
from demo.prefectures import PREFECTURES, REGIONS
from demo.trips import TRIPS_A_CUSTOMER, add_trips
from retrieval.types import Progress

TABLES = (
    "dates",
    "prefectures",
    "products",
    "channels",
    "agents",
    "policies",
    "premiums",
    "claims",
    "payments",
    "calls",
    "campaigns",
    "campaign_contacts",
    "trips",
)
_SCRIPT = Path(__file__).with_name("warehouse.sql")
_KEYS = re.compile(r"\{(,? ?(?:PRIMARY KEY|REFERENCES)[^}]*)\}")


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


def build_warehouse(
    path: Path,
    customers: int,
    seed: int,
    *,
    keys: bool = True,
    trips: int | None = None,
    progress: Progress = _silent,
) -> Book:
    """Write the warehouse file (it must not exist) and return the book it was made from.

    `keys` declares primary and foreign keys of the big tables; their indexes cost more than the data does
    once there are tens of millions of rows. `trips` is the number of trips, by default in keeping with `customers`.
    """
    book = simulate(customers, seed)
    claims = claims_of(book, seed)
    staging: dict[str, pa.Table] = {
        **_lists(),
        "agent": _table(book.agents),
        "customer": _table(book.customers),
        "vehicle": _table(book.vehicles),
        "policy": _table(book.policies),
        "claim": _table(claims),
        "payment": _table(payments_of(claims, seed)),
        "call": _table(calls_of(book, claims, seed)),
        "contact": _table(contacts_of(book, seed)),
    }
    with duckdb.connect() as connection:
        # Small blocks: many small tables and indexes would otherwise take a quarter of a megabyte each.
        block = 16_384 if keys else 262_144
        connection.execute(
            f"ATTACH '{str(path).replace(chr(39), chr(39) * 2)}' AS warehouse (BLOCK_SIZE {block})"
        )
        connection.execute("USE warehouse")
        for name, rows in staging.items():
            connection.register(f"s_{name}", rows)
        days = {"first": FIRST_DAY, "last": LAST_DAY}
        for statement in _statements(_SCRIPT.read_text(encoding="utf-8"), keys=keys):
            connection.execute(statement, {k: v for k, v in days.items() if f"${k}" in statement})
        wanted = customers * TRIPS_A_CUSTOMER if trips is None else trips
        add_trips(connection, wanted, seed, progress, keys=keys)
        for name in staging:
            connection.unregister(f"s_{name}")
        connection.execute("CHECKPOINT")
    return book


def _statements(script: str, *, keys: bool) -> Iterable[str]:
    text = _KEYS.sub(r"\1" if keys else "", re.sub(r"^--.*$", "", script, flags=re.MULTILINE))
    return [part.strip() for part in text.split(";") if part.strip()]


def _table(columns: Columns) -> pa.Table:
    size = len(next(iter(columns.values())))
    return pa.table({"i": np.arange(size), **columns})


def _rows(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> pa.Table:
    columns = list(zip(*rows, strict=True))
    return pa.table({"i": np.arange(len(columns[0])), **dict(zip(names, map(list, columns), strict=True))})


def _lists() -> dict[str, pa.Table]:
    """The constants as tables."""
    products = [p._asdict() for p in PRODUCTS]
    places = ((p.name, p.name_ja, p.region, REGIONS[p.region], p.snow) for p in PREFECTURES)
    return {
        "prefecture": _rows(("name", "name_ja", "region", "region_ja", "snow"), places),
        "risk": _rows(("prefecture", "risk"), [(p.name, p.risk) for p in PREFECTURES]),
        "campaign": _rows(
            ("name", "goal", "medium", "first", "last", "cost", "product"),
            [(c.name, c.goal, c.medium, c.first, c.last, c.cost, c.product) for c in CAMPAIGNS],
        ),
        "product": _rows(list(products[0]), [list(p.values()) for p in products]),
        "channel": _rows(("name", "name_ja"), [(c.name, c.name_ja) for c in CHANNELS]),
        "cause": _rows(("name",), [(c.name,) for c in CAUSES]),
        "reason": _rows(("name",), [(r.name,) for r in REASONS]),
        "payment_type": _rows(("name",), [(name,) for name in PAYMENT_TYPES]),
        "vehicle_class": _rows(("name",), [(v.name,) for v in VEHICLE_CLASSES]),
        "surname": _rows(("name", "name_ja"), SURNAMES),
        "given": _rows(("name", "name_ja"), GIVEN_NAMES),
        "age": _rows(("upper", "band", "band_ja"), AGE_BANDS),
    }


def fingerprints(path: Path) -> dict[str, str]:
    """A hash over the content of every table, for telling whether two builds are the same."""
    result: dict[str, str] = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        for table in TABLES:
            rows = connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()  # noqa: S608 - own names
            result[table] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return result
