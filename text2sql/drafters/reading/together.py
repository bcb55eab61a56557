"""Words that only together are what the model calls a metric, though the question puts others between them.

新規契約は何件 asks for the metric 新規契約件数, "how many orders were cancelled" for "cancelled orders", "how much did
we pay on orders" for "orders paid". Only a metric's own words count: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from text2sql.drafters.reading.items import Item
from text2sql.linking import Link, Linker

_COUNTERS = ("件数", "数", "人数", "台数", "回数", "の件数", "の数")
_SAID_OF = re.compile(r"\s(?:was|were|has been|have been|had been|got|are|is)\s(?:then\s)?", re.IGNORECASE)
_PAST = {
    "pay": ("paid", "payments"), "paid": ("paid", "payments"), "spend": ("spent",), "spent": ("spent",),
    "earn": ("earned",), "earned": ("earned",), "lose": ("lost", "losses"), "lost": ("lost", "losses"),
    "sell": ("sold",), "collect": ("collected",), "collected": ("collected",), "receive": ("received",),
    "received": ("received",), "refund": ("refunded", "refunds"), "refunded": ("refunded", "refunds"),
}  # fmt: skip
_HOW_MUCH = re.compile(
    rf"\bhow much\b[^?.,;]*?\b(?P<verb>{'|'.join(_PAST)})\b(?:\s+(?:out|on|for|in|to|the|our|all))*\s+(?P<of>[a-z]+)",
    re.IGNORECASE,
)


def together(items: list[Item], text: str, linker: Linker) -> list[Item]:
    """The items, those that make up a metric's name as one."""
    return _amounts(_states(_counted(items, linker), text, linker), text, linker)


def _counted(items: list[Item], linker: Linker) -> list[Item]:
    """契約は何件: the metric 契約件数, where there is one; else rows are counted."""
    kept = list(items)
    for at, item in enumerate(items):
        following = items[at + 1] if at + 1 < len(items) else None
        if following is None or following.role != "count" or item.code not in "EU" or item.text.isascii():
            continue
        links = next(_metrics(linker, [item.text + counter for counter in _COUNTERS]), ())
        if links:
            kept[at] = replace(item, code="M", links=links)
    return kept


def _states(items: list[Item], text: str, linker: Linker) -> list[Item]:
    """How many orders were cancelled, are in transit: "cancelled orders", "orders in transit", where that is a metric."""
    for at, item in enumerate(items):
        if item.code not in "EMD":
            continue
        rest = items[at + 1 : at + 3]
        within = rest[:1] if rest and rest[0].code == "w" else []
        state = next(iter(rest[len(within) :]), None)
        if state is None or state.code not in "VUDEM":
            continue
        between = _SAID_OF.match(text, item.end)
        said = text[between.end() : state.end] if between else ""
        if between is None or between.end() != (within[0] if within else state).start:
            continue
        links = next(_metrics(linker, [f"{said} {item.text}", f"{item.text} {said}"]), ())
        if links:
            name = text[item.start : state.end]
            whole = replace(item, code="M", links=links, values=(), end=state.end, text=name)
            return [*items[:at], whole, *items[at + 2 + len(within) :]]
    return items


def _amounts(items: list[Item], text: str, linker: Linker) -> list[Item]:
    """How much did we pay on orders: "orders paid", where that is a metric; never how many orders there are."""
    found = _HOW_MUCH.search(text)
    if found is None:
        return items
    said = [f"{found['of']} {past}" for past in _PAST[found["verb"].lower()]]
    said += [f"{past} {found['of']}" for past in _PAST[found["verb"].lower()]]
    links = next(_metrics(linker, said), ())
    start, end = found.span("of")
    return [
        replace(item, code="M", links=links, values=())
        if links and item.start == start and item.end == end
        else item
        for item in items
    ]


def _metrics(linker: Linker, wordings: list[str]) -> Iterator[tuple[Link, ...]]:
    """The metrics that the first wording of all that names one names exactly."""
    for wording in wordings:
        links = tuple(link for link in linker.named(wording) if link.kind == "metric" and link.how == "label")
        if links:
            yield links
