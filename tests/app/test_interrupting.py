from __future__ import annotations

import signal
import sys
from collections.abc import Iterator

import pytest

from app import __main__ as process
from app import cli as line
from app import interrupting


class Command:
    """Stands where the command line is, and makes of Ctrl-C what DuckDB does while it runs a statement."""

    def __call__(self, *, standalone_mode: bool) -> None:
        assert standalone_mode
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)
    interrupting._pressed.clear()


def test_ctrl_c_that_came_back_as_an_error_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(line, "cli", Command())
    monkeypatch.setattr(line, "entry_points", lambda group: ())
    monkeypatch.setattr(sys, "argv", ["bunmyaku", "ask"])
    with pytest.raises(SystemExit) as ended:
        process.main()
    assert ended.value.code == interrupting.INTERRUPTED == 130
    assert capsys.readouterr().err == ""


def test_a_fault_is_one_while_nobody_pressed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*, standalone_mode: bool) -> None:
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr(line, "cli", broken)
    monkeypatch.setattr(sys, "argv", ["bunmyaku"])
    monkeypatch.setattr(line, "entry_points", lambda group: ())
    with pytest.raises(SystemExit) as ended:
        process.main()
    assert ended.value.code == 1
    assert "unexpected fault" in capsys.readouterr().err


def test_who_ignores_it_goes_on_doing_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interrupting.watch()
    signal.raise_signal(signal.SIGINT)
    assert not interrupting.pressed()
