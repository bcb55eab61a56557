"""Either wall alone holds: guard without database, database without guard, and both together, on random policies.

A copy that physically holds only the caller's rows and columns is made in Python, without guard and without database.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from retrieval.types import Principal
from tests.text2sql.guard.queries import QueryMaker
from tests.text2sql.guard.shopdata import COLUMNS, Row, Rule, rows, rules
from tests.text2sql.warehouses.postgres_server import OwnServer
from tests.text2sql.warehouses.test_postgres_policies import fill
from text2sql.errors import WarehouseError
from text2sql.guard import SqlGuard
from text2sql.policy import Policy, parse
from text2sql.row_security.postgres import Administration
from text2sql.types import Limits, Verdict, Warehouse
from text2sql.warehouses import session_for
from text2sql.warehouses.postgres import PostgresWarehouse

DATA = rows()
PASSWORD = "a pass'word\\ of mine"
HELD = (("a",), ("b",), ("a", "b"), ("a", "b"), ())
ATTRIBUTES: tuple[dict[str, Any], ...] = (
    {"regions": ("Kanto", "O'Brien % _"), "seller": 2},
    {"regions": ("Tohoku",), "seller": 4},
    {"regions": (), "seller": "4"},
    {},
)
Granted = tuple[tuple[str, ...], Rule]


@dataclass(frozen=True)
class Case:
    """A random policy: grants a table, each with its roles."""

    grants: Mapping[str, list[Granted]]

    def policy(self) -> Policy:
        lines = ["attributes: {regions: {type: text, list: true}, seller: {type: integer}}", "tables:"]
        for table, granted in self.grants.items():
            lines += [f"  {table}:", "    grants:"]
            for roles, rule in granted:
                masks = ", ".join(
                    f"{c}: {m if isinstance(m, str) else '{bucket: 10}'}" for c, m in rule.masks.items()
                )
                lines.append(
                    f'      - {{roles: [{", ".join(roles)}], rows: "{rule.rows}", masks: {{{masks}}}, '
                    f"hide: [{', '.join(rule.hide)}]}}"
                )
        return parse("\n".join(lines))

    def held(self, table: str, caller: Principal) -> list[Rule]:
        mine = {"everyone", *caller.roles}
        return [rule for roles, rule in self.grants[table] if mine.intersection(roles)]

    def copy(
        self, table: str, caller: Principal, *, empty: bool = False
    ) -> tuple[list[str], list[list[Any]]]:
        """Columns that no held rule touches (or that a rule over all rows shows), and rows that one admits.

        `empty`: the other columns are there too, and empty.
        """
        held = self.held(table, caller)
        admitted = [row for row in DATA[table] if any(_admits(rule, row, caller) for rule in held)]
        columns = [c for c in COLUMNS[table] if _shown(c, held)]
        if empty:
            return list(COLUMNS[table]), [
                [row[c] if c in columns else None for c in COLUMNS[table]] for row in admitted
            ]
        return columns, [[row[c] for c in columns] for row in admitted]


def _admits(rule: Rule, row: Row, caller: Principal) -> bool:
    """As the rule means it; where it binds what the caller lacks, it admits nothing."""
    bound = {":regions": caller.attributes.get("regions"), ":seller": caller.attributes.get("seller")}
    fits = {":regions": bool, ":seller": lambda v: isinstance(v, int)}
    if any(name in rule.rows and not fits[name](value) for name, value in bound.items()):
        return False
    return rule.admits(row, caller)


def _shown(column: str, held: list[Rule]) -> bool:
    clear = [rule for rule in held if column not in rule.hide and column not in rule.masks]
    return bool(clear) and (len(clear) == len(held) or any(rule.rows == "all" for rule in clear))


def draw(rng: random.Random) -> Case:
    roles = [("a",), ("a", "b"), ("everyone",), ("everyone",)]
    return Case(
        {
            t: [(rng.choice(roles), rule) for rule in rng.sample(rules(t), rng.choice([1, 1, 2, 3]))]
            for t in COLUMNS
        }
    )


class Shop:
    """One database with everything, one for copies; opened as superuser, as the reader, and by hand."""

    def __init__(self, server: OwnServer) -> None:
        self.server = server
        self.url = server.url(server.fresh("walled"))
        with server.connect("walled") as everything:
            for table, columns in COLUMNS.items():
                fill(everything, "public", table, list(columns), [list(r.values()) for r in DATA[table]])
        self.copies = server.connect(server.fresh("walled_copies"))
        self.guard = PostgresWarehouse(self.url)

    def apply(self, policy: Policy) -> list[str]:
        """The refusals, [] where it was applied."""
        with Administration(self.url, prefix="proof") as administration:
            plan = administration.plan(policy, HELD, password=PASSWORD)
            if not plan.refusals:
                administration.run(plan)
            return plan.refusals

    def reader(self) -> PostgresWarehouse:
        return PostgresWarehouse(self.server.url("walled", "proof_reader", PASSWORD), infer_keys=False)

    def on_copy(
        self, case: Case, caller: Principal, draft: str, *, empty: bool = False
    ) -> Counter[Any] | str:
        self.copies.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        for table in COLUMNS:
            columns, values = case.copy(table, caller, empty=empty)
            if columns:
                fill(self.copies, "public", table, columns, values)
        return plainly(self.copies, draft)

    def by_hand(self, reader: PostgresWarehouse, caller: Principal, draft: str) -> Counter[Any] | str:
        """The draft as it is, through psycopg, in the transaction that our warehouse would begin."""
        assert reader._wall is not None
        words = reader._wall.words(caller, "")
        url = self.server.url("walled", "proof_reader", PASSWORD)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"BEGIN READ ONLY; SET LOCAL search_path = public; {words}".encode())
            return plainly(connection, draft)


def plainly(connection: psycopg.Connection[Any], sql: str) -> Counter[Any] | str:
    try:
        return Counter(tuple(map(str, row)) for row in connection.execute(sql.encode()).fetchall())
    except psycopg.Error:
        return "refused"


def through(warehouse: Warehouse, verdict: Verdict) -> Counter[Any] | str:
    try:
        found = warehouse.run(verdict.sql, Limits(), verdict.parameters).table
    except WarehouseError as error:
        return "denied" if "permission" in str(error) else "refused"
    return Counter(zip(*(map(str, c.to_pylist()) for c in found.columns), strict=True))


@pytest.fixture(scope="module")
def shop(postgres: OwnServer) -> Iterator[Shop]:
    opened = Shop(postgres)
    yield opened
    opened.guard.close()
    opened.copies.close()
    with Administration(opened.url, prefix="proof") as administration:
        administration.run(administration.removal())


def prove(shop: Shop, seed: int, queries: int) -> Counter[str]:
    rng = random.Random(seed)
    case, counted = draw(rng), Counter[str]()
    policy = case.policy()
    if refusals := shop.apply(policy):
        assert all("a row rule reads it" in text for text in refusals)
        return Counter(not_applied=1)
    with shop.reader() as reader:
        agreed = reader.behind(policy)
        for _ in range(queries):
            caller = Principal("c", roles=rng.choice(HELD), attributes=rng.choice(ATTRIBUTES))
            draft = QueryMaker(rng).query()
            copied, walled = shop.on_copy(case, caller, draft), shop.by_hand(reader, caller, draft)
            if walled == "refused" != copied:
                assert "*" in draft, f"{draft}\n{policy}"  # a star stands for columns that are withheld too
                counted["star"] += 1
            elif copied == "refused" != walled:
                # PostgreSQL asks for no right to what it need not plan; nothing of it is read then.
                assert walled == shop.on_copy(case, caller, draft, empty=True), f"{caller}\n{draft}\n{policy}"
                counted["unread"] += 1
            else:
                assert walled == copied, f"{caller}\n{draft}\n{policy}"
                counted["refused" if walled == "refused" else "wall alone"] += 1
            catalog = reader.catalog()
            verdict = SqlGuard().check(draft, catalog, caller, agreed)
            if verdict.allowed:
                alone = through(shop.guard, verdict)
                assert through(session_for(reader, caller, ""), verdict) == alone, f"{caller}\n{verdict.sql}"
                if copied != "refused" and "*" not in draft:
                    assert alone == copied, f"{caller}\n{draft}\n{verdict.sql}"
                counted["both"] += 1
    return counted


def test_either_wall_alone_gives_the_callers_rows_and_both_give_the_same(shop: Shop) -> None:
    counted = sum((prove(shop, seed, 10) for seed in range(14)), Counter[str]())
    assert counted["wall alone"] > 30
    assert counted["both"] > 30
    assert counted["refused"] > 5
    assert counted["unread"] < 5


@pytest.mark.slow
def test_either_wall_alone_many_times(shop: Shop) -> None:
    counted = sum((prove(shop, seed, 12) for seed in range(1000, 1250)), Counter[str]())
    assert counted["wall alone"] > 700
    assert counted["both"] > 700


def test_the_proof_can_fail(shop: Shop) -> None:
    """Without the wall's row security, the same statement by hand gives other rows than the copy."""
    case = Case({t: [(("a",), rules(t)[1])] for t in COLUMNS})
    caller = Principal("c", roles=("a",), attributes=ATTRIBUTES[0])
    assert shop.apply(case.policy()) == []
    draft = "SELECT COUNT(sale_id) FROM sales"
    with shop.reader() as reader, shop.server.connect("walled") as administrator:
        assert shop.by_hand(reader, caller, draft) == shop.on_copy(case, caller, draft)
        administrator.execute("ALTER TABLE sales DISABLE ROW LEVEL SECURITY")
        try:
            assert shop.by_hand(reader, caller, draft) != shop.on_copy(case, caller, draft)
        finally:
            administrator.execute("ALTER TABLE sales ENABLE ROW LEVEL SECURITY")
