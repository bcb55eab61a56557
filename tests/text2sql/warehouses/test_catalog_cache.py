"""A catalogue kept between starts is that of the file as it is, or it is read again."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from text2sql.types import Catalog
from text2sql.warehouses import _catalog_cache, open_warehouse
from text2sql.warehouses._shared import SharedWarehouse

Change = Callable[[str], None]


@pytest.fixture(params=["duckdb", "sqlite"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Change]:
    path = tmp_path / f"shop.{request.param}"
    connect = duckdb.connect if request.param == "duckdb" else sqlite3.connect

    def change(sql: str) -> None:
        with closing(connect(str(path))) as connection:  # type: ignore[operator]  # one of two drivers
            for statement in sql.split(";"):
                connection.execute(statement)
            connection.commit()
        settle(path)

    change(
        "CREATE TABLE stores (id INTEGER PRIMARY KEY, name TEXT UNIQUE, region TEXT);"
        "CREATE TABLE sales (id INTEGER PRIMARY KEY, store_id INTEGER REFERENCES stores (id), amount DOUBLE);"
        "INSERT INTO stores VALUES (1, 'Ginza', 'Kanto'), (2, '栄店', NULL);"
        "INSERT INTO sales VALUES (1, 1, 2.5), (2, 2, 8)"
    )
    return path, change


def settle(path: Path) -> None:
    """As if the last change had been a while ago (but each a different one)."""
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns - 3_600_000_000_000))


def opened(path: Path, cache: Path) -> Catalog:
    with open_warehouse(path, cache=cache) as warehouse:  # type: ignore[attr-defined]  # every one of ours is one
        return warehouse.catalog()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for every catalogue that is read from the engine."""
    counted: list[str] = []
    original = SharedWarehouse._read_anew

    def counting(self: SharedWarehouse, mark: str | None) -> Catalog:
        counted.append(self.where)
        return original(self, mark)

    monkeypatch.setattr(SharedWarehouse, "_read_anew", counting)
    return counted


def test_the_second_start_reads_nothing_and_has_the_same(
    shop: tuple[Path, Change], tmp_path: Path, reads: list[str]
) -> None:
    path, _ = shop
    first = opened(path, tmp_path / "cache")
    second = opened(path, tmp_path / "cache")
    assert len(reads) == 1
    assert second == first
    assert second.table("STORES") == first.tables[[t.name for t in first.tables].index("stores")]
    sales = second.table("sales")
    assert sales is not None
    assert sales.foreign_keys[0].columns == ("store_id",)


def test_a_change_is_read(shop: tuple[Path, Change], tmp_path: Path, reads: list[str]) -> None:
    path, change = shop
    opened(path, tmp_path / "cache")
    change("INSERT INTO stores VALUES (3, 'Umeda', 'Kansai')")
    again = opened(path, tmp_path / "cache").table("stores")
    assert again is not None
    assert (len(reads), again.rows) == (2, 3)


def test_a_change_that_keeps_size_and_time_is_read(
    shop: tuple[Path, Change], tmp_path: Path, reads: list[str]
) -> None:
    path, change = shop
    before = path.stat()
    opened(path, tmp_path / "cache")
    change("UPDATE sales SET amount = 9 WHERE id = 2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    again = opened(path, tmp_path / "cache").table("sales")
    assert again is not None
    amount = again.column("amount")
    assert amount is not None
    assert amount.profile is not None
    assert float(amount.profile.maximum or 0) == 9
    assert len(reads) == 2


def test_what_was_changed_a_moment_ago_is_not_kept(shop: tuple[Path, Change], tmp_path: Path) -> None:
    path, _ = shop
    os.utime(path)
    opened(path, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("damage", ["", "{", '{"mark": 1}', "[]", "\x00"])
def test_a_damaged_file_is_as_good_as_none(
    shop: tuple[Path, Change], tmp_path: Path, reads: list[str], damage: str
) -> None:
    path, _ = shop
    first = opened(path, tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_text(damage)
    assert opened(path, tmp_path / "cache") == first
    assert len(reads) == 2
    assert json.loads(kept.read_text(encoding="utf-8"))["mark"]


def test_only_its_owner_reads_it(shop: tuple[Path, Change], tmp_path: Path) -> None:
    opened(shop[0], tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_other_code_reads_it_anew(
    shop: tuple[Path, Change], tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(shop[0], tmp_path / "cache")
    monkeypatch.setattr(_catalog_cache, "_reader", lambda: "a later version")
    opened(shop[0], tmp_path / "cache")
    assert len(reads) == 2


def test_a_folder_of_files_keeps_one_too(tmp_path: Path, reads: list[str]) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "stores.csv").write_text("id,name\n1,Ginza\n2,栄店\n", encoding="utf-8")
    first = opened(folder, tmp_path / "cache")
    (made,) = (tmp_path / "cache").glob("*.duckdb")
    settle(made)
    opened(folder, tmp_path / "cache")  # the first found the file too new to keep what it read
    assert opened(folder, tmp_path / "cache") == first
    assert len(reads) == 2
    (folder / "stores.csv").write_text("id,name\n1,Ginza\n2,栄店\n3,Umeda\n", encoding="utf-8")
    again = opened(folder, tmp_path / "cache").table("stores")
    assert again is not None
    assert again.rows == 3


def test_a_folder_that_cannot_be_made_costs_nothing_but_time(
    shop: tuple[Path, Change], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert opened(shop[0], tmp_path / "file" / "cache").table("stores") is not None
