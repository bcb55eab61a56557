"""What the grammars' rules do with the items they match. Each returns False where the match makes no sense."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from text2sql.drafters.planning.plan import Aggregate, Operator
from text2sql.drafters.planning.sketch import Sketch, Sorting, Target
from text2sql.drafters.reading.items import Item

Match = re.Match[str]
Action = Callable[[Sketch, Match], bool]
Rule = tuple[re.Pattern[str], Action]

_MUCH = re.compile(r"多い|少ない")
_FLIPPED: dict[str, Operator] = {">": "<=", "<": ">=", ">=": "<", "<=": ">", "=": "!=", "!=": "="}


def rule(pattern: str, action: Action) -> Rule:
    """A pattern over codes and what to do with a match; named groups hand items over."""
    return re.compile(pattern), action


def run(sketch: Sketch, rules: tuple[Rule, ...]) -> None:
    """Apply the rules in order, each as often as it matches; what an action accepts is consumed."""
    for pattern, action in rules:
        at = 0
        while match := pattern.search(sketch.codes, at):
            if match.end() > match.start() and action(sketch, match):
                sketch.consume(match.start(), match.end())
                at = match.end()
            else:
                at = match.start() + 1


def items_of(sketch: Sketch, match: Match, group: str, codes: str = "") -> list[Item]:
    """The items of a named group; only those of `codes` where given."""
    if group not in match.re.groupindex or match.start(group) < 0:
        return []
    found = sketch.items[match.start(group) : match.end(group)]
    return [item for item in found if not codes or item.code in codes]


def item_of(sketch: Sketch, match: Match, group: str) -> Item | None:
    """The first item of a named group, None where it matched nothing."""
    found = items_of(sketch, match, group)
    return found[0] if found else None


def operator_of(item: Item | None, *, negated: bool = False) -> tuple[Operator, str]:
    """The operator and the concept ("older than": age) of a comparing word."""
    tag, _, concept = (item.tag if item else "=").partition(" ")
    operator: Operator = _FLIPPED[tag] if negated else tag  # type: ignore[assignment]  # tags of the lexicon
    return operator, concept


def limit(sketch: Sketch, match: Match) -> bool:
    """上位5, 先頭10件."""
    item = sketch.items[match.start()]
    if item.number is None:
        return False
    sketch.limit = int(item.number.value)
    sketch.limit_kind = item.tag  # type: ignore[assignment]  # tags of the reader
    return True


def top_n(sketch: Sketch, match: Match) -> bool:
    """Top 5, 5 most: the number is a limit; the superlative stays to say by what."""
    number, word = item_of(sketch, match, "n"), item_of(sketch, match, "s")
    if number is None or word is None or number.number is None:
        return False
    sketch.limit = int(number.number.value)
    if word.text.lower() in ("top", "best", "worst", "first", "last"):
        sketch.limit_kind = "asc" if word.tag.startswith("asc") and word.text.lower() != "first" else "desc"
        if word.text.lower() == "first":
            sketch.limit_kind = "head"
        return True
    at = match.start("n")
    sketch.consume(at, at + 1)
    return False


def aggregate_of(item: Item) -> Aggregate:
    """The aggregate a function word or a superlative says."""
    if item.code == "S":
        return "max" if item.tag.startswith("desc") else "min"
    return item.tag  # type: ignore[return-value]  # tags of the lexicon


def order(sketch: Sketch, match: Match) -> bool:
    """Ordered by age descending; by the number of concerts."""
    found = items_of(sketch, match, "x", "DEM")
    item = found[0] if found else None
    word, direction = item_of(sketch, match, "o"), item_of(sketch, match, "r")
    tag = (direction.tag if direction else "") or (word.tag if word else "")
    agg: Aggregate | None = "count" if item_of(sketch, match, "k") else None
    function = item_of(sketch, match, "a") or item_of(sketch, match, "a2")
    if item is None:
        return False
    if item.code == "M":
        agg = "metric"
    if sketch.split and agg is None and function is None and item.links[0].type == "number":
        sketch.targets.append(
            Target(item)
        )  # 大陸別の人口を多い順に: what is ordered by is what was asked for
    much = direction is not None and bool(_MUCH.search(direction.text))
    sketch.sortings.append(
        Sorting(tag.startswith("desc"), item, aggregate_of(function) if function else agg, amount=much)
    )
    sketch.sortings += [
        Sorting(tag.startswith("desc"), other, "metric" if other.code == "M" else None) for other in found[1:]
    ]
    sketch.targets += [Target(shown) for shown in items_of(sketch, match, "t", "DE")]
    return True


def direction(sketch: Sketch, match: Match) -> bool:
    """A direction by itself: from the oldest to the youngest; or that of the order already read."""
    word = sketch.items[match.start()]
    way, _, concept = word.tag.partition(" ")
    if concept:
        sketch.sortings.append(Sorting(way == "desc", concept=concept))
        return True
    for at, sorting in enumerate(sketch.sortings):
        sketch.sortings[at] = replace(sorting, descending=way == "desc")
        return True
    sketch.sortings.append(Sorting(way == "desc"))
    return True


def bucket(sketch: Sketch, match: Match) -> bool:
    """By month, monthly, 月別."""
    sketch.buckets.append(sketch.items[match.start()].tag)  # type: ignore[arg-type]  # tags of the lexicon
    return True


def group(sketch: Sketch, match: Match) -> bool:
    """For each region and product."""
    if "s" in sketch.codes and sketch.items[match.start()].text.lower() == "across":
        return True  # the most common country across members: of all of them
    sketch.groups += items_of(sketch, match, "x", "DE")
    sketch.split |= sketch.reading.language == "ja"
    return True


def flag(name: str) -> Action:
    """An action that only notes that something was said."""

    def note(sketch: Sketch, match: Match) -> bool:
        item = sketch.items[match.start()]
        sketch.flags.add(f"{name}:{item.text}" if name == "unsupported" else name)
        return True

    return note


def over_time(sketch: Sketch, match: Match) -> bool:
    """Trends, comparisons with an earlier period, growth."""
    item = sketch.items[match.start()]
    if item.role == "versus":
        sketch.versus = item.tag
    sketch.flags.add(item.role)
    return True
