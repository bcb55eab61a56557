"""Lines of JSON: what is wrong is named with its file and line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from evals.errors import SuiteError
from evals.json_lines import found, read_lines


def test_plain_and_packed_files_read_alike(tmp_path: Path) -> None:
    text = '{"id": 1}\n\n{"id": "二"}\n'
    (tmp_path / "a.jsonl").write_text(text, encoding="utf-8")
    with gzip.open(tmp_path / "b.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(text)
    plain = [row for _, row in read_lines(found(tmp_path, "a.jsonl"))]
    packed = [row for _, row in read_lines(found(tmp_path, "b.jsonl"))]
    assert plain == packed == [{"id": 1}, {"id": "二"}]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SuiteError) as caught:
        found(tmp_path, "corpus.jsonl")
    assert "corpus.jsonl.gz" in caught.value.what
    assert caught.value.where == str(tmp_path)
    assert caught.value.bad_input


@pytest.mark.parametrize(
    ("line", "what"),
    [(b'{"id": 1', "not JSON"), (b"[1]", "not a JSON object"), (b'{"id": "\xff"}', "not JSON in UTF-8")],
)
def test_a_broken_line_is_named(tmp_path: Path, line: bytes, what: str) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(b'{"id": 0}\n' + line + b"\n")
    with pytest.raises(SuiteError) as caught:
        list(read_lines(path))
    assert what in caught.value.what
    assert caught.value.where.endswith("q.jsonl, line 2")


def test_a_cut_archive_says_where_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl.gz"
    whole = gzip.compress(b'{"id": 0}\n' * 5_000)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SuiteError) as caught:
        list(read_lines(path))
    assert "cannot be read" in caught.value.what
