"""A folder as a source: the shared contract, and what only file systems do."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import sources
from ingest.errors import IngestError, Refused, SourceUnavailable
from ingest.sources.folder import FolderSource, source_name
from tests.contracts.source_contract import Place, SourceContract, kinds, known

NOBODY = 65534


class FolderPlace:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.source = FolderSource("shop", root)

    def put(self, key: str, content: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        # A new file beside it, as editors do: no two writes share an inode, however coarse the clock.
        beside = path.with_name("beside.tmp")
        beside.write_bytes(content)
        beside.replace(path)

    def remove(self, key: str) -> None:
        (self.root / key).unlink()

    def destroy(self) -> None:
        shutil.rmtree(self.root)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    return folder


class TestFolder(SourceContract):
    @pytest.fixture
    def place(self, folder: Path) -> Place:
        return FolderPlace(folder)


@pytest.fixture
def nobody() -> Iterator[None]:
    """An ordinary user, whom permissions bind, even where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def _open_to_all(path: Path) -> None:
    """Folders of pytest are closed to other users."""
    while path != path.parent and path.stat().st_uid == os.geteuid() and path != Path("/tmp"):
        path.chmod(path.stat().st_mode | 0o755)
        path = path.parent


def test_it_is_built_by_name(folder: Path) -> None:
    assert "folder" in sources.names()
    assert sources.build("folder", {"path": folder, "name": "docs"}).name == "docs"
    assert sources.build("folder", {"path": folder}).name == source_name(folder)
    with pytest.raises(IngestError, match="no source of the kind nothing"):
        sources.build("nothing", {})


def test_folders_of_one_name_are_two_sources(tmp_path: Path) -> None:
    for parent in ("one", "two"):
        (tmp_path / parent / "docs").mkdir(parents=True)
    first, second = (source_name(tmp_path / parent / "docs") for parent in ("one", "two"))
    assert first != second
    assert first.startswith("docs-")


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="no such folder"):
        FolderSource("shop", tmp_path / "missing")


def test_one_file_is_a_source_too(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"one")
    (folder / "b.txt").write_bytes(b"two")
    source = FolderSource("shop", folder / "a.txt")
    (change,) = source.changes({})
    assert (change.key, change.uri) == ("a.txt", "file:shop/a.txt")
    with source.open(change) as stream:
        assert stream.read() == b"one"


def test_what_no_one_means_is_left_out(folder: Path) -> None:
    for name in (".hidden", "~$lock.docx", "Thumbs.db", ".git/config", "kept.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    assert kinds(list(FolderSource("shop", folder).changes({}))) == {"kept.txt": "upsert"}


def test_links_that_lead_out_are_refused_and_links_within_are_not_repeated(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.txt").write_bytes(b"secret")
    (folder / "real.txt").write_bytes(b"x")
    (folder / "alias.txt").symlink_to("real.txt")
    (folder / "out.txt").symlink_to(tmp_path / "secret" / "key.txt")
    (folder / "outside").symlink_to(tmp_path / "secret")
    (folder / "dangling.txt").symlink_to("nowhere")
    (folder / "loop").symlink_to(folder)
    changes = {change.key: change for change in FolderSource("shop", folder).changes({})}
    assert {key: change.kind for key, change in changes.items()} == {
        "real.txt": "upsert",
        "out.txt": "refused",
        "outside": "refused",
        "dangling.txt": "refused",
    }
    assert changes["out.txt"].reason == "a symbolic link that leads out of the source"


def test_a_file_that_becomes_a_link_after_the_listing_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (folder / "sub").mkdir()
    (folder / "sub" / "a.txt").write_bytes(b"x")
    source = FolderSource("shop", folder)
    (change,) = source.changes({})
    (folder / "sub" / "a.txt").unlink()
    (folder / "sub" / "a.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(Refused):
        source.open(change)
    shutil.rmtree(folder / "sub")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_bytes(b"secret")
    (folder / "sub").symlink_to(tmp_path / "other")
    with pytest.raises(Refused, match="leads out"):
        source.open(change)


def test_pipes_and_sockets_are_refused_without_waiting(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as unix:
        here = Path.cwd()
        os.chdir(folder)  # the path of a socket may be no longer than 108 bytes
        try:
            unix.bind("socket")
        finally:
            os.chdir(here)
        changes = list(FolderSource("shop", folder).changes({}))
    assert {change.key: change.reason for change in changes} == {
        "pipe": "not a regular file",
        "socket": "not a regular file",
    }


def test_a_pipe_in_place_of_a_file_does_not_block(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"x")
    source = FolderSource("shop", folder)
    (change,) = source.changes({})
    (folder / "a.txt").unlink()
    os.mkfifo(folder / "a.txt")
    with pytest.raises(Refused, match="not a regular file"):
        source.open(change)


def test_permissions(folder: Path, request: pytest.FixtureRequest) -> None:
    (folder / "closed").mkdir()
    (folder / "closed" / "inside.txt").write_bytes(b"x")
    (folder / "open.txt").write_bytes(b"x")
    (folder / "secret.txt").write_bytes(b"x")
    before = known(list(FolderSource("shop", folder).changes({})))
    _open_to_all(folder)
    (folder / "closed").chmod(0o000)
    (folder / "secret.txt").chmod(0o000)
    request.getfixturevalue("nobody")
    source = FolderSource("shop", folder)
    changes = {change.key: change for change in source.changes(before)}
    assert changes["closed"].kind == "refused"
    assert changes["closed"].reason == "permission denied"
    # Nothing below a folder that cannot be listed counts as present.
    assert changes["closed/inside.txt"].kind == "delete"
    assert changes["open.txt"].kind == "unchanged"
    with pytest.raises(Refused, match="permission denied"):
        source.open(changes["secret.txt"])


def test_a_touched_file_is_looked_at_again(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"x")
    source = FolderSource("shop", folder)
    before = known(list(source.changes({})))
    os.utime(folder / "a.txt", (1, 1))
    assert kinds(list(source.changes(before))) == {"a.txt": "upsert"}


def test_a_file_put_in_place_with_its_old_date_and_size_is_seen(folder: Path) -> None:
    path = folder / "a.txt"
    path.write_bytes(b"one")
    status = path.stat()
    source = FolderSource("shop", folder)
    before = known(list(source.changes({})))
    path.write_bytes(b"two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert kinds(list(source.changes(before))) == {"a.txt": "upsert"}


def test_names_that_are_no_text(folder: Path) -> None:
    raw = os.fsencode(folder) + b"/" + "売上".encode("cp932") + b".txt"
    try:
        Path(os.fsdecode(raw)).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system keeps only names that are UTF-8")
    source = FolderSource("shop", folder)
    (change,) = source.changes({})
    change.uri.encode("utf-8")
    assert change.key == "\\x94\\x84\\x8f\\xe3.txt"
    with source.open(change) as stream:
        assert stream.read() == b"x"
