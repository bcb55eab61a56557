"""Statistics against closed forms, published values and simulation (fixed seeds)."""

from __future__ import annotations

from math import comb, sqrt
from statistics import NormalDist

import numpy as np
import pytest

from evals.statistics import (
    bootstrap,
    holm,
    mcnemar,
    minimal_detectable,
    paired,
    quantile,
    wilson,
)


def test_wilson_has_the_published_values() -> None:
    # Newcombe 1998, table I: 81/263, 15/148, 0/20, 1/29.
    for k, n, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        interval = wilson(k, n)
        assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


def test_wilson_at_its_ends() -> None:
    assert wilson(0, 0).to_json() == [0.0, 1.0]
    assert wilson(0, 10).low == 0.0
    assert wilson(10, 10).high == 1.0
    assert wilson(5, 10, level=0.99).low < wilson(5, 10).low
    for k, n in [(3, 2), (-1, 2)]:
        with pytest.raises(ValueError, match="no share"):
            wilson(k, n)


@pytest.mark.parametrize(("share", "n"), [(0.5, 50), (0.1, 100), (0.9, 200), (0.02, 150)])
def test_wilson_covers_what_it_says(share: float, n: int) -> None:
    # Exactly: the probability of all counts whose interval holds the share.
    covered = sum(
        comb(n, k) * share**k * (1 - share) ** (n - k)
        for k in range(n + 1)
        if wilson(k, n).low <= share <= wilson(k, n).high
    )
    assert 0.92 < covered < 0.99


def test_bootstrap_covers_what_it_says() -> None:
    random = np.random.default_rng(5)
    inside = 0
    for seed in range(400):
        interval = bootstrap(random.exponential(2.0, 60), rounds=600, seed=seed)
        inside += interval.low <= 2.0 <= interval.high
    assert 0.90 <= inside / 400 <= 0.97


def test_bootstrap_agrees_with_the_normal_theory_and_is_the_same_twice() -> None:
    values = np.random.default_rng(1).normal(10, 3, 400)
    interval = bootstrap(values)
    half = 1.96 * values.std(ddof=1) / sqrt(400)
    assert interval.low == pytest.approx(values.mean() - half, abs=0.02)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.02)
    assert bootstrap(values) == interval
    assert bootstrap(values, seed=1) != interval


def test_bootstrap_of_another_statistic() -> None:
    values = list(range(1, 102))
    interval = bootstrap(values, statistic=quantile(0.5), rounds=2000)
    assert 35 <= interval.low < 51 < interval.high <= 67
    assert bootstrap([3.0, 3.0]).to_json() == [3.0, 3.0]
    with pytest.raises(ValueError, match="Nothing"):
        bootstrap([])


def test_bootstrap_in_parts_is_the_size_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evals.statistics._CHUNK", 1000)  # 10 draws at once
    interval = bootstrap(list(range(100)), rounds=25)
    assert 30 < interval.low < interval.high < 70


def exact_mid_p(wins: int, losses: int) -> float:
    n, k = wins + losses, min(wins, losses)
    return min(1.0, (2 * sum(comb(n, i) for i in range(k + 1)) - comb(n, k)) / 2**n)


@pytest.mark.parametrize(
    ("wins", "losses"), [(0, 0), (1, 0), (3, 9), (9, 3), (5, 5), (40, 61), (300, 250), (0, 25)]
)
def test_mcnemar_is_the_exact_binomial(wins: int, losses: int) -> None:
    expected = 1.0 if wins == losses else exact_mid_p(wins, losses)
    assert mcnemar(wins, losses) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_has_the_published_value() -> None:
    # Fagerland, Lydersen, Laake 2013, airway hyper-responsiveness (1 against 7): mid-p 0.039.
    assert round(mcnemar(1, 7), 3) == 0.039


def test_mcnemar_of_very_many_cases_does_not_overflow() -> None:
    assert 0 <= mcnemar(40_000, 45_000) < 1e-50
    assert mcnemar(50_000, 50_010) > 0.9


def test_paired_shares() -> None:
    a, b = [1] * 30 + [0] * 10 + [1] * 60, [0] * 30 + [1] * 10 + [1] * 60
    found = paired(a, b)
    assert (found.wins, found.losses, found.ties) == (30, 10, 60)
    assert found.difference == pytest.approx(0.2)
    assert found.verdict == "better"
    assert found.p_value == pytest.approx(exact_mid_p(30, 10))
    assert 0.07 < found.interval.low < 0.2 < found.interval.high < 0.33
    back = paired(b, a)
    assert (back.verdict, back.difference) == ("worse", pytest.approx(-0.2))
    assert back.interval.low == pytest.approx(-found.interval.high)


def test_paired_refuses_what_cannot_be_paired() -> None:
    for a, b in [([1.0], [1.0, 0.0]), ([], [])]:
        with pytest.raises(ValueError, match="cannot be paired"):
            paired(a, b)


def test_the_same_scores_do_not_differ() -> None:
    found = paired([1, 0, 1, 1] * 25, [1, 0, 1, 1] * 25)
    assert (found.verdict, found.p_value, found.difference) == ("no difference", 1.0, 0.0)
    assert 0 < found.minimal_detectable < 0.1
    graded = paired([0.5, 0.2] * 20, [0.5, 0.2] * 20)
    assert (graded.verdict, graded.p_value, graded.interval.to_json()) == ("no difference", 1.0, [0.0, 0.0])


def simulated(rounds: int, n: int, up: float, down: float) -> list[tuple[str, bool]]:
    """Verdicts, and whether the interval held the truth, for pairs that differ with these probabilities."""
    random = np.random.default_rng(11)
    seen = []
    for _ in range(rounds):
        draw = random.random(n)
        a = ((draw < up) | (draw > 0.6)).astype(float)
        b = (((draw >= up) & (draw < up + down)) | (draw > 0.6)).astype(float)
        found = paired(a, b)
        seen.append((found.verdict, found.interval.low <= up - down <= found.interval.high))
    return seen


@pytest.mark.parametrize("n", [60, 500])
def test_systems_that_differ_by_chance_are_told_apart_at_about_the_stated_rate(n: int) -> None:
    seen = simulated(2000, n, 0.1, 0.1)
    apart = sum(verdict != "no difference" for verdict, _ in seen) / 2000
    assert 0.02 <= apart <= 0.06
    assert 0.93 <= sum(inside for _, inside in seen) / 2000 <= 0.985


def test_the_interval_covers_a_difference_that_is_there() -> None:
    seen = simulated(2000, 200, 0.15, 0.05)
    assert 0.93 <= sum(inside for _, inside in seen) / 2000 <= 0.975


@pytest.mark.parametrize(("n", "discordant"), [(200, 0.2), (1000, 0.3), (500, 0.1)])
def test_a_difference_of_the_detectable_size_is_seen_four_times_in_five(n: int, discordant: float) -> None:
    delta = minimal_detectable(n, discordant)
    seen = simulated(1500, n, (discordant + delta) / 2, (discordant - delta) / 2)
    assert 0.75 <= sum(verdict == "better" for verdict, _ in seen) / 1500 <= 0.86


def test_the_detectable_difference_solves_its_formula() -> None:
    n, share = 400, 0.25
    delta = minimal_detectable(n, share)
    z = NormalDist().inv_cdf
    assert (z(0.975) * sqrt(share) + z(0.8) * sqrt(share - delta**2)) / delta == pytest.approx(
        sqrt(n), rel=1e-6
    )
    assert minimal_detectable(n, share, power=0.95) > delta
    assert minimal_detectable(4 * n, share) < delta
    assert minimal_detectable(0, 0.1) == 1.0
    assert minimal_detectable(2, 0.1) == 1.0
    assert minimal_detectable(100, 0.0) == pytest.approx(minimal_detectable(100, 0.01))


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_graded_scores_are_compared_by_the_bootstrap(shift: float) -> None:
    random = np.random.default_rng(3)
    apart = covered = 0
    for _ in range(200):
        base = random.random(80)
        found = paired(base + random.normal(shift, 1.0, 80), base)
        apart += found.verdict != "no difference"
        covered += found.interval.low <= shift <= found.interval.high
    assert covered / 200 >= 0.90
    if shift:
        assert 0.6 <= apart / 200 <= 0.9  # the normal theory says 0.76
    else:
        assert apart / 200 <= 0.09


def test_graded_scores_say_what_they_could_have_seen() -> None:
    random = np.random.default_rng(4)
    base = random.random(400)
    found = paired(base + random.normal(0.0, 1.0, 400), base)
    assert found.minimal_detectable == pytest.approx((1.96 + 0.8416) / 20, rel=0.1)


def test_holm_corrects_for_the_number_of_comparisons() -> None:
    # Holm 1979: 0.01 · 4, 0.005 · … in order of size, never falling.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@pytest.mark.parametrize(("n", "verdict"), [(1, "no difference"), (5, "no difference"), (6, "worse")])
def test_a_handful_of_cases_proves_nothing(n: int, verdict: str) -> None:
    found = paired([0.5] * n, [0.7] * n)
    assert found.verdict == verdict
    assert found.p_value >= 2.0 ** (1 - n)
