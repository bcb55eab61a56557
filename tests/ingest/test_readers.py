"""The processes that parse: limits that hold, crashes that stay outside, answers that are the same."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import LimitExceeded, Unreadable
from ingest.limits import Limits
from ingest.preparing import prepare
from ingest.readers import Readers
from tests.ingest import samples

# Long lines without an end of sentence: quadratic for careless code, and seconds of work even for careful code.
HEAVY = ("売上 sales " * 20 + "\n") * 60_000


@pytest.fixture(scope="module")
def readers() -> Iterator[Readers]:
    with Readers() as readers:
        yield readers


def put(folder: Path, raw: bytes, name: str = "raw") -> Path:
    path = folder / name
    path.write_bytes(raw)
    return path


def test_the_answer_is_that_of_the_pure_function(readers: Readers, tmp_path: Path) -> None:
    for name, maker in samples.SAMPLES.items():
        raw = maker()
        assert readers.submit(put(tmp_path, raw), name).result() == prepare(raw, name)


def test_a_reason_comes_back_and_the_next_document_is_read(readers: Readers, tmp_path: Path) -> None:
    bad, good = put(tmp_path, samples.encrypted_pdf(), "bad"), put(tmp_path, samples.pdf(), "good")
    results = [readers.submit(bad, "a.pdf"), readers.submit(good, "b.pdf")]
    with pytest.raises(Unreadable, match="encrypted"):
        results[0].result()
    assert results[1].result().pieces


def test_a_slow_document_is_stopped_by_the_clock(tmp_path: Path) -> None:
    path = put(tmp_path, HEAVY.encode())
    with Readers(Limits(wall_seconds=0.7), count=1) as readers:
        started = time.monotonic()
        slow, next_one = readers.submit(path, "a.txt"), readers.submit(put(tmp_path, b"Fine.", "b"), "b.txt")
        with pytest.raises(LimitExceeded, match=r"took longer than 0\.7 seconds"):
            slow.result()
        assert time.monotonic() - started < 10
        # Its process is replaced; starting one may itself take a while on a busy machine.
        try:
            assert next_one.result().parsed.text == "Fine."
        except LimitExceeded:
            assert readers.submit(tmp_path / "b", "b.txt")


def test_processor_time_is_limited(tmp_path: Path) -> None:
    path = put(tmp_path, (HEAVY * 4).encode())
    limits = Limits(cpu_seconds=1, wall_seconds=60)
    with (
        Readers(limits, count=1) as readers,
        pytest.raises(LimitExceeded, match="more than 1 seconds of processor time"),
    ):
        readers.submit(path, "a.txt").result()


def test_memory_is_limited(tmp_path: Path) -> None:
    path = put(tmp_path, samples.bomb(250))
    with Readers(Limits(memory_bytes=400_000_000, ratio=2000), count=1) as readers:
        with pytest.raises(LimitExceeded, match="memory"):
            readers.submit(path, "a.zip").result()
        assert readers.submit(put(tmp_path, b"Fine.", "b"), "b.txt").result().parsed.text == "Fine."


def test_a_crash_is_a_reason_and_the_process_is_replaced(tmp_path: Path) -> None:
    with Readers(count=1) as readers:
        assert readers.submit(put(tmp_path, b"First.", "a"), "a.txt").result().parsed.text == "First."
        (process,) = readers._running
        heavy = readers.submit(put(tmp_path, HEAVY.encode(), "heavy"), "heavy.txt")
        time.sleep(0.2)
        os.kill(process._child.pid, signal.SIGSEGV)
        with pytest.raises(Unreadable, match="the parser crashed on it"):
            heavy.result()
        assert readers.submit(put(tmp_path, b"Fine.", "b"), "b.txt").result().parsed.text == "Fine."


def test_the_parser_sees_none_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY_OF_THE_SHOP", "s3cret")
    with Readers(count=1) as readers:
        readers.submit(put(tmp_path, b"Text."), "a.txt").result()
        (process,) = readers._running
        environment = Path(f"/proc/{process._child.pid}/environ")
        if not environment.exists():
            pytest.skip("this system has no /proc")
        assert b"s3cret" not in environment.read_bytes()


def test_closing_kills_what_is_under_way(tmp_path: Path) -> None:
    readers = Readers(count=1)
    work = [readers.submit(put(tmp_path, HEAVY.encode()), "a.txt") for _ in range(3)]
    time.sleep(0.3)
    started = time.monotonic()
    readers.close()
    assert time.monotonic() - started < 5
    assert all(one.done() for one in work)
    with pytest.raises(RuntimeError):
        readers.submit(tmp_path / "raw", "a.txt")


def test_a_process_ends_with_its_parent(tmp_path: Path) -> None:
    """Whoever holds the other end of its pipes is gone: it must not wait for ever."""
    with Readers(count=1) as readers:
        readers.submit(put(tmp_path, b"Text."), "a.txt").result()
        (process,) = readers._running
        assert process._child.stdin is not None
        process._child.stdin.close()
        assert process._child.wait(timeout=10) == 0
