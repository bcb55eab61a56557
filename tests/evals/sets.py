"""Small sets of questions over databases, in each of the layouts: a bakery and a library."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

BAKERY = """
CREATE TABLE branch (branch_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, city TEXT NOT NULL);
CREATE TABLE baker (
    baker_id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER, wage REAL,
    branch_id INTEGER REFERENCES branch (branch_id));
CREATE TABLE skill (
    baker_id INTEGER REFERENCES baker (baker_id), bread TEXT, level INTEGER, PRIMARY KEY (baker_id, bread));
INSERT INTO branch VALUES (1, 'North', 'Oslo'), (2, 'South', 'Oslo'), (3, 'East', 'Bergen'), (4, 'West', 'Bergen');
INSERT INTO baker VALUES (1, 'Ana', 34, 2100.5, 1), (2, 'Bo', 28, 1900, 1), (3, 'Cy', 51, 2600.25, 2),
    (4, 'Di', 34, 2150, 3), (5, 'Ed', NULL, 2000, NULL), (6, 'Fi', 45, 2300, 3);
INSERT INTO skill VALUES (1, 'rye', 3), (1, 'bagel', 2), (2, 'rye', 1), (3, 'toast', 3), (4, 'rye', 2), (6, 'bagel', 3);
"""
LIBRARY = """
CREATE TABLE book (book_id INTEGER PRIMARY KEY, title TEXT, pages INTEGER);
INSERT INTO book VALUES (1, 'Alpha', 100), (2, 'Beta', 250), (3, 'Gamma', 90);
"""
QUESTIONS = [
    ("b1", "bakery", "How many bakers are there?", "SELECT count(*) FROM baker"),
    ("b2", "bakery", "Show the name and age of all bakers ordered by age.", "SELECT name, age FROM baker ORDER BY age"),
    ("b3", "bakery", "What is the average wage of bakers?", "SELECT avg(wage) FROM baker"),
    ("b4", "bakery", "How many branches are in Oslo?", "SELECT count(*) FROM branch WHERE city = 'Oslo'"),
    ("b5", "bakery", "Which glimmering zorb frobs?", "SELECT name FROM baker WHERE age > 40"),
    ("l1", "library", "How many books are there?", "SELECT count(*) FROM book"),
    ("l2", "library", "List the titles of all books.", "SELECT title FROM book"),
]  # fmt: skip
WRONG = "SELECT max(age) FROM baker"


def rows(questions: Iterable[tuple[str, str, str, str]] = QUESTIONS) -> list[dict[str, Any]]:
    return [
        {"id": name, "db": db, "question": question, "gold_sql": sql, "lang": "en", "schema_only_db": False}
        for name, db, question, sql in questions
    ]


def write_lines(path: Path, items: Iterable[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), encoding="utf-8")
    return path


def database(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def sqlite_set(folder: Path) -> Path:
    """One database as a file, one packed; seven questions, one of a database without rows left out."""
    database(folder / "databases" / "bakery.sqlite", BAKERY)
    plain = database(folder / "library.sqlite", LIBRARY)
    with plain.open("rb") as file, gzip.open(folder / "databases" / "library.sqlite.gz", "wb") as packed:
        shutil.copyfileobj(file, packed)
    plain.unlink()
    extra = [
        {**rows()[0], "id": "x1", "schema_only_db": True},
        {**rows()[0], "id": "x2", "gold_sql": "SELECT nothing FROM nowhere"},
        {**rows()[0], "id": "x3", "gold_sql": "DROP TABLE baker"},
    ]
    write_lines(folder / "questions.jsonl", [*rows(), *extra])
    refuse = [
        {
            "id": "u1",
            "db": "bakery",
            "question": "Who painted the ceiling of the chapel?",
            "expected": "refuse",
        },
        {"id": "u2", "db": "library", "question": "How many books are there?", "expected": "refuse"},
    ]
    write_lines(folder / "unanswerable.jsonl", refuse)
    return folder


def both_set(folder: Path) -> Path:
    """The bakery for both engines, in a schema of its own in PostgreSQL; optional columns in the gold."""
    database(folder / "sqlite" / "bakery.sqlite", BAKERY)
    script = BAKERY.replace("REAL", "NUMERIC(8, 2)")
    for table in ("branch", "baker", "skill"):
        for word in ("CREATE TABLE", "INSERT INTO", "REFERENCES"):
            script = script.replace(f"{word} {table} ", f"{word} shop.{table} ")
    (folder / "schemas").mkdir()
    (folder / "schemas" / "bakery.postgres.sql").write_text(
        "CREATE SCHEMA shop;\n" + script, encoding="utf-8"
    )
    question = {
        "id": "d1",
        "db": "bakery",
        "question": "How many bakers are there?",
        "gold_sql": "SELECT count(*) FROM shop.baker",
        "gold_sql_sqlite": "SELECT count(*) FROM baker",
        "gold_sql_raw": "SELECT count(*) FROM shop.baker",
        "dialect": "postgres",
        "lang": "en",
    }
    named = {
        **question,
        "id": "d2",
        "question": "List the names of all bakers.",
        "gold_sql": "SELECT name, baker_id FROM shop.baker",
        "gold_sql_sqlite": "SELECT name FROM baker",
        "gold_sql_raw": "SELECT {name, baker_id} FROM shop.baker",
    }
    write_lines(folder / "questions.jsonl", [question, named])
    return folder


def csv_set(folder: Path) -> Path:
    """One PostgreSQL database made of a script and CSV files."""
    (folder / "csv").mkdir(parents=True)
    script = "CREATE TABLE shop (shop_cd VARCHAR(4) PRIMARY KEY, prefecture VARCHAR(8), opened DATE, area INTEGER);"
    (folder / "schema.postgres.sql").write_text(script, encoding="utf-8")
    lines = ["shop_cd,prefecture,opened,area"]
    lines += [f"S{i:03d},{'東京都' if i % 3 else '千葉県'},2020-01-{i + 1:02d},{100 + i}" for i in range(20)]
    with gzip.open(folder / "csv" / "shop.csv.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    base = {"db": "chain", "dialect": "postgres", "lang": "ja"}
    write_lines(
        folder / "questions.jsonl",
        [
            {**base, "id": "c1", "question": "shopの件数を数えよ", "gold_sql": "SELECT count(*) FROM shop;"},
            {**base, "id": "c2", "question": "表を消せ", "gold_sql": "DROP TABLE shop;"},
        ],
    )
    return folder


def predictions(path: Path, **sql: str | None) -> Path:
    known = {row["id"]: row["db"] for row in rows()}
    return write_lines(path, ({"id": k, "db": known.get(k, "bakery"), "pred_sql": v} for k, v in sql.items()))


def right() -> dict[str, str | None]:
    return {name: sql for name, _, _, sql in QUESTIONS}
