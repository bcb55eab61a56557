from __future__ import annotations

import io
import json
import sys

import pytest
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from app.commands.exits import Exit, report
from app.commands.output import Terminal, tolerate_any_encoding, write_json
from app.errors import SettingsError


def terminal(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


def written(stream: io.TextIOWrapper) -> bytes:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "euc-jp", "utf-8"])
def test_json_is_utf8_on_any_terminal(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    out = terminal(encoding)
    monkeypatch.setattr(sys, "stdout", out)
    value = {"question": "売上は？ é 😀", "odd": "\udcff"}
    write_json(value)
    [line] = written(out).decode("utf-8").splitlines()
    assert json.loads(line) == value


def test_text_on_a_terminal_that_cannot_spell_it(monkeypatch: pytest.MonkeyPatch) -> None:
    out = terminal("ascii")
    monkeypatch.setattr(sys, "stdout", out)
    tolerate_any_encoding()
    Terminal().print("売上 ✓")
    assert written(out) == b"\\u58f2\\u4e0a \\u2713\n"


HOSTILE = "before\x1b]0;owned\x07\x1b[2J\x9b31mafter\r\x08"


def test_what_is_shown_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(HOSTILE)
    table.add_row(escape(HOSTILE))
    console = Terminal()
    for shown in (HOSTILE, Text(HOSTILE), table):
        console.print(shown)
    report(SettingsError(HOSTILE, where=HOSTILE, todo=HOSTILE))
    out, err = capsys.readouterr()
    for stream in (out, err):
        assert "before" in stream
        assert "after" in stream
        assert not {c for c in stream if (ord(c) < 32 and c not in "\t\n") or 127 <= ord(c) < 160}


def test_markup_in_an_error_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(SettingsError("[bold]x[/] in [/tmp/a]")) == Exit.usage
    assert "[bold]x[/] in [/tmp/a]" in capsys.readouterr().err


def test_an_error_says_what_where_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(FileNotFoundError(2, "No such file", "/x[1].csv")) == Exit.unavailable
    assert "No such file (/x[1].csv)" in capsys.readouterr().err
    assert report(KeyError("a bug")) == Exit.fault
    assert "unexpected fault" in capsys.readouterr().err
