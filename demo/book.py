"""The simulated book of business: customers, vehicles, yearly policies and the accidents that befall them.

Everything is vectorised over vehicles, one step a policy year, so that a thousand customers and a million take
the same code. Chance comes from streams numbered by topic: adding one topic leaves the others' draws alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo.constants import (
    BASE_FREQUENCY,
    CANCEL_RATE,
    CAUSES,
    CHANNELS,
    FIRST_DAY,
    FISCAL_YEARS,
    GRADE_MAX,
    GRADE_NEW,
    GRADE_RISE,
    LAST_DAY,
    NAMED_AGENTS,
    PRODUCTS,
    REJECT_RATE,
    RENEWAL_AFTER_CLAIM,
    RENEWAL_BY_YEAR,
    VEHICLE_CLASSES,
)
from demo.names import GIVEN_NAMES, SURNAMES
from demo.prefectures import PREFECTURES

Array = NDArray[Any]
Columns = dict[str, Array]
"""One staging table: equally long arrays by name; places, products … are indexes into the constants."""

FIRST = np.datetime64(FIRST_DAY, "D")
LAST = np.datetime64(LAST_DAY, "D")
MAX_TERMS = 5
"""Policy years that can touch the period of the warehouse: those of the old book start up to a year before."""
RENEWED, LAPSED, NOT_DUE, CANCELLED = range(4)


@dataclass(frozen=True)
class Book:
    """Staging tables. Row numbers are identities: `customer[3]` is customer 3, policies number over all."""

    agents: Columns
    customers: Columns
    vehicles: Columns
    policies: Columns
    accidents: Columns


def stream(seed: int, topic: int) -> np.random.Generator:
    """The random numbers of one topic."""
    return np.random.default_rng([seed, topic])


def shares(items: Any) -> Array:
    """Their weights as probabilities."""
    weights = np.array([item.weight for item in items], dtype=float)
    return np.asarray(weights / weights.sum())


def simulate(customers: int, seed: int) -> Book:
    """The whole book for that many customers."""
    agents = _agents(customers, stream(seed, 1))
    people = _customers(customers, agents, stream(seed, 2))
    vehicles = _vehicles(people, stream(seed, 3))
    policies, accidents = _years(people, vehicles, stream(seed, 4))
    return Book(agents, people, vehicles, policies, accidents)


def _agents(customers: int, rng: np.random.Generator) -> Columns:
    """Agent 0 is direct business. The others sit where people live: largest remainders, biggest places first."""
    count = max(60, customers // 40)
    wanted = shares(PREFECTURES) * count
    places = np.floor(wanted).astype(int)
    rest = np.argsort(-(wanted - places), kind="stable")[: count - int(places.sum())]
    places[rest] += 1
    order = np.argsort(-wanted, kind="stable")
    # Dealt out in rounds, so that A0001 … A0020 are the first agents of the biggest places at every size.
    rounds = np.concatenate([np.arange(places[p]) for p in order])
    prefecture = np.repeat(order, places[order])[np.argsort(rounds, kind="stable")]
    sellers = np.array([0, 2, 3])
    weights = shares(CHANNELS)[sellers]
    channel = rng.choice(sellers, size=count, p=weights / weights.sum())
    channel[:6] = 0
    joined = np.datetime64("2005-04-01") + rng.integers(0, 365 * 17, size=count)
    tokyo = next(i for i, p in enumerate(PREFECTURES) if p.name == "Tokyo")
    surname, given = rng.integers(0, len(SURNAMES), count), rng.integers(0, len(GIVEN_NAMES), count)
    for number, (family, own) in NAMED_AGENTS.items():
        surname[number - 1] = [romaji for romaji, _ in SURNAMES].index(family)
        given[number - 1] = [romaji for romaji, _ in GIVEN_NAMES].index(own)
    return {
        "prefecture": np.concatenate([[tokyo], prefecture]),
        "channel": np.concatenate([[1], channel]),
        "surname": np.concatenate([[0], surname]),
        "given": np.concatenate([[0], given]),
        "joined": np.concatenate([[np.datetime64("2001-04-01")], joined]),
    }


def _customers(count: int, agents: Columns, rng: np.random.Generator) -> Columns:
    prefecture = rng.choice(len(PREFECTURES), size=count, p=shares(PREFECTURES))
    age = np.clip(rng.normal(48, 15, size=count), 19, 84)
    birth = np.datetime64("2022-04-01") - (age * 365.25).astype(int)
    online = rng.random(count) < shares(CHANNELS)[1]
    # The nearest agent: own prefecture, else the region's, else any; chosen evenly by a random rank.
    agent = np.zeros(count, dtype=int)
    region = np.array(
        [list(dict.fromkeys(q.region for q in PREFECTURES)).index(p.region) for p in PREFECTURES]
    )
    seats, draw = agents["prefecture"][1:], rng.random(count)
    for place in range(len(PREFECTURES)):
        near = np.flatnonzero(seats == place)
        if not len(near):
            near = np.flatnonzero(region[seats] == region[place])
        near = near if len(near) else np.arange(len(seats))
        here = prefecture == place
        agent[here] = 1 + near[(draw[here] * len(near)).astype(int)]
    agent[online] = 0
    return {
        "surname": rng.integers(0, len(SURNAMES), count),
        "given": rng.integers(0, len(GIVEN_NAMES), count),
        "birth": birth,
        "prefecture": prefecture,
        "agent": agent,
        "channel": agents["channel"][agent],
        "phone": rng.integers(10_000_000, 100_000_000, count),
    }


def _vehicles(people: Columns, rng: np.random.Generator) -> Columns:
    count = len(people["birth"])
    second = np.flatnonzero(rng.random(count) < 0.12)
    customer = np.sort(np.concatenate([np.arange(count), second]), kind="stable")
    size = len(customer)
    old = rng.random(size) < 0.70
    month = np.where(old, rng.integers(0, 12, size), 12 + (43 * rng.random(size) ** 0.9).astype(int))
    start = (np.datetime64("2022-04", "M") + month).astype("datetime64[D]") + rng.integers(1, 15, size)
    start = np.minimum(start, LAST - 3)
    year = start.astype("datetime64[Y]").astype(int) + 1970
    return {
        "customer": customer,
        "class": rng.choice(len(VEHICLE_CLASSES), size=size, p=shares(VEHICLE_CLASSES)),
        "product": rng.choice(len(PRODUCTS), size=size, p=shares(PRODUCTS)),
        "model_year": year - np.minimum(rng.geometric(0.18, size) - 1, 14),
        "start": start,
        # Years with us before: the old book has some, a new policy starts at 1.
        "term": np.where(old, 1 + rng.integers(1, 9, size), 1),
        "grade": np.where(
            old,
            np.clip(np.round(rng.normal(15, 4, size)), 4, GRADE_MAX),
            np.where(rng.random(size) < 0.45, GRADE_NEW, rng.integers(7, GRADE_MAX + 1, size)),
        ).astype(int),
    }


def add_months(days: Array, months: int) -> Array:
    """The same day of the month, `months` later. Days are at most the 28th here, so that day exists."""
    month = days.astype("datetime64[M]")
    return np.asarray((month + months).astype("datetime64[D]") + (days - month.astype("datetime64[D]")))


def fiscal_year(days: Array) -> Array:
    """The fiscal year (April to March) a day falls in, named by the year it starts in."""
    month = days.astype("datetime64[M]").astype(int)
    return np.asarray((month - 3) // 12 + 1970)


def _premium(people: Columns, vehicles: Columns, at: Array, start: Array, grade: Array) -> Array:
    """Yearly premium in yen for the vehicles `at`: base × vehicle × place × age × grade × yearly drift."""
    owner = vehicles["customer"][at]
    base = np.array([p.base_premium for p in PRODUCTS])[vehicles["product"][at]]
    vehicle = np.array([c.factor for c in VEHICLE_CLASSES])[vehicles["class"][at]]
    place = np.array([p.risk for p in PREFECTURES])[people["prefecture"][owner]]
    years = (start - people["birth"][owner]).astype(int) // 365.25
    age = np.select([years < 26, years < 30, years < 65, years < 75], [1.55, 1.2, 1.0, 1.1], 1.25)
    discount = 1.42 - 0.032 * grade
    drift = 1.018 ** ((start - FIRST).astype(int) / 365.25)
    premium = base * vehicle * place * age * discount * drift
    return np.asarray((np.round(premium / 10) * 10).astype(np.int64))


def _hazard(people: Columns, vehicles: Columns, at: Array, grade: Array, days: Array) -> Array:
    """Expected accidents of each vehicle over the days it was covered."""
    owner = vehicles["customer"][at]
    place = np.array([p.risk for p in PREFECTURES])[people["prefecture"][owner]]
    product = np.array([p.risk for p in PRODUCTS])[vehicles["product"][at]]
    return np.asarray(BASE_FREQUENCY * place * product * (1.28 - 0.02 * grade) * days / 365.0)


def happens(expected: Array, strata: tuple[Array, Array], rng: np.random.Generator) -> Array:
    """Which events happen: systematic sampling, so that counts hardly stray from the sums expected.

    That holds over all, within each value of the first stratum and, within it, along the second: small insurers
    would have regions and years without an accident otherwise. Each event still has exactly its own probability;
    only joint chances differ from independent draws.
    """
    order = np.lexsort((rng.random(len(expected)), strata[1], strata[0]))
    total = np.floor(np.cumsum(expected[order]) + rng.random())
    hit = np.zeros(len(expected), dtype=bool)
    hit[order] = np.diff(total, prepend=0.0) >= 1
    return hit


def _years(people: Columns, vehicles: Columns, rng: np.random.Generator) -> tuple[Columns, Columns]:
    """Policy years one after the other: each year's accidents move the grade and the chance of renewal."""
    alive = np.arange(len(vehicles["customer"]))
    grade, policies, accidents = vehicles["grade"].copy(), [], []
    previous = np.full(len(alive), -1)
    numbered = 0
    for year in range(MAX_TERMS):
        start = add_months(vehicles["start"][alive], 12 * year)
        alive, start = alive[start <= LAST], start[start <= LAST]
        term, hurt = _one_year(people, vehicles, alive, start, grade[alive], rng)
        number = numbered + np.arange(len(alive))
        policies.append({**term, "previous": previous[alive], "term": vehicles["term"][alive] + year})
        accidents.append({**hurt, "policy": number[hurt["policy"]]})
        drop = np.zeros(len(alive), dtype=int)
        counted = ~hurt["rejected"]
        drop[hurt["policy"][counted]] = np.array([c.grade_drop for c in CAUSES])[hurt["cause"][counted]]
        grade[alive] = np.clip(grade[alive] + np.where(drop > 0, -drop, GRADE_RISE), 1, GRADE_MAX)
        previous[alive] = number
        numbered += len(alive)
        alive = alive[term["outcome"] == RENEWED]
    return _stack(policies), _stack(accidents)


def _one_year(
    people: Columns, vehicles: Columns, at: Array, start: Array, grade: Array, rng: np.random.Generator
) -> tuple[Columns, Columns]:
    size, end = len(at), add_months(start, 12)
    cancel = start + rng.integers(30, 331, size)
    cancelled = (rng.random(size) < CANCEL_RATE) & (cancel <= LAST) & (cancel > FIRST)
    until = np.where(cancelled, cancel, np.minimum(end, LAST + 1))
    since = np.maximum(start, FIRST)
    days = np.maximum((until - since).astype(int), 0)
    home = people["prefecture"][vehicles["customer"][at]]
    hit = np.flatnonzero(happens(_hazard(people, vehicles, at, grade, days), (home, start), rng))
    hurt = {
        "policy": hit,
        "day": _season(since[hit], days[hit], home[hit], rng),
        "cause": rng.choice(len(CAUSES), size=len(hit), p=shares(CAUSES)),
        "rejected": rng.random(len(hit)) < REJECT_RATE,
    }
    usual = np.array([RENEWAL_BY_YEAR[year] for year in FISCAL_YEARS])
    chance = (
        usual[np.clip(fiscal_year(end) - FISCAL_YEARS[0], 0, len(usual) - 1)]
        + np.array([c.renewal for c in CHANNELS])[people["channel"][vehicles["customer"][at]]]
    )
    chance[hit] += RENEWAL_AFTER_CLAIM
    renewed = happens(
        np.where(cancelled | (end > LAST), 0.0, chance), (end.astype("datetime64[M]").astype(int), home), rng
    )
    outcome = np.select([cancelled, end > LAST, renewed], [CANCELLED, NOT_DUE, RENEWED], LAPSED)
    term = {
        "vehicle": at,
        "start": start,
        "end": end,
        "until": until,
        "cancelled": cancelled,
        "grade": grade,
        "premium": _premium(people, vehicles, at, start, grade),
        "outcome": outcome,
    }
    return term, hurt


def _season(since: Array, days: Array, place: Array, rng: np.random.Generator) -> Array:
    """A day inside the cover for each accident: of four drawn evenly, one by the weight of its month.

    Snowy prefectures suffer in December to February, Kyushu in the typhoon months, all a little in August.
    """
    drawn = since[:, None] + (rng.random((len(since), 4)) * days[:, None]).astype(int)
    month = drawn.astype("datetime64[M]").astype(int) % 12 + 1
    snow = np.array([p.snow for p in PREFECTURES])[place][:, None]
    kyushu = np.array([p.region == "Kyushu" for p in PREFECTURES])[place][:, None]
    weight = np.ones(drawn.shape)
    weight += 1.4 * (snow & np.isin(month, (12, 1, 2))) + 0.9 * (kyushu & np.isin(month, (8, 9)))
    weight += 0.15 * (month == 8)
    total = np.cumsum(weight, axis=1)
    pick = (rng.random(len(since))[:, None] * total[:, -1:] > total).sum(axis=1)
    return np.take_along_axis(drawn, pick[:, None], axis=1)[:, 0]


def _stack(parts: list[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
