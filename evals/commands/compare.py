"""`bunmyaku eval compare`: a run beside a baseline, in words a person understands; with `--gate`, as an exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from app.commands.output import Terminal
from evals.baselines import Compared, Comparison, Timed, compare, pairs, parts
from evals.errors import EvalError
from evals.reading import names, read_report
from evals.report import plain, save


def command(
    reports: Annotated[list[Path], typer.Argument(help="The new report, the baseline, and further reports.")],
    gate: Annotated[
        bool, typer.Option("--gate", help="End with 1 on a significant regression or a leak.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="The gate tolerates no case that was lost.")
    ] = False,
    common: Annotated[bool, typer.Option("--common", help="Compare the questions that both have.")] = False,
    metric: Annotated[
        str, typer.Option("--metric", help="Field of the rows to compare, such as ndcg@10.")
    ] = "",
    timings: Annotated[
        list[Path] | None, typer.Option("--timings", help="Files of timings, in the order of the reports.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write what was found as JSON.")] = None,
) -> None:
    """Say what differs between runs of one suite, and whether chance explains it."""
    if len(reports) < 2:
        raise EvalError("There is nothing to compare with", where="compare", todo="Name a baseline too.")
    if timings and len(timings) != len(reports):
        raise EvalError(
            "Each report needs its timings", where="--timings", todo="Give it once a report, in order."
        )
    times: list[Path | None] = [*timings] if timings else [None] * len(reports)
    read = [
        read_report(path, time, name) for path, time, name in zip(reports, times, names(reports), strict=True)
    ]
    console = Terminal()
    found = compare(read[0], read[1], metric, common=common, strict=strict)
    document = to_json(found)
    show(found, console)
    if len(read) > 2:
        every = pairs(read, metric, common=common)
        show_pairs(every, console)
        document["pairs"] = [pair_json(one) for one in every]
    if out:
        save(out, plain(document))
    if gate:
        _say_gate(found, console)
        raise typer.Exit(1 if found.reasons else 0)


def words(one: Compared) -> str:
    """The finding of one metric as a sentence."""
    found = one.paired
    measured = (
        f"difference {_points(found.difference)} points, 95% interval"
        f" {_points(found.interval.low)} to {_points(found.interval.high)}"
    )
    seen = f"this suite could see {100 * found.minimal_detectable:.1f} points"
    if one.verdict == "no difference":
        return f"cannot be told apart: {measured}; {seen}"
    return f"{one.verdict}: {measured} (p = {one.p_corrected:.2g}); {seen}"


def show(found: Comparison, console: Console) -> None:
    """The comparison as a table, with the cases that were lost and won."""
    console.print(
        f"{found.new.name} against {found.baseline.name}", style="bold", markup=False, highlight=False
    )
    for note in found.notes:
        _line(console, f"note: {note}")
    table = Table("metric", "cases", found.new.name, found.baseline.name, "better", "worse", "same")
    for one in found.metrics:
        pair = one.paired
        table.add_row(
            one.metric, f"{one.n:,}", _share(one.new, one.new_interval.to_json()),
            _share(one.baseline, one.baseline_interval.to_json()), str(pair.wins), str(pair.losses), str(pair.ties),
        )  # fmt: skip
    console.print(table)
    for one in found.metrics:
        _line(console, f"{one.metric}: {words(one)}")
        if one.lost:
            blame = ", ".join(f"{part} {count}" for part, count in parts(found, one.lost).items())
            _line(console, f"  lost, by the part that failed: {blame}")
            _line(console, f"  lost: {', '.join(one.lost[:20])}")
    if found.timing:
        _line(console, _time_words(found.timing))
    if found.leaks:
        _line(console, f"LEAKS: {', '.join(found.leaks)}")


def show_pairs(every: list[Comparison], console: Console) -> None:
    """All pairs, Holm-corrected."""
    table = Table("first", "second", "difference", "95% interval", "p (Holm)", "finding")
    for found in every:
        one = found.metrics[0]
        interval = one.paired.interval
        said = "cannot be told apart" if one.verdict == "no difference" else f"first is {one.verdict}"
        table.add_row(
            found.new.name, found.baseline.name, _points(one.paired.difference),
            f"{_points(interval.low)} to {_points(interval.high)}", f"{one.p_corrected:.2g}", said,
        )  # fmt: skip
    console.print(table)


def to_json(found: Comparison) -> dict[str, Any]:
    """The comparison as one JSON document; times stand in `timings`."""
    return {
        "new": found.new.name,
        "baseline": found.baseline.name,
        "suite": found.new.summary.get("suite"),
        "n": len(found.common),
        "coverage": len(found.common) / max(len(found.new.rows), len(found.baseline.rows)),
        "notes": list(found.notes),
        "metrics": [
            {
                **pair_json(found, index),
                "words": words(one),
                "lost": list(one.lost),
                "lost_by_part": parts(found, one.lost),
                "won": list(one.won),
                "unscored": list(one.unscored),
            }
            for index, one in enumerate(found.metrics)
        ],
        "leaks": list(found.leaks),
        "no_longer_withheld": list(found.unwithheld),
        "timings": _time_json(found.timing),
        "gate": {"passed": not found.reasons, "reasons": list(found.reasons)},
    }


def pair_json(found: Comparison, index: int = 0) -> dict[str, Any]:
    """One metric of one pair."""
    one = found.metrics[index]
    pair = one.paired
    return {
        "first": found.new.name,
        "second": found.baseline.name,
        "metric": one.metric,
        "n": one.n,
        "first_score": one.new,
        "first_interval": one.new_interval.to_json(),
        "second_score": one.baseline,
        "second_interval": one.baseline_interval.to_json(),
        "difference": pair.difference,
        "interval": pair.interval.to_json(),
        "p_value": pair.p_value,
        "p_corrected": one.p_corrected,
        "better": pair.wins,
        "worse": pair.losses,
        "same": pair.ties,
        "verdict": one.verdict,
        "minimal_detectable": pair.minimal_detectable,
    }


def _say_gate(found: Comparison, console: Console) -> None:
    if not found.reasons:
        _line(console, "gate: open")
    for reason in found.reasons:
        _line(console, f"gate: shut: {reason}")


def _time_json(timed: Timed | None) -> dict[str, Any] | None:
    if timed is None:
        return None
    return {"n": timed.n, "ratio": timed.ratio, "interval": timed.interval.to_json(), "slower": timed.slower}


def _time_words(timed: Timed) -> str:
    said = "significantly slower" if timed.slower else "no significant slowdown"
    low, high = timed.interval.to_json()
    return f"time: {said}: {timed.ratio:.2f} times the baseline's, 95% interval {low:.2f} to {high:.2f}"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}".replace("-", "−")


def _share(value: float, interval: list[float]) -> str:
    return f"{100 * value:.1f} ({100 * interval[0]:.1f}–{100 * interval[1]:.1f})"


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
