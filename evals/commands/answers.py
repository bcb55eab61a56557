"""`bunmyaku eval answers`: a suite of our own, asked through the whole way on the configured home."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from app.commands.opening import require_home
from app.commands.output import Terminal
from app.settings import home_folder
from app.settings import load as load_settings
from evals.asking import ask, files_of, home_of, opened, prepare
from evals.errors import EvalError
from evals.paths import journal_of
from evals.progress import Progress
from evals.report import fingerprint, latency, write
from evals.runner import run
from evals.statistics import wilson
from evals.suites.house import HouseCase, load, tagged

VERSION = {"passed": 1}
"""Goes up when the same answers would be judged differently."""

Row = Mapping[str, Any]


def command(
    suite: Annotated[Path, typer.Argument(help="A suite: YAML with `cases:`, or JSON Lines.")],
    out: Annotated[Path, typer.Option("--out", help="Where the report goes (JSON).")],
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Cases at once, each in its own process.")] = 1,
    tags: Annotated[str, typer.Option("--tags", help="Only cases with one of these tags (a,b,…).")] = "",
    today: Annotated[
        str, typer.Option("--today", help="The day that relative periods count from (YYYY-MM-DD).")
    ] = "",
    timings: Annotated[
        Path | None,
        typer.Option("--timings", help="Timings in a file of their own: --out is then the same twice."),
    ] = None,
) -> None:
    """Ask every question of a suite as its user, and say which part failed first where an answer is wrong."""
    read = load(suite)
    chosen = tuple(tag.strip() for tag in tags.split(",") if tag.strip())
    cases = list(tagged(read, chosen))
    if not cases:
        raise EvalError(
            "No case has any of these tags", where=f"--tags {tags}", todo="Name tags of the suite."
        )
    day, home = _day(today), home_folder()
    settings = load_settings(home)
    require_home(settings)
    application = opened(home, day)
    options = {"tags": list(chosen), "today": today or None}
    held = home_of(settings, application)
    data = fingerprint([suite], suite.parent, held)
    whole = {"data": data, "options": options, "version": metadata.version("bunmyaku")}
    with Progress("answers") as progress:
        rows = run(
            cases,
            partial(ask, home=home, today=day),
            key=_key,
            jobs=jobs,
            journal=journal_of(out),
            fingerprint=fingerprint(files_of(settings), home, whole),
            progress=progress,
            setup=partial(prepare, home, day),
            group=_asker,
        )
    summary = summarise(read.name, rows, options, data, held)
    write(out, summary, rows, timings)
    show(summary, rows, Terminal())


def summarise(
    suite: str, rows: list[dict[str, Any]], options: Mapping[str, Any], data: str, home: Mapping[str, Any]
) -> dict[str, Any]:
    """What is said of the whole run: shares of the scored cases, each with its interval (Wilson, 95 %)."""
    scored = [row for row in rows if row.get("passed") is not None or row.get("status") == "error"]
    parts = Counter(row.get("failed_part") or "error" for row in scored if not row.get("passed"))
    return {
        "suite": suite,
        "n": len(rows),
        "version": VERSION,
        "coverage": len(scored) / len(rows) if rows else 0.0,
        "options": dict(options),
        "fingerprint": data,
        "home": dict(home),
        **_share(scored),
        "leaks": sum(bool(row.get("leaks")) for row in rows),
        "failed_parts": dict(sorted(parts.items(), key=lambda item: (-item[1], item[0]))),
        "by_kind": _by(scored, lambda row: [row.get("kind", "?")]),
        "by_language": _by(scored, lambda row: [row.get("language", "?")]),
        "by_route": _by(scored, lambda row: [row.get("route", "?")]),
        "by_tag": _by(scored, lambda row: row.get("tags", [])),
        **latency([row.get("seconds") for row in rows]),
    }


def show(summary: Mapping[str, Any], rows: Iterable[Row], console: Console) -> None:
    """The summary and the failed cases, for a person."""
    low, high = summary["interval"]
    console.print(
        f"{summary['suite']}: {summary['passed']} of {summary['scored']} pass,"
        f" {100 * summary['pass_rate']:.1f}% (95% interval {100 * low:.1f} to {100 * high:.1f});"
        f" coverage {100 * summary['coverage']:.1f}%; leaks: {summary['leaks']};"
        f" p50 {summary['p50_ms'] or 0:.0f} ms, p95 {summary['p95_ms'] or 0:.0f} ms",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    table = Table("group", "cases", "passed", "95% interval")
    for group in ("by_kind", "by_language", "by_route", "by_tag"):
        for name, share in summary[group].items():
            low, high = share["interval"]
            table.add_row(
                f"{group[3:]}: {name}", str(share["scored"]), f"{100 * share['pass_rate']:.1f}%",
                f"{100 * low:.1f} to {100 * high:.1f}",
            )  # fmt: skip
    console.print(table)
    for row in rows:
        if row.get("passed") is not True:
            said = "; ".join(row.get("details") or [str(row.get("error", ""))])
            line = f"{row['id']}: {row.get('failed_part') or row.get('status')}: {said}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def _share(rows: list[dict[str, Any]]) -> dict[str, Any]:
    passed = sum(row.get("passed") is True for row in rows)
    return {
        "scored": len(rows),
        "passed": passed,
        "pass_rate": passed / len(rows) if rows else 0.0,
        "interval": list(asdict(wilson(passed, len(rows))).values()),
    }


def _by(rows: list[dict[str, Any]], names: Callable[[Row], list[str]]) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        for name in names(row):
            groups.setdefault(name, []).append(row)
    return {name: _share(groups[name]) for name in sorted(groups)}


def _day(text: str) -> datetime | None:
    """Noon of that day in UTC, which is the same day nearly everywhere; None for now."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(hour=12, tzinfo=UTC)
    except ValueError as error:
        raise EvalError("--today is not a day", where=text, todo="Write it as 2026-11-20.") from error


def _key(case: HouseCase) -> str:
    return case.id


def _asker(case: HouseCase) -> str:
    """One user's cases stay together: what a user may see is worked out once."""
    return case.user
