"""Numbered SQL files: once, in order, all or nothing, by one process at a time; older homes are brought up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.errors import MigrationError
from retrieval.postgres.database import Database, open_database
from retrieval.postgres.migrations import migrate, read_migrations
from tests.retrieval.postgres.helpers import Worker

ROOT = Path(__file__).resolve().parents[3]
FIRST = "CREATE SCHEMA shop;\nCREATE TABLE shop.sales (n int);\nINSERT INTO shop.sales VALUES (1), (2);\n"
SECOND = "ALTER TABLE shop.sales ADD COLUMN store text NOT NULL DEFAULT 'main';\n"


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name.removeprefix('m')}.sql").write_text(text)
    return folder


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.connection() as connection:
        return connection.execute(query.encode()).fetchall()


def test_files_are_applied_once_and_in_order(database: Database, tmp_path: Path) -> None:
    folder = write(tmp_path / "m", m0001_first=FIRST, m0002_second=SECOND)
    assert migrate(database, "shop", folder) == ["0001_first.sql", "0002_second.sql"]
    assert migrate(database, "shop", folder) == []
    assert rows(database, "SELECT n, store FROM shop.sales ORDER BY n") == [(1, "main"), (2, "main")]
    assert rows(
        database,
        "SELECT number, name, length(sha256) FROM public.bunmyaku_migrations WHERE package = 'shop' ORDER BY 1",
    ) == [(1, "0001_first.sql", 64), (2, "0002_second.sql", 64)]


def test_an_older_home_is_brought_up_to_date_with_its_data(made_home: Path, tmp_path: Path) -> None:
    with open_database(made_home) as database:
        assert migrate(database, "shop", write(tmp_path / "old", m0001_first=FIRST)) == ["0001_first.sql"]
        with database.connection() as connection:
            connection.execute("INSERT INTO shop.sales VALUES (3)")
    with open_database(made_home) as database:
        new = write(tmp_path / "new", m0001_first=FIRST, m0002_second=SECOND)
        assert migrate(database, "shop", new) == ["0002_second.sql"]
        assert rows(database, "SELECT n, store FROM shop.sales ORDER BY n")[-1] == (3, "main")


@pytest.mark.parametrize("package", ["retrieval", "ingest", "app"])
def test_the_packages_own_migrations_upgrade_from_their_first(
    made_home: Path, tmp_path: Path, package: str
) -> None:
    full = ROOT / package / "migrations"
    names = [migration.name for migration in read_migrations(full)]
    assert names, f"{package} has no migrations"
    first = tmp_path / "first"
    first.mkdir()
    (first / names[0]).write_text((full / names[0]).read_text())
    with open_database(made_home) as database:
        assert migrate(database, package, first) == names[:1]
        assert migrate(database, package, full) == names[1:]
        assert rows(database, f"SELECT 1 FROM pg_namespace WHERE nspname = '{package}'") == [(1,)]


def test_a_failing_file_leaves_nothing_of_itself(database: Database, tmp_path: Path) -> None:
    folder = write(
        tmp_path / "m", m0001_first=FIRST, m0002_bad="DROP TABLE shop.sales;\n\nSELECT no_such_column;\n"
    )
    with pytest.raises(MigrationError, match="no_such_column") as caught:
        migrate(database, "shop", folder)
    assert caught.value.where.endswith("0002_bad.sql:3")
    assert "Nothing of it was applied" in caught.value.todo
    assert rows(database, "SELECT count(*) FROM shop.sales") == [(2,)]
    (folder / "0002_bad.sql").write_text(SECOND)
    assert migrate(database, "shop", folder) == ["0002_bad.sql"]


def test_a_changed_file_is_refused(database: Database, tmp_path: Path) -> None:
    folder = write(tmp_path / "m", m0001_first=FIRST)
    migrate(database, "shop", folder)
    (folder / "0001_first.sql").write_bytes(FIRST.replace("\n", "\r\n").encode())
    assert migrate(database, "shop", folder) == []  # a checkout with other line ends is the same file
    (folder / "0001_first.sql").write_text(FIRST + "-- changed\n")
    with pytest.raises(MigrationError, match="changed after it had been applied"):
        migrate(database, "shop", folder)


def test_a_database_of_a_newer_version_is_refused(database: Database, tmp_path: Path) -> None:
    migrate(database, "shop", write(tmp_path / "new", m0001_first=FIRST, m0002_second=SECOND))
    with pytest.raises(MigrationError, match="does not know") as caught:
        migrate(database, "shop", write(tmp_path / "old", m0001_first=FIRST))
    assert "newer version" in caught.value.todo


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["0002_second"], "0002 is there where 0001 should be"),
        (["0001_first", "0003_third"], "0003 is there where 0002 should be"),
        (["0001_first", "0001_other"], "0001 is there twice"),
        (["1_first"], "not named like"),
        (["0001-first"], "not named like"),
    ],
)
def test_gaps_duplicates_and_odd_names(tmp_path: Path, names: list[str], problem: str) -> None:
    with pytest.raises(MigrationError, match=problem):
        read_migrations(write(tmp_path / "m", **{f"m{name}": "SELECT 1;" for name in names}))


@pytest.mark.parametrize("statement", ["COMMIT;", "begin ;", "  Rollback Work;", "START TRANSACTION;"])
def test_a_file_that_ends_its_transaction_is_refused(tmp_path: Path, statement: str) -> None:
    with pytest.raises(MigrationError, match="transaction itself"):
        read_migrations(write(tmp_path / "m", m0001_first=f"SELECT 1;\n{statement}\n"))


def test_a_function_body_may_begin_and_end(database: Database, tmp_path: Path) -> None:
    body = "CREATE SCHEMA shop;\nCREATE FUNCTION shop.f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 100 % 7;\nEND\n$$;\n"
    assert migrate(database, "shop", write(tmp_path / "m", m0001_f=body)) == ["0001_f.sql"]
    assert rows(database, "SELECT shop.f()") == [(2,)]


def test_two_processes_migrate_one_database(made_home: Path, tmp_path: Path) -> None:
    slow = FIRST + "SELECT pg_sleep(0.5);\n"
    folder = write(tmp_path / "m", m0001_first=slow, m0002_second=SECOND)
    with Worker(made_home) as one, Worker(made_home) as two:
        assert [one.read(), two.read()] == ["ready", "ready"]
        one.tell(f"migrate {folder}")
        two.tell(f"migrate {folder}")
        assert sorted([one.read(), two.read()]) == ["", "0001_first.sql,0002_second.sql"]


def test_packages_do_not_mix(database: Database, tmp_path: Path) -> None:
    assert migrate(database, "shop", write(tmp_path / "a", m0001_first=FIRST)) == ["0001_first.sql"]
    other = write(tmp_path / "b", m0001_first="CREATE SCHEMA store;")
    assert migrate(database, "store", other) == ["0001_first.sql"]


def test_an_empty_or_missing_folder_is_nothing_to_do(database: Database, tmp_path: Path) -> None:
    assert migrate(database, "shop", tmp_path / "none") == []
