"""The tests of the promises can fail: with one thing broken, at least one test of its promise does."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import pytest

from tests.promises.breaking import Breach, breaches

PROMISES = range(1, 11)
BREACHES = list(breaches())


def promised(number: int) -> list[Callable[[], None]]:
    """The tests of a promise, as plain functions."""
    module = import_module(f"tests.promises.test_promise_{number:02}")
    return [test for name, test in vars(module).items() if name.startswith("test_")]


@pytest.mark.parametrize("breach", BREACHES, ids=[f"{b.promise}: {b.what}" for b in BREACHES])
def test_what_is_broken_is_noticed(breach: Breach, monkeypatch: pytest.MonkeyPatch) -> None:
    breach.apply(monkeypatch)
    for test in promised(breach.promise):
        try:
            test()
        except Exception:  # noqa: BLE001 - any failure of theirs is what is looked for
            return
    pytest.fail(f"with {breach.what!r}, promise {breach.promise} still seems to hold")


def test_every_promise_is_tested_and_broken() -> None:
    assert {breach.promise for breach in BREACHES} == set(PROMISES)
    assert all(promised(number) for number in PROMISES)
