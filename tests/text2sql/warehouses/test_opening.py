from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.text2sql.warehouses.test_duckdb import write_shop as write_duckdb
from tests.text2sql.warehouses.test_sqlite import write_shop as write_sqlite
from text2sql.errors import WarehouseUnavailable
from text2sql.warehouses import build, names, open_warehouse


def test_every_file_of_the_folder_is_a_warehouse() -> None:
    assert {"duckdb", "folder", "postgres", "sqlite"} <= set(names())
    assert not [name for name in names() if name.startswith("_")]


def test_a_kind_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(WarehouseUnavailable, match="papyrus") as caught:
        build("papyrus", {"path": tmp_path})
    assert "duckdb" in caught.value.todo
    with pytest.raises(WarehouseUnavailable, match="papyrus") as caught:
        open_warehouse("papyrus://user:secret@somewhere/db")
    assert "postgres" in caught.value.todo
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("form", ["{path}", "{kind}:///{path}", "{kind}:////{bare}"])
@pytest.mark.parametrize("kind", ["duckdb", "sqlite", "folder"])
def test_urls_and_paths(tmp_path: Path, kind: str, form: str) -> None:
    path = tmp_path / "some shop.data"
    if kind == "duckdb":
        write_duckdb(path)
    elif kind == "sqlite":
        write_sqlite(path)
    else:
        path.mkdir()
        (path / "stores.csv").write_text("id,name\n1,a\n")
    url = form.format(kind=kind, path=path, bare=str(path).lstrip("/"))
    warehouse = open_warehouse(url)
    assert warehouse.catalog().table("stores") is not None
    warehouse.close()


def test_a_relative_url_is_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sqlite(tmp_path / "shop.db")
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite:///shop.db", "sqlite:///./shop.db", "shop.db", Path("shop.db")):
        open_warehouse(url).close()


@pytest.mark.parametrize(("content", "what"), [(b"hello", "neither"), (b"", "neither")])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(content)
    with pytest.raises(WarehouseUnavailable, match=what):
        open_warehouse(path)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WarehouseUnavailable, match="no such file") as caught:
        open_warehouse(tmp_path / "gone.duckdb")
    assert "gone.duckdb" in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_rights(tmp_path: Path) -> None:
    path = write_sqlite(tmp_path / "shop.db")
    path.chmod(0)
    with pytest.raises(WarehouseUnavailable, match="cannot be read"):
        open_warehouse(path)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql:/u:zzword@h/db",
        "postgres:u:zzword@h",
        "host=h password=zzword dbname=d",
        " postgresql:/u:zzword@h",
    ],
)
def test_what_is_nearly_a_server_is_not_said_again(text: str) -> None:
    with pytest.raises(WarehouseUnavailable) as caught:
        open_warehouse(text)
    assert "postgresql://" in caught.value.todo
    assert "zzword" not in str(caught.value)
