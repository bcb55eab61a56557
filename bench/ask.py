"""Where the time of one question goes, on the demo company, after start-up; and beside others.

    python -m bench ask [--rounds 5] [--customers 1000] [--home HOME] [--questions N]

First ours alone: median and 95th percentile of the whole way and of each part, in milliseconds, over the questions
the demo ships for trying (`demo/questions.yaml`): documents, queries and both, in English and Japanese.

Then those of them that a query answers, beside agents of other projects on copies of the same DuckDB file. All are
given the same SQL, as from a model that takes no time, so that what is compared is everything else. Ours also looks
up documents and definitions, guards, explains and keeps a record; "ours, drafting too" drafts the SQL itself.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.ingesting import folders_of, ingest_folders
from app.settings import load
from app.walk import Given
from app.wiring import Application, open_application, open_stores
from bench import _peers_ask as peers
from bench._rounds import OURS, Contender, compared, installed, percentile, race, ratios, table, versions
from demo.building import WAREHOUSE, build_home
from demo.questions import SPREAD, read_questions
from evals.cases import spread
from retrieval.postgres.database import open_database
from text2sql.types import Draft, Drafting


@dataclass(frozen=True)
class Asked:
    """A question that a query answered, and the draft that did."""

    user: str
    question: str
    draft: Draft


def main(arguments: list[str]) -> None:
    """Build a demo home, measure ours, then everybody."""
    parser = argparse.ArgumentParser(prog="bench ask", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--customers", type=int, default=1000)
    parser.add_argument("--home", type=Path, help="use (and keep) this demo home")
    parser.add_argument("--questions", type=int, help="at most so many, evenly spread")
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
                asked = run(app, given.rounds, given.questions)
                beside(app, asked, home / WAREHOUSE, Path(scratch), given.rounds)
        finally:
            database.close()


def run(app: Application, rounds: int, most: int | None = None) -> list[Asked]:
    """Ask everything `rounds` times and print the table; returns what a query answered."""
    questions = spread(list(read_questions(SPREAD)), most)
    parts: dict[str, list[float]] = defaultdict(list)
    outcomes: dict[str, int] = defaultdict(int)
    queries = []
    for number in range(rounds + 1):
        for user, question in questions:
            record = app.assistant.answer(question, app.principal(user))
            if number:  # the first round fills caches: scopes, statements, the embedder's arena
                for part, seconds in record.timings.items():
                    parts[part].append(seconds * 1000)
                outcomes[record.outcome] += 1
            elif record.outcome == "answered" and record.route == "query":
                queries.append(Asked(user, question, record.attempts[-1].draft))
    print(f"{len(questions)} questions x {rounds} rounds: {dict(outcomes)}")
    rows = [
        (part, f"{statistics.median(times):.1f}", f"{percentile(times, 0.95):.1f}", len(times))
        for part, times in sorted(parts.items(), key=lambda item: -statistics.median(item[1]))
    ]
    print(table(("part", "p50 ms", "p95 ms", "n"), rows))
    return queries


def beside(app: Application, asked: Sequence[Asked], warehouse: Path, scratch: Path, rounds: int) -> None:
    """Race everybody over the questions that a query answers; a round is all of them."""
    here, missing = installed(peers.PEERS)
    print("\n" + compared(versions("duckdb"), here, missing))
    tables = sorted({name.rpartition(".")[2] for one in asked for name in one.draft.tables})
    asking: dict[str, Callable[[Asked], object]] = {
        OURS: lambda one: app.assistant.answer(
            one.question, app.principal(one.user), given=Given(drafting=Drafting(drafts=(one.draft,)))
        ),
        "ours, drafting too": lambda one: app.assistant.answer(one.question, app.principal(one.user)),
    }
    for number, name in enumerate(here):
        folder = scratch / f"peer-{number}"
        folder.mkdir()
        copy = Path(
            shutil.copyfile(warehouse, folder / "copy.duckdb")
        )  # one process, one configuration a file
        ask = peers.PEERS[name][1](copy, tables)
        asking[name] = lambda one, ask=ask: ask(one.question, one.draft.sql)
    racing = [Contender(name, lambda a=answer: [a(one) for one in asked]) for name, answer in asking.items()]
    race(racing, 1)
    times = race(racing, rounds)
    rows = []
    for name, seconds in times.items():
        each = [value / len(asked) * 1000 for value in seconds]
        rows.append(
            (name, len(asked), f"{statistics.median(each):.1f}", f"{min(each):.1f}", ratios(times, name))
        )
    print(table(("who", "questions", "ms a question", "best", "ratio (range)"), rows))
