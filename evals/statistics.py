"""Intervals, paired comparison, and what a suite could have seen. Deterministic: every random draw has its seed.

Sources: Wilson 1927 (interval of a share); Efron 1979 (percentile bootstrap); McNemar 1947 in its mid-p form
(Fagerland, Lydersen, Laake 2013); Bonett and Price 2012 (interval of a paired difference of shares); Connor 1987
(sample size of McNemar's test); Holm 1979 (many comparisons).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Statistic = Callable[[Values], float]
Decision = Literal["better", "worse", "no difference"]

_CHUNK = 4_000_000
"""Numbers drawn at once: 32 MB."""
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval, in the unit of what was measured."""

    low: float
    high: float

    def to_json(self) -> list[float]:
        """`[low, high]`."""
        return [self.low, self.high]


@dataclass(frozen=True, slots=True)
class Paired:
    """Two systems on the same cases. `difference` is the mean of first minus second.

    `wins`, `losses` and `ties` count cases; `minimal_detectable` is the difference that this many cases, with
    this much disagreement, would have shown with a probability of 80 %.
    """

    difference: float
    interval: Interval
    p_value: float
    wins: int
    losses: int
    ties: int
    verdict: Decision
    minimal_detectable: float


def mean(values: Values) -> float:
    """The arithmetic mean; the default statistic."""
    return float(np.mean(values))


def wilson(k: int, n: int, level: float = 0.95) -> Interval:
    """Interval of a share of `k` in `n` (Wilson's score interval). No cases: everything is possible.

    Raises `ValueError` unless 0 <= k <= n.
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no share")
    if n == 0:
        return Interval(0.0, 1.0)
    z = _quantile(level)
    share, spread = k / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return Interval(
        0.0 if k == 0 else max(0.0, centre - half),
        1.0 if k == n else min(1.0, centre + half),
    )


def bootstrap(
    values: Sequence[float],
    statistic: Statistic = mean,
    level: float = 0.95,
    rounds: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap of a statistic over cases. Raises `ValueError` without values."""
    drawn = _resampled(np.asarray(values, dtype=np.float64), statistic, rounds, seed)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def paired(a: Sequence[float], b: Sequence[float], seed: int = 0) -> Paired:
    """Compare `a` with `b`, case by case, at the 5 % level.

    Scores of 0 and 1: McNemar's mid-p test, interval by Bonett and Price. Anything else: paired bootstrap of the
    mean difference. Raises `ValueError` where the lengths differ or there is nothing to compare.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or first.size == 0:
        raise ValueError(f"{first.size} scores cannot be paired with {second.size}")
    differences = first - second
    wins, losses = int(np.sum(differences > 0)), int(np.sum(differences < 0))
    n = int(first.size)
    binary = bool(np.isin(first, (0.0, 1.0)).all() and np.isin(second, (0.0, 1.0)).all())
    if binary:
        p_value = mcnemar(wins, losses)
        interval = _bonett_price(wins, losses, n)
        detectable = minimal_detectable(n, (wins + losses) / n)
    else:
        p_value, interval = _bootstrapped(differences, seed)
        spread = float(np.std(differences, ddof=1)) if n > 1 else 0.0
        # Without any spread nothing is known of it; what a test of shares would need is an honest bound.
        seen = (_quantile(0.95) + _NORMAL.inv_cdf(0.8)) * spread / math.sqrt(n)
        detectable = seen if spread else minimal_detectable(n, 0.0)
    difference = float(np.mean(differences))
    return Paired(
        difference,
        interval,
        p_value,
        wins,
        losses,
        n - wins - losses,
        _verdict(p_value, difference),
        detectable,
    )


def mcnemar(wins: int, losses: int) -> float:
    """Two-sided mid-p of McNemar's exact test: only cases that the two systems judge differently count."""
    n, k = wins + losses, min(wins, losses)
    if wins == losses:
        return 1.0
    logs = [_log_binomial(n, i) for i in range(k + 1)]
    below = math.fsum(math.exp(value) for value in logs)
    return min(1.0, 2 * below - math.exp(logs[-1]))


def minimal_detectable(n: int, discordant_share: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest difference of two shares that McNemar's test would show with this power (Connor's formula, solved).

    `discordant_share` is the share of cases judged differently; it is taken to be at least the difference, since
    a difference cannot be larger. 1.0 where even that would not be seen.
    """
    if n <= 0:
        return 1.0
    outer, inner = _NORMAL.inv_cdf(1 - alpha / 2), _NORMAL.inv_cdf(power)

    def short(delta: float) -> bool:
        share = min(1.0, max(discordant_share, delta))
        needed = outer * math.sqrt(share) + inner * math.sqrt(max(0.0, share - delta * delta))
        return needed > delta * math.sqrt(n)

    if short(1.0):
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if short(middle) else (low, middle)
    return high


def holm(p_values: Sequence[float]) -> list[float]:
    """P values corrected for their number (Holm's step-down), in the order given."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, p_values[index] * (len(p_values) - rank)))
        corrected[index] = highest
    return corrected


def quantile(share: float) -> Statistic:
    """A statistic for `bootstrap`: the value below which this share lies (0.5: the median)."""

    def statistic(values: Values) -> float:
        return float(np.quantile(values, share))

    return statistic


def _quantile(level: float) -> float:
    return _NORMAL.inv_cdf((1 + level) / 2)


def _verdict(p_value: float, difference: float) -> Decision:
    if p_value >= 0.05 or difference == 0:
        return "no difference"
    return "better" if difference > 0 else "worse"


def _log_binomial(n: int, k: int) -> float:
    """Logarithm of the probability of k heads in n throws of a fair coin."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2)


def _bonett_price(wins: int, losses: int, n: int) -> Interval:
    """Wald's interval of a paired difference of shares with one case added to each kind of disagreement."""
    up, down = (wins + 1) / (n + 2), (losses + 1) / (n + 2)
    centre = up - down
    half = _quantile(0.95) * math.sqrt(max(0.0, up + down - centre * centre) / (n + 2))
    return Interval(max(-1.0, centre - half), min(1.0, centre + half))


def _bootstrapped(differences: Values, seed: int) -> tuple[float, Interval]:
    if not differences.any():
        return 1.0, Interval(0.0, 0.0)
    rounds = 10_000
    drawn = _resampled(differences, mean, rounds, seed)
    low, high = np.quantile(drawn, [0.025, 0.975])
    tail = min(int(np.sum(drawn <= 0)), int(np.sum(drawn >= 0)))
    # Of a handful of differences every sample has the same sign; what turning signs could show at most is the bound.
    least = 2.0 ** (1 - int(np.count_nonzero(differences)))
    return min(1.0, max(least, 2 * (tail + 1) / (rounds + 1))), Interval(float(low), float(high))


def _resampled(values: Values, statistic: Statistic, rounds: int, seed: int) -> Values:
    """The statistic of `rounds` samples drawn with replacement; raises `ValueError` without values."""
    if values.size == 0:
        raise ValueError("Nothing to draw from")
    random = np.random.default_rng(seed)
    step = max(1, _CHUNK // values.size)
    drawn: list[Any] = []
    for start in range(0, rounds, step):
        samples = values[random.integers(0, values.size, (min(step, rounds - start), values.size))]
        if statistic is mean:
            drawn.append(samples.mean(axis=1))
        else:
            drawn.append(np.fromiter((statistic(sample) for sample in samples), dtype=np.float64))
    return np.concatenate(drawn)
