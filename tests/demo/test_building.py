"""A demo home: built once, reused, built again when asked or broken, and never over somebody else's files."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from app.settings import load as load_settings
from demo import building
from demo.building import MARK, SEED, build_home, version
from demo.errors import DemoError, NotADemoHome
from demo.office import office_mark
from demo.warehouse import TABLES, fingerprints
from retrieval.postgres.database import Database

SMALL = 25


def test_a_home_has_everything_that_its_config_names(home: Path, database: Database) -> None:
    stages: list[tuple[str, int, int]] = []
    built = build_home(home, database, SMALL, 3, lambda *stage: stages.append(stage))
    assert not built.reused
    settings = load_settings(home, environment={})
    for name in ("warehouse", "semantic_model", "policy", "glossary", "verified", "situational"):
        assert settings.path(getattr(settings, name)).is_file(), name
    assert settings.path(settings.documents[0].path).is_dir()
    assert settings.users is not None
    assert "insurer.users" in settings.users.sql
    assert {stage for stage, done, total in stages if done == total} == {stage for stage, _, _ in stages}
    assert not [path for path in home.iterdir() if path.name.startswith(".demo")]


def test_what_is_reported_is_what_is_there(home: Path, database: Database) -> None:
    built = build_home(home, database, SMALL, 3)
    assert built.rows.keys() == set(TABLES)
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        for table, count in built.rows.items():
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchall() == [(count,)]
    assert len([p for p in (home / "documents").rglob("*") if p.is_file()]) == built.documents


def test_the_same_call_reuses_and_another_builds(home: Path, database: Database) -> None:
    first = build_home(home, database, SMALL, 3)
    made = (home / "warehouse.duckdb").stat().st_ino
    again = build_home(home, database, SMALL, 3)
    assert again.reused
    assert again.rows == first.rows
    assert (home / "warehouse.duckdb").stat().st_ino == made
    assert not build_home(home, database, SMALL, 3, rebuild=True).reused
    assert not build_home(home, database, SMALL + 1, 3).reused
    assert not build_home(home, database, SMALL + 1, 4).reused


def test_two_homes_of_one_seed_are_the_same(home: Path, tmp_path: Path, database: Database) -> None:
    other = tmp_path / "other"
    build_home(home, database, SMALL, 3)
    build_home(other, database, SMALL, 3, rebuild=True)
    assert fingerprints(home / "warehouse.duckdb") == fingerprints(other / "warehouse.duckdb")
    for path in home.rglob("*"):
        if path.is_file() and path.suffix != ".duckdb":
            assert path.read_bytes() == (other / path.relative_to(home)).read_bytes(), path.name


def test_another_version_of_the_demo_builds_again(
    home: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_home(home, database, SMALL, 3)
    monkeypatch.setattr(building, "version", lambda: "another")
    assert not build_home(home, database, SMALL, 3).reused
    assert len(version()) == 16


def test_a_database_that_lost_the_office_is_filled_again(home: Path, database: Database) -> None:
    build_home(home, database, SMALL, 3)
    with database.connection() as connection, connection.transaction():
        connection.execute("DROP SCHEMA insurer CASCADE")
    assert not build_home(home, database, SMALL, 3).reused
    assert office_mark(database) is not None


@pytest.mark.parametrize("name", ["config.yaml", "policy.yaml", "warehouse.duckdb", "documents"])
def test_a_home_of_somebody_else_is_left_alone(home: Path, database: Database, name: str) -> None:
    home.mkdir()
    (home / name).write_text("mine", encoding="utf-8")
    with pytest.raises(NotADemoHome, match=name.replace(".", r"\.")) as caught:
        build_home(home, database, SMALL, 3)
    assert "BUNMYAKU_HOME" in caught.value.todo
    assert [path.name for path in home.iterdir()] == [name]
    assert (home / name).read_text(encoding="utf-8") == "mine"
    assert office_mark(database) is None


def test_a_mark_that_cannot_be_read_is_not_overwritten(home: Path, database: Database) -> None:
    home.mkdir()
    (home / MARK).write_text("{", encoding="utf-8")
    with pytest.raises(NotADemoHome, match="mark cannot be read"):
        build_home(home, database, SMALL, 3)


def test_a_server_in_the_home_is_no_obstacle(home: Path, database: Database) -> None:
    (home / "postgres").mkdir(parents=True)
    assert build_home(home, database, SMALL, 3).customers == SMALL


def test_an_interrupted_build_leaves_the_old_home_or_builds_again(
    home: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_home(home, database, SMALL, 3)
    before = fingerprints(home / "warehouse.duckdb")

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(building, "fill_office", broken)
        with pytest.raises(KeyboardInterrupt):
            build_home(home, database, SMALL, 4)
    assert fingerprints(home / "warehouse.duckdb") == before
    assert json.loads((home / MARK).read_text(encoding="utf-8")) == {}
    again = build_home(home, database, SMALL, 3)
    assert not again.reused
    assert fingerprints(home / "warehouse.duckdb") == before


def test_a_failure_before_anything_is_written_leaves_no_trace(
    home: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(building, "build_warehouse", broken)
    with pytest.raises(OSError, match="full"):
        build_home(home, database, SMALL, 3)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("customers", [0, -5])
def test_an_insurer_without_customers_is_refused(home: Path, database: Database, customers: int) -> None:
    with pytest.raises(DemoError, match="at least one customer"):
        build_home(home, database, customers, SEED)
    assert not home.exists()
