"""PostgreSQL, reached so that nothing but reading is possible, whatever the role may do.

Each run has a connection and a transaction of its own: `BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY`, with time,
lock, memory and disk limits and with every setting that decides how a text is read pinned; it always rolls back.
The statement is prepared first, which takes exactly one, and must give rows; then its rows are streamed, so that
caps hold for results without end. A cancel goes to the server, and cuts the connection where that does not help.
Roles and grants are the wall behind: see docs/warehouses.md.
"""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, cast

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

from text2sql.errors import WarehouseError
from text2sql.policy import Policy
from text2sql.types import Catalog, Dialect, Estimate, Limits, ResultSet
from text2sql.warehouses._arrow import take
from text2sql.warehouses._postgres_address import Address
from text2sql.warehouses._postgres_arrow import Field, batches, text_schema, typed
from text2sql.warehouses._postgres_catalog import read_catalog, with_withheld
from text2sql.warehouses._postgres_connections import Connection, Connections, Line
from text2sql.warehouses._postgres_errors import failed
from text2sql.warehouses._postgres_plan import estimate, writes
from text2sql.warehouses._postgres_session import Facts, beginning, look, notes
from text2sql.warehouses._postgres_wall import Wall, look_for_wall
from text2sql.warehouses._runs import Run
from text2sql.warehouses._shared import CEILING, MEMORY, SharedWarehouse, capped, options
from text2sql.warehouses._tags import tag_of

_BATCH = 128
"""Rows that libpq holds at a time: few, as nothing bounds how wide one is."""
_PLACEHOLDER = re.compile(r"%\((\w+)\)s|%%")


class PostgresWarehouse(SharedWarehouse):
    """One database of a PostgreSQL server (13 or newer). Raises `WarehouseUnavailable` when it cannot be reached.

    `url`: `postgresql://user:password@host/database`, with libpq's parameters and `schemas=a,b` for which schemas
    to offer. No message, `where` or repr shows the password.
    """

    def __init__(
        self, url: str, *, memory: int = MEMORY, ceiling: Limits = CEILING, infer_keys: bool = True
    ) -> None:
        address = Address.of(url)
        super().__init__(address.where, memory=memory, ceiling=ceiling, infer_keys=infer_keys)
        self._schemas = address.schemas
        self._connections = Connections(address)
        connection = self._connections.connect(Line())
        self._under: Policy | None = None
        self._told = False
        self._own = object()
        """Who asks for the catalogue and for profiles."""
        with connection:
            self._facts, self._wall = self._looked(connection)

    def _looked(self, connection: Connection) -> tuple[Facts, Wall | None]:
        try:
            facts = look(connection, self._schemas)
            return facts, look_for_wall(connection, facts.database, self.where)
        except psycopg.Error as error:
            raise failed(error, "", self.where, 0) from error

    @property
    def dialect(self) -> Dialect:
        """`postgres`."""
        return "postgres"

    def notes(self) -> tuple[str, ...]:
        """What an administrator should know: that the role may do more than read."""
        wall = self._wall.notes(self._under, told=self._told) if self._wall is not None else ()
        return (*notes(self._facts), *wall)

    @property
    def walled(self) -> bool:
        """Whether roles and row security of the database stand behind the guard (`bunmyaku policy apply`)."""
        return self._wall is not None

    def behind(self, policy: Policy | None) -> Policy | None:
        """The policy as guard and database both hold it: where a wall withholds masked columns, they are NULL."""
        self._under, self._told = policy, True
        withholds = self._wall is not None and not self._wall.computed
        return policy.behind_wall() if policy is not None and withholds else policy

    def _read_catalog(self) -> Catalog:
        found = read_catalog(self.query, self._facts, self._schemas, infer=self._infer_keys)
        return found if self._wall is None else with_withheld(found, self.query, self._schemas)

    def query(self, sql: str, seconds: float | None = None, /) -> list[tuple[Any, ...]]:
        """Rows of a statement of our own (catalogue, profiles), as Python values; not for text from outside."""
        limits = Limits(
            self._ceiling.rows, seconds or self._ceiling.seconds, self._ceiling.bytes, self._memory
        )
        columns = self._run(self._own, sql, limits, {}).table.columns
        return list(zip(*(column.to_pylist() for column in columns), strict=True))

    def _explain(self, owner: object, sql: str, parameters: Mapping[str, Any]) -> Estimate:
        text, values = _numbered(sql, parameters, self.where)
        with self._transaction(owner, sql, self._ceiling) as connection:
            self._described(connection, text, values)
            rows = (
                psycopg.RawCursor(connection)
                .execute(b"EXPLAIN (FORMAT JSON) " + text, values or None)
                .fetchall()
            )
        plan = str(rows[0][0])
        if writes(plan):
            raise WarehouseError("Only one SELECT statement can run here", where=self.where)
        return estimate(plan, self._rows_of)

    def _rows_of(self, name: str) -> int | None:
        """Rows of the largest table of that bare name: plans leave the schema out."""
        counts = [table.rows or 0 for table in self.catalog().tables if table.name == name]
        return max(counts, default=None)

    def _run(self, owner: object, sql: str, limits: Limits, parameters: Mapping[str, Any]) -> ResultSet:
        limits = capped(limits, self._ceiling)
        started = time.perf_counter()
        text, values = _numbered(sql, parameters, self.where)
        with self._transaction(owner, sql, limits) as connection:
            fields = self._described(connection, text, values)
            rows = psycopg.RawCursor(connection).stream(text, values or None, size=_BATCH)
            with closing(
                cast("Generator[tuple[Any, ...], None, None]", rows)
            ):  # the server is told when a cap ends it early
                found, truncated = take(batches(rows, len(fields)), text_schema(len(fields)), limits)
        table = typed(found, fields, self._facts.zone)
        table, cut = take(
            table.to_batches(), table.schema, limits
        )  # as types, some values are wider than as text
        return ResultSet(table, time.perf_counter() - started, truncated or cut, table.nbytes)

    def _taking(self, owner: object) -> str:
        """The words by which a transaction becomes that of the caller, where a wall asks for one; else none."""
        if self._wall is None:
            return ""
        if owner is self._own:
            return self._wall.own()
        principal = getattr(owner, "principal", None)
        if principal is not None and self._wall.role(principal) is None:  # perhaps applied since we looked
            connection = self._connections.connect(Line())
            with connection:
                self._wall = self._looked(connection)[1] or self._wall
        return self._wall.words(principal, self.where)

    def _beginning(self, taking: str, limits: Limits, name: str) -> str:
        return beginning(self._facts, limits, self._memory, name) + taking

    @contextmanager
    def _transaction(self, owner: object, sql: str, limits: Limits) -> Iterator[Connection]:
        """A connection in a read-only transaction, stopped at the limit or on request."""
        line = Line()
        begin = partial(self._beginning, self._taking(owner), limits, tag_of(owner).name)
        with self._running(owner, line.interrupt, limits.seconds) as run:
            try:
                with self._connections.lease(line, begin) as connection:
                    yield connection
            except (psycopg.Error, WarehouseError) as error:
                raise self._error(error, run, sql, limits.seconds) from error
            if stopped := self._stopped(run, limits.seconds):
                raise stopped

    def _described(self, connection: Connection, text: bytes, values: list[Any]) -> list[Field]:
        """Prepare the statement, which takes exactly one, and see that it gives rows, before anything runs."""
        pgconn = connection.pgconn
        transformer = Transformer(connection)
        transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        for result in (pgconn.prepare(b"", text, transformer.types), pgconn.describe_prepared(b"")):
            if result.status != ExecStatus.COMMAND_OK:
                raise error_from_result(result, "utf-8")
        if not result.nfields:
            raise WarehouseError(
                "Only one SELECT statement that gives columns can run here", where=self.where
            )
        return [
            Field((result.fname(at) or b"").decode("utf-8", "replace"), result.ftype(at), result.fmod(at))
            for at in range(result.nfields)
        ]

    def _error(self, error: Exception, run: Run, sql: str, seconds: float) -> WarehouseError:
        stopped = self._stopped(run, seconds)
        if stopped is not None:
            return stopped
        return error if isinstance(error, WarehouseError) else failed(error, sql, self.where, seconds)  # type: ignore[arg-type]

    def _close(self) -> None:
        self._connections.close()


def _numbered(sql: str, parameters: Mapping[str, Any], where: str) -> tuple[bytes, list[Any]]:
    """`%(name)s` as PostgreSQL's own `$1`, with the values in that order; a text without parameters is left alone."""
    try:
        sql.encode()
    except UnicodeEncodeError:
        raise WarehouseError("The statement holds a character that is none", where=where) from None
    if not parameters:
        return sql.encode(), []
    order: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None:
            return "%"
        if name not in parameters:
            raise WarehouseError(f"The parameter {name} has no value", where=where)
        if name not in order:
            order.append(name)
        return f"${order.index(name) + 1}"

    text = _PLACEHOLDER.sub(number, sql)
    return text.encode(), [parameters[name] for name in order]


def build(settings: Mapping[str, Any]) -> PostgresWarehouse:
    """From settings `url` and, optionally, `memory` (bytes, of one query)."""
    return PostgresWarehouse(str(settings["url"]), **options(settings))
