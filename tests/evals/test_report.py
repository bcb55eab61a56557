"""Reports: the same bytes, one line a row, timings where they belong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.errors import EvalError
from evals.report import fingerprint, latency, plain, write

SUMMARY: dict[str, Any] = {
    "suite": "own", "n": 2, "version": {"accuracy": 1}, "coverage": 1.0, "options": {"drafter": "offline"},
    "fingerprint": "abc", "accuracy": 1 / 3, "p50_ms": 1.5, "by_set": {"a": {"n": 2, "p95_ms": 3.0}},
}  # fmt: skip
ROWS = [{"id": "1", "correct": True, "seconds": 0.25}, {"id": "保険", "correct": False, "seconds": 0.5}]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_everything_stands_in_the_one_file(tmp_path: Path) -> None:
    digest = write(tmp_path / "deep" / "out.json", SUMMARY, ROWS)
    found = read(tmp_path / "deep" / "out.json")
    assert list(found) == [*SUMMARY, "digest", "rows"]
    assert found["rows"] == ROWS
    assert found["accuracy"] == 0.333333
    assert (found["digest"], found["p50_ms"]) == (digest, 1.5)
    text = (tmp_path / "deep" / "out.json").read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert '"保険"' in text
    assert len(text.splitlines()) == len(SUMMARY) + 1 + 2 + len(ROWS) + 2
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out.json"]


def test_timings_of_their_own_leave_the_same_bytes(tmp_path: Path) -> None:
    slow = [{**row, "seconds": 9.0} for row in ROWS]
    first = write(tmp_path / "a.json", SUMMARY, ROWS, tmp_path / "a.times.json")
    second = write(tmp_path / "b.json", {**SUMMARY, "p50_ms": 7.0}, slow, tmp_path / "b.times.json")
    assert first == second
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert read(tmp_path / "a.json")["rows"][0] == {"id": "1", "correct": True, "seconds": None}
    times = read(tmp_path / "b.times.json")
    assert times["digest"] == first
    assert times["p50_ms"] == 7.0
    assert times["by_set"] == {"a": {"p95_ms": 3.0}}
    assert times["rows"] == [{"id": "1", "seconds": 9.0}, {"id": "保険", "seconds": 9.0}]


def test_the_digest_is_the_same_with_and_without_a_file_of_timings_and_sees_a_change(tmp_path: Path) -> None:
    one = write(tmp_path / "a.json", SUMMARY, ROWS)
    assert write(tmp_path / "b.json", SUMMARY, ROWS, tmp_path / "t.json") == one
    assert write(tmp_path / "c.json", SUMMARY, [{**ROWS[0], "correct": False}, ROWS[1]]) != one
    assert write(tmp_path / "d.json", {**SUMMARY, "options": {}}, ROWS) != one


def test_no_rows_is_a_report_too(tmp_path: Path) -> None:
    write(tmp_path / "a.json", SUMMARY, [])
    assert read(tmp_path / "a.json")["rows"] == []


def test_a_summary_says_what_it_was_measured_on(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without coverage, fingerprint"):
        write(
            tmp_path / "a.json",
            {k: v for k, v in SUMMARY.items() if k not in ("coverage", "fingerprint")},
            [],
        )


def test_a_report_that_cannot_be_written_is_said_and_an_old_one_stays(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(EvalError, match="cannot be written"):
        write(tmp_path / "file" / "out.json", SUMMARY, ROWS)
    write(tmp_path / "out.json", SUMMARY, ROWS)
    before = (tmp_path / "out.json").read_bytes()
    with pytest.raises(TypeError):
        write(tmp_path / "out.json", SUMMARY, [{"id": object()}])
    assert (tmp_path / "out.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "out.json"]


def test_values_become_plain_json() -> None:
    assert plain({"a": np.float64(0.1234567), "b": np.int64(3), "c": (1, float("nan")), 4: np.bool_(True)}) == {
        "a": 0.123457, "b": 3, "c": [1, None], "4": True,
    }  # fmt: skip


def test_fingerprints_see_names_bytes_and_options(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    files = [tmp_path / "a", tmp_path / "b"]
    seen = fingerprint(files, tmp_path)
    assert fingerprint(reversed(files), tmp_path) == seen
    assert fingerprint(files, tmp_path, {"drafter": "model"}) != seen
    assert fingerprint(files[:1], tmp_path) != seen
    (tmp_path / "b").write_bytes(b"twO")
    assert fingerprint(files, tmp_path) != seen
    assert len(seen) == 16


def test_packed_files_count_by_what_is_in_them(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"rows", compresslevel=1, mtime=1))
    seen = fingerprint([path], tmp_path)
    path.write_bytes(gzip.compress(b"rows", compresslevel=9, mtime=2))
    assert fingerprint([path], tmp_path) == seen
    path.write_bytes(gzip.compress(b"rows")[:-6])
    with pytest.raises(EvalError, match="cannot be read"):
        fingerprint([path], tmp_path)


def test_latency_is_in_milliseconds() -> None:
    found = latency([0.001 * i for i in range(1, 101)] + [None])
    assert found["p50_ms"] == pytest.approx(50.5)
    assert found["p95_ms"] == pytest.approx(95.05)
    assert latency([None]) == {"p50_ms": None, "p95_ms": None}


def test_data_is_the_same_however_its_paths_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for path in (folder / "m.sqlite", folder / "n.jsonl", tmp_path / "z.jsonl"):
        path.write_text(path.name, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    near = Path("set")
    whole = fingerprint([folder / "m.sqlite", folder / "n.jsonl", tmp_path / "z.jsonl"], folder)
    assert fingerprint([near / "m.sqlite", near / "n.jsonl", Path("z.jsonl")], near) == whole
    assert fingerprint([near / "m.sqlite", folder / "n.jsonl", tmp_path / "z.jsonl"], near) == whole
    monkeypatch.chdir(folder)
    assert fingerprint([Path("m.sqlite"), Path("n.jsonl"), Path("../z.jsonl")], Path()) == whole
