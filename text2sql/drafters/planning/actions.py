"""What the grammars' rules do with the items they match. Each returns False where the match makes no sense."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from text2sql.drafters.planning.plan import Aggregate, Operator, note
from text2sql.drafters.planning.sketch import AggregateBound, Bound, Sketch, Sorting, Target
from text2sql.drafters.reading.items import Item

Match = re.Match[str]
Action = Callable[[Sketch, Match], bool]
Rule = tuple[re.Pattern[str], Action]

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


def _operator(item: Item | None, *, negated: bool = False) -> tuple[Operator, str]:
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


def like(sketch: Sketch, match: Match) -> bool:
    """Name contains "x" or "y"."""
    word = item_of(sketch, match, "l")
    values = items_of(sketch, match, "v", "QUVN")
    if word is None or not values:
        return False
    negated = bool(item_of(sketch, match, "z"))
    operator: Operator = word.tag  # type: ignore[assignment]  # tags of the lexicon
    sketch.bounds.append(
        Bound(operator, tuple(values), item_of(sketch, match, "d"), negated=negated, at=match.start())
    )
    return True


def against(sketch: Sketch, match: Match) -> bool:
    """Above the average: a row against the whole column."""
    dimension = item_of(sketch, match, "d") or item_of(sketch, match, "d2")
    agg = item_of(sketch, match, "a")
    operator, concept = _operator(item_of(sketch, match, "c"))
    if dimension is None or agg is None or dimension.code not in "DE":
        return False
    if concept and concept not in dimension.text:
        sketch.weak.append(note("stands_for", name=dimension.text, other=concept))
    sketch.aggregate_bounds.append(AggregateBound(operator, None, dimension, _agg(agg), against=True))
    return True


def _agg(item: Item) -> Aggregate:
    if item.code == "S":
        return "max" if item.tag.startswith("desc") else "min"
    return item.tag  # type: ignore[return-value]  # tags of the lexicon


def aggregate_bound(sketch: Sketch, match: Match) -> bool:
    """More than 5 concerts, number of concerts over 5, average age above 30, revenue over 1 million."""
    item, number = item_of(sketch, match, "x"), item_of(sketch, match, "n")
    if item is None or number is None or number.number is None:
        return False
    operator, concept = _operator(item_of(sketch, match, "c"), negated=bool(item_of(sketch, match, "z")))
    if concept or number.number.unit == "age":
        return False
    agg = item_of(sketch, match, "a")
    function: Aggregate = _agg(agg) if agg else "metric" if item.code == "M" else "count"
    if item.code == "D" and agg is None and not item_of(sketch, match, "k"):
        return False
    sketch.aggregate_bounds.append(AggregateBound(operator, number, item, function))
    return True


def between(sketch: Sketch, match: Match) -> bool:
    """Between 5 and 10; both ends count."""
    dimension = item_of(sketch, match, "d")
    low, high = item_of(sketch, match, "lo"), item_of(sketch, match, "hi")
    if dimension is None or low is None or high is None or not low.number or not high.number:
        return False
    low_word, high_word = item_of(sketch, match, "c"), item_of(sketch, match, "c2")
    first = _operator(low_word)[0] if low_word else ">="
    second = _operator(high_word)[0] if high_word else "<="
    sketch.bounds.append(Bound(first, (low,), dimension, at=match.start()))
    sketch.bounds.append(Bound(second, (high,), dimension, at=match.start()))
    return True


def compare(sketch: Sketch, match: Match) -> bool:
    """Age over 30, over 30 years old, older than 30, after 2010."""
    number = item_of(sketch, match, "n")
    if number is None or number.number is None:
        return False
    word = item_of(sketch, match, "c")
    operator, concept = _operator(word, negated=bool(item_of(sketch, match, "z")))
    dimension = item_of(sketch, match, "d")
    if not concept and number.number.unit == "age":
        concept = "age"
    if dimension is None and not concept:
        return False
    if concept and dimension is not None and dimension.code != "D":
        return False
    sketch.bounds.append(Bound(operator, (number,), dimension, concept, at=match.start()))
    return True


def count_of_rows(sketch: Sketch, match: Match) -> bool:
    """The 3 teachers that have the most …: how many rows the superlative picks."""
    item = item_of(sketch, match, "n")
    if item is None or item.number is None or item.number.value > 1000:
        return False
    sketch.limit = int(item.number.value)
    return True


def equals_of(sketch: Sketch, match: Match) -> bool:
    """A first name of Carole: "of" also joins columns to what they belong to, so the column must hold the value."""
    dimension = item_of(sketch, match, "d")
    values = items_of(sketch, match, "v", "VQ")
    return dimension is not None and _belongs(dimension, values) and equals(sketch, match)


def equals(sketch: Sketch, match: Match) -> bool:
    """Country is France; code "PUR"; id 2; year 2014 or 2015; the club "X"."""
    dimension = item_of(sketch, match, "d")
    values = items_of(sketch, match, "v", "VQNP")
    if dimension is None or not values or any(v.code == "P" and v.number is None for v in values):
        return False
    if values[0].code == "V" and not _belongs(dimension, values):
        return False
    if values[0].code == "P" and not _is_number(dimension):
        return False
    negated = bool(item_of(sketch, match, "z"))
    sketch.bounds.append(Bound("=", tuple(values), dimension, negated=negated, at=match.start()))
    # An entity names the rows that are asked for: it stays, to be shown or counted.
    if dimension.code == "E":
        sketch.consume(match.start("v"), match.end("v"))
        return False
    return True


def _belongs(dimension: Item, values: list[Item]) -> bool:
    names = {link.name.casefold() for link in dimension.links_of("dimension")}
    return all(any(match.column.casefold() in names for match in value.values) for value in values)


def lone_values(sketch: Sketch, match: Match) -> bool:
    """Values that say themselves which column they belong to."""
    values = items_of(sketch, match, "v", "VQ")
    negated = bool(item_of(sketch, match, "z"))
    if not values or not all(value.values for value in values):
        return False
    every = "both" in sketch.flags
    sketch.bounds.append(Bound("=", tuple(values), negated=negated, at=match.start(), every=every))
    return True


def missing(sketch: Sketch, match: Match) -> bool:
    """Column is (not) empty."""
    dimension, word = item_of(sketch, match, "d"), item_of(sketch, match, "h")
    if dimension is None or word is None:
        return False
    negated = (word.role == "not null") != bool(item_of(sketch, match, "z"))
    sketch.bounds.append(Bound("not null" if negated else "null", (), dimension, at=match.start()))
    return True


def period(sketch: Sketch, match: Match) -> bool:
    """A period, with the dimension it was said of where one stands before it."""
    item = item_of(sketch, match, "p")
    if item is None:
        return False
    dimension = item_of(sketch, match, "d")
    if dimension is not None and not _is_time(dimension):
        return False
    sketch.periods.append((item, dimension))
    return True


def _is_time(dimension: Item) -> bool:
    """Whether words may name a column of days or years."""
    return any(link.type in ("date", "timestamp", "year") for link in dimension.links)


def _is_number(dimension: Item) -> bool:
    return any(link.type in ("number", "year") for link in dimension.links)


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
    sketch.sortings.append(Sorting(tag.startswith("desc"), item, _agg(function) if function else agg))
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
