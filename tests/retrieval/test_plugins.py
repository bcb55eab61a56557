"""How folders find their members."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest import parsers, sources
from retrieval import conversations, plugins, stores
from retrieval.errors import RetrievalError
from retrieval.plugins import Members
from text2sql import drafters


@pytest.fixture
def shelves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Members:
    folder = tmp_path / "shelves"
    (folder / "sub").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "sub" / "__init__.py").write_text("")
    (folder / "oak.py").write_text("def build(settings):\n    return ('oak', settings['size'])\n")
    (folder / "_glue.py").write_text("def build(settings):\n    return 'glue'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return Members("shelves", [str(folder)], "shelf of", RetrievalError)


def test_modules_are_members_and_private_ones_and_packages_are_not(shelves: Members) -> None:
    assert shelves.names() == ["oak"]
    assert shelves.build("oak", {"size": 3}) == ("oak", 3)


def test_an_unknown_name_lists_the_known_ones(shelves: Members) -> None:
    for name in ("pine", "_glue", "sub", "", "os"):
        with pytest.raises(RetrievalError, match=f"There is no shelf of {name}") as caught:
            shelves.build(name, {})
        assert caught.value.todo == "Use one of: oak."


def test_another_package_adds_one_but_does_not_replace_ours(
    shelves: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = SimpleNamespace(build=lambda settings: ("theirs", settings))
    points = [SimpleNamespace(name=name, load=lambda: theirs) for name in ("oak", "pine")]

    def entry_points(group: str, name: str | None = None) -> list[SimpleNamespace]:
        return [p for p in points if group == "bunmyaku.shelves" and name in (None, p.name)]

    monkeypatch.setattr(plugins, "entry_points", entry_points)
    assert shelves.names() == ["oak", "pine"]
    assert shelves.build("pine", {"a": 1}) == ("theirs", {"a": 1})
    assert shelves.build("oak", {"size": 3}) == ("oak", 3)


@pytest.mark.parametrize(
    ("folder", "known"),
    [
        (stores, "pgvector"),
        (conversations, "postgres"),
        (drafters, "offline"),
        (sources, "folder"),
        (parsers, "pdf"),
    ],
)
def test_every_folder_knows_its_own(folder: object, known: str) -> None:
    assert known in folder.names()  # type: ignore[attr-defined]  # a module of the kind tested here
