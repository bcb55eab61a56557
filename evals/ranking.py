"""How good a ranking is: the usual measures over ranked ids and the set of ids that are right.

`recall@k` is the fraction of the right ids among the first k, `hit@k` whether any of them is: for questions with
one right id the two are equal. `mrr@10` is one over the place of the first right id; `ndcg@10` has equal gains
(Järvelin and Kekäläinen 2002). A repeated id counts once, at its first place. Definitions as in BEIR (Thakur
et al. 2021).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from evals.statistics import bootstrap, wilson

VERSION = "ranking 1"
DEPTH = 10


def recall(ranked: Sequence[str], right: Collection[str], k: int) -> float:
    """Fraction of `right` among the first `k`; raises `ValueError` where nothing is right."""
    return len(_first(ranked, k) & _known(right)) / len(_known(right))


def hit(ranked: Sequence[str], right: Collection[str], k: int) -> float:
    """1.0 where one of `right` is among the first `k`, else 0.0."""
    return float(bool(_first(ranked, k) & _known(right)))


def complete(ranked: Sequence[str], right: Collection[str], k: int) -> float:
    """1.0 where all of `right` are among the first `k`, else 0.0."""
    return float(_first(ranked, k) >= _known(right))


def reciprocal(ranked: Sequence[str], right: Collection[str], k: int = DEPTH) -> float:
    """One over the place of the first right id, 0.0 where none is among the first `k`."""
    known = _known(right)
    return next((1 / place for place, name in enumerate(_unique(ranked)[:k], 1) if name in known), 0.0)


def ndcg(ranked: Sequence[str], right: Collection[str], k: int = DEPTH) -> float:
    """Normalised discounted cumulative gain of the first `k`, every right id worth the same."""
    known = _known(right)
    gained = sum(
        1 / math.log2(place + 1) for place, name in enumerate(_unique(ranked)[:k], 1) if name in known
    )
    return gained / sum(1 / math.log2(place + 1) for place in range(1, min(k, len(known)) + 1))


def scores(ranked: Sequence[str], right: Collection[str]) -> dict[str, float]:
    """Every measure of one question, by the name it has in a report."""
    found = {f"recall@{k}": recall(ranked, right, k) for k in (1, 5, 10)}
    hits = {f"hit@{k}": hit(ranked, right, k) for k in (1, 5, 10)}
    return {**found, **hits, "mrr@10": reciprocal(ranked, right), "ndcg@10": ndcg(ranked, right)}


def averages(rows: Iterable[Mapping[str, Any]], measures: Sequence[str]) -> dict[str, Any]:
    """The mean of each measure over the rows that have it, then an interval each under `intervals`.

    Shares of questions (0 and 1 only) get Wilson's interval, anything else the bootstrap's; null without rows.
    """
    rows = list(rows)
    means: dict[str, Any] = {}
    intervals: dict[str, Any] = {}
    for measure in measures:
        values = [float(row[measure]) for row in rows if row.get(measure) is not None]
        means[measure] = math.fsum(values) / len(values) if values else None
        intervals[measure] = interval(values)
    return {**means, "intervals": intervals}


def interval(values: Sequence[float]) -> list[float] | None:
    """95 % interval of the mean; None without values."""
    if not values:
        return None
    if set(values) <= {0.0, 1.0}:
        return wilson(int(sum(values)), len(values)).to_json()
    return bootstrap(values).to_json()


def _known(right: Collection[str]) -> set[str]:
    if not right:
        raise ValueError("Nothing is right: there is nothing to rank")
    return set(right)


def _unique(ranked: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(ranked))


def _first(ranked: Sequence[str], k: int) -> set[str]:
    return set(_unique(ranked)[:k])
