"""Predictions of systems judged like drafts of our own, and the vote among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evals.cases import Case
from evals.drafting.judging import Gold, Judged, gold_of, judge, marks, unscored, would_be_right
from evals.drafting.opened import Opened, opened
from evals.drafting.places import Place
from evals.drafting.predictions import Predictions
from evals.drafting.summing import Row, figures, share
from evals.statistics import paired
from text2sql.errors import WarehouseError
from text2sql.voting import Candidate, Vote, vote


@dataclass(frozen=True)
class Replaying:
    """How every question of a run is replayed. Small enough to be sent to a worker."""

    places: Mapping[str, Place]
    seconds: float = 10.0
    voting: bool = False


@dataclass(frozen=True)
class Replayed:
    """One question, and what each system predicted for it; None where it predicted nothing."""

    case: Case
    sql: tuple[tuple[str, str | None], ...]


def together(cases: Sequence[Case], systems: Sequence[Predictions]) -> list[Replayed]:
    """Each question with its predictions."""
    return [Replayed(case, tuple((each.name, each.sql.get(case.id)) for each in systems)) for case in cases]


def replay(replaying: Replaying, item: Replayed) -> Row:
    """One question as a row: what became of each system's prediction, and of their vote."""
    case = item.case
    row: Row = {"id": case.id, "db": case.db}
    if case.unscored:
        return {**row, "status": "unscored", "reason": case.unscored}
    refusing = case.expected == "refuse"
    try:
        at = opened(replaying.places[case.db])
        gold = () if refusing else gold_of(case, at, replaying.seconds)
    except WarehouseError as error:
        return {**row, **unscored(error)}
    nothing = Judged("declined" if refusing else "wrong", reason="missing")
    judged = {
        name: judge(sql, case, gold, at, replaying.seconds) if sql else nothing for name, sql in item.sql
    }
    cells = {name: _cell(sql, judged[name], case, gold, at, replaying.seconds) for name, sql in item.sql}
    row |= {"status": "replayed", "systems": cells}
    if replaying.voting:
        found = vote([Candidate(sql or "", judged[name].rows) for name, sql in item.sql])
        for number, group in enumerate(found.groups):
            for position in group.members:
                cells[item.sql[position][0]]["group"] = number
        row["vote"] = _voted(found, item, judged, gold, case)
    return row


def _cell(
    sql: str | None, judged: Judged, case: Case, gold: tuple[Gold, ...], at: Opened, seconds: float
) -> Row:
    ran = sql is not None and judged.status in ("correct", "wrong")
    cell: Row = {
        "sql": sql,
        "status": judged.status,
        "correct": not ran if case.expected == "refuse" else judged.correct,
        "answered": ran,
        "confidence": 1.0 if sql else 0.0,
    }
    cell |= marks(case, gold, exact=judged.exact)
    if judged.reason:
        cell["reason"] = judged.reason
    if judged.status == "refused" and sql:
        cell["refused_right"] = would_be_right(sql, case, gold, at, seconds)
    return {**cell, "seconds": sum(judged.timings.values()), "timings": judged.timings}


def _voted(
    found: Vote, item: Replayed, judged: Mapping[str, Judged], gold: tuple[Gold, ...], case: Case
) -> Row:
    name, sql = item.sql[found.chosen] if found.chosen is not None else ("", None)
    chosen = judged.get(name, Judged("declined"))
    return {
        "sql": sql,
        "status": chosen.status,
        "correct": sql is None if case.expected == "refuse" else chosen.correct,
        "answered": sql is not None,
        "confidence": found.agreement,
        "chosen": name,
        "groups": [len(group.members) for group in found.groups],
        "unanimous": found.unanimous,
        **marks(case, gold, exact=chosen.exact),
    }


def rows_of(name: str, rows: Sequence[Row]) -> list[Row]:
    """One system's rows by themselves (`vote`: of the vote)."""
    result = []
    for row in rows:
        cell = row.get("vote") if name == "vote" else row.get("systems", {}).get(name)
        if cell is not None:
            expected = {"expected": row["expected"]} if "expected" in row else {}
            result.append({"id": row["id"], "db": row["db"], **expected, **cell})
        else:
            result.append({key: row[key] for key in row if key not in ("systems", "vote")})
    return result


def system_figures(system: Predictions, rows: Sequence[Row]) -> dict[str, Any]:
    """A system's figures, what was missing, and what the guard cost it."""
    found = figures(rows)
    refused = [row for row in rows if row.get("status") == "refused"]
    found["missing"] = len(system.missing)
    found["unknown_ids"] = len(system.unknown)
    found["refused"] = len(refused)
    found["refused_though_right"] = sum(bool(row.get("refused_right")) for row in refused)
    return found


def vote_figures(rows: Sequence[Row], members: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """The vote's figures, how right it is at each level of agreement, and the difference to each member."""
    found = figures(rows)
    scored = [at for at, row in enumerate(rows) if row["status"] != "unscored"]
    mine = [rows[at] for at in scored]
    agreed = [row for row in mine if row.get("unanimous")]
    found |= share("unanimous", len(agreed), len(mine))
    found |= share("unanimous_precision", sum(bool(row["correct"]) for row in agreed), len(agreed))
    found["agreement"] = _agreement(mine)
    if not mine:
        return found
    against = {}
    for name, theirs in members.items():
        result = paired(
            [float(row["correct"]) for row in mine], [float(theirs[at]["correct"]) for at in scored]
        )
        against[name] = {**asdict(result), "interval": result.interval.to_json()}
    found["best_member"] = min(against, key=lambda name: against[name]["difference"])
    found["gain"] = against[found["best_member"]]
    found["against"] = against
    return found


def _agreement(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Share of right votes where the agreement was at least so high and below the next step."""
    steps = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    table = []
    for low, high in zip(steps, [*steps[1:], 2.0], strict=True):
        inside = [row for row in rows if low <= float(row.get("confidence", 0.0)) < high]
        if inside:
            right = sum(bool(row["correct"]) for row in inside)
            table.append({"from": low, "n": len(inside), **share("precision", right, len(inside))})
    return table
