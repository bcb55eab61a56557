"""Faults are planted in a home that was measured: the gate opens for the home as it was, and shuts for each of them."""

from __future__ import annotations

import atexit
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from app.ingesting import folders_of, ingest_folders
from app.settings import load as load_settings
from app.wiring import open_stores
from demo.building import build_home
from evals.asking import ask, opened
from evals.cli import command
from evals.commands.answers import summarise
from evals.report import write
from evals.runner import run
from evals.suites.house import HouseCase, load
from retrieval.postgres.database import Database, open_database
from retrieval.stores import build as build_store
from retrieval.types import Chunk, Document, Principal, SemanticQuery

TODAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
SUITE = Path(__file__).parents[2] / "demo" / "suite.yaml"
MORE = """\
cases:
  - {id: g1, question: "Who needs to approve claims whose expected cost is high?", user: guest, documents: [&guide [claims-handling-guide.en]]}
  - {id: g2, question: "When does a claim handler call the customer back?", user: guest, documents: [*guide]}
  - {id: g3, question: "Within how many business days is the vehicle inspected by a repair shop?", user: guest, documents: [*guide]}
  - {id: g4, question: "When is a claim rejected?", user: guest, documents: [*guide]}
  - {id: g5, question: "Within how many days is the first payment made after the report?", user: guest, documents: [*guide]}
  - {id: g6, question: "Does the deductible apply to liability towards others?", user: guest, documents: [*guide]}
  - {id: g7, question: "How much does the no-claim grade fall after a collision?", user: guest, documents: [*guide]}
  - {id: g8, question: "Who settles the shares of fault with the other insurer?", user: guest, documents: [*guide]}
"""
"""Eight questions that one document answers."""


class Home:
    """A demo home that can be measured again and again."""

    def __init__(self, folder: Path, cases: list[HouseCase]) -> None:
        self.folder = folder
        self.cases = cases
        self.baseline = self.measured("baseline")

    def measured(self, name: str) -> Path:
        """A report of the home as it is now."""
        opened.cache_clear()
        application = opened(self.folder, TODAY)
        try:
            rows = run(self.cases, lambda case: ask(case, self.folder, TODAY), key=lambda case: case.id)
        finally:
            atexit.unregister(application.close)
            application.close()
            opened.cache_clear()
        out = self.folder.parent / f"{name}.json"
        write(out, summarise("kazahaya", rows, {}, "data", {}), rows)
        return out

    def gate(self, name: str) -> tuple[int, dict[str, Any]]:
        """The gate's exit code for the home as it is now, and what it found."""
        found = self.folder.parent / f"{name}.found.json"
        result = CliRunner().invoke(
            command, ["compare", str(self.measured(name)), str(self.baseline), "--gate", "--out", str(found)]
        )
        assert isinstance(result.exception, SystemExit | None), result.output
        return result.exit_code, json.loads(found.read_text(encoding="utf-8"))

    def changed(self, file: str, change: Callable[[str], str]) -> Callable[[], None]:
        """Change a file of the home; returns what puts it back."""
        path = self.folder / file
        before = path.read_text(encoding="utf-8")
        after = change(before)
        assert after != before
        path.write_text(after, encoding="utf-8")
        return lambda: path.write_text(before, encoding="utf-8") and None


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("planted") / "home"
    database = open_database(folder)
    try:
        build_home(folder, database, 300)
        settings = load_settings(folder, environment={})
        with open_stores(settings) as stores:
            ingest_folders(stores, folders_of(settings, []))
        (folder.parent / "more.yaml").write_text(MORE, encoding="utf-8")
        wanted = {"scope", "withhold", "loss_ratio"}
        askers = {"ana", "yui", "ren", "aoi"}  # what a user may see is worked out once a user: few of them
        cases = [case for case in load(SUITE).cases if wanted & set(case.tags) and case.user in askers]
        yield Home(folder, cases + list(load(folder.parent / "more.yaml").cases))
    finally:
        database.close()


def test_the_home_as_it_was_opens_the_gate(home: Home) -> None:
    code, found = home.gate("again")
    assert code == 0
    assert found["metrics"][0]["worse"] == 0
    assert found["metrics"][0]["first_score"] > 0.6  # or there would be little to lose


def test_a_loosened_policy_is_a_leak(home: Home) -> None:
    restore = home.changed(
        "policy.yaml", lambda text: text.replace("rows: 'agent_id = :agent_id'", "rows: all")
    )
    try:
        code, found = home.gate("loosened")
    finally:
        restore()
    assert code == 1
    assert len(found["leaks"]) >= 4
    assert all("agent" in key for key in found["leaks"])
    assert max(found["metrics"][0]["lost_by_part"], key=found["metrics"][0]["lost_by_part"].get) == "policy"


@pytest.mark.slow
def test_a_broken_synonym_is_blamed_on_linking(home: Home) -> None:
    def broken(text: str) -> str:
        return re.sub("loss ratio|claims ratio|損害率|ロスレシオ", "xyzzy", text)

    # The glossary says the same words: with one of the two intact nothing is lost.
    restores = [home.changed(file, broken) for file in ("semantic.yaml", "glossary.yaml")]
    try:
        code, found = home.gate("synonym")
    finally:
        for restore in restores:
            restore()
    assert code == 1
    metric = found["metrics"][0]
    assert metric["verdict"] == "worse"
    assert all("ratio" in key for key in metric["lost"])
    assert max(metric["lost_by_part"], key=metric["lost_by_part"].get) == "linking"


@pytest.mark.slow
def test_lost_documents_are_blamed_on_retrieval(home: Home) -> None:
    """Last of the module: what is deleted stays deleted."""
    settings = load_settings(home.folder, environment={})
    with open_stores(settings) as stores:
        asker = Principal("guest")
        found = stores.store.search(
            SemanticQuery("claims handling guide accident", asker, limit=50, dense=False)
        )
        gone = {
            p.chunk.document.id for p in found.passages if "claims-handling-guide.en" in p.chunk.document.uri
        }
        assert stores.store.delete(sorted(gone)) == 1
    code, report = home.gate("lost")
    assert code == 1
    metric = report["metrics"][0]
    assert metric["verdict"] == "worse"
    assert all(key.startswith("g") for key in metric["lost"])
    assert max(metric["lost_by_part"], key=metric["lost_by_part"].get) == "retrieval"


def filled(database: Database, documents: int) -> list[str]:
    """A store of generated text; returns questions, each of rare words of one document."""
    random = np.random.default_rng(0)
    vocabulary = ["".join(random.choice(list("abcdefghijklmnop"), 7)) for _ in range(20_000)]
    store = build_store("pgvector", {"database": database, "model": None})
    texts = [" ".join(random.choice(vocabulary, 40)) for _ in range(documents)]
    for start in range(0, documents, 2_000):
        part = [
            Chunk(f"d{i}#0", Document(f"d{i}", "1", f"mem:{i}", f"D{i}"), 0, texts[i])
            for i in range(start, min(start + 2_000, documents))
        ]
        store.upsert(part, [])
    return [" ".join(text.split()[:3]) for text in texts[:: documents // 40]]


def timed(database: Database, questions: list[str], path: Path) -> Path:
    """A report of how long each question took (the best of three), and whether its document came first."""
    store = build_store("pgvector", {"database": database, "model": None})
    rows = []
    for number, text in enumerate(questions):
        seconds = []
        for _ in range(3):
            started = perf_counter()
            found = store.search(SemanticQuery(text, Principal("kim"), dense=False))
            seconds.append(perf_counter() - started)
        rows.append({"id": str(number), "passed": bool(found.passages), "seconds": min(seconds)})
    summary = {
        "suite": "generated",
        "n": len(rows),
        "version": {},
        "coverage": 1.0,
        "options": {},
        "fingerprint": "",
    }
    write(path, summary, rows)
    return path


@pytest.mark.slow
def test_a_dropped_index_is_seen_by_the_time_it_takes(database: Database, tmp_path: Path) -> None:
    questions = filled(database, 10_000)
    with database.connection() as connection:
        connection.execute("ANALYZE retrieval.lexical")
    baseline = timed(database, questions, tmp_path / "baseline.json")
    again = timed(database, questions, tmp_path / "again.json")
    assert CliRunner().invoke(command, ["compare", str(again), str(baseline), "--gate"]).exit_code == 0
    with database.connection() as connection:
        connection.execute("DROP INDEX retrieval.lexical_terms")
    dropped = timed(database, questions, tmp_path / "dropped.json")
    result = CliRunner().invoke(command, ["compare", str(dropped), str(baseline), "--gate"])
    assert result.exit_code == 1, result.output
    assert "significantly slower" in result.output
