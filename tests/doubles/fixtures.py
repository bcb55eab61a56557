"""The model server as a fixture: in a conftest, `from tests.doubles.fixtures import model_server, session_server`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doubles.model_server import ModelServer

__all__ = ["model_server", "session_server"]


@pytest.fixture(scope="session")
def session_server() -> Iterator[ModelServer]:
    """One server a session: building a provider's client costs more than most tests."""
    with ModelServer() as server:
        yield server


@pytest.fixture
def model_server(session_server: ModelServer) -> ModelServer:
    """The server as new: it replies "ok" until it is told something else."""
    session_server.reset()
    return session_server
