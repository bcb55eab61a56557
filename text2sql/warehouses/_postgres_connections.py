"""Connections to one PostgreSQL: few, kept for the next run, each lease one read-only transaction.

A lease begins its transaction with the settings it is given and always rolls back. A kept connection that turns
out to be broken when its transaction begins (the server was restarted, a proxy hung up) is replaced once, before
any statement has run. Connecting happens in a thread of its own, so that a cancel need not wait for it.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import psycopg
from psycopg.adapt import AdaptersMap, Loader
from psycopg.pq import TransactionStatus
from psycopg.types.string import TextLoader

from text2sql.errors import QueryCancelled, WarehouseUnavailable
from text2sql.warehouses._postgres_address import Address
from text2sql.warehouses._postgres_errors import unreachable

Connection = psycopg.Connection[tuple[Any, ...]]
_MOST = 10
"""Connections at a time; a run beyond them waits for one."""
_IDLE = 4
_LOOK = 0.05
"""Seconds between two looks at whether a wait was cancelled."""
_CANCEL_SECONDS = 1.5
"""How long the server may take to act on a cancel before the connection is cut."""


class Line:
    """The connection under one run, for the thread that stops it."""

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.stopping = threading.Event()
        self._since: float | None = None

    def interrupt(self) -> None:
        """Ask the server to cancel; cut the connection if it does not. Called again until the run has ended."""
        self.stopping.set()
        connection = self.connection
        if connection is None:
            return
        self._since = self._since or time.monotonic()
        if time.monotonic() - self._since > _CANCEL_SECONDS:
            _cut(connection)
            return
        try:
            connection.cancel_safe(timeout=_CANCEL_SECONDS)
        except psycopg.Error:
            _cut(connection)


def _cut(connection: Connection) -> None:
    """Shut the socket, so that whoever waits on it in another thread wakes up."""
    with suppress(OSError, psycopg.Error):
        held = socket.socket(fileno=os.dup(connection.fileno()))
        with held:
            held.shutdown(socket.SHUT_RDWR)


class Connections:
    """The connections of one warehouse. `begin` texts are ours, never from outside."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(_MOST)
        self._closed = False

    @contextmanager
    def lease(self, line: Line, begin: Callable[[], str]) -> Iterator[Connection]:
        """A connection inside a transaction; rolled back afterwards. Raises `WarehouseUnavailable`."""
        while not self._room.acquire(timeout=_LOOK):
            self._stop_waiting(line)
        try:
            connection = self._begun(line, begin)
            try:
                yield connection
            finally:
                line.connection = None
                self._give_back(connection, reusable=not line.stopping.is_set())
        finally:
            self._room.release()

    def close(self) -> None:
        """Close what is idle, and keep nothing from now on."""
        self._closed = True
        self._forget()

    def _forget(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _begun(self, line: Line, begin: Callable[[], str]) -> Connection:
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            line.connection = kept
            try:
                kept.execute(begin().encode())
            except psycopg.Error:
                line.connection = None
                kept.close()
                self._stop_waiting(line)
                self._forget()  # what broke one broke the others
            else:
                return kept
        fresh = self.connect(line)
        line.connection = fresh
        try:
            fresh.execute(begin().encode())
        except psycopg.Error as error:
            line.connection = None
            fresh.close()
            self._stop_waiting(line)
            raise unreachable(error, self._address) from error
        return fresh

    def _give_back(self, connection: Connection, *, reusable: bool) -> None:
        # One that was cancelled is not used again: a second cancel may still be on its way to it.
        if reusable and not connection.closed:
            with suppress(psycopg.Error):
                connection.execute(b"ROLLBACK")
                if connection.info.transaction_status == TransactionStatus.IDLE:
                    with self._lock:
                        if len(self._idle) < _IDLE and not self._closed:
                            self._idle.append(connection)
                            return
        connection.close()

    def connect(self, line: Line) -> Connection:
        """A new connection, outside any transaction. Raises `WarehouseUnavailable`, `QueryCancelled`."""
        attempt = _Attempt(self._address)
        attempt.start()
        while not attempt.done.wait(_LOOK):
            if line.stopping.is_set():
                attempt.abandon()
                self._stop_waiting(line)
        if attempt.connection is None:
            error = attempt.error or psycopg.OperationalError("no connection")
            raise unreachable(error, self._address) from None  # its frames hold the password
        return attempt.connection

    def _stop_waiting(self, line: Line) -> None:
        if line.stopping.is_set():
            raise QueryCancelled(
                "The query was stopped while it waited for a connection", where=self._address.where
            )
        if self._closed:
            raise WarehouseUnavailable("The warehouse is closed", where=self._address.where)


class _Attempt(threading.Thread):
    """One try to connect. Left alone when nobody waits any more; then it closes what it gets."""

    def __init__(self, address: Address) -> None:
        super().__init__(name="bunmyaku-connect", daemon=True)
        self._address = address
        self._lock = threading.Lock()
        self._abandoned = False
        self.done = threading.Event()
        self.connection: Connection | None = None
        self.error: psycopg.Error | None = None

    def run(self) -> None:
        try:
            connection = psycopg.connect(
                self._address.conninfo,
                autocommit=True,  # transactions are begun and ended by us, word for word
                prepare_threshold=None,  # a proxy may hand the next transaction to another server process
                context=_adapters(),
            )
            if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
                _read_leniently(connection)
        except psycopg.Error as error:
            self.error = error
        else:
            with self._lock:
                if self._abandoned:
                    connection.close()
                else:
                    self.connection = connection
        self.done.set()

    def abandon(self) -> None:
        """Nobody waits any more."""
        with self._lock:
            self._abandoned = True
            if self.connection is not None:
                self.connection.close()


@cache
def _adapters() -> _Adapters:
    return _Adapters()  # copied by each connection


class _Adapters:
    """Every value as the server spells it: text that Arrow reads, also where Python has no such date or number."""

    def __init__(self) -> None:
        self.adapters = AdaptersMap(psycopg.adapters)
        self.connection = None
        for info in self.adapters.types:
            self.adapters.register_loader(info.oid, TextLoader)
            if info.array_oid:
                self.adapters.register_loader(info.array_oid, TextLoader)


def _read_leniently(connection: Connection) -> None:
    """A database without an encoding holds any bytes; a server asked for UTF-8 would refuse some of them."""
    connection.execute(b"SET client_encoding = 'SQL_ASCII'")
    for info in connection.adapters.types:
        for oid in filter(None, (info.oid, info.array_oid)):
            connection.adapters.register_loader(oid, _Lenient)
    connection.adapters.register_loader(0, _Lenient)


class _Lenient(Loader):
    """Text of a database without an encoding (SQL_ASCII): what is not UTF-8 is marked."""

    def load(self, data: Any) -> str:
        """The text, undecodable bytes replaced."""
        return bytes(data).decode("utf-8", "replace")
