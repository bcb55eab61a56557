"""A process that uses the database as told on its standard input, one command a line, one line answered each."""

from __future__ import annotations

import sys
from pathlib import Path

from retrieval.errors import StoreUnavailable
from retrieval.postgres.database import Database, open_database
from retrieval.postgres.migrations import migrate


def answer(database: Database, command: str, argument: str) -> str:
    if command == "migrate":
        return ",".join(migrate(database, "shop", Path(argument)))
    with database.connection() as connection:
        if command == "write":  # one committed row
            connection.execute("CREATE TABLE IF NOT EXISTS public.sales (n int)")
            connection.execute("INSERT INTO public.sales VALUES (%s)", [int(argument)])
            return "written"
        if command == "count":
            row = connection.execute("SELECT count(*) FROM public.sales").fetchone()
            return str(row[0] if row else None)
        if command == "sleep":  # a query that is busy in the server
            print("sleeping", flush=True)
            connection.execute("SELECT count(*) FROM generate_series(1, 2000000000)")
    return "unknown"


def main() -> int:
    home, *rest = sys.argv[1:]
    try:
        database = open_database(Path(home), *rest)
    except StoreUnavailable as error:
        print(f"error {type(error).__name__}: {error}", flush=True)
        return 1
    print("ready", flush=True)
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "leave":
            database.close()
            print("left", flush=True)
            return 0
        try:
            print(answer(database, command, argument), flush=True)
        except StoreUnavailable as error:
            print(f"error {error}", flush=True)
    return 0  # standard input closed: ends without closing the database, as a careless program does


if __name__ == "__main__":
    sys.exit(main())
