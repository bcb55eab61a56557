"""The Japanese grammar: modifiers stand before what they modify, comparisons and functions after."""

from __future__ import annotations

from text2sql.drafters.planning import actions, asking, bounding
from text2sql.drafters.planning.actions import Rule, rule

RULES: tuple[Rule, ...] = (
    rule(r"!", actions.flag("unsupported")),
    rule(r"W", actions.flag("both")),
    rule(r"F", actions.over_time),
    rule(r"\*", actions.flag("all_columns")),
    rule(r"T", actions.limit),
    # filters
    rule(r"(?P<d>[DE])(?P<v>[QVNU](?:[|&]?[QVNU])*)(?P<l>L)", bounding.like),
    rule(r"(?P<a>A)o?(?P<d>D)(?P<c>c)", bounding.against),
    rule(r"(?P<d>D)o?(?P<a>A)(?P<c>c)", bounding.against),
    rule(r"(?P<d>D)(?P<lo>[NP])(?P<c>c)(?P<hi>[NP])(?P<c2>c)", bounding.between),
    rule(r"(?P<a>A)o?(?P<x>D)(?P<n>N)(?P<c>c)", bounding.aggregate_bound),
    rule(r"(?P<x>D)o?(?P<a>A)(?P<n>N)(?P<c>c)", bounding.aggregate_bound),
    rule(r"(?P<x>[ED])o?(?P<k>K)(?P<n>N)(?P<c>c)", bounding.aggregate_bound),
    rule(r"(?P<x>M)(?P<n>N)(?P<c>c)", bounding.aggregate_bound),
    rule(r"(?P<d>D)(?P<n>[NP])(?P<c>c)", bounding.compare),
    rule(r"(?P<n>N)(?P<c>c)o?(?P<x>E)", bounding.aggregate_bound),
    rule(r"(?P<x>E)(?P<n>N)(?P<c>c)", bounding.aggregate_bound),
    rule(r"(?P<n>N)(?P<c>c)", bounding.compare),
    rule(r"(?P<d>[DE])(?P<v>[VQ](?:[,&|]+[VQ])*)(?P<z>Z)?", bounding.equals),
    rule(r"(?P<d>D)(?P<v>[NP](?:[,&|]+[NP])*)(?P<z>Z)?", bounding.equals),
    rule(r"(?P<v>[VQ](?:[,&|]+[VQ])*)o?(?P<d>D)(?P<z>Z)?", bounding.equals),
    rule(r"(?P<d>D)(?P<h>H)", bounding.missing),
    rule(r"(?P<v>[VQ](?:[,&|]+[VQ])*)(?P<z>Z)?", bounding.lone_values),
    rule(r"(?P<d>D)(?P<p>P)", bounding.period),
    rule(r"(?P<p>P)", bounding.period),
    # groups and order
    rule(r"Y", actions.bucket),
    rule(r"(?P<x>D(?:[,&]+D)*|E(?:&E)*)o?G", actions.group),
    rule(r"g(?P<x>E)(?=o?[DMAK])", actions.group),
    rule(r"(?P<a>A)?o?(?P<x>[DEM])o?(?P<k>K)?(?P<a2>A)?o?(?P<r>R)", actions.order),
    rule(r"R", actions.direction),
    # what is asked for
    rule(r"(?P<a>A)o?(?P<x>D)(?P<s>S)", asking.ranked_by_aggregate),
    rule(r"(?P<x>D)o?(?P<a>A)(?P<s>S)", asking.ranked_by_aggregate),
    rule(r"(?P<x>[DEM])o?(?P<k>K)?(?P<s>h)", asking.ranked_many),
    rule(r"(?P<x>[DEM])o?(?P<k>K)?(?P<s>S)", asking.superlative),
    rule(r"(?P<s>S)o?(?P<x>[DEM])(?=o?K|b)", asking.superlative),
    rule(r"(?P<s>S)o?(?P<x>[EDM])?", asking.superlative),
    rule(r"(?P<a>A(?:[,&]+A)*)o?(?P<x>[DM])", asking.aggregate),
    rule(r"(?P<x>D(?:[,&]+D)+)o?(?P<a>A(?:[,&]+A)*)", asking.aggregate_all),
    rule(r"(?P<x>[DM])o?(?P<a>A(?:[,&]+A)*)", asking.aggregate),
    rule(r"(?P<x>[ED])(?:[o&,]?(?P<u>X))?o?(?P<k>K)", asking.count),
    rule(r"(?P<x>M)o?(?P<k>K)", asking.count),
    rule(r"(?P<k>K)o?(?P<x>[E])", asking.count),
    rule(r"(?P<k>K)", asking.count),
    rule(r"(?P<x>E)Z", asking.absent),
    rule(r"X", asking.distinct),
    rule(r"(?P<x>[DEM])", asking.targets),
)
