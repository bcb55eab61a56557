"""Rules' actions for what is asked for: targets, counts, aggregates, superlatives, absence."""

from __future__ import annotations

import re

from text2sql.drafters.planning.actions import Match, aggregate_of, item_of, items_of
from text2sql.drafters.planning.plan import Aggregate, note
from text2sql.drafters.planning.sketch import Sketch, Sorting, Target
from text2sql.drafters.reading.items import Item
from text2sql.words import stems

_BY_SIZE = re.compile(
    r"high|larg|big|great|low|small|worst|best|last|最も[大高広小低長短良]|一番[大高小低]", re.IGNORECASE
)


_SIZE = re.compile(r"^(?:the )?(?:larg|big|small)|最も[大小]|一番[大小]|もっとも[大小]", re.IGNORECASE)
_BY_AMOUNT = re.compile(r"\b(?:most|least|fewest)\b|多|少", re.IGNORECASE)


def superlative(sketch: Sketch, match: Match) -> bool:
    """With the most concerts, the highest age, the oldest singer; alone in front, an aggregate."""
    word, item = item_of(sketch, match, "s"), item_of(sketch, match, "x")
    if word is None:
        return False
    way, _, concept = word.tag.partition(" ")
    if item is None or (concept and item.code == "E"):
        if concept:
            sketch.sortings.append(Sorting(way == "desc", concept=concept, picks=True))
            sketch.consume(match.start("s"), match.end("s"))
        return False
    counted = bool(item_of(sketch, match, "k")) or "number of" in word.text.lower()
    if item.code == "E" and not counted and _BY_SIZE.search(word.text):
        return _by_size(sketch, match, word, item)
    sorting = _ranking(sketch, word, item, counted=counted)
    if sorting.agg is None and not sketch.limit and not _earlier_target(sketch, match.start()):
        if _later_column(sketch, match):
            sketch.targets.append(Target(item))
        elif not _later_entity_asked(sketch, match):
            sketch.targets.append(Target(item, "max" if sorting.descending else "min"))
            return True
    sketch.sortings.append(sorting)
    if sorting.common:
        sketch.groups.append(item)
    return True


def _by_size(sketch: Sketch, match: Match, word: Item, item: Item) -> bool:
    """The largest cities: by a column of sizes, where there is one; a plural must say how many are wanted."""
    if _SIZE.search(word.text) and (sketch.limit or not item.plural):
        sketch.sortings.append(Sorting(word.tag == "desc", concept="size", picks=True, word=word))
        sketch.consume(match.start("s"), match.end("s"))
    return False


def ranked_by(sketch: Sketch, match: Match) -> bool:
    """The 3 largest countries by population: the table stays, to be shown."""
    word, item, table = (item_of(sketch, match, name) for name in ("s", "x", "e"))
    if word is None or item is None or table is None or " " in word.tag:
        return False
    if item.links[0].type != "number" or not (sketch.limit or not table.plural):
        return False
    sketch.sortings.append(Sorting(word.tag == "desc", item, picks=True))
    sketch.consume(match.start("s"), match.end("s"))
    sketch.consume(match.end("e"), match.end())
    return False


def _ranking(sketch: Sketch, word: Item, item: Item, *, counted: bool) -> Sorting:
    """By what rows or groups are ranked: how many there are, a metric, or a column."""
    descending = word.tag.startswith("desc")
    numeric = item.code == "D" and item.links[0].type in ("number", "year")
    if item.code == "E" or (counted and not numeric):
        return Sorting(descending, item, "count", picks=True)
    if item.code == "M":
        return Sorting(descending, item, "metric", picks=True)
    amount = bool(_BY_AMOUNT.search(word.text))
    if item.links[0].type == "text" and sketch.reading.language == "ja" and amount:
        return Sorting(descending, item, "count", picks=True, common=True)
    return Sorting(descending, item, picks=True, amount=amount)


def ranked_by_aggregate(sketch: Sketch, match: Match) -> bool:
    """The highest average age, 平均年齢が最も高い: groups ranked by an aggregate."""
    word, agg, item = (item_of(sketch, match, name) for name in ("s", "a", "x"))
    if word is None or agg is None or item is None or " " in word.tag:
        return False
    sketch.sortings.append(Sorting(word.tag == "desc", item, aggregate_of(agg), picks=True))
    return True


def ranked_many(sketch: Sketch, match: Match) -> bool:
    """売上高が多い店舗の上位5つ: "much" ranks only where it is said how many are wanted."""
    if not sketch.limit or sketch.limit_kind not in ("asc", "desc"):
        return False
    return superlative(sketch, match)


def _earlier_target(sketch: Sketch, at: int) -> bool:
    """Whether something was asked for before: then the superlative picks rows of it."""
    return any(code in "DE" for code in sketch.codes[:at]) or any(
        target.item is not None for target in sketch.targets
    )


def _later_entity_asked(sketch: Sketch, match: Match) -> bool:
    """Japanese: 人口が最も多い国 — what is asked for follows the superlative."""
    return sketch.reading.language == "ja" and any(code in "DE" for code in sketch.codes[match.end() :])


def _later_column(sketch: Sketch, match: Match) -> bool:
    """ "The lowest price and its product name": the row with the lowest price, not two unrelated values."""
    rest = sketch.codes[match.end() :]
    return sketch.reading.language == "en" and bool(re.match(r"[,&wo]*&[wo]*D", rest)) and "A" not in rest


def common(sketch: Sketch, match: Match) -> bool:
    """The most common type: groups by how many rows each has."""
    word, item = item_of(sketch, match, "s"), item_of(sketch, match, "x")
    if word is None or item is None:
        return False
    sketch.sortings.append(Sorting(word.role == "common", item, "count", picks=True, common=True))
    sketch.groups.append(item)
    return True


def aggregate(sketch: Sketch, match: Match) -> bool:
    """Average, minimum and maximum age; the total revenue."""
    functions = items_of(sketch, match, "a", "AS")
    items = items_of(sketch, match, "x", "DM")
    if not functions or not items:
        return False
    for item in items:
        for function in functions:
            metric = item.code == "M"
            sketch.targets.append(Target(item, "metric" if metric else aggregate_of(function)))
            if metric and aggregate_of(function) != "sum":
                sketch.weak.append(note("odd_aggregate", name=item.text, other=function.text))
    return True


def aggregate_all(sketch: Sketch, match: Match) -> bool:
    """The average rating and resolution: of each, where all are numbers."""
    items = items_of(sketch, match, "x", "D")
    keyed = any(stems(item.text)[-1:] in (("id",), ("code",), ("year",)) for item in items)
    if keyed or not all(item.links[0].type in ("number", "year") for item in items):
        return False
    return aggregate(sketch, match)


def count_all(sketch: Sketch, match: Match) -> bool:
    """How many students and teachers: of each."""
    sketch.targets += [Target(item, "count") for item in items_of(sketch, match, "x", "E")]
    return True


def count(sketch: Sketch, match: Match) -> bool:
    """How many singers; the number of different countries; the number of concerts."""
    item = item_of(sketch, match, "x")
    distinct = bool(item_of(sketch, match, "u"))
    if item is not None and item.code == "M":
        sketch.targets.append(Target(item, "metric"))
    elif item is not None and (item.code == "D" or (distinct and item.links_of("dimension"))):
        sketch.targets.append(Target(item, "count_distinct" if distinct else "count", distinct))
    else:
        sketch.targets.append(Target(item, "count"))
    return True


def by(sketch: Sketch, match: Match) -> bool:
    """`by region` groups where something is aggregated; elsewhere it is part of a sentence."""
    measured = any(target.agg for target in sketch.targets) or "M" in sketch.codes
    if not measured and not any(sorting.agg for sorting in sketch.sortings):
        return _split(sketch, match)
    metric = items_of(sketch, match, "m")
    if metric and sketch.limit:
        sketch.sortings.append(Sorting(sketch.limit_kind != "asc", metric[0], "metric", picks=True))
        return True
    sketch.groups += items_of(sketch, match, "x", "DE")
    return bool(sketch.groups)


def _split(sketch: Sketch, match: Match) -> bool:
    """ "Population by continent": a column of numbers, and nothing else, is split by another."""
    before = sketch.items[match.start() - 1] if match.start() else None
    asked = [code for code in sketch.codes[: match.start()] if code in "DEMASKs"]
    if before is None or asked != ["D"] or before.code != "D" or before.links[0].type != "number":
        return False
    sketch.groups += items_of(sketch, match, "x", "DE")
    sketch.split = True
    return True


def by_metric(sketch: Sketch, match: Match) -> bool:
    """Top 5 regions by revenue: what is ranked by."""
    item = item_of(sketch, match, "m")
    if item is None or not sketch.limit or sketch.sortings:
        return False
    agg: Aggregate | None = "count" if item_of(sketch, match, "k") else None
    agg = "metric" if item.code == "M" else agg
    sketch.sortings.append(Sorting(sketch.limit_kind != "asc", item, agg, picks=True))
    return True


def absent(sketch: Sketch, match: Match) -> bool:
    """Without any concert; who do not have a song."""
    item = item_of(sketch, match, "x")
    if item is None or not item.links_of("entity"):
        return False
    sketch.absent.append((item, match.start("x")))
    return True


def distinct(sketch: Sketch, _match: Match) -> bool:
    """Different countries: each once."""
    sketch.flags.add("distinct")
    return True


def name_of(sketch: Sketch, match: Match) -> bool:
    """The names of studios, where a studio is a column and no table: the column is the name."""
    first, second = item_of(sketch, match, "n"), item_of(sketch, match, "x")
    if first is None or second is None or first.text.lower() not in ("name", "names"):
        return False
    owners = {link.entity for link in first.links if link.score >= 0.95}
    if second.links[0].type == "text" and second.links[0].entity not in owners:
        sketch.consume(match.start("n"), match.end("n"))
    return False


def targets(sketch: Sketch, match: Match) -> bool:
    """Whatever is left and has a name is asked for."""
    item = item_of(sketch, match, "x")
    if item is None:
        return False
    sketch.targets.append(Target(item, "metric" if item.code == "M" else None))
    return True
