"""kill -9 in the middle, then again: the same end as a run that nobody disturbed, row by row."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from retrieval.postgres.database import Database
from tests.ingest import samples
from tests.ingest.conftest import Run

ROOT = Path(__file__).resolve().parents[2]
FILES = 120


def state(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that matters after a run, without surrogate keys."""
    queries = {
        "chunks": "SELECT c.id, c.text, c.starts, c.ends, c.page, c.heading, d.version, d.uri, d.title"
        " FROM retrieval.chunks c JOIN retrieval.documents d ON d.key = c.document ORDER BY c.id",
        "documents": "SELECT id, uri, state, version, chunks, labels FROM ingest.documents ORDER BY id",
        "quarantine": "SELECT id, uri, reason FROM ingest.quarantine ORDER BY id",
        "terms": "SELECT term, sum(chunks) FROM retrieval.terms GROUP BY term HAVING sum(chunks) > 0 ORDER BY term",
    }
    with database.connection() as connection:
        return {name: connection.execute(query).fetchall() for name, query in queries.items()}


def fill(folder: Path) -> None:
    for number in range(FILES):
        sentences = " ".join(f"Store {number} sold {number * k} boxes in week {k}." for k in range(20))
        (folder / f"report{number:03}.txt").write_text(sentences)
    (folder / "bad.pdf").write_bytes(samples.encrypted_pdf())
    (folder / "good.docx").write_bytes(samples.docx())


def reached(line: str, moment: str) -> bool:
    """Counts may jump: a moment is reached once its number is."""
    word, _, number = moment.partition(" ")
    said = line.split()
    return said[0] == word and (not number or int(said[1]) >= int(number))


def start(database: Database, folder: Path, lake: Path) -> subprocess.Popen[str]:
    module = f"{__package__}.killed_run" if __package__ else "tests.ingest.killed_run"
    return subprocess.Popen(
        [sys.executable, "-m", module, database.dsn, str(folder), str(lake)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.mark.parametrize(
    "moments",
    [
        ("read 40",),
        pytest.param(("stored", "read 100"), marks=pytest.mark.slow),
        pytest.param(("ready", "read 20", "read 60", "read 110"), marks=pytest.mark.slow),
    ],
)
def test_killed_and_run_again(
    database: Database, run: Run, folder: Path, tmp_path: Path, moments: tuple[str, ...]
) -> None:
    fill(folder)
    killed = 0
    for moment in moments:
        with start(database, folder, tmp_path / "lake") as process:
            assert process.stdout is not None
            for line in process.stdout:
                if reached(line, moment):
                    process.kill()
                    killed += 1
                    break
            process.wait(30)
            process.stdout.read()
    assert killed == len(moments), "a run ended before it could be killed"
    # A file goes while nobody looks, another one changes.
    (folder / "report007.txt").unlink()
    (folder / "report008.txt").write_text("Nothing was sold.")
    run()
    survived = state(database)
    assert len(survived["documents"]) == FILES
    assert {row[2] for row in survived["documents"]} == {"current"}
    assert len(survived["quarantine"]) == 1

    # Undisturbed: everything away, then one run.
    with database.connection() as connection:
        connection.execute("TRUNCATE retrieval.documents, retrieval.terms, retrieval.lexical CASCADE")
        connection.execute("TRUNCATE ingest.documents, ingest.quarantine")
    run()
    assert state(database) == survived
