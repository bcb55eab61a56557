"""The fixtures and the pool: what everyone else's tests stand on."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from retrieval.errors import StoreUnavailable
from retrieval.postgres.database import Database, open_database


def test_a_database_is_fresh_and_has_pgvector(database: Database) -> None:
    with database.connection() as connection:
        connection.execute("CREATE TABLE public.mark (n int)")
        row = connection.execute("SELECT '[1,2]'::vector::text, '{1:2}/3'::sparsevec::text").fetchone()
    assert row == ("[1,2]", "{1:2}/3")


def test_another_test_sees_none_of_it(database: Database) -> None:
    with database.connection() as connection:
        assert connection.execute("SELECT to_regclass('public.mark')").fetchone() == (None,)
        packages = connection.execute("SELECT DISTINCT package FROM public.bunmyaku_migrations").fetchall()
    assert ("retrieval",) in packages


def test_a_block_commits_and_an_error_rolls_back(database: Database) -> None:
    with database.connection() as connection:
        connection.execute("CREATE TABLE public.mark (n int)")
    with pytest.raises(ValueError, match="no"):
        _insert_and_fail(database)
    with database.connection() as connection:
        connection.execute("INSERT INTO public.mark VALUES (2)")
    with database.connection() as connection:
        assert connection.execute("SELECT n FROM public.mark").fetchall() == [(2,)]


def _insert_and_fail(database: Database) -> None:
    with database.connection() as connection:
        connection.execute("INSERT INTO public.mark VALUES (1)")
        raise ValueError("no")


def test_no_password_is_shown(database: Database, server_home: Path) -> None:
    password = (server_home / "postgres" / "pgpass").read_text().strip().rsplit(":", 1)[1]
    assert len(password) >= 32
    assert password not in repr(database)
    assert password not in database.dsn


def test_an_unknown_database_is_made_by_dsn(database: Database, home: Path) -> None:
    other = open_database(home, psycopg.conninfo.make_conninfo(database.dsn, dbname=f"{database.name}_made"))
    try:
        assert not other.embedded
        with other.connection() as connection:
            assert connection.execute(
                "SELECT count(*) FROM pg_extension WHERE extname = 'vector'"
            ).fetchone() == (1,)
    finally:
        other.close()
    with pytest.raises(StoreUnavailable, match="closed"), other.connection():
        pass
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("DROP DATABASE {}").format(psycopg.sql.Identifier(other.name)))
    assert not home.exists()
