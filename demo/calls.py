"""Calls to the contact centre: some for no reason of ours, the rest following claims, expiry and cancellation."""

from __future__ import annotations

import numpy as np

from demo.book import CANCELLED, FIRST, LAST, Array, Book, Columns, shares, stream
from demo.claims import OPEN
from demo.constants import REASONS, RENEWAL_NOTICE_DAYS

CALLS_A_YEAR = 0.75
"""Calls a policy-year that nothing in particular caused."""
REASON = {reason.name: number for number, reason in enumerate(REASONS)}


def calls_of(book: Book, claims: Columns, seed: int) -> Columns:
    """One row a call, in order of time. `at` is a timestamp to the minute, during opening hours."""
    rng = stream(seed, 20)
    parts = [
        _unprompted(book, rng),
        _after_claims(claims, rng),
        _around_expiry(book, rng),
    ]
    policy, day, reason = (np.concatenate([part[i] for part in parts]) for i in range(3))
    size = len(policy)
    # Nobody answers on Sundays: those callers try again on Monday, unless the warehouse ends before.
    sunday = (day.astype("datetime64[D]").astype(int) + 4) % 7 == 0
    day = np.where(sunday & (day < LAST), day + 1, day)
    minute = 9 * 60 + rng.integers(0, 9 * 60, size)
    typical = np.array([r.minutes for r in REASONS])[reason]
    seconds = np.clip(np.round(60 * typical * np.exp(rng.normal(0, 0.4, size) - 0.08)), 30, 5400).astype(int)
    # Mondays are busy.
    monday = (day.astype("datetime64[D]").astype(int) + 3) % 7 == 0
    wait = np.round(rng.exponential(np.where(monday, 95, 55), size)).astype(int)
    resolved = rng.random(size) < np.where(
        np.isin(reason, [REASON["Complaint"], REASON["Claim report"]]), 0.55, 0.84
    )
    order = np.lexsort((policy, minute, day))
    columns = {
        "policy": policy, "at": day.astype("datetime64[s]") + 60 * minute, "reason": reason, "seconds": seconds,
        "wait": wait, "resolved": resolved,
    }  # fmt: skip
    return {name: values[order] for name, values in columns.items()}


def _unprompted(book: Book, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    since = np.maximum(book.policies["start"], FIRST)
    days = np.maximum((book.policies["until"] - since).astype(int), 0)
    policy = np.repeat(np.arange(len(days)), rng.poisson(CALLS_A_YEAR * days / 365))
    day = since[policy] + (rng.random(len(policy)) * days[policy]).astype(int)
    return policy, day, rng.choice(len(REASONS), size=len(policy), p=shares(REASONS))


def _after_claims(claims: Columns, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Every claim begins with a call; every second one brings another while it is open."""
    report = np.full(len(claims["policy"]), REASON["Claim report"])
    again = np.flatnonzero(rng.random(len(report)) < 0.5)
    until = np.where(claims["status"] == OPEN, LAST, np.minimum(claims["closed"], LAST))[again]
    span = (until - claims["reported"][again]).astype(int)
    asked = claims["reported"][again] + (rng.random(len(again)) * span).astype(int)
    return (
        np.concatenate([claims["policy"], claims["policy"][again]]),
        np.concatenate([claims["reported"], asked]),
        np.concatenate([report, np.full(len(again), REASON["Claim status"])]),
    )


def _around_expiry(book: Book, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """A quarter of the policies about to expire, and everybody who cancels."""
    policies = book.policies
    day = policies["end"] - rng.integers(1, RENEWAL_NOTICE_DAYS, len(policies["end"]))
    asked = rng.random(len(day)) < 0.25
    renewal = np.flatnonzero((day >= FIRST) & (day <= LAST) & (policies["outcome"] != CANCELLED) & asked)
    gone = np.flatnonzero(policies["outcome"] == CANCELLED)
    return (
        np.concatenate([renewal, gone]),
        np.concatenate([day[renewal], policies["until"][gone]]),
        np.concatenate(
            [np.full(len(renewal), REASON["Renewal"]), np.full(len(gone), REASON["Cancellation"])]
        ),
    )
