"""Claims and payments from the accidents of the book: amounts, dates, status.

Amounts are drawn per cause and then scaled a fiscal year at a time, so that the whole book meets
`LOSS_RATIOS`; between plans, places and causes they differ as chance has it.
"""

from __future__ import annotations

import numpy as np

from demo.book import FIRST, LAST, Array, Book, Columns, fiscal_year, stream
from demo.constants import CAUSES, FISCAL_YEARS, LOSS_RATIOS, PAY_WITHIN_DAYS, PAYMENT_TYPES, PRODUCTS

OPEN, CLOSED, REJECTED = range(3)


def earned_through(policies: Columns, day: np.datetime64) -> Array:
    """Yen of each policy's premium earned before `day`: by days, rounded down, never after its cover ended."""
    elapsed = np.clip((np.minimum(policies["until"], day) - policies["start"]).astype(int), 0, None)
    return np.asarray(policies["premium"] * elapsed // (policies["end"] - policies["start"]).astype(int))


def earned_in_year(policies: Columns, year: int) -> int:
    """Yen earned over one fiscal year inside the warehouse's period."""
    start = max(np.datetime64(f"{year}-04-01"), FIRST)
    end = min(np.datetime64(f"{year + 1}-04-01"), LAST + 1)
    return int((earned_through(policies, end) - earned_through(policies, start)).sum())


def claims_of(book: Book, seed: int) -> Columns:
    """One row an accident, in order of the day reported."""
    rng = stream(seed, 10)
    accidents, policies = book.accidents, book.policies
    size = len(accidents["day"])
    cause, policy = accidents["cause"], accidents["policy"]
    product = book.vehicles["product"][policies["vehicle"][policy]]
    mean = (
        np.array([c.mean for c in CAUSES], dtype=float)[cause] * np.array([p.cost for p in PRODUCTS])[product]
    )
    # Lognormal with sigma 0.5, its mean kept at the cause's; bigger losses take longer to settle.
    raw = mean * np.exp(rng.normal(0, 0.5, size) - 0.125)
    reported = np.minimum(accidents["day"] + np.minimum(rng.geometric(0.35, size) - 1, 30), LAST)
    lag = 12 + np.round(rng.gamma(1.2, 45.0, size) * (raw / 400_000) ** 0.35).astype(int)
    closed = reported + lag
    status = np.select([accidents["rejected"], closed > LAST], [REJECTED, OPEN], CLOSED)
    incurred = _scaled(raw, accidents["day"], status, policies)
    deductible = np.where(
        np.array([c.own for c in CAUSES])[cause],
        np.array([p.deductible for p in PRODUCTS])[product],
        0,
    )
    loss = np.where(status == REJECTED, np.round(raw / 10).astype(np.int64) * 10, incurred + deductible)
    incurred = np.where(status == REJECTED, 0, incurred)
    # Under way: whatever was reported more than the promised days ago has had a first payment.
    begun = (status == OPEN) & (reported + PAY_WITHIN_DAYS <= LAST)
    part = np.floor(incurred * rng.uniform(0.2, 0.6, size) / 1000).astype(np.int64) * 1000
    paid = np.select([status == CLOSED, begun], [incurred, part], 0)
    order = np.lexsort((policy, reported))
    columns = {
        "policy": policy, "cause": cause, "day": accidents["day"], "reported": reported, "closed": closed,
        "status": status, "loss": loss, "deductible": np.where(status == REJECTED, 0, deductible),
        "incurred": incurred, "paid": paid,
    }  # fmt: skip
    return {name: values[order] for name, values in columns.items()}


def _scaled(raw: Array, day: Array, status: Array, policies: Columns) -> Array:
    """Incurred yen, multiples of ten, each fiscal year meeting its loss ratio."""
    years, result = fiscal_year(day), np.zeros(len(raw), dtype=np.int64)
    for year in FISCAL_YEARS:
        mine = (years == year) & (status != REJECTED)
        total = float(raw[mine].sum())
        if total:
            factor = LOSS_RATIOS[year] * earned_in_year(policies, year) / total
            result[mine] = np.round(raw[mine] * factor / 10).astype(np.int64) * 10
    return result


def payments_of(claims: Columns, seed: int) -> Columns:
    """Payments that add up to what each claim says was paid; none after its closing or the last day."""
    rng = stream(seed, 11)
    paid = np.flatnonzero(claims["paid"] > 0)
    closed = claims["status"][paid] == CLOSED
    count = np.where(closed & (claims["paid"][paid] > 150_000), rng.integers(1, 4, len(paid)), 1)
    claim = np.repeat(paid, count)
    first = np.concatenate([[0], np.cumsum(count)[:-1]]) if len(count) else np.zeros(0, dtype=int)
    ordinal = np.arange(len(claim)) - np.repeat(first, count)
    last = ordinal == np.repeat(count, count) - 1
    share = (
        np.floor(claims["paid"][claim] * np.array([0.3, 0.25, 0.0])[ordinal] / 1000).astype(np.int64) * 1000
    )
    spent = np.add.reduceat(np.where(last, 0, share), first) if len(count) else np.zeros(0, dtype=np.int64)
    amount = np.where(last, claims["paid"][claim] - np.repeat(spent, count), share)
    until = np.where(claims["status"][claim] == CLOSED, claims["closed"][claim], LAST)
    span = (until - claims["reported"][claim]).astype(int)
    # Early payments in the middle of the way, the last one on the day of closing (or, while open, before today).
    at = np.array([0.45, 0.7, 0.9])[ordinal] * span
    day = np.where(
        last & np.repeat(closed, count), until, claims["reported"][claim] + np.ceil(at).astype(int)
    )
    kinds = list(PAYMENT_TYPES)
    main = np.array([kinds.index(c.payment) for c in CAUSES])[claims["cause"][claim]]
    extra = np.where(rng.random(len(claim)) < 0.5, kinds.index("Rental car"), main)
    order = np.lexsort((ordinal, claim, day))
    columns = {"claim": claim, "day": day, "amount": amount, "kind": np.where(ordinal == 0, main, extra)}
    return {name: values[order] for name, values in columns.items()}
