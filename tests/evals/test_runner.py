"""The runner: every case has its row, in order, once, however the run was treated."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from evals._journal import Journal
from evals.errors import EvalError
from evals.progress import Progress
from evals.runner import run
from tests.evals import working
from tests.evals.working import name

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("jobs", [1, 2])
def test_rows_come_in_the_order_of_the_cases(jobs: int) -> None:
    rows = run([5, 1, 9, 2, 7], working.square, key=name, jobs=jobs)
    assert [row["square"] for row in rows] == [25, 1, 81, 4, 49]
    assert rows[0]["third"] == round(5 / 3, 6)


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_cases_are_no_rows_and_start_nothing(jobs: int) -> None:
    assert run([], working.square, key=name, jobs=jobs, setup=working.set_up_badly) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_crash_in_a_case_is_a_row(jobs: int) -> None:
    rows = run(range(7), working.troubled, key=name, jobs=jobs)
    assert [row["status"] for row in rows] == ["ok", "ok", "ok", "error", "error", "error", "ok"]
    assert rows[3] == {"id": "3", "status": "error", "error": "ValueError: three at <object object at 0x…>"}
    assert rows[4]["error"].startswith("TypeError: ")
    assert rows[5]["error"] == "SystemExit: 7"


def test_a_killed_worker_loses_its_case_only() -> None:
    rows = run(range(9), working.deadly, key=name, jobs=2)
    assert [row["status"] for row in rows] == ["ok", "ok", "error", "ok", "ok", "ok", "error", "ok", "ok"]
    assert "signal 9" in rows[2]["error"]
    assert rows[6]["error"] == "The worker ended with 9"


def test_a_group_stays_in_one_worker_which_is_set_up_once() -> None:
    rows = run(
        range(12),
        working.with_process,
        key=name,
        jobs=2,
        setup=working.set_up,
        group=lambda case: f"db{case % 3}",
    )
    by_group = {group: {row["process"] for row in rows[group::3]} for group in range(3)}
    assert all(len(processes) == 1 for processes in by_group.values())
    assert len(set.union(*by_group.values())) == 2
    assert os.getpid() not in set.union(*by_group.values())
    assert all(row["ready"] == ["ready"] for row in rows)


def test_a_group_goes_on_when_its_worker_is_killed() -> None:
    rows = run(range(4), working.deadly, key=name, jobs=2, group=lambda _: "one")
    assert [row["status"] for row in rows] == ["ok", "ok", "error", "ok"]


def test_a_setup_that_fails_is_said() -> None:
    with pytest.raises(EvalError, match="no such engine"):
        run(range(3), working.square, key=name, jobs=2, setup=working.set_up_badly)
    with pytest.raises(RuntimeError, match="no such engine"):
        run(range(3), working.square, key=name, jobs=1, setup=working.set_up_badly)


def test_two_cases_of_one_id_are_refused() -> None:
    with pytest.raises(EvalError, match="'1'"):
        run([1, 2, 1], working.square, key=name)


def test_a_finished_run_leaves_no_journal(tmp_path: Path) -> None:
    run(range(3), working.square, key=name, journal=tmp_path / "j", fingerprint="f")
    assert list(tmp_path.iterdir()) == []


def journal(path: Path, fingerprint: str, *lines: str) -> None:
    head = json.dumps({"fingerprint": fingerprint})
    path.write_text("\n".join([head, *lines]), encoding="utf-8")


def test_what_a_journal_holds_is_not_run_again(tmp_path: Path) -> None:
    journal(
        tmp_path / "j",
        "f",
        '{"key": "1", "row": {"id": "1", "kept": true}}',
        '{"key": "2", "row": {"id": "2", "ke',
    )
    rows = run(range(4), working.square, key=name, journal=tmp_path / "j", fingerprint="f")
    assert rows[1] == {"id": "1", "kept": True}
    assert [row.get("square") for row in rows] == [0, None, 4, 9]  # the cut line was run again


@pytest.mark.parametrize("head", ["other", None])
def test_a_journal_of_another_run_counts_for_nothing(tmp_path: Path, head: str | None) -> None:
    if head:
        journal(tmp_path / "j", head, '{"key": "1", "row": {"id": "1", "kept": true}}\n')
    else:
        (tmp_path / "j").write_bytes(b"\x00\xff not a journal\n")
    rows = run(range(3), working.square, key=name, journal=tmp_path / "j", fingerprint="f")
    assert [row["square"] for row in rows] == [0, 1, 4]


def test_a_key_that_is_no_case_any_more_is_left_out(tmp_path: Path) -> None:
    journal(tmp_path / "j", "f", '{"key": "99", "row": {"id": "99"}}\n')
    rows = run(range(2), working.square, key=name, journal=tmp_path / "j", fingerprint="f")
    assert [row["id"] for row in rows] == ["0", "1"]


def start(folder: Path, jobs: int, n: int = 40) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.evals.working", str(folder), str(jobs), str(n)],
        cwd=ROOT,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )


def journalled(folder: Path) -> list[str]:
    path = folder / "journal"
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return [json.loads(line)["key"] for line in lines if line.endswith("}}")]


@pytest.mark.parametrize(
    ("jobs", "how"), [(1, signal.SIGKILL), (2, signal.SIGKILL), (1, signal.SIGINT), (2, signal.SIGINT)]
)
def test_a_stopped_run_goes_on_without_running_anything_twice(
    tmp_path: Path, jobs: int, how: signal.Signals
) -> None:
    process = start(tmp_path, jobs)
    deadline = time.monotonic() + 30
    while len(journalled(tmp_path)) < 8 and time.monotonic() < deadline:
        time.sleep(0.02)
    if how is signal.SIGINT:
        os.killpg(process.pid, how)  # as a terminal does: the workers hear it too
    else:
        process.send_signal(how)
    process.wait(20)
    kept = journalled(tmp_path)
    assert 8 <= len(kept) < 40
    time.sleep(0.3)  # orphaned workers end with the pipe; what they were at is not in the journal
    before = Counter((tmp_path / "log").read_text().split())
    assert start(tmp_path, jobs).wait(60) == 0
    after = Counter((tmp_path / "log").read_text().split())
    assert all(after[key] == before[key] for key in kept), "a finished case was run again"
    assert set(after) == {str(i) for i in range(40)}
    assert not (tmp_path / "journal").exists()
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert [row["square"] for row in rows] == [i * i for i in range(40)]


def test_another_run_on_the_same_journal_is_refused(tmp_path: Path) -> None:
    process = start(tmp_path, 1, 400)
    try:
        deadline = time.monotonic() + 30
        while not journalled(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.02)
        with pytest.raises(EvalError, match="Another run"):
            run(range(2), working.square, key=name, journal=tmp_path / "journal", fingerprint="f")
    finally:
        process.kill()
        process.wait()


def test_the_same_bytes_whatever_the_jobs_and_the_hash_seed(tmp_path: Path) -> None:
    seen = set()
    for number, (jobs, seed) in enumerate([(1, "0"), (2, "1"), (1, "123")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        subprocess.run(
            [sys.executable, "-m", "tests.evals.working", str(folder), str(jobs), "6"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
        )
        seen.add((folder / "out.json").read_bytes())
    assert len(seen) == 1


def test_progress_is_silent_where_nobody_looks() -> None:
    quiet, loud = io.StringIO(), io.StringIO()
    with Progress("squares", Console(file=quiet)) as progress:
        run(range(3), working.square, key=name, progress=progress)
        progress.say("done")
    with Progress("squares", Console(file=loud, force_terminal=True, width=100)) as progress:
        run(range(3), working.square, key=name, progress=progress)
        progress.say("all [done]")
    assert quiet.getvalue() == ""
    assert "3/3" in loud.getvalue()
    assert "all [done]" in loud.getvalue()


class Full(io.StringIO):
    """A file on a full disk."""

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal", "f") as journal:
        journal._file.close()
        journal._file = Full()  # type: ignore[assignment]  # what it does with a file, this does
        with pytest.raises(EvalError, match="journal cannot be written") as caught:
            journal.append("a", {"id": "a"})
    assert caught.value.todo == "No space left on device"
