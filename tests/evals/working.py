"""Work for the runner's tests: module-level, so that a worker started afresh can find it; and a run of its own."""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from evals.report import write
from evals.runner import run

READY: list[str] = []


def set_up() -> None:
    READY.append("ready")


def set_up_badly() -> None:
    raise RuntimeError("no such engine")


def square(case: int) -> dict[str, Any]:
    return {"id": str(case), "status": "ok", "square": case * case, "third": case / 3}


def with_process(case: int) -> dict[str, Any]:
    return {"id": str(case), "process": os.getpid(), "ready": list(READY)}


def troubled(case: int) -> dict[str, Any]:
    if case == 3:
        raise ValueError(f"three at {object()!r}")
    if case == 4:
        return {"id": "4", "odd": object()}
    if case == 5:
        sys.exit(7)
    return square(case)


def deadly(case: int) -> dict[str, Any]:
    if case == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if case == 6:
        os._exit(9)
    return square(case)


def words(case: int) -> dict[str, Any]:
    # A set's order depends on PYTHONHASHSEED; a careful work sorts.
    return {"id": str(case), "words": sorted({f"w{i}" for i in range(case)})}


def logged(case: int, log: Path) -> dict[str, Any]:
    time.sleep(0.05)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{case}\n")
    return {**square(case), "seconds": time.perf_counter()}


def name(case: int) -> str:
    return str(case)


def main(folder: Path, jobs: int, n: int) -> None:
    rows = run(
        range(n),
        partial(logged, log=folder / "log"),
        key=name,
        jobs=jobs,
        journal=folder / "journal",
        fingerprint="f",
    )
    summary = {"suite": "s", "n": n, "version": {}, "coverage": 1.0, "options": {}, "fingerprint": "f"}
    write(folder / "out.json", summary, rows, folder / "timings.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
