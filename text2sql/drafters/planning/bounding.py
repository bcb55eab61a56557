"""Rules' actions for filters: comparisons, values, ranges, periods, bounds on groups."""

from __future__ import annotations

from text2sql.drafters.planning.actions import Match, aggregate_of, item_of, items_of, operator_of
from text2sql.drafters.planning.plan import Aggregate, Operator, note
from text2sql.drafters.planning.sketch import AggregateBound, Bound, Sketch
from text2sql.drafters.reading.items import Item


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
    dimension = item_of(sketch, match, "d")
    if dimension is not None and dimension.code == "E" and item_of(sketch, match, "d2"):
        sketch.consume(match.start("d2"), match.end("d2"))
        return _beyond(sketch, match, item_of(sketch, match, "d2"))
    dimension = dimension or item_of(sketch, match, "d2")
    agg = item_of(sketch, match, "a")
    operator, concept = operator_of(item_of(sketch, match, "c"))
    if dimension is None or agg is None or dimension.code not in "DE":
        return False
    if concept and concept not in dimension.text:
        sketch.weak.append(note("stands_for", name=dimension.text, other=concept))
    sketch.aggregate_bounds.append(AggregateBound(operator, None, dimension, aggregate_of(agg), against=True))
    return True


def _beyond(sketch: Sketch, match: Match, dimension: Item | None) -> bool:
    """Employees above the average age: the table stays, to be shown."""
    agg = item_of(sketch, match, "a")
    if dimension is None or agg is None:
        return False
    operator, _ = operator_of(item_of(sketch, match, "c"))
    sketch.aggregate_bounds.append(AggregateBound(operator, None, dimension, aggregate_of(agg), against=True))
    sketch.consume(match.start("c"), match.end("a"))
    return False


def aggregate_bound(sketch: Sketch, match: Match) -> bool:
    """More than 5 concerts, number of concerts over 5, average age above 30, revenue over 1 million."""
    item, number = item_of(sketch, match, "x"), item_of(sketch, match, "n")
    if item is None or number is None or number.number is None:
        return False
    operator, concept = operator_of(item_of(sketch, match, "c"), negated=bool(item_of(sketch, match, "z")))
    if concept or number.number.unit == "age":
        return False
    agg = item_of(sketch, match, "a")
    function: Aggregate = aggregate_of(agg) if agg else "metric" if item.code == "M" else "count"
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
    first = operator_of(low_word)[0] if low_word else ">="
    second = operator_of(high_word)[0] if high_word else "<="
    sketch.bounds.append(Bound(first, (low,), dimension, at=match.start()))
    sketch.bounds.append(Bound(second, (high,), dimension, at=match.start()))
    return True


def compare(sketch: Sketch, match: Match) -> bool:
    """Age over 30, over 30 years old, older than 30, after 2010."""
    number = item_of(sketch, match, "n")
    if number is None or number.number is None:
        return False
    word = item_of(sketch, match, "c")
    operator, concept = operator_of(word, negated=bool(item_of(sketch, match, "z")))
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
