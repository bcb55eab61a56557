from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evals.drafting.places import places
from evals.resampling import resample
from evals.suites.databases import load
from tests.evals import sets
from text2sql.ddl import catalog_from_ddl
from text2sql.types import Catalog
from text2sql.warehouses import open_warehouse

Stored = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def bakery(tmp_path: Path) -> tuple[Catalog, Stored]:
    path = sets.database(tmp_path / "bakery.sqlite", sets.BAKERY)
    warehouse = open_warehouse(path)
    catalog = warehouse.catalog()
    warehouse.close()
    with closing(sqlite3.connect(path)) as connection:
        stored = {t.name: connection.execute(f"SELECT * FROM {t.name}").fetchall() for t in catalog.tables}
    return catalog, stored


def test_keys_hold_and_rows_are_others(bakery: tuple[Catalog, Stored]) -> None:
    catalog, stored = bakery
    for number in range(1, 30):
        made = resample(catalog, stored, number)
        for name, rows in made.items():
            assert len(rows) > len(stored[name])
        branches, bakers, skills = ({row[0] for row in made[n]} for n in ("branch", "baker", "skill"))
        assert len(branches) == len(made["branch"])
        assert len(bakers) == len(made["baker"])
        assert len({(row[0], row[1]) for row in made["skill"]}) == len(made["skill"])
        assert len({row[1] for row in made["branch"]}) == len(made["branch"])
        assert {row[4] for row in made["baker"]} <= branches | {None}
        assert skills <= bakers


def test_every_value_that_a_question_may_name_is_still_there(bakery: tuple[Catalog, Stored]) -> None:
    catalog, stored = bakery
    made = resample(catalog, stored, 1)
    for name, rows in stored.items():
        for position in range(len(rows[0])):
            assert {row[position] for row in rows} <= {row[position] for row in made[name]}, (name, position)


def test_a_new_name_does_not_hold_an_old_one(bakery: tuple[Catalog, Stored]) -> None:
    catalog, stored = bakery
    names = {row[1] for row in stored["branch"]}
    new = [row[1] for row in resample(catalog, stored, 1)["branch"] if row[1] not in names]
    assert new
    assert not [name for name in new for old in names if old in name]


def test_a_new_name_fits_where_the_column_says_how_long_it_may_be() -> None:
    ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, code VARCHAR(4) UNIQUE);"
    catalog = catalog_from_ddl(ddl, "postgres")
    name = catalog.tables[0].qualified
    rows = [(i, f"AB{i:02d}"[:4]) for i in range(40)]
    made = resample(catalog, {name: rows}, 1)[name]
    assert len(made) > 40
    assert max(len(row[1]) for row in made) <= 4
    assert len({row[1] for row in made}) == len(made)


def test_what_was_one_to_one_by_accident_is_not_any_more(bakery: tuple[Catalog, Stored]) -> None:
    catalog, stored = bakery
    pairs = {(row[1], row[2]) for row in stored["baker"]}
    kept = [
        sum((row[1], row[2]) in pairs for row in resample(catalog, stored, n)["baker"]) / 6
        for n in range(1, 20)
    ]
    assert sum(kept) / len(kept) < 0.7


def test_an_instance_is_the_same_every_time_and_each_is_another(bakery: tuple[Catalog, Stored]) -> None:
    catalog, stored = bakery
    assert resample(catalog, stored, 1) == resample(catalog, stored, 1)
    assert resample(catalog, stored, 1) != resample(catalog, stored, 2)


def test_columns_that_determine_each_other_stay_together() -> None:
    path_rows = [(i, f"c{i % 3}", f"Country {i % 3}", i % 5) for i in range(60)]
    catalog = catalog_from_ddl(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT, country TEXT, n INTEGER);", "sqlite"
    )
    made = resample(catalog, {"t": path_rows}, 3)["t"]
    assert {(row[1], row[2]) for row in made} == {(f"c{i}", f"Country {i}") for i in range(3)}
    assert Counter(row[1] for row in made) != Counter(row[1] for row in path_rows)


def test_a_copy_is_made_and_the_set_is_left_alone(tmp_path: Path) -> None:
    suite = load(sets.sqlite_set(tmp_path / "set"))
    before = {path: path.read_bytes() for path in (tmp_path / "set" / "databases").iterdir()}
    with places(suite, ["bakery", "library"], 1) as at:
        for place in at.values():
            assert not Path(place.url).is_relative_to(tmp_path / "set")
            with closing(sqlite3.connect(place.url)) as connection:
                assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        with closing(sqlite3.connect(at["library"].url)) as connection:
            assert connection.execute("SELECT count(*) FROM book").fetchone()[0] > 3
    assert before == {path: path.read_bytes() for path in (tmp_path / "set" / "databases").iterdir()}
    assert not Path(at["bakery"].url).exists()


WIDE = """
CREATE TABLE counter (id INTEGER PRIMARY KEY, small SMALLINT, label TEXT);
"""


def test_new_keys_stay_inside_the_range_of_their_column() -> None:
    """A range that is looked up anew with every key grows with every key, beyond what any column holds."""
    catalog = catalog_from_ddl(WIDE, "postgres")
    (name,) = (table.qualified for table in catalog.tables)
    stored = {name: [(number, 30_000 + number, f"name {number}") for number in range(1, 2_001)]}
    made = resample(catalog, stored, 1)[name]
    assert len(made) > 2_200
    assert len({row[0] for row in made}) == len(made)
    assert max(row[0] for row in made) < 2**15
    assert max(row[1] for row in made) < 2**15


def test_a_key_that_fills_its_column_gets_no_new_rows() -> None:
    catalog = catalog_from_ddl(WIDE, "postgres")
    (name,) = (table.qualified for table in catalog.tables)
    stored = {name: [(2**63 - 1 - number, 1, "x") for number in range(3)]}
    made = resample(catalog, stored, 1)[name]
    assert sorted(row[0] for row in made) == sorted(row[0] for row in stored[name])
