"""Running cases: in parallel, resumable, with a result for every case whatever happens to it.

    cases ──► groups ──► workers (processes of their own) ──► rows, in the order of the cases
                              │ each finished row at once
                              ▼
                           journal (JSONL): what a run with the same fingerprint begins with

A crash in a case is a row; a killed worker loses the case it was at; Ctrl-C and `kill -9` lose what was not finished.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from evals._attempts import Row, attempt, failure
from evals._journal import Journal
from evals._workers import Crew, Ended
from evals.errors import EvalError
from evals.progress import Progress

C = TypeVar("C")


def run(  # noqa: PLR0913 - one call, each option named where it is used
    cases: Sequence[C],
    work: Callable[[C], Row],
    *,
    key: Callable[[C], str],
    jobs: int = 1,
    journal: Path | None = None,
    fingerprint: str = "",
    progress: Progress | None = None,
    setup: Callable[[], None] | None = None,
    group: Callable[[C], str] | None = None,
) -> list[Row]:
    """One row a case, in the order of the cases; `work` gives JSON-able rows.

    `jobs` > 1 works in processes started afresh: `work`, `setup` (run once in each before its first case) and the
    cases are pickled, so they are module-level functions or `functools.partial` of those. Cases of one `group` stay
    in one worker, in order. A case whose work raises is `{"id", "status": "error", "error"}`.

    Raises `EvalError` where two cases share a key, `setup` fails, or another run holds the journal;
    `KeyboardInterrupt` with the journal kept.
    """
    by_key: dict[str, C] = {}
    for case in cases:
        name = key(case)
        if name in by_key:
            raise EvalError(f"Two cases have the id {name!r}", where="suite", todo="Give each its own id.")
        by_key[name] = case
    with ExitStack() as stack:
        kept = stack.enter_context(Journal(journal, fingerprint)) if journal else None
        done: dict[str, Row] = {k: row for k, row in (kept.rows if kept else {}).items() if k in by_key}
        if progress:
            progress.begin(len(by_key), len(done))
        left = {k: case for k, case in by_key.items() if k not in done}
        if left:
            finished = (
                _in_process(left, work, setup) if jobs <= 1 else _in_crew(left, work, setup, jobs, group)
            )
            for name, row in finished:
                done[name] = row
                if kept:
                    kept.append(name, row)
                if progress:
                    progress.advance()
        if kept:
            kept.discard()
    return [done[k] for k in by_key]


def _in_process(
    cases: dict[str, C], work: Callable[[C], Row], setup: Callable[[], None] | None
) -> Iterator[tuple[str, Row]]:
    if setup:
        setup()
    for name, case in cases.items():
        yield name, attempt(work, case, name)


def _in_crew(
    cases: dict[str, C],
    work: Callable[[C], Row],
    setup: Callable[[], None] | None,
    jobs: int,
    group: Callable[[C], str] | None,
) -> Iterator[tuple[str, Row]]:
    """Hand each idle worker its next case; a worker that ends is replaced, and goes on with the rest of its group."""
    groups: dict[Hashable, deque[str]] = {}
    for name, case in cases.items():
        groups.setdefault(group(case) if group else (name,), deque()).append(name)
    waiting = deque(
        sorted(groups.values(), key=len, reverse=True)
    )  # the longest first: no one waits for it at the end
    with Crew(min(jobs, len(waiting)), work, setup) as crew:
        mine: dict[int, deque[str]] = {number: waiting.popleft() for number in crew.numbers}
        at: dict[int, str] = {}

        def next_case(number: int) -> None:
            while not mine[number] and waiting:
                mine[number] = waiting.popleft()
            if mine[number]:
                at[number] = mine[number].popleft()
                crew.hand(number, at[number], cases[at[number]])

        for number in crew.numbers:
            next_case(number)
        while at:
            for number, result in crew.finished():
                if isinstance(result, Ended):
                    crew.replace(number)
                if number not in at:  # it had nothing left to do, and will not get anything
                    continue
                name = at.pop(number)
                yield name, failure(name, result.reason) if isinstance(result, Ended) else result
                next_case(number)
