"""`bunmyaku demo` from an empty home to four answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from demo import cli
from demo.building import MARK
from demo.documents import PAPERS
from demo.errors import DemoError, NotADemoHome
from demo.questions import QUESTIONS
from retrieval.postgres.database import Database

FILES = sum(bool(form) for paper in PAPERS for form in (paper.en, paper.ja))
SMALL = ("--customers", "300", "--no-serve")


@pytest.fixture
def run(home: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A runner whose home is fresh and whose relational store is the test's database."""
    monkeypatch.setenv("BUNMYAKU_HOME", str(home))
    monkeypatch.setenv("BUNMYAKU_DATABASE_DSN", database.dsn)
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


def demo(run: CliRunner, *arguments: str) -> Result:
    application = typer.Typer()
    application.command()(cli.command)
    return run.invoke(application, list(arguments))


def test_it_builds_ingests_and_answers_its_four_questions(run: CliRunner, home: Path) -> None:
    result = demo(run, *SMALL)
    assert result.exit_code == 0, result.output
    said = result.output
    assert "built the insurer" in said
    # Without the command for it, the scanned page alone waits in quarantine.
    scans = 0 if shutil.which("tesseract") else 1
    assert f"{FILES - scans} documents read" in said
    assert f"{scans} in quarantine" in said
    for asked in QUESTIONS:
        assert asked.question[:30] in said
    assert "120 km" in said
    assert said.count("SELECT") >= 3
    assert "[1] Roadside assistance" in said
    assert "kazahaya v1: 1 row rules" in said, "the manager's question is answered from own prefectures"
    assert "損害率" in said
    assert json.loads((home / MARK).read_text(encoding="utf-8"))["made"]["customers"] == 300

    again = demo(run, *SMALL, "--questions", str(_file(home, "- Loss ratio by plan in FY2025\n")))
    assert again.exit_code == 0, again.output
    assert "found the insurer" in again.output
    assert f"0 documents read (0 chunks), {FILES - scans} unchanged" in again.output
    assert "Premier" in again.output

    unanswered = demo(run, *SMALL, "--questions", str(_file(home, "- Which colour is the moon's banana?\n")))
    assert unanswered.exit_code == 3, unanswered.output


def test_a_scale_is_rows_of_trips(run: CliRunner, home: Path) -> None:
    question = str(_file(home, "- Hard braking rate by region\n"))
    result = demo(run, "--customers", "60", "--scale", "50k", "--no-serve", "--questions", question)
    assert result.exit_code == 0, result.output
    assert "60 customers" in result.output
    assert json.loads((home / MARK).read_text(encoding="utf-8"))["rows"]["trips"] == 50_000
    assert "per 100 km" in result.output


@pytest.mark.parametrize("scale", ["much", "0", "-1", "2000m", "1.5x"])
def test_a_scale_that_is_no_size_is_refused_before_anything_is_built(
    run: CliRunner, home: Path, scale: str
) -> None:
    result = demo(run, "--scale", scale, "--no-serve")
    assert isinstance(result.exception, DemoError)
    assert "100m" in result.exception.todo
    assert not home.exists()


def test_somebody_elses_home_is_left_alone(run: CliRunner, home: Path) -> None:
    home.mkdir()
    (home / "config.yaml").write_text("default_user: me\n", encoding="utf-8")
    result = demo(run, *SMALL)
    assert isinstance(result.exception, NotADemoHome)
    assert [path.name for path in home.iterdir()] == ["config.yaml"]


def test_questions_are_read_before_anything_is_built(run: CliRunner, home: Path) -> None:
    result = demo(run, *SMALL, "--questions", str(home / "none.yaml"))
    assert isinstance(result.exception, DemoError)
    assert not home.exists()


@pytest.mark.parametrize("arguments", [("--customers", "0"), ("--customers", "many"), ("--seed", "-1")])
def test_wrong_numbers_are_usage_errors(run: CliRunner, home: Path, arguments: tuple[str, str]) -> None:
    assert demo(run, *arguments).exit_code == 2
    assert not home.exists()


def _file(home: Path, content: str) -> Path:
    path = home.parent / "questions.yaml"
    path.write_text(content, encoding="utf-8")
    return path
