"""Reports beside each other, case by case: what got better or worse, what cannot be told apart, what leaks.

Only cases that both reports scored are compared; a case that crashed counts as lost. Leaks have no tolerance.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from evals.errors import EvalError
from evals.reading import Report, is_number
from evals.statistics import Interval, Paired, bootstrap, holm, paired, wilson

METRICS = ("correct", "passed", "recall@10", "ndcg@10", "mrr@10")
"""What is compared where nobody names a metric: those that a row carries."""
SLOWER = 1.25
"""A slowdown counts when the whole interval of the ratio lies above this."""


@dataclass(frozen=True)
class Compared:
    """One metric over the cases that both reports score. `lost` and `won` are ids, in the order of the suite."""

    metric: str
    n: int
    new: float
    baseline: float
    new_interval: Interval
    baseline_interval: Interval
    paired: Paired
    p_corrected: float
    lost: tuple[str, ...]
    won: tuple[str, ...]
    unscored: tuple[str, ...]
    """Scored in the baseline, not any more."""

    @property
    def verdict(self) -> str:
        """`better`, `worse` or `no difference`, after the correction for several comparisons."""
        return self.paired.verdict if self.p_corrected < 0.05 else "no difference"


@dataclass(frozen=True)
class Timed:
    """How much longer the new one takes: the geometric mean of the ratios, with its interval."""

    n: int
    ratio: float
    interval: Interval

    @property
    def slower(self) -> bool:
        """Whether the slowdown is significant."""
        return self.interval.low > SLOWER


@dataclass(frozen=True)
class Comparison:
    """Everything that was found; `reasons` is why the gate stays shut, empty where it opens."""

    new: Report
    baseline: Report
    common: tuple[str, ...]
    metrics: tuple[Compared, ...]
    timing: Timed | None
    leaks: tuple[str, ...]
    unwithheld: tuple[str, ...]
    """Cases that must withhold, did in the baseline, and do not any more."""
    notes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = field(default=())


def compare(
    new: Report, baseline: Report, metric: str = "", *, common: bool = False, strict: bool = False
) -> Comparison:
    """Compare two reports of the same questions.

    `common` allows for questions that only one of them has. `strict` closes the gate for every case that was lost,
    whether chance could explain it or not. Raises `EvalError` where there is nothing to compare.
    """
    shared = tuple(key for key in baseline.rows if key in new.rows and _same_question(new, baseline, key))
    notes = _notes(new, baseline, shared)
    if not common and not len(shared) == len(new.rows) == len(baseline.rows):
        raise EvalError(
            f"The two reports do not ask the same questions: {len(shared)} in common of"
            f" {len(new.rows)} ({new.name}) and {len(baseline.rows)} ({baseline.name})",
            where="compare",
            todo="Run the same suite for both, or compare what they have in common with --common.",
        )
    chosen = [metric] if metric else [m for m in METRICS if _has(new, m) and _has(baseline, m)]
    found = [one for m in chosen if (one := _compared(new, baseline, shared, m)) is not None]
    if not found:
        raise EvalError(
            f"No case has {'a score of ' + repr(metric) if metric else 'a score that both reports know'}",
            where="compare",
            todo=f"Name one that both have with --metric; known: {', '.join(METRICS)}.",
        )
    corrected = holm([one.paired.p_value for one in found])
    metrics = tuple(replace(one, p_corrected=p) for one, p in zip(found, corrected, strict=True))
    result = Comparison(
        new,
        baseline,
        shared,
        metrics,
        _timing(new, baseline, shared),
        _leaking(new),
        _unwithheld(new, baseline, shared),
        notes,
    )
    return replace(result, reasons=tuple(_reasons(result, strict=strict)))


def pairs(reports: Sequence[Report], metric: str = "", *, common: bool = False) -> list[Comparison]:
    """Every pair of these reports on one metric, Holm-corrected over all pairs. Raises `EvalError`."""
    found = [
        compare(one, other, metric, common=common)
        for i, one in enumerate(reports)
        for other in reports[i + 1 :]
    ]
    corrected = holm([one.metrics[0].paired.p_value for one in found])
    return [
        replace(one, metrics=(replace(one.metrics[0], p_corrected=p),))
        for one, p in zip(found, corrected, strict=True)
    ]


def parts(comparison: Comparison, ids: Sequence[str]) -> dict[str, int]:
    """Which part of the answer lost these cases in the new report, most frequent first."""
    rows = [comparison.new.rows[key] for key in ids]
    counts = Counter(str(row.get("failed_part") or row.get("status") or "unknown") for row in rows)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def score(row: Mapping[str, Any], metric: str) -> float | None:
    """The row's score; 0 where the case crashed, None where it has none."""
    value = row.get(metric)
    if isinstance(value, bool) or is_number(value):
        return float(value)  # type: ignore[arg-type]  # looked at just above
    return 0.0 if row.get("status") == "error" else None


def _compared(new: Report, baseline: Report, shared: Sequence[str], metric: str) -> Compared | None:
    scores = {key: (score(new.rows[key], metric), score(baseline.rows[key], metric)) for key in shared}
    both = {key: (a, b) for key, (a, b) in scores.items() if a is not None and b is not None}
    if not both or not (_has(new, metric) and _has(baseline, metric)):
        return None
    first, second = [a for a, _ in both.values()], [b for _, b in both.values()]
    found = paired(first, second)
    return Compared(
        metric=metric,
        n=len(both),
        new=sum(first) / len(first),
        baseline=sum(second) / len(second),
        new_interval=_interval(first),
        baseline_interval=_interval(second),
        paired=found,
        p_corrected=found.p_value,
        lost=tuple(key for key, (a, b) in both.items() if a < b),
        won=tuple(key for key, (a, b) in both.items() if a > b),
        unscored=tuple(key for key, (a, b) in scores.items() if a is None and b is not None),
    )


def _interval(scores: Sequence[float]) -> Interval:
    if all(value in (0.0, 1.0) for value in scores):
        return wilson(int(sum(scores)), len(scores))
    return bootstrap(scores)


def _timing(new: Report, baseline: Report, shared: Sequence[str]) -> Timed | None:
    ratios = [
        math.log(new.seconds[key] / baseline.seconds[key])
        for key in shared
        if new.seconds.get(key, 0) > 0 and baseline.seconds.get(key, 0) > 0
    ]
    if not ratios:
        return None
    interval = bootstrap(ratios)
    return Timed(
        len(ratios),
        math.exp(sum(ratios) / len(ratios)),
        Interval(math.exp(interval.low), math.exp(interval.high)),
    )


def _reasons(found: Comparison, *, strict: bool) -> list[str]:
    reasons = [f"{len(found.leaks)} cases leak: {_few(found.leaks)}"] if found.leaks else []
    if found.unwithheld:
        reasons.append(
            f"{len(found.unwithheld)} cases that must withhold do not any more: {_few(found.unwithheld)}"
        )
    for one in found.metrics:
        blame = ", ".join(f"{part} {count}" for part, count in parts(found, one.lost).items())
        lost = f"{len(one.lost)} cases lost ({blame}): {_few(one.lost)}"
        if one.verdict == "worse":
            reasons.append(f"{one.metric} is significantly worse; {lost}")
        elif strict and one.lost:
            reasons.append(f"{one.metric}: {lost}")
        if one.unscored:
            reasons.append(
                f"{one.metric}: {len(one.unscored)} cases have no score any more: {_few(one.unscored)}"
            )
    if found.timing and found.timing.slower:
        reasons.append(f"significantly slower: {found.timing.ratio:.2f} times the baseline's time")
    return reasons


def _leaking(report: Report) -> tuple[str, ...]:
    return tuple(key for key, row in report.rows.items() if row.get("leaks"))


def _unwithheld(new: Report, baseline: Report, shared: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        key
        for key in shared
        if new.rows[key].get("kind") == "withhold"
        and baseline.rows[key].get("passed") is True
        and new.rows[key].get("passed") is not True
    )


def _notes(new: Report, baseline: Report, shared: Sequence[str]) -> tuple[str, ...]:
    notes = []
    for name, said in (
        ("fingerprint", "data"),
        ("version", "versions of the metrics"),
        ("options", "options"),
    ):
        if new.summary.get(name) != baseline.summary.get(name):
            notes.append(f"the {said} differ: {new.summary.get(name)} and {baseline.summary.get(name)}")
    widest = max(len(new.rows), len(baseline.rows))
    if len(shared) < widest:
        notes.append(f"{len(shared)} of {widest} questions are in both ({len(shared) / widest:.1%})")
    return tuple(notes)


def _same_question(new: Report, baseline: Report, key: str) -> bool:
    first, second = new.rows[key].get("question"), baseline.rows[key].get("question")
    return first is None or second is None or first == second


def _has(report: Report, metric: str) -> bool:
    return any(
        isinstance(row.get(metric), bool) or is_number(row.get(metric)) for row in report.rows.values()
    )


def _few(ids: Sequence[str], most: int = 8) -> str:
    return ", ".join(ids[:most]) + (f" and {len(ids) - most} more" if len(ids) > most else "")
