"""The model server as a fixture: `from tests.doubles.fixtures import model_server` in a conftest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doubles.model_server import ModelServer

__all__ = ["model_server"]


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    """A fresh server that replies "ok" until it is told something else."""
    with ModelServer() as server:
        yield server
