"""The tests' own PostgreSQL, started once for this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.text2sql.warehouses.postgres_server import OwnServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[OwnServer]:
    """A server with a superuser, on the loopback."""
    server = OwnServer()
    yield server
    server.close()
