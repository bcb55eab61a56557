"""What the guard lets pass and what a check costs, beside others that check SQL.

    python -m bench guard [--rounds 7] [--data DIR] [--every N]

Statements of a small shop on PostgreSQL (`bench/statements.yaml`): hostile ones should be refused, legitimate ones
should pass, mistaken ones (which PostgreSQL would refuse) should rather be refused here. All checkers go over the
list in turns; ratios are time of theirs over time of ours on the legitimate ones, round by round. Then the cost of
ours on catalogues of 10, 1,000 and 10,000 tables (`bench/_guard_size.py`), with a policy and without. DIR holds the text2sql sets: see `bench/_guard_data.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench import _guard_data, _guard_size
from bench._guard_data import CALLER
from bench._peers_guard import Passes, installed
from bench._rounds import OURS, Contender, compared, race, ratios, table, versions
from text2sql.ddl import catalog_from_ddl
from text2sql.guard import SqlGuard
from text2sql.types import Catalog

TAKES_DATA = True
STATEMENTS = Path(__file__).with_name("statements.yaml")


@dataclass(frozen=True)
class Statements:
    """The list: hostile ones by kind of attack."""

    catalog: Catalog
    hostile: Mapping[str, Sequence[str]]
    legitimate: Sequence[str]
    mistaken: Sequence[str]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench guard", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--data", type=Path, help="folder of the text2sql sets")
    parser.add_argument(
        "--every", type=int, default=7, help="compare the results of every N-th of spider_train"
    )
    given = parser.parse_args(arguments)
    statements = read(STATEMENTS)
    peers, here, missing = installed(statements.catalog)
    print(compared(versions("sqlglot"), here, missing))
    checkers = {OURS: ours(statements.catalog), **peers}
    show(statements, checkers, given.rounds)
    print("\ncost of ours by the size of the catalogue:")
    _guard_size.show()
    if given.data is not None:
        folder = given.data / "text2sql"
        _guard_data.show(folder if folder.is_dir() else given.data, given.every)


def read(path: Path) -> Statements:
    """The list of a file."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Statements(
        catalog_from_ddl(raw["schema"], "postgres"), raw["hostile"], raw["legitimate"], raw["mistaken"]
    )


def ours(catalog: Catalog) -> Passes:
    """Our guard, without a policy: what the peers have nothing to put beside is left out."""
    guard = SqlGuard()
    return lambda sql: guard.check(sql, catalog, CALLER).allowed


def show(statements: Statements, checkers: Mapping[str, Passes], rounds: int) -> None:
    """Race the checkers over the legitimate statements, then say what passes."""
    legitimate = statements.legitimate
    racing = [Contender(name, _over(passes, legitimate)) for name, passes in checkers.items()]
    race(racing, 1)  # not counted: lists and grammars are loaded
    times = race(racing, rounds)
    attacks = [sql for kind in statements.hostile.values() for sql in kind]
    rows = []
    for name, passes in checkers.items():
        each = sorted(seconds / len(legitimate) * 1000 for seconds in times[name])
        rows.append(
            (
                name,
                f"{sum(map(passes, attacks))}/{len(attacks)}",
                f"{sum(map(passes, legitimate))}/{len(legitimate)}",
                f"{sum(map(passes, statements.mistaken))}/{len(statements.mistaken)}",
                f"{each[len(each) // 2]:.2f} ms",
                f"{each[0]:.2f} ms",
                ratios(times, name),
            )
        )
    print(table(("passes", "hostile", "legitimate", "mistaken", "a check", "best", "ratio (range)"), rows))
    print("\nhostile statements that pass, by kind:")
    kinds = [
        (kind, len(found), *[sum(map(passes, found)) for passes in checkers.values()])
        for kind, found in statements.hostile.items()
    ]
    print(table(("kind", "all", *checkers), kinds))
    for sql in legitimate:
        if not checkers[OURS](sql):
            print(f"ours refuses a legitimate one: {sql}")
    for sql in attacks:
        if checkers[OURS](sql):
            print(f"ours passes a hostile one: {sql}")


def _over(passes: Passes, statements: Sequence[str]) -> Callable[[], object]:
    return lambda: [passes(sql) for sql in statements]
