"""`policy apply` on PostgreSQL: read what stands, decide what is missing, and run it in one transaction."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import psycopg

from text2sql.errors import PolicyError, WallRefused
from text2sql.policy import Policy, problems
from text2sql.row_security.changes import Login, Statement, changes, removal
from text2sql.row_security.context import Key
from text2sql.row_security.sets import Names
from text2sql.row_security.standing import Standing, obstacles, remarks, standing
from text2sql.row_security.wanted import Place, Wanted, fingerprint, wanted
from text2sql.types import Catalog
from text2sql.warehouses._postgres_address import Address
from text2sql.warehouses._postgres_catalog import read_tables
from text2sql.warehouses._postgres_errors import unreachable

_AS_QUERIES_ARE_READ = (
    "SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL standard_conforming_strings = on;"
    "SET LOCAL lock_timeout = '10s'"  # whoever waits for a table makes everybody else wait behind
)
_NOT_DONE = frozenset({"01006", "01007"})
"""PostgreSQL's states of a right that was not revoked, or not granted."""
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('bunmyaku policy apply'))"


@dataclass(frozen=True)
class Plan:
    """What would run. `refusals`: why nothing may; `password`: of the reader, where it is new."""

    statements: list[Statement] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    roles: dict[str, frozenset[str]] = field(default_factory=dict)
    reader: str = ""
    password: str = field(default="", repr=False)


class Administration:
    """A connection that may make roles, grants and row policies; all that it does is one transaction.

    Raises `WarehouseUnavailable` when the server cannot be reached. A context manager: an error rolls everything back.
    """

    def __init__(self, url: str, *, prefix: str = "bunmyaku") -> None:
        self._address = Address.of(url)
        self.where = self._address.where
        self._names = Names(prefix)
        try:
            self._connection = psycopg.connect(self._address.conninfo)
        except psycopg.Error as error:
            raise unreachable(error, self._address) from None  # its frames hold the password
        self._unheeded: list[str] = []
        self._connection.add_notice_handler(self._heed)
        self._ask(_ALONE)
        self._connection.execute(_AS_QUERIES_ARE_READ.encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def _heed(self, notice: psycopg.errors.Diagnostic) -> None:
        """A right that this role cannot give or take away is a mere warning to PostgreSQL."""
        if notice.sqlstate in _NOT_DONE:
            self._unheeded.append(notice.message_primary or "")

    def _ask(self, text: str, **parameters: Any) -> Sequence[tuple[Any, ...]]:
        rows: Sequence[tuple[Any, ...]] = self._connection.execute(
            text.encode(), parameters or None
        ).fetchall()
        return rows

    def _query(self, text: str, seconds: float | None = None, /) -> list[tuple[Any, ...]]:
        del seconds
        return list(self._ask(text))

    def catalog(self) -> Catalog:
        """Every table that this role may read, as the warehouse would offer it, without anything measured."""
        tables, alike = read_tables(self._query, self._address.schemas)
        schema = self._address.schemas[0] if self._address.schemas else "public"
        return Catalog(
            "postgres", tuple(tables), schema, self._address.database or self._address.user, left_out=alike
        )

    def plan(
        self, policy: Policy, held: Iterable[Iterable[str]] = (), *, computed: bool = False, force: bool = False,
        password: str = "",
    ) -> Plan:  # fmt: skip
        """What has to run so that the database stands as the policy says."""
        try:
            return self._planned(policy, held, computed=computed, force=force, password=password)
        except psycopg.Error as error:
            raise self._failed(error) from error

    def _planned(
        self, policy: Policy, held: Iterable[Iterable[str]], *, computed: bool, force: bool, password: str
    ) -> Plan:
        now, catalog = standing(self._query_with, self._names), self.catalog()
        relations = now.relations
        others = {place: relation.grantees for place, relation in relations.items()}
        rowless = frozenset(place for place, relation in relations.items() if relation.rowless)
        to = wanted(
            policy, catalog, held, prefix=self._names.prefix, computed=computed, grantees=others, rowless=rowless
        )  # fmt: skip
        ruled: set[Place] = {(t.schema, t.name) for t in catalog.tables if policy.rule(t) is not None}
        named = problems(policy, catalog)
        absent = [f"{problem}: nothing is applied for it." for problem in named if "no column" not in problem]
        # One that was hidden or masked and has another name now would be shown.
        lost = [f"{problem}. Was it renamed? Mend the policy." for problem in named if "no column" in problem]
        blocked = [*obstacles(now, self._names, ruled), *to.refusals, *lost]
        told = [*absent, *to.remarks, *remarks(now, ruled)]
        facts = {
            "database": now.database, "prefix": self._names.prefix, "policy": fingerprint(policy),
            "title": policy.title, "computed_masks": computed, "force": force,
        }  # fmt: skip
        login, fresh = self._login(now, to, facts, password)
        statements = [] if blocked else changes(now, to, login, force=force)
        return Plan(statements, blocked, told, to.roles, self._names.reader, fresh)

    def _query_with(self, text: str, **parameters: Any) -> Sequence[tuple[Any, ...]]:
        # Always with parameters: in these texts every percent sign is written twice.
        return self._connection.execute(text.encode(), parameters).fetchall()

    def _login(self, now: Standing, to: Wanted, facts: dict[str, Any], password: str) -> tuple[Login, str]:
        """How the reader logs in; a password is made where there is none yet and none is given."""
        before = now.reader(to.names)
        salt = str(before.get("salt") or secrets.token_hex(16))
        facts["salt"] = salt
        fresh = password
        if not fresh and (now.key is None or to.names.reader not in now.roles):
            fresh = secrets.token_urlsafe(24)
        if not fresh:
            return Login(facts), ""
        key = Key.of(fresh, salt)
        if now.key is not None and key.same(now.key) and to.names.reader in now.roles:
            return Login(facts), ""
        verifier = self._connection.pgconn.encrypt_password(
            fresh.encode(), to.names.reader.encode(), b"scram-sha-256"
        )
        return Login(facts, verifier.decode(), key), fresh

    def removal(self) -> Plan:
        """What takes the wall away."""
        try:
            now = standing(self._query_with, self._names)
        except psycopg.Error as error:
            raise self._failed(error) from error
        blocked = [
            problem
            for problem in obstacles(now, self._names, set())
            if "not ours" in problem or "another --prefix" in problem
        ]
        return Plan([] if blocked else removal(now, self._names), blocked, reader=self._names.reader)

    def run(self, plan: Plan) -> None:
        """Run it all and commit. Raises `PolicyError` where it may not, `WallRefused` where the server does."""
        if plan.refusals:
            raise PolicyError("The policy cannot be applied", where=self.where, todo="\n".join(plan.refusals))
        shown = ""
        try:
            for statement in plan.statements:
                shown = str(statement)
                self._connection.execute(statement.sql.encode())
                if self._unheeded and " CONNECT ON DATABASE " not in shown:  # which PUBLIC mostly has
                    raise self._refused(self._unheeded[0], shown)
                self._unheeded.clear()
            self._connection.commit()
        except psycopg.Error as error:
            raise self._failed(error, shown) from error

    def _failed(self, error: psycopg.Error, shown: str = "") -> WallRefused:
        message = error.diag.message_primary or type(error).__name__
        if isinstance(error, psycopg.errors.DependentObjectsStillExist):
            message += f" ({(error.diag.message_detail or '').partition(chr(10))[0]})"
        if isinstance(error, psycopg.errors.LockNotAvailable):
            return self._refused(
                message, shown, "Another program holds the table: apply again once it has ended."
            )
        return self._refused(message, shown)

    def _refused(
        self, message: str, shown: str,
        todo: str = "Apply as a role that may make roles and owns the tables and schemas (a superuser does).",
    ) -> WallRefused:  # fmt: skip
        return WallRefused(
            f"PostgreSQL refused: {message}. Nothing was changed",
            where=f"{self.where}: {shown}" if shown else self.where,
            todo=todo,
        )
