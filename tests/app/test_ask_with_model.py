"""`bunmyaku ask` with `model:` in config.yaml: the process a person starts, a model server on this machine."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.app.modelling import decline, query
from tests.app.test_cli import HANDBOOK, SHOP, Shell
from tests.doubles import bedrock_wire
from tests.doubles.behaviours import Fail
from tests.doubles.fixtures import model_server, session_server
from tests.doubles.model_server import ModelServer

__all__ = ["model_server", "session_server"]

BY_REGION = "SELECT s.region, SUM(a.amount) AS total FROM sale a JOIN store s ON s.id = a.store_id GROUP BY s.region ORDER BY total DESC"
TOLD = "South sold 340, North 100."


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A home set up with `init`, for all of these."""
    folder = tmp_path_factory.mktemp("modelled")
    with closing(sqlite3.connect(folder / "shop.db")) as connection:
        connection.executescript(SHOP)
    (folder / "handbook").mkdir()
    (folder / "handbook" / "rules.md").write_text(HANDBOOK, encoding="utf-8")
    shell = Shell(folder / "home")
    shell("init", "--warehouse", f"sqlite:///{folder / 'shop.db'}", "--docs", str(folder / "handbook"))
    yield shell
    shell("stop", code=None)


@pytest.fixture(params=["bedrock", "openai"])
def shell(home: Shell, model_server: ModelServer, request: pytest.FixtureRequest) -> Shell:
    """The home with a model of either kind in its config."""
    name = f"bedrock:{bedrock_wire.MODELS[0]}" if request.param == "bedrock" else "openai:gpt-4o-mini"
    if request.param == "openai":
        name = f"openai:{model_server.openai().model_name}"  # type: ignore[attr-defined]
    options: dict[str, Any] = getattr(model_server, f"{request.param}_options")()
    write(home, {"name": name, "options": options, "seconds": 10})
    return home


def write(home: Shell, model: Any) -> None:
    """Put the model into the home's config."""
    file = home.home / "config.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**config, "model": model}), encoding="utf-8")


def test_a_figure(shell: Shell, model_server: ModelServer) -> None:
    model_server.then(query(BY_REGION.replace("amount", "amonut")), query(BY_REGION, "by region"), TOLD)
    shown = shell("ask", "How much did each region sell?").stdout
    assert TOLD in shown
    assert "Worded by the language model" in shown
    assert "Correction: " in shown
    assert "tokens read" in shown
    assert model_server.refused == []


@pytest.mark.slow
def test_a_document(shell: Shell, model_server: ModelServer) -> None:
    model_server.then(decline("no table"), "Within 30 days, with the receipt [1].")
    record = shell.json("ask", "Within how many days may goods be returned?")
    assert (record["text"], record["worded_by"]) == ("Within 30 days, with the receipt [1].", "model")
    assert record["citations"][0]["quote"] in HANDBOOK
    assert [call["task"] for call in record["model_calls"]] == ["draft", "answer"]


@pytest.mark.slow
def test_a_write_is_refused_and_the_exit_says_so(shell: Shell, model_server: ModelServer) -> None:
    model_server.otherwise(query("DELETE FROM sale"))
    record = shell.json("ask", "clean up the old sales please", code=4)
    assert (record["outcome"], record["sql"]) == ("refused", "")
    assert {code for a in record["attempts"] for code in (v["code"] for v in a["verdict"]["violations"])}


def test_a_model_out_of_reach(shell: Shell, model_server: ModelServer) -> None:
    model_server.otherwise(Fail("denied"))
    done = shell("ask", "total amount by region")
    assert "The language model could not be reached" in done.stdout
    assert "340" in done.stdout
    for secret in (bedrock_wire.ACCESS_KEY, bedrock_wire.SECRET_KEY):
        assert secret not in done.stdout + done.stderr


@pytest.mark.slow
def test_status_shows_the_model_and_no_key(shell: Shell, model_server: ModelServer) -> None:
    shown = shell("status").stdout
    assert "gpt-4" in shown or bedrock_wire.MODELS[0] in shown
    options = {**model_server.bedrock_options(), **model_server.openai_options()}
    for name in ("api_key", "aws_secret_access_key", "aws_access_key_id"):
        assert str(options[name]) not in shown


@pytest.mark.slow
def test_a_model_that_is_not_set_up_ends_before_anything_is_asked(home: Shell) -> None:
    write(home, "openai:gpt-4o")
    assert not os.environ.get("OPENAI_API_KEY")
    done = home("ask", "total amount by region", code=2)
    assert "OPENAI_API_KEY" in done.stderr
    assert "OPENAI_API_KEY" in home("status", code=5).stdout
    write(home, "none")
    assert home.json("ask", "total amount by region")["model_calls"] == []


@pytest.mark.slow
def test_a_recording_stands_in_for_a_model(home: Shell, tmp_path: Path) -> None:
    write(home, "replay:missing.jsonl")
    assert "no recording" in home("ask", "total amount by region", code=2).stderr
    (home.home / "empty.jsonl").write_text("", encoding="utf-8")
    write(home, "replay:empty.jsonl")
    record = home.json("ask", "total amount by region")
    assert record["model_calls"][0]["failure"] == "misconfigured"
    assert record["outcome"] == "answered"
