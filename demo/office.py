"""The situational tables in PostgreSQL, filled from the warehouse so that both say the same."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
from psycopg import sql

from demo.constants import LAST_DAY, NOTES
from demo.errors import NotADemoHome
from demo.names import GIVEN_NAMES, SURNAMES
from demo.people import ROLES, USERS
from retrieval.postgres.database import Database

_SCRIPT = Path(__file__).with_name("situational.sql")
_MARK = "Made by the demo: "
_BLOCK = 1 << 16

# What each table is filled with, as a query over the warehouse; $today is the day it was loaded.
_QUERIES = {
    "customers": """
        SELECT p.customer_id, any_value(customer_name), any_value(s.name_ja || ' ' || g.name_ja),
            any_value(birth_date), any_value(prefecture), any_value(agent_id),
            format('070-0000-{:04d}', (substr(p.customer_id, 3)::BIGINT * 7919 % 10000)::INTEGER),
            min(start_date - to_years(term_number - 1))::DATE, $today
        FROM policies AS p
        JOIN s_surname AS s ON s.name = split_part(customer_name, ' ', 1)
        JOIN s_given AS g ON g.name = split_part(customer_name, ' ', 2)
        GROUP BY p.customer_id ORDER BY p.customer_id""",
    "vehicles": """
        SELECT DISTINCT vehicle_id, customer_id, vehicle_class, model_year FROM policies
        ORDER BY vehicle_id""",
    "policies": """
        SELECT policy_id, customer_id, vehicle_id, product, status, start_date, end_date, annual_premium_yen,
            deductible_yen, towing_km, grade
        FROM policies JOIN products USING (product)
        QUALIFY row_number() OVER (PARTITION BY vehicle_id ORDER BY term_number DESC) = 1 ORDER BY policy_id""",
    "open_claims": """
        SELECT claim_id, customer_id, cause, occurred_on, reserve_yen
        FROM claims JOIN policies USING (policy_id) WHERE claims.status = 'Open' ORDER BY claim_id""",
    "call_notes": """
        SELECT call_id, customer_id, called_at, reason, CASE WHEN resolved THEN n.done ELSE n.pending END
        FROM calls JOIN s_note AS n USING (reason)
        WHERE called_at >= $today::DATE - INTERVAL 1 YEAR ORDER BY call_id""",
}  # fmt: skip


def fill_office(database: Database, warehouse: Path, mark: str) -> None:
    """Make the schema `insurer` anew, in one transaction, and mark it as the demo's.

    Raises `NotADemoHome` where a schema of that name exists that the demo did not make.
    """
    with database.connection() as connection, connection.transaction():
        if _comment(connection) is not None:
            connection.execute("DROP SCHEMA insurer CASCADE")
        # Without parameters psycopg sends the script as it is, several statements at once.
        connection.execute(_SCRIPT.read_bytes())
        _copy(connection, "roles", _lines(ROLES.items()))
        _copy(connection, "users", _lines(_users()))
        with duckdb.connect(str(warehouse), read_only=True) as source, TemporaryDirectory() as folder:
            _register(source)
            for table, query in _QUERIES.items():
                file = Path(folder) / f"{table}.csv"
                text = query.replace("$today", f"DATE '{LAST_DAY.isoformat()}'")
                source.execute(f"COPY ({text}) TO '{file}' (FORMAT csv, HEADER false)")
                _copy(connection, table, file.read_bytes())
        comment = sql.SQL("COMMENT ON SCHEMA insurer IS {}").format(sql.Literal(_MARK + mark))
        connection.execute(comment)


def office_mark(database: Database) -> str | None:
    """What the demo marked the schema `insurer` with, None where there is none. Raises `NotADemoHome`."""
    with database.connection() as connection:
        return _comment(connection)


def _comment(connection: psycopg.Connection[Any]) -> str | None:
    row = connection.execute(
        "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s", ("insurer",)
    ).fetchone()
    if row is None:
        return None
    comment = str(row[0] or "")
    if not comment.startswith(_MARK):
        raise NotADemoHome(
            "The database has a schema `insurer` that is not the demo's",
            where="schema insurer",
            todo="Give the demo a database of its own.",
        )
    return comment.removeprefix(_MARK)


def _register(source: duckdb.DuckDBPyConnection) -> None:
    for name, pairs in (("s_surname", SURNAMES), ("s_given", GIVEN_NAMES)):
        romaji, written = zip(*pairs, strict=True)
        source.register(name, pa.table({"name": list(romaji), "name_ja": list(written)}))
    reasons, done, pending = zip(*((reason, *texts) for reason, texts in NOTES.items()), strict=True)
    source.register(
        "s_note", pa.table({"reason": list(reasons), "done": list(done), "pending": list(pending)})
    )


def _users() -> list[tuple[str, ...]]:
    return [
        (
            u.id,
            u.name,
            u.language,
            "default",
            "{" + ",".join(u.roles) + "}",
            json.dumps(u.attributes, ensure_ascii=False),
        )
        for u in USERS
    ]


def _lines(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _copy(connection: psycopg.Connection[Any], table: str, content: bytes) -> None:
    statement = sql.SQL("COPY insurer.{} FROM STDIN (FORMAT csv)").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for start in range(0, len(content), _BLOCK):
            copy.write(content[start : start + _BLOCK])
