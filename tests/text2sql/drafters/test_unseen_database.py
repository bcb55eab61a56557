"""A database that nobody has described: its first model is bootstrapped, questions are of another trade."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from retrieval.types import Clock, Context, Principal
from tests.text2sql.drafters.conftest import cases
from text2sql.bootstrap import first_model
from text2sql.drafters.offline import OfflineDrafter
from text2sql.types import Limits, Warehouse
from text2sql.values import ValueIndex
from text2sql.warehouses import open_warehouse

CONTEXT = Context("", Principal("ana"), "en", (), 0, 0)
_MEMBERS = [
    (1, "Aoi Mori", 34, "Nagoya"), (2, "Ben Hill", 45, "Kyoto"), (3, "Chie Ono", 28, "Nagoya"),
    (4, "Dai Sato", 61, "Nara"), (5, "Eva Lund", 19, "Nagoya"), (6, "Fumi Abe", 52, "Kyoto"),
]  # fmt: skip
_BOOKS = [
    (1, "the sea at noon", "poetry", 12.5), (2, "old roads", "history", 31.0), (3, "a short sea", "poetry", 9.0),
    (4, "kings and cooks", "history", 24.0), (5, "quiet engines", "science", 18.0), (6, "winter lines", "poetry", 15.0),
]  # fmt: skip
_LOANS = [
    (n, 1 + (n * n) % 5, 1 + n % 6, f"{2024 + n % 3}-{1 + n % 12:02}-{1 + n % 28:02}") for n in range(1, 15)
]  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    path: Path = tmp_path_factory.mktemp("library") / "library.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE member (member_id INTEGER PRIMARY KEY, member_name TEXT, age INT, city TEXT)"
        )
        connection.execute(
            "CREATE TABLE book (book_id INTEGER PRIMARY KEY, title TEXT, genre TEXT, price REAL)"
        )
        connection.execute(
            "CREATE TABLE loan (loan_id INTEGER PRIMARY KEY, member_id INT REFERENCES member(member_id),"
            " book_id INT REFERENCES book(book_id), loan_date DATE)"
        )
        connection.executemany("INSERT INTO member VALUES (?, ?, ?, ?)", _MEMBERS)
        connection.executemany("INSERT INTO book VALUES (?, ?, ?, ?)", _BOOKS)
        connection.executemany("INSERT INTO loan VALUES (?, ?, ?, ?)", _LOANS)
    connection.close()
    return open_warehouse(path)


@pytest.fixture
def drafter(library: Warehouse, clock: Clock) -> OfflineDrafter:
    catalog = library.catalog()
    model = first_model(catalog, "library")
    return OfflineDrafter(catalog, model, ValueIndex.of(catalog, model), clock=clock)


def run(library: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    columns = library.run(sql, Limits()).table.to_pydict().values()
    return [
        tuple(round(value, 6) if isinstance(value, float) else value for value in row)
        for row in zip(*columns, strict=True)
    ]


@pytest.mark.parametrize("case", cases("library"), ids=lambda case: case["question"])
def test_answers_like_a_query_written_by_hand(
    library: Warehouse, drafter: OfflineDrafter, case: dict[str, Any]
) -> None:
    drafting = drafter.draft(case["question"], CONTEXT)
    assert drafting.drafts, drafting.decline or drafting.clarify
    got, wanted = run(library, drafting.drafts[0].sql), run(library, case["sql"])
    assert wanted
    if case.get("ordered"):
        assert got == wanted
    else:
        assert Counter(got) == Counter(wanted), drafting.drafts[0].sql


@pytest.mark.parametrize("case", cases("answered"), ids=lambda case: case["question"])
def test_questions_for_another_database_are_declined(drafter: OfflineDrafter, case: dict[str, Any]) -> None:
    assert not drafter.draft(case["question"], CONTEXT).drafts


def test_words_of_the_other_language_are_said_to_be_a_guess(drafter: OfflineDrafter) -> None:
    draft = drafter.draft("都市ごとの会員の数", CONTEXT).drafts[0]
    assert any("都市" in line and "city" in line for line in draft.assumptions)
