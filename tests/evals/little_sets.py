"""Little sets in the layouts that are read, made for one test."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

SHOP = """
CREATE TABLE stores (store_id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL);
CREATE TABLE sales (sale_id INTEGER PRIMARY KEY, store_id INTEGER NOT NULL REFERENCES stores (store_id),
  amount INTEGER NOT NULL, kind TEXT NOT NULL, note TEXT);
INSERT INTO stores VALUES (1, 'North', 'Oslo'), (2, 'South', 'Rome'), (3, 'East', 'Kyiv'), (4, 'West', 'Rome');
INSERT INTO sales VALUES (1, 1, 10, 'food', NULL), (2, 1, 25, 'tools', NULL), (3, 2, 7, 'food', NULL),
  (4, 2, 30, 'toys', NULL), (5, 3, 30, 'food', NULL), (6, 3, 12, 'tools', NULL), (7, 1, 4, 'toys', NULL),
  (8, 2, 18, 'food', NULL), (9, 3, 9, 'food', NULL);
"""
ZOO = """
CREATE TABLE keepers (keeper_id INTEGER PRIMARY KEY, full_name TEXT);
CREATE TABLE animals (animal_id INTEGER PRIMARY KEY, species TEXT, keeper_id INTEGER REFERENCES keepers (keeper_id));
CREATE TABLE feedings (animal_id INTEGER REFERENCES animals (animal_id), fed_on TEXT, kilos REAL);
INSERT INTO keepers VALUES (1, 'Ada Berg'), (2, 'Bo Lind');
INSERT INTO animals VALUES (1, 'okapi', 1), (2, 'lynx', 2), (3, 'otter', 1);
INSERT INTO feedings VALUES (1, '2026-01-01', 3.5), (2, '2026-01-01', 2.0);
"""


def make_sqlite(path: Path, script: str) -> Path:
    """A database file, packed where its name ends with .gz."""
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(plain)) as connection:
        connection.executescript(script)
    if plain != path:
        path.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    return path


def lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """A file of JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def question(name: str, sql: str, text: str = "", db: str = "shop", **more: Any) -> dict[str, Any]:
    """A question with its gold."""
    return {"id": name, "db": db, "question": text or f"Question {name}?", "gold_sql": sql, **more}


def shop_set(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """A set over the shop alone."""
    make_sqlite(folder / "databases" / "shop.sqlite", SHOP)
    lines(folder / "questions.jsonl", rows)
    return folder
