"""A pytest plugin: the proof that our guard is held to, for any guard. See docs/guard-proof.md.

It is loaded with every pytest run of an environment that has this package, before a run measures what it covers: so it
holds the options alone, and brings the fixture in later.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the proof: each stands for what the fixture is not told."""
    group = parser.getgroup("guard proof", "differential proof of a guard that rewrites SQL")
    group.addoption("--proof-guard", default=None, metavar="MODULE:NAME", help="The guard that is proved.")
    group.addoption("--proof-database", default=None, metavar="PATH", help="An SQLite or DuckDB file.")
    group.addoption("--proof-queries", default=None, metavar="FILE", help="Statements: .sql or .jsonl.")
    group.addoption("--proof-policies", default=None, metavar="FILE", help="A policy, or `random` (default).")
    group.addoption("--proof-seeds", default=None, type=int, metavar="N", help="Random policies (default 5).")


def pytest_configure(config: pytest.Config) -> None:
    """Bring the fixture in."""
    config.pluginmanager.import_plugin("evals.proving.fixture")
