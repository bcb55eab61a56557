"""Rounds: whoever is compared takes turns, so that a busy moment of the machine hits all of them; and the table.

A ratio is theirs over ours of the *same* round; what is shown is the median of the rounds and their range.
"""

from __future__ import annotations

import importlib.metadata
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

OURS = "ours"


class PeerMissing(Exception):
    """A peer cannot be measured here; the text says why."""


@dataclass(frozen=True)
class Contender:
    """Somebody who does the work that is measured; `versions` are those of the packages that do it."""

    name: str
    work: Callable[[], object]
    versions: str = ""


@dataclass(frozen=True)
class Spread:
    """The middle of some figures and how far they lie apart."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"


def race(contenders: Sequence[Contender], rounds: int) -> dict[str, list[float]]:
    """Seconds of each contender in each round; who begins moves on by one every round."""
    times: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        turn = number % len(contenders)
        for contender in [*contenders[turn:], *contenders[:turn]]:
            started = time.perf_counter()
            contender.work()
            times[contender.name].append(time.perf_counter() - started)
    return times


def ratios(times: Mapping[str, Sequence[float]], name: str, base: str = OURS) -> Spread | None:
    """How many times as long as `base` it took, round by round; None for `base` itself or where it is not there."""
    if name == base or base not in times:
        return None
    return Spread.of([theirs / ours for theirs, ours in zip(times[name], times[base], strict=True)])


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of a non-empty list."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def versions(*distributions: str) -> str:
    """`name version` of each package, or PeerMissing for the first that is not installed."""
    found = []
    for name in distributions:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            raise PeerMissing(f"{name} is not installed (`make bench` installs it)") from None
    return ", ".join(found)


def installed(peers: Mapping[str, tuple[tuple[str, ...], object]]) -> tuple[dict[str, str], dict[str, str]]:
    """Of peers by name (with the packages they are): the versions of those that are here, and why others are not."""
    here: dict[str, str] = {}
    missing: dict[str, str] = {}
    for name, (packages, _) in peers.items():
        try:
            here[name] = versions(*packages)
        except PeerMissing as reason:
            missing[name] = str(reason)
    return here, missing


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table for a terminal: the first column to the left, the others to the right; None is a dash."""
    cells = [list(headings), *[[_cell(value) for value in row] for row in rows]]
    widths = [max(len(row[place]) for row in cells) for place in range(len(headings))]
    return "\n".join(
        "  ".join(
            text.ljust(width) if place == 0 else text.rjust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
    return str(value)


def compared(ours: str, peers: Mapping[str, str], missing: Mapping[str, str]) -> str:
    """One line that says who was compared, in which versions, and who could not be."""
    said = [f"compared: ours ({ours})", *[f"{name} ({version})" for name, version in peers.items()]]
    line = "; ".join(said) + f"; Python {platform.python_version()}"
    return "\n".join([line, *[f"not measured: {name}: {reason}" for name, reason in missing.items()]])
