"""Records the replies that `test_replayed.py` replays: `python -m tests.app.recording`, after a prompt was changed.

The replies are those of the model server on this machine, scripted below; what is recorded is the request that the
product sends for each question today.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from prompts.replaying import RecordingChatModel
from retrieval.postgres.database import Database, open_database
from retrieval.postgres.migrations import migrate
from tests.app.modelling import RETURNS, Modelled, decline, fill_shop, query
from tests.doubles.model_server import ModelServer

FILE = Path(__file__).resolve().parents[1] / "fixtures" / "replies" / "shop.jsonl"
BY_REGION = "SELECT region, SUM(amount) AS revenue FROM sale GROUP BY region ORDER BY revenue DESC"
ASKED: dict[str, tuple[str, ...]] = {
    "revenue by region": (
        query(BY_REGION.replace("amount", "amuont"), "revenue by region"),
        query(BY_REGION, "revenue by region"),
        "South comes first with 550, North has 110.",
    ),
    RETURNS: (
        decline("rules are not in the tables"),
        "Unused goods go back within 30 days with the receipt [1].",
    ),
    "地域別の売上高は？": (
        query(BY_REGION, "地域別の売上高"),
        "売上高は南が999円です。",
        "売上高は South が550円、North が110円です。",
    ),
}


def record(database: Database, folder: Path, file: Path) -> None:
    """Ask everything once, over HTTP, and write the replies."""
    file.unlink(missing_ok=True)
    with ModelServer() as server:
        recorder = RecordingChatModel(model=server.bedrock(), path=file)
        modelled = Modelled(database, fill_shop(folder / "shop.db"), recorder)
        for question, replies in ASKED.items():
            server.then(*replies)
            modelled.ask(question)
        modelled.warehouse.close()


def main() -> None:
    """Into the fixtures."""
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as folder, open_database(Path(folder) / "home") as database:
        for package in ("retrieval", "ingest", "app"):
            migrate(database, package, root / package / "migrations")
        record(database, Path(folder), FILE)


if __name__ == "__main__":
    main()
