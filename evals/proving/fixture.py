"""The fixture `guard_proof`: the proof that our guard is held to, for any guard. See docs/guard-proof.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from evals.proving.guards import Guard
    from retrieval.types import Principal

_TOLD = 3
"""Findings that are told whole."""


class GuardProof(Protocol):
    """What the fixture `guard_proof` is: call it, and the test fails where the proof does."""

    def __call__(
        self,
        guard: Guard | None = None,
        database: Path | str | None = None,
        queries: Path | Iterable[str] | None = None,
        *,
        policies: str | Path | None = None,
        callers: Sequence[Principal] = (),
        seeds: int | None = None,
        refusals: bool = True,
    ) -> None:
        """Prove the guard; what is left out is taken from the command line."""
        ...


@pytest.fixture
def guard_proof(pytestconfig: pytest.Config) -> GuardProof:
    """Proves a guard: rewritten on everything must give what the original gives on the caller's physical copy."""

    def prove(
        guard: Guard | None = None,
        database: Path | str | None = None,
        queries: Path | Iterable[str] | None = None,
        *,
        policies: str | Path | None = None,
        callers: Sequence[Principal] = (),
        seeds: int | None = None,
        refusals: bool = True,
    ) -> None:
        __tracebackhide__ = True
        from evals.proving.offered import check, find_guard

        named = _or(queries, "queries", pytestconfig)
        found = check(
            guard or find_guard(str(_or(None, "guard", pytestconfig))),
            Path(_or(database, "database", pytestconfig)),
            Path(named) if isinstance(named, str) else named,
            policies=policies or pytestconfig.getoption("--proof-policies") or "random",
            callers=callers,
            seeds=seeds or pytestconfig.getoption("--proof-seeds") or 5,
            refusals=refusals,
        )
        if found:
            told = "\n\n".join(each.text for each in found[:_TOLD])
            more = f"\n\n… and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
            pytest.fail(
                f"the guard is not proved: {len(found)} pairs do not hold\n\n{told}{more}", pytrace=False
            )

    return prove


def _or(given: Any, name: str, config: pytest.Config) -> Any:
    found = given if given is not None else config.getoption(f"--proof-{name}")
    if found is None:
        raise pytest.UsageError(f"guard_proof needs `{name}`, or --proof-{name}")
    return found
