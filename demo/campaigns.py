"""Campaigns and whom they reached: prospects who bought or did not, and customers whose policy was about to expire.

A conversion is never invented: a prospect who was won holds a new policy of the book, a customer who was kept renewed.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np

from demo.book import CANCELLED, LAST, RENEWED, Array, Book, Columns, stream
from demo.constants import PRODUCTS

ATTRIBUTED = 0.5
"""The share of new policies in a campaign's time that came through it."""
REACHED = 0.6
"""The share of expiring policies whose holders a renewal campaign reaches."""
FEWEST_REFUSALS = 20
"""Prospects who did not buy, even where nobody did: a small insurer runs campaigns too."""

GOALS = {"Acquisition": ("新規獲得",), "Renewal": ("継続促進",)}
MEDIA = {
    "Web": ("ウェブ広告",),
    "Email": ("メール", "電子メール"),
    "Letter": ("手紙", "郵送"),
    "Phone": ("架電",),
}


class Campaign(NamedTuple):
    """One campaign. `rate` is the share of prospects who buy (acquisition only), `cost` yen for each contact."""

    name: str
    name_ja: str
    goal: str
    medium: str
    first: date
    last: date
    cost: int
    rate: float = 0.0
    product: str | None = None


CAMPAIGNS = (
    Campaign("Spring Start 2024", "春の新生活2024", "Acquisition", "Web", date(2024, 4, 1), date(2024, 6, 30), 420, 0.05),
    Campaign("Renewal Letters 2024", "継続のご案内2024", "Renewal", "Letter", date(2024, 9, 1), date(2024, 11, 30), 180),
    Campaign("Spring Start 2025", "春の新生活2025", "Acquisition", "Web", date(2025, 4, 1), date(2025, 6, 30), 440, 0.05),
    Campaign("Summer Drive 2025", "夏のドライブ2025", "Acquisition", "Email", date(2025, 7, 1), date(2025, 9, 15), 150, 0.03),
    Campaign("Renewal Calls 2025", "継続お電話2025", "Renewal", "Phone", date(2025, 10, 1), date(2025, 12, 31), 900),
    Campaign("New Year Letters 2026", "新年のお便り2026", "Acquisition", "Letter", date(2026, 1, 5), date(2026, 3, 15), 380, 0.025),
    Campaign("Spring Start 2026", "春の新生活2026", "Acquisition", "Web", date(2026, 4, 1), date(2026, 6, 30), 460, 0.06),
    Campaign("Premier Trial 2026", "プレミア体験2026", "Acquisition", "Email", date(2026, 7, 15), date(2026, 9, 30), 160, 0.02, "Premier"),
    Campaign("Renewal Mail 2026", "継続メール2026", "Renewal", "Email", date(2026, 7, 1), date(2026, 9, 30), 60),
)  # fmt: skip


def contacts_of(book: Book, seed: int) -> Columns:
    """One row a contact, in order of campaign and day. `policy` is -1 for prospects who did not buy; the `like` policy
    says where they live, which plan they were offered and who would look after them."""
    rng = stream(seed, 30)
    free = book.policies["previous"] < 0
    parts: list[dict[str, Array]] = []
    for number, campaign in enumerate(CAMPAIGNS):
        part = (
            _won(book, campaign, free, rng) if campaign.goal == "Acquisition" else _kept(book, campaign, rng)
        )
        order = np.lexsort((part["like"], part["day"]))
        size = len(order)
        parts.append(
            {
                "campaign": np.full(size, number),
                "cost": np.full(size, campaign.cost),
                **{name: values[order] for name, values in part.items()},
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _won(book: Book, campaign: Campaign, free: Array, rng: np.random.Generator) -> Columns:
    """Prospects: those whose new policy the campaign is credited with (taken out of `free`), and those who said no."""
    policies, plan = book.policies, book.vehicles["product"][book.policies["vehicle"]]
    first, last = np.datetime64(campaign.first), np.datetime64(campaign.last)
    wanted = np.ones(len(plan), dtype=bool)
    if campaign.product:
        wanted = plan == [p.name for p in PRODUCTS].index(campaign.product)
    start = policies["start"]
    fits = free & wanted & (policies["term"] == 1) & (start > first) & (start <= last)
    bought = np.flatnonzero(fits & (rng.random(len(plan)) < ATTRIBUTED))
    free[bought] = False
    expected = len(bought) * (1 / campaign.rate - 1)
    refused = max(FEWEST_REFUSALS, round(expected * rng.uniform(0.8, 1.2)))
    alike = np.flatnonzero(wanted) if wanted.any() else np.arange(len(plan))
    asked = np.maximum(start[bought] - rng.integers(1, 22, len(bought)), first)
    others = first + rng.integers(0, int((last - first).astype(int)) + 1, refused)
    none = np.full(refused, -1)
    return {
        "policy": np.concatenate([bought, none]),
        "like": np.concatenate([bought, alike[rng.integers(0, len(alike), refused)]]),
        "day": np.concatenate([asked, others]),
        "converted": np.concatenate([np.ones(len(bought), dtype=bool), np.zeros(refused, dtype=bool)]),
        "won": np.concatenate([start[bought], others]),
    }


def _kept(book: Book, campaign: Campaign, rng: np.random.Generator) -> Columns:
    """Customers whose policy was about to expire, ten to forty-five days before it did."""
    policies = book.policies
    first, last = np.datetime64(campaign.first), np.datetime64(campaign.last)
    day = policies["end"] - rng.integers(10, 46, len(policies["end"]))
    due = (day >= first) & (day <= last) & (policies["end"] <= LAST) & (policies["outcome"] != CANCELLED)
    reached = np.flatnonzero(due & (rng.random(len(day)) < REACHED))
    return {
        "policy": reached,
        "like": reached,
        "day": day[reached],
        "converted": policies["outcome"][reached] == RENEWED,
        "won": policies["end"][reached],
    }
