from __future__ import annotations

import getpass
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.commands.init import _login, _write


def test_each_force_keeps_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "semantic.yaml"
    for content in ("first", "mine", "mine again"):
        _write(file, content)
    assert file.read_text() == "mine again"
    assert (tmp_path / "semantic.yaml.bak").read_text() == "first"
    assert (tmp_path / "semantic.yaml.bak2").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 3


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.yaml"
    _write(file, "whole")

    def full(self: Path, text: str, encoding: str) -> int:
        self.touch()
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        _write(file, "half")
    assert file.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [file]


def test_a_user_unknown_to_the_system_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 4242")

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert _login() == f"user-{os.getuid()}"


def test_what_is_unavailable_is_met_before_the_home_is_one(tmp_path: Path) -> None:
    home, docs = tmp_path / "home", tmp_path / "docs"
    docs.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "app", "init", "--docs", str(docs)],
        env={**os.environ, "BUNMYAKU_HOME": str(home), "BUNMYAKU_EMBEDDINGS": "nosuch"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, b"nosuch" in done.stderr) == (5, True)
    assert list(home.iterdir()) == []
