"""Homes whose server may be killed and stopped."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.postgres.embedded import EmbeddedPostgres, stop
from tests.retrieval.postgres.helpers import down


@pytest.fixture(scope="session")
def _seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped home with a cluster, for copying: a copy costs less than making one."""
    home = tmp_path_factory.mktemp("seed") / "home"
    EmbeddedPostgres(home).acquire().release()
    assert down(home)
    return home


@pytest.fixture
def made_home(_seed: Path, tmp_path: Path) -> Iterator[Path]:
    """A home with a cluster, its server down; what a test leaves running is stopped."""
    home = tmp_path / "home"
    subprocess.run(["cp", "-a", str(_seed), str(home)], check=True)
    yield home
    stop(home)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home that does not exist yet; what a test leaves running is stopped."""
    home = tmp_path / "home"
    yield home
    stop(home)
