"""The command line on a person's own data: a shop's SQLite database and a folder of documents."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.interrupting import INTERRUPTED

SHOP = """
CREATE TABLE store (id INTEGER PRIMARY KEY, name TEXT, region TEXT);
CREATE TABLE sale (id INTEGER PRIMARY KEY, store_id INTEGER REFERENCES store(id), sold_on TEXT, amount INTEGER);
INSERT INTO store VALUES (1, 'Aoba', 'North'), (2, 'Hill', 'South'), (3, 'Quay', 'South');
INSERT INTO sale VALUES (1, 1, '2024-05-01', 100), (2, 2, '2024-06-01', 250), (3, 3, '2025-01-10', 50), (4, 2, '2025-07-01', 40);
"""
HANDBOOK = """# Returns

A customer may return unused goods within 30 days of purchase with the receipt.

# Opening hours

Every store opens at nine in the morning and closes at eight in the evening.
"""


class Shell:
    """Runs `bunmyaku` in a home."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(
        self, *arguments: str, code: int | None = 0, stdin: str | bytes = ""
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "app", *arguments],
            env={**os.environ, "BUNMYAKU_HOME": str(self.home), "COLUMNS": "160"},
            input=stdin if isinstance(stdin, bytes) else stdin.encode(),
            capture_output=True,
            timeout=180,
            check=False,
        )
        out, err = done.stdout.decode(), done.stderr.decode(errors="replace")
        if code is not None:
            assert done.returncode == code, f"{arguments}: {done.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(arguments, done.returncode, out, err)

    def json(self, *arguments: str, code: int | None = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self(*arguments, "--json", code=code).stdout)
        return found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp("shop")
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.executescript(SHOP)
    connection.close()
    docs = folder / "handbook"
    docs.mkdir()
    (docs / "rules.md").write_text(HANDBOOK, encoding="utf-8")
    (docs / "broken.pdf").write_bytes(b"%PDF-1.4 nothing more")
    shell = Shell(folder / "home")
    done = shell("init", "--warehouse", f"sqlite:///{folder / 'shop.db'}", "--docs", str(docs))
    assert "broken.pdf" in done.stdout
    yield shell
    shell("stop", code=None)


def test_init_writes_the_files_of_a_home(shop: Shell) -> None:
    assert {"config.yaml", "semantic.yaml", "policy.yaml", "users.yaml"} <= {
        path.name for path in shop.home.iterdir()
    }
    again = shop("init", "--warehouse", "sqlite:///x.db", code=2)
    assert "set up already" in again.stderr


def test_a_figure_from_the_warehouse(shop: Shell) -> None:
    record = shop.json("ask", "total amount by region")
    assert record["outcome"] == "answered"
    assert {tuple(row.values()) for row in record["rows"]} == {("North", 100), ("South", 340)}
    assert record["policy"]
    assert record["checks"]
    assert all(check["passed"] for check in record["checks"])


def test_what_reads_much_waits_for_a_word(shop: Shell) -> None:
    config = shop.home / "config.yaml"
    before = config.read_text(encoding="utf-8")
    config.write_text(before + "\nlimits: {confirm_rows: 1}\n", encoding="utf-8")
    try:
        done = shop("ask", "total amount by region", "--json", code=6)
        assert "--yes" in done.stderr
        waiting = json.loads(done.stdout)
        assert (waiting["outcome"], waiting["sql"], waiting["rows"]) == ("confirm", "", [])
        agreed = shop.json("ask", "total amount by region", "--yes")
        assert (agreed["outcome"], agreed["agreed"]) == ("answered", "*")
        shown = shop("ask", "total amount by region", code=6).stdout
        assert "SELECT" in shown  # what would run can be read before one agrees
    finally:
        config.write_text(before, encoding="utf-8")


def test_a_passage_from_the_documents(shop: Shell) -> None:
    record = shop.json("ask", "Within how many days may goods be returned?")
    assert (record["outcome"], record["route"]) == ("answered", "documents")
    [citation] = record["citations"][:1]
    assert "30 days" in citation["quote"]
    assert citation["quote"] in HANDBOOK


def test_a_person_reads_it_too(shop: Shell) -> None:
    shown = shop("ask", "How many stores are there?").stdout
    assert "3" in shown
    assert "SELECT" in shown


def test_what_cannot_be_answered_is_declined(shop: Shell) -> None:
    record = shop.json("ask", "What is the weather on Mars tomorrow?", code=3)
    assert record["outcome"] == "declined"
    assert record["sql"] == ""


@pytest.mark.parametrize("question", ["", "   ", "x" * 10_000])
def test_bad_questions(shop: Shell, question: str) -> None:
    done = shop("ask", question, code=2)
    assert "error:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_binary_question(shop: Shell) -> None:
    done = shop("ask", "-", code=2, stdin=bytes(range(256)) * 4)
    assert "not readable text" in done.stderr


def test_a_terminal_that_is_not_utf8(shop: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert "total" in shop("ask", "total amount by region").stdout
    assert shop.json("ask", "店は何件ですか")["question"] == "店は何件ですか"


@pytest.mark.parametrize(
    "arguments",
    [["ask", "How many stores are there?"], ["guard", "--dialect", "klingon", "--ddl", "none.sql"]],
)
def test_a_reader_who_leaves_is_no_fault(shop: Shell, arguments: list[str]) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "app", *arguments],
        env={**os.environ, "BUNMYAKU_HOME": str(shop.home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None
    running.stdout.close()
    running.stdout = None
    _, said = running.communicate(b'{"id": 1, "sql": "SELECT 1"}\n', timeout=120)
    assert (running.returncode, said) == (0, b"")


@pytest.mark.parametrize("seconds", [0.2, 0.6, 1.2])
def test_ctrl_c_ends_it_without_a_word(shop: Shell, seconds: float) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "app", "ask", "How many stores are there?"],
        env={**os.environ, "BUNMYAKU_HOME": str(shop.home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(seconds)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=120)
    assert b"Traceback" not in said
    # A quick machine may have answered; Python itself may end by the signal, which a shell calls 130 too.
    assert running.returncode in (0, INTERRUPTED, -signal.SIGINT)


def test_a_typing_error_in_the_semantic_model_is_told(shop: Shell) -> None:
    file = shop.home / "semantic.yaml"
    kept = file.read_text(encoding="utf-8")
    file.write_text(kept.replace("expr: amount", "expr: amuont"), encoding="utf-8")
    try:
        done = shop("ask", "How many stores are there?")
        assert "there is no column amuont in sale" in done.stderr
        assert "amuont" not in done.stdout
        assert any("amuont" in problem for problem in shop.json("status")["semantic_model"])
    finally:
        file.write_text(kept, encoding="utf-8")
    assert shop.json("status")["semantic_model"] == "semantic.yaml"


def test_an_unknown_user(shop: Shell) -> None:
    assert "mallory" in shop("ask", "How many stores?", "--user", "mallory", code=2).stderr


def test_status_and_stop(shop: Shell) -> None:
    found = shop.json("status")
    assert found["store"]["documents"] > 0
    assert found["warehouse"]["dialect"] == "sqlite"
    assert found["unreachable"] == []
    shop("stop")
    assert "was not running" in shop("stop").stdout


def test_status_ends_with_5_where_a_part_cannot_be_reached_and_shows_the_rest(shop: Shell) -> None:
    file = shop.home / "config.yaml"
    kept = file.read_text(encoding="utf-8")
    try:
        file.write_text(re.sub(r"(?m)^warehouse: .*$", "warehouse: gone.sqlite", kept), encoding="utf-8")
        found = json.loads(shop("status", "--json", code=5).stdout)
        assert found["unreachable"] == ["warehouse"]
        assert "gone.sqlite" in found["warehouse"]
        assert found["store"]["documents"] > 0
        secret = "postgresql://reader:hunter2@127.0.0.1:1/shop"
        file.write_text(re.sub(r"(?m)^warehouse: .*$", f"warehouse: {secret}", kept), encoding="utf-8")
        done = shop("status", code=5)
        assert "hunter2" not in done.stdout + done.stderr
        assert "127.0.0.1" in done.stdout
    finally:
        file.write_text(kept, encoding="utf-8")


def test_a_second_ingest_reads_nothing_again(shop: Shell, tmp_path: Path) -> None:
    shop("ingest", "--report", str(tmp_path / "report.json"))
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert (report["documents"], report["unchanged"], report["deleted"]) == (0, 1, 0)
    assert [entry["uri"].endswith("broken.pdf") for entry in report["quarantined"]] == [True]


def test_nothing_set_up(tmp_path: Path) -> None:
    for command in (["ask", "anything"], ["status"], ["ui"]):
        done = Shell(tmp_path / "empty")(*command, code=2)
        assert "bunmyaku init" in done.stderr


@pytest.mark.parametrize("port", ["99999", "taken"])
def test_a_port_that_cannot_be_used(shop: Shell, port: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        chosen = str(taken.getsockname()[1]) if port == "taken" else port
        done = shop("ui", "--port", chosen, code=2)
    assert "65535" in done.stderr if port == "99999" else chosen in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_warehouse(tmp_path: Path) -> None:
    done = Shell(tmp_path / "home")("init", "--warehouse", str(tmp_path / "nowhere.db"), code=5)
    assert "nowhere.db" in done.stderr
    assert not (tmp_path / "home" / "config.yaml").exists()


def test_an_unreachable_store(shop: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUNMYAKU_DATABASE_DSN", "postgresql://nobody:secret@127.0.0.1:1/none")
    done = shop("ask", "How many stores?", code=5)
    assert "secret" not in done.stderr + done.stdout


DDL = "CREATE TABLE sale (id INTEGER, region TEXT, amount INTEGER);"
POLICY = """
version: 1
name: shop
attributes: {regions: {type: text, list: true}}
tables: {sale: {grants: [{roles: [manager], rows: "region IN (:regions)"}]}}
"""


def guard(tmp_path: Path, lines: str, *more: str, dialect: str = "sqlite") -> list[dict[str, Any]]:
    (tmp_path / "shop.sql").write_text(DDL, encoding="utf-8")
    done = Shell(tmp_path / "none")(
        "guard", "--dialect", dialect, "--ddl", str(tmp_path / "shop.sql"), *more, stdin=lines
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_guard_alone(tmp_path: Path) -> None:
    lines = "\n".join(
        [
            json.dumps({"id": "a", "sql": "SELECT region, sum(amount) FROM sale GROUP BY region"}),
            json.dumps({"id": "b", "sql": "DROP TABLE sale"}),
            "not json",
            json.dumps({"id": "c", "sql": "SELECT secret FROM sale"}),
        ]
    )
    allowed, dropped, broken, unknown = guard(tmp_path, lines)
    assert allowed["allowed"]
    assert allowed["policy"] is None
    assert allowed["tables"] == ["sale"]
    assert allowed["columns"] == ["sale.amount", "sale.region"] or set(allowed["columns"]) == {
        "sale.amount",
        "sale.region",
    }
    for refused in (dropped, broken, unknown):
        assert not refused["allowed"]
        assert refused["violations"]
        assert refused["sql"] == ""
    assert set(allowed) >= {
        "id",
        "allowed",
        "sql",
        "parameters",
        "policy",
        "violations",
        "warnings",
        "tables",
        "columns",
    }


def test_the_guard_with_a_policy(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    line = json.dumps({"id": 1, "sql": "SELECT count(*) FROM sale"})
    options = ("--policy", str(tmp_path / "policy.yaml"), "--user")
    [mine] = guard(
        tmp_path, line, *options, json.dumps({"roles": ["manager"], "attributes": {"regions": ["North"]}})
    )
    assert mine["allowed"]
    assert "North" in mine["parameters"].values()
    assert "North" not in mine["sql"]
    [theirs] = guard(tmp_path, line, *options, json.dumps({"roles": ["guest"]}))
    assert not theirs["allowed"]


def test_an_unsupported_dialect_refuses_line_by_line(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({"id": n, "sql": "SELECT 1"}) for n in range(2))
    verdicts = guard(tmp_path, lines, dialect="klingon")
    assert [verdict["allowed"] for verdict in verdicts] == [False, False]
