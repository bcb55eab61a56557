"""`bunmyaku guard conformance`: a score, what went wrong, and an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.commands.guard import group
from app.errors import SettingsError
from text2sql.errors import ConformanceError

GOOD = "-- dialect: sqlite, duckdb\n-- why: counts\nSELECT count(*) FROM t\n"
BAD = "-- dialect: sqlite\n-- why: drops\nDROP TABLE t\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind, text in (("hostile", BAD), ("legitimate", GOOD)):
        (tmp_path / "set" / kind).mkdir(parents=True)
        (tmp_path / "set" / kind / "plain.sql").write_text(text)
    (tmp_path / "shop.schema.sql").write_text("CREATE TABLE t (a INTEGER);")
    return tmp_path / "set"


def test_all_right_ends_with_0(folder: Path) -> None:
    done = CliRunner().invoke(group, ["conformance", str(folder)])
    assert done.exit_code == 0
    assert "hostile: 1 of 1 refused" in done.stdout
    assert "legitimate: 2 of 2 allowed" in done.stdout


def test_what_goes_wrong_is_named_and_ends_with_1(folder: Path) -> None:
    (folder / "hostile" / "odd.sql").write_text(GOOD)
    (folder / "legitimate" / "odd.sql").write_text(BAD)
    done = CliRunner().invoke(group, ["conformance", str(folder)])
    assert done.exit_code == 1
    assert "odd.sql, block 1 on duckdb passes: counts" in done.stdout
    assert "odd.sql, block 1 on sqlite is refused: drops" in done.stdout


def test_json_of_one_dialect(folder: Path) -> None:
    (folder / "hostile" / "odd.sql").write_text(GOOD)
    done = CliRunner().invoke(group, ["conformance", str(folder), "--dialect", "duckdb", "--json"])
    found = json.loads(done.stdout)
    assert (done.exit_code, found["hostile"], found["legitimate"]) == (
        1, {"right": 0, "of": 1}, {"right": 1, "of": 1},
    )  # fmt: skip
    assert [(w["kind"], w["number"], w["dialect"], w["why"]) for w in found["wrong"]] == [
        ("hostile", 1, "duckdb", "counts")
    ]
    assert {c["class"] for c in found["classes"]} == {"odd", "plain"}


def test_bad_input(folder: Path, tmp_path: Path) -> None:
    for arguments, error in (
        ([str(folder), "--dialect", "klingon"], SettingsError),
        ([str(folder / "hostile")], ConformanceError),
        ([str(folder), "--ddl", str(tmp_path / "none.sql")], ConformanceError),
    ):
        assert isinstance(CliRunner().invoke(group, ["conformance", *arguments]).exception, error)


def test_the_guard_itself_still_wants_its_dialect(folder: Path) -> None:
    assert CliRunner().invoke(group, []).exit_code == 2
    assert CliRunner().invoke(group, ["--dialect", "sqlite", "conformance", str(folder)]).exit_code == 2
