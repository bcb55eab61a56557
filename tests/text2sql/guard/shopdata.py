"""A small shop full of awkward rows, and what a policy makes of it, computed in plain Python."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from retrieval.types import Principal
from text2sql.policy import Policy, parse

Row = dict[str, Any]

COLUMNS: dict[str, dict[str, str]] = {
    "stores": {"store_id": "INTEGER", "region": "VARCHAR", "size": "INTEGER", "opened": "VARCHAR"},
    "sales": {
        "sale_id": "INTEGER",
        "store_id": "INTEGER",
        "seller_id": "INTEGER",
        "buyer": "VARCHAR",
        "amount": "INTEGER",
    },
    "sellers": {"seller_id": "INTEGER", "region": "VARCHAR", "wage": "INTEGER"},
}
REGIONS = ("Kanto", "Kansai", "Tohoku", "O'Brien % _", None)


def rows(seed: int = 7) -> dict[str, list[Row]]:
    """Rows with NULLs, repeats and dangling references."""
    rng = random.Random(seed)
    some = rng.choice
    stores = [
        {
            "store_id": i,
            "region": some(REGIONS),
            "size": some([None, 5, 12, 18, 25, -3]),
            "opened": f"20{10 + i}-0{1 + i}-15",
        }
        for i in range(8)
    ]
    sellers = [
        {"seller_id": i, "region": some(REGIONS), "wage": some([None, 300, 410, 555])} for i in range(5)
    ]
    sales = [
        {
            "sale_id": i, "store_id": some([*range(9), None]), "seller_id": some([*range(6), None]),
            "buyer": some(["Anna", "Bo", "Chiyo", None, "Anna"]), "amount": some([None, 0, 7, 15, 23, 40]),
        }
        for i in range(40)
    ]  # fmt: skip
    return {"stores": stores, "sales": sales, "sellers": sellers}


@dataclass(frozen=True)
class Rule:
    """One grant, as YAML says it and as Python means it."""

    rows: str
    admits: Callable[[Row, Principal], bool]
    masks: dict[str, Any] = field(default_factory=dict)
    hide: tuple[str, ...] = ()


def _has(value: Any) -> bool:
    return value is not None


def rules(table: str) -> list[Rule]:
    """Grants to choose from, for one table."""
    everything = Rule("all", lambda r, p: True)
    listed = Rule("region IN (:regions)", lambda r, p: r["region"] in p.attributes["regions"])
    if table == "sales":
        return [
            everything,
            Rule("seller_id = :seller", lambda r, p: r["seller_id"] == p.attributes["seller"]),
            Rule(
                "amount > 10 OR buyer IS NULL",
                lambda r, p: (_has(r["amount"]) and r["amount"] > 10) or not _has(r["buyer"]),
            ),
            Rule(
                "NOT (store_id = 3 OR store_id = 4)",
                lambda r, p: _has(r["store_id"]) and r["store_id"] not in (3, 4),
            ),
            Rule("all", lambda r, p: True, {"buyer": "null", "amount": {"bucket": 10}}),
            Rule("all", lambda r, p: True, {"buyer": "partial"}, ("seller_id",)),
            Rule(
                "amount BETWEEN 7 AND 23",
                lambda r, p: _has(r["amount"]) and 7 <= r["amount"] <= 23,
                {"buyer": "null"},
            ),
        ]
    if table == "stores":
        return [
            everything,
            listed,
            Rule(
                "region NOT IN (:regions)",
                lambda r, p: _has(r["region"]) and r["region"] not in p.attributes["regions"],
            ),
            Rule("all", lambda r, p: True, {"size": {"bucket": 10}, "opened": "year"}),
            Rule("size IS NOT NULL", lambda r, p: _has(r["size"]), {"region": "null"}),
        ]
    return [
        everything,
        listed,
        Rule("wage < 500", lambda r, p: _has(r["wage"]) and r["wage"] < 500, {}, ("region",)),
    ]


def policy_of(chosen: dict[str, list[Rule]]) -> Policy:
    """The YAML of these rules, as a data owner would write it."""
    lines = ["attributes: {regions: {type: text, list: true}, seller: {type: integer}}", "tables:"]
    for table, grants in chosen.items():
        lines += [f"  {table}:", "    grants:"]
        for grant in grants:
            masks = ", ".join(f"{c}: {_yaml(m)}" for c, m in grant.masks.items())
            lines.append(
                f'      - {{roles: [everyone], rows: "{grant.rows}", masks: {{{masks}}}, hide: [{", ".join(grant.hide)}]}}'
            )
    return parse("\n".join(lines))


def _yaml(mask: Any) -> str:
    return f"{{bucket: {mask['bucket']}}}" if isinstance(mask, dict) else f"'{mask}'"


def visible(
    table: str, data: list[Row], grants: list[Rule], caller: Principal
) -> tuple[list[str], Iterator[list[Any]]]:
    """The columns and rows that a copy made for this caller would hold."""
    columns = [c for c in COLUMNS[table] if not all(c in g.hide for g in grants)]

    def seen() -> Iterator[list[Any]]:
        for row in data:
            admitting = [g for g in grants if g.admits(row, caller)]
            if admitting:
                yield [_shown(row[c], c, admitting) for c in columns]

    return columns, seen()


def _shown(value: Any, column: str, admitting: list[Rule]) -> Any:
    masks = ["null" if column in g.hide else g.masks.get(column) for g in admitting]
    if any(mask is None for mask in masks) or value is None:
        return value
    mask = masks[0]
    if isinstance(mask, dict):
        return value // mask["bucket"] * mask["bucket"]
    return {
        "null": None,
        "partial": f"{value[0]}***" if len(str(value)) > 3 else "***",
        "year": f"{str(value)[:4]}-01-01",
    }[mask]
