"""`bunmyaku policy check`, `show` and `apply`."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.commands.policy import group
from app.errors import SettingsError, UnknownUser

GOOD = """
name: shop
attributes: {regions: {list: true}}
tables:
  store:
    owner: office@shop
    discoverable: true
    grants:
      - {roles: [analyst], rows: all, masks: {name: partial}, hide: [opened]}
      - {roles: [manager], rows: "region IN (:regions)"}
documents: [{match: "h/*", roles: [everyone]}, {match: "i/*", roles: [boss]}]
"""
USERS = """
users:
  - {id: ana, roles: [analyst]}
  - {id: mo, roles: [manager], attributes: {regions: [North]}}
  - {id: gus}
"""


@pytest.fixture
def shop(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home.mkdir()
    with sqlite3.connect(home / "shop.db") as connection:
        connection.executescript(
            "CREATE TABLE store (id INTEGER PRIMARY KEY, name TEXT, region TEXT, opened DATE);"
            "INSERT INTO store VALUES (1, 'Aoba', 'North', '2020-01-01'), (2, 'Hill', 'South', '2021-01-01');"
        )
    connection.close()
    (home / "config.yaml").write_text("{warehouse: shop.db, policy: policy.yaml, users: {file: users.yaml}}")
    (home / "policy.yaml").write_text(GOOD, encoding="utf-8")
    (home / "users.yaml").write_text(USERS, encoding="utf-8")
    monkeypatch.setenv("BUNMYAKU_HOME", str(home))
    return home


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, arguments)


def shown(*arguments: str) -> dict[str, Any]:
    done = run("show", *arguments, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_good_policy_has_no_problems(shop: Path) -> None:
    done = run("check")
    assert done.exit_code == 0, done.output
    assert "shop v1: 1 tables, 0 problems" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  store:", "  stroe:", "tables.stroe: there is no such table"),
        ("hide: [opened]", "hide: [openned]", "there is no column openned"),
        ("region IN (:regions)", "id IN (:regions)", ":regions is text, id is INTEGER"),
        ("region IN (:regions)", "region IN (:regions) AND id = 'x'", "'x' is compared with id"),
        ("region IN (:regions)", "region = NULL", "nothing equals NULL"),
        ("region IN (:regions)", "regoin = 'North'", "there is no column regoin"),
        ("name: partial", "name: {bucket: 3}", "bucket of TEXT shows nothing"),
        ("name: partial", "id: year", "year of INTEGER shows nothing"),
        ("    owner: office@shop\n", "", "no owner is named"),
        ("roles: [boss]}", "roles: [boss], discoverable: true}", "documents.2: discoverable"),
        ("[manager]", "[managers]", "no user holds managers"),
        ("list: true}", "type: integer, list: true}", "no user of these roles has :regions as integer"),
        ('"i/*"', '"h/*"', "an earlier rule decides"),
    ],
)
def test_a_problem_is_named_and_ends_with_2(shop: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    (shop / "mine.yaml").write_text(GOOD.replace(old, new), encoding="utf-8")
    done = run("check", "--policy", str(shop / "mine.yaml"))
    assert done.exit_code == 2, done.output
    assert said in done.stdout
    document = json.loads(run("check", "--policy", str(shop / "mine.yaml"), "--json").stdout)
    assert any(said.rpartition(": ")[2] in problem["what"] for problem in document["problems"])


def test_what_a_caller_sees(shop: Path) -> None:
    ana, mo, gus = (shown("--user", name) for name in ("ana", "mo", "gus"))
    assert ana["tables"] == [
        {"name": "store", "rows": ["all"], "columns": ["id", "region"], "masked": {"name": "partial"},
         "hidden": ["opened"]}
    ]  # fmt: skip
    assert mo["tables"][0]["rows"] == ["region IN (:regions) (:regions = 'North')"]
    assert mo["tables"][0]["masked"] == {}
    assert (gus["tables"], gus["discoverable"]) == ([], {"store": "office@shop"})
    assert gus["documents"] == {"h/*": "read"}
    assert gus["labels"] == ["everyone", "user:gus"]
    both = shown("--roles", "analyst,manager", "--attributes", '{"regions": ["South"]}')
    assert both["tables"][0]["rows"] == ["all"]
    assert both["tables"][0]["masked"]["name"].startswith("partial where all; shown where region")
    assert "opened" in both["tables"][0]["masked"]
    assert "region IN (:regions)" in run("show", "--user", "mo").stdout


def test_whose_sight_it_is_must_be_said(shop: Path) -> None:
    assert isinstance(run("show").exception, SettingsError)
    assert isinstance(run("show", "--user", "ana", "--roles", "x").exception, SettingsError)
    assert isinstance(run("show", "--user", "nobody").exception, UnknownUser)
    assert isinstance(run("show", "--roles", "x", "--attributes", "{").exception, SettingsError)


def test_a_file_has_no_roles_to_write(shop: Path) -> None:
    assert isinstance(run("apply").exception, SettingsError)
    assert isinstance(run("apply", "--dsn", "duckdb:///x").exception, SettingsError)
