"""Where the time of one question goes, on the demo company, after start-up.

    python -m bench ask [--rounds 5] [--customers 1000]

Prints the median and the 95th percentile of the whole way and of each part, in milliseconds. The questions are those
the demo ships for trying (`demo/questions.yaml`): documents, queries and both, in English and Japanese.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from app.ingesting import folders_of, ingest_folders
from app.settings import load
from app.wiring import Application, open_application, open_stores
from demo.building import build_home
from demo.questions import SPREAD, read_questions
from retrieval.postgres.database import open_database


def main(arguments: list[str]) -> None:
    """Build a demo home, warm up with one round, then measure."""
    parser = argparse.ArgumentParser(prog="bench ask", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--customers", type=int, default=1000)
    parser.add_argument("--home", type=Path, help="use (and keep) this demo home")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        home = given.home or Path(scratch) / "home"
        database = open_database(home)
        try:
            build_home(home, database, given.customers)
            settings = load(home)
            with open_stores(settings) as stores:
                ingest_folders(stores, folders_of(settings, []))
            with open_application(settings) as app:
                run(app, given.rounds)
        finally:
            database.close()


def run(app: Application, rounds: int) -> None:
    """Ask everything `rounds` times and print the table."""
    questions = read_questions(SPREAD)
    parts: dict[str, list[float]] = defaultdict(list)
    outcomes: dict[str, int] = defaultdict(int)
    for number in range(rounds + 1):
        for user, question in questions:
            record = app.assistant.answer(question, app.principal(user))
            if number:  # the first round fills caches: scopes, statements, the embedder's arena
                for part, seconds in record.timings.items():
                    parts[part].append(seconds * 1000)
                outcomes[record.outcome] += 1
    print(f"{len(questions)} questions x {rounds} rounds: {dict(outcomes)}")
    print(f"{'part':<12}{'p50 ms':>10}{'p95 ms':>10}{'n':>7}")
    for part, times in sorted(parts.items(), key=lambda item: -statistics.median(item[1])):
        ordered = sorted(times)
        print(
            f"{part:<12}{statistics.median(ordered):>10.1f}{ordered[int(len(ordered) * 0.95)]:>10.1f}{len(ordered):>7}"
        )
