"""What every adapter does the same way: runs that can be stopped, sessions, and a catalogue read once.

One warehouse object serves every chat session of the process. Each run has a cursor or connection of its own,
so runs never wait for each other. `cancel()` of the warehouse stops every run; `session()` hands out a view whose
`cancel()` stops only what was started through it: give one to each conversation.
"""

from __future__ import annotations

import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

from retrieval.types import Principal
from text2sql.errors import QueryCancelled, QueryTimeout, WarehouseError
from text2sql.types import Catalog, Dialect, Estimate, Limits, ResultSet
from text2sql.warehouses._catalog_cache import CatalogCache
from text2sql.warehouses._runs import AGAIN, Calls, Run, StopReason
from text2sql.warehouses._tags import tag_of, telling

MEMORY = 2 * 1024**3
"""Bytes one engine (PostgreSQL: one query) may use where nothing else is said."""
CEILING = Limits(rows=5_000_000, seconds=600.0, bytes=1024**3)
"""What no caller can exceed, whatever limits it asks for."""
_PATIENCE = 5.0
"""Seconds that closing waits for runs to end."""


class SharedWarehouse(ABC):
    """A warehouse opened read-only, shared by threads. Adapters fill in the abstract methods."""

    def __init__(self, where: str, *, memory: int, ceiling: Limits, infer_keys: bool) -> None:
        self.where = where
        self.kept: CatalogCache | None = None
        """Where the catalogue is kept between starts; None: nowhere."""
        self._memory = memory
        self._ceiling = ceiling
        self._infer_keys = infer_keys
        self._runs: set[Run] = set()
        self._runs_lock = threading.Lock()
        self._catalog: Catalog | None = None
        self._catalog_lock = threading.Lock()
        self._calls = Calls()
        self._closed = False

    @property
    @abstractmethod
    def dialect(self) -> Dialect:
        """sqlglot's name of the SQL it speaks."""

    @abstractmethod
    def _read_catalog(self) -> Catalog: ...

    @abstractmethod
    def _explain(self, owner: object, sql: str, parameters: Mapping[str, Any]) -> Estimate: ...

    @abstractmethod
    def _run(self, owner: object, sql: str, limits: Limits, parameters: Mapping[str, Any]) -> ResultSet: ...

    @abstractmethod
    def _close(self) -> None: ...

    def _mark(self) -> str | None:
        """What the source looks like now; None where no kept catalogue can be trusted to be that of it."""
        return None

    def _reopen(self) -> None:
        """Follow a source that changed on disk; called before the catalogue is read again."""
        return

    def catalog(self) -> Catalog:
        """Tables, columns, keys and profiles; read once, kept until `refresh`."""
        self._check_open()
        with self._catalog_lock:
            if self._catalog is None:
                mark = self._mark() if self.kept else None
                found = self.kept.load(mark) if self.kept and mark else None
                self._catalog = found or self._read_anew(mark)
            return self._catalog

    def refresh(self) -> Catalog:
        """Read the catalogue again (and the source, where it changed on disk)."""
        self._check_open()
        with self._catalog_lock:
            self._reopen()
            self._catalog = self._read_anew(self._mark() if self.kept else None)
            return self._catalog

    def _read_anew(self, mark: str | None) -> Catalog:
        catalog = self._read_catalog()
        if self.kept and mark and self._mark() == mark:  # else it was changed while we read
            self.kept.keep(mark, catalog)
        return catalog

    def explain(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Estimate:
        """Plan without running: the engine's own proof that the text is valid. Raises `WarehouseError`."""
        return self._planned(self, sql, parameters or {})

    def run(self, sql: str, limits: Limits, parameters: Mapping[str, Any] | None = None) -> ResultSet:
        """Run under the limits. Raises `QueryTimeout`, `QueryCancelled`, `WarehouseError`."""
        return self._ran(self, sql, limits, parameters or {})

    def _planned(self, owner: object, sql: str, parameters: Mapping[str, Any]) -> Estimate:
        self._check_open()
        work = partial(self._explain, owner, tag_of(owner).on(sql), parameters)
        return self._calls.do(work, partial(self._stopped, seconds=self._ceiling.seconds), self.where)

    def _ran(self, owner: object, sql: str, limits: Limits, parameters: Mapping[str, Any]) -> ResultSet:
        self._check_open()
        tag = tag_of(owner)
        work = partial(self._run, owner, tag.on(sql), limits, parameters)
        seconds = capped(limits, self._ceiling).seconds
        with telling(tag, sql) as told:
            result = self._calls.do(work, partial(self._stopped, seconds=seconds), self.where)
            told.rows, told.truncated = result.table.num_rows, result.truncated
        return result

    def notes(self) -> tuple[str, ...]:
        """What an administrator should know of how the warehouse is reached; nothing by default."""
        return ()

    def session(self, principal: Principal | None = None, tag: str = "") -> Session:
        """A view on this warehouse whose `cancel` stops only its own runs, for this caller and under this tag."""
        return Session(self, principal, tag)

    def cancel(self) -> None:
        """Stop every run, from any thread; nothing happens when nothing runs."""
        self._stop("cancel")

    def close(self) -> None:
        """Stop what runs and let go of the engine. Twice is once; use afterwards raises `WarehouseError`."""
        if self._closed:
            return
        self._closed = True
        self._drain()
        self._close()

    def _drain(self) -> None:
        """Stop every run and wait until its cursor is free, for engines that refuse to close under one."""
        self._stop("close")
        until = time.monotonic() + _PATIENCE
        while self._waited_for() and time.monotonic() < until:
            time.sleep(AGAIN / 5)

    def _waited_for(self) -> bool:
        with self._runs_lock:
            return any(not run.abandoned for run in self._runs)

    def _stop(self, reason: StopReason, owner: object | None = None) -> None:
        with self._runs_lock:
            runs = [run for run in self._runs if owner is None or run.owner is owner]
        for run in runs:
            run.stop(reason)

    @contextmanager
    def _running(
        self,
        owner: object,
        interrupt: Callable[[], None],
        seconds: float | None,
        heavy: Callable[[], bool] | None = None,
    ) -> Iterator[Run]:
        """`heavy` says, where it is given, that the statement has taken more memory than it may."""
        run = Run(owner, interrupt, seconds, heavy)
        with self._runs_lock:
            self._runs.add(run)
        try:
            with run:
                yield run
        finally:
            with self._runs_lock:
                self._runs.discard(run)

    def _check_open(self) -> None:
        if self._closed:
            raise WarehouseError("The warehouse is closed", where=self.where, todo="Open it again.")

    def _stopped(self, run: Run, seconds: float) -> WarehouseError | None:
        """The error for a run that was stopped, None when nobody stopped it."""
        if run.reason == "timeout":
            return QueryTimeout(
                f"The query was stopped after {seconds:g} seconds",
                where=self.where,
                todo="Ask for a shorter period or fewer rows, or raise the time limit.",
            )
        if run.reason == "memory":
            return needs_memory(self.where)
        if run.reason == "close":
            return QueryCancelled("The query was stopped because the warehouse was closed", where=self.where)
        if run.reason == "cancel":
            return QueryCancelled("The query was cancelled", where=self.where)
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Session:
    """One caller's view on a shared warehouse: the same port, but `cancel` stops only its own runs.

    `principal`: whom it reads for, where the engine has a wall of its own to tell that to. `tag`: what the engine's
    log is to show beside its statements. Adapters get both with the `owner` that their `_run` and `_explain` are handed.
    """

    def __init__(self, warehouse: SharedWarehouse, principal: Principal | None = None, tag: str = "") -> None:
        self._warehouse = warehouse
        self.principal = principal
        self.tag = tag

    @property
    def dialect(self) -> Dialect:
        """sqlglot's name of the SQL it speaks."""
        return self._warehouse.dialect

    def catalog(self) -> Catalog:
        """The shared catalogue."""
        return self._warehouse.catalog()

    def refresh(self) -> Catalog:
        """Read the shared catalogue again."""
        return self._warehouse.refresh()

    def explain(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Estimate:
        """Plan without running. Raises `WarehouseError`."""
        return self._warehouse._planned(self, sql, parameters or {})  # noqa: SLF001 - two halves of one class

    def run(self, sql: str, limits: Limits, parameters: Mapping[str, Any] | None = None) -> ResultSet:
        """Run under the limits. Raises `QueryTimeout`, `QueryCancelled`, `WarehouseError`."""
        return self._warehouse._ran(self, sql, limits, parameters or {})  # noqa: SLF001 - two halves of one class

    def cancel(self) -> None:
        """Stop what this session runs, from any thread."""
        self._warehouse._stop("cancel", self)  # noqa: SLF001 - as above

    def close(self) -> None:
        """Stop what this session runs; the warehouse stays open for the others."""
        self.cancel()


_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`")


def without_values(message: str, sql: str) -> str:
    """First line of an engine's message, with every quoted text that the statement does not hold taken out.

    Engines quote stored values and suggest names of columns that the caller may not see.
    """
    line = next((part.strip() for part in message.splitlines() if part.strip()), "")

    def keep(match: re.Match[str]) -> str:
        inner = match.group()[1:-1]
        return match.group() if inner and inner.casefold() in sql.casefold() else "'…'"

    return _QUOTED.sub(keep, line)


def needs_memory(where: str) -> WarehouseError:
    """The error of a query that would take more memory than its limit."""
    return WarehouseError(
        "The query needs more memory than it may use",
        where=where,
        todo="Ask for less at once: a shorter period, fewer groups, no long texts.",
    )


def capped(limits: Limits, ceiling: Limits) -> Limits:
    """The tighter of what the caller asked for and what the warehouse allows."""
    return replace(
        limits,
        rows=max(0, min(limits.rows, ceiling.rows)),
        seconds=min(limits.seconds, ceiling.seconds),
        bytes=min(limits.bytes, ceiling.bytes),
    )


def options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that every adapter's constructor takes: `memory` (bytes), `infer_keys`."""
    return {key: settings[key] for key in ("memory", "infer_keys") if key in settings}
