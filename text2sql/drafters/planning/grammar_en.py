"""The English grammar: patterns over item codes, tried in order. Codes are listed in `reading.items`."""

from __future__ import annotations

from text2sql.drafters.planning import actions, asking
from text2sql.drafters.planning.actions import Rule, rule

RULES: tuple[Rule, ...] = (
    rule(r"!", actions.flag("unsupported")),
    rule(r"W", actions.flag("both")),
    rule(r"F", actions.over_time),
    rule(r"\*", actions.flag("all_columns")),
    rule(r"T", actions.limit),
    rule(r"(?P<s>S)(?P<n>N)(?=[EDMK])", actions.top_n),
    rule(r"(?P<n>N)(?P<s>[Ss])", actions.top_n),
    # filters
    rule(r"(?P<d>[DE])w?(?P<z>Z)?w?(?P<l>L)n?(?P<v>[QUVN](?:[|&,]+L?[QUVN])*)", actions.like),
    rule(r"(?P<l>L)(?P<v>[QUV](?:[|&,]+[QUV])*)w?(?P<d>D)", actions.like),
    rule(r"(?P<d>[DE])w?(?P<c>C)(?P<a>[AS])o?(?P<d2>D)?", actions.against),
    rule(r"(?P<c>C)(?P<a>[AS])o?(?P<d>D)", actions.against),
    rule(r"(?P<k>K)o?(?P<x>[ED])w?(?P<c>C)(?P<n>N)", actions.aggregate_bound),
    rule(r"(?P<a>A)o?(?P<x>[DM])w?(?P<c>C)(?P<n>N)", actions.aggregate_bound),
    rule(r"(?P<x>M)w?(?P<c>C)(?P<n>N)", actions.aggregate_bound),
    rule(r"(?P<d>[DE])w?B(?P<lo>[NP])&(?P<hi>[NP])", actions.between),
    rule(r"B(?P<lo>[NP])&(?P<hi>[NP])(?P<d>D)", actions.between),
    rule(r"(?P<d>D)w?(?P<z>Z)?(?P<c>C)(?P<n>[NP])(?![E])", actions.compare),
    rule(r"(?P<d>D)w?(?P<n>[NP])(?P<c>c)", actions.compare),
    rule(r"(?P<c>C)(?P<n>N)(?:X?o?)(?P<x>[EM])", actions.aggregate_bound),
    rule(r"(?P<n>N)(?P<c>c)(?:X?o?)(?P<x>[EM])", actions.aggregate_bound),
    rule(r"(?P<c>C)(?P<n>N)(?P<d>D)", actions.compare),
    rule(r"(?P<n>N)(?P<c>c)(?P<d>D)", actions.compare),
    rule(r"(?P<c>C)(?P<n>[NP])", actions.compare),
    rule(r"(?P<n>N)(?P<c>c)", actions.compare),
    rule(r"(?P<z>Z)(?P<d>D)n?(?P<v>[VQN](?:[,&|]+[VQN])*)", actions.equals),
    rule(r"(?P<d>[DE])w?(?P<z>Z)?w?n?(?P<v>[VQ](?:[,&|]+[VQ])*)", actions.equals),
    rule(r"(?P<d>D)(?P<z>Z)?(?P<v>[NP](?:[,&|]+[NP])*)", actions.equals),
    rule(r"(?P<z>Z)?w?(?P<v>[VQ](?:[,&|]+[VQ])*)o?(?P<d>D)", actions.equals),
    rule(r"(?P<d>D)w?(?P<z>Z)?(?P<h>H)", actions.missing),
    rule(r"(?P<z>Z)?[wo]?(?P<v>[VQ](?:[,&|]+[VQ])*)", actions.lone_values),
    rule(r"(?P<d>D)w?(?P<p>P)", actions.period),
    rule(r"(?P<p>P)", actions.period),
    # order and groups
    rule(r"(?P<o>O)(?P<t>[DE](?:[,&ob]*[DE])*)b(?P<k>K)?(?P<a>A)?o?(?P<x>[DEM])(?P<r>R)?", actions.order),
    rule(r"(?P<o>O)(?P<k>K)?(?P<a>A)?o?(?P<x>[DEM])(?P<r>R)?", actions.order),
    rule(r"(?P<r>R)[oO](?P<k>K)?(?P<a>A)?o?(?P<x>[DEM])", actions.order),
    rule(r"R", actions.direction),
    rule(r"Y", actions.bucket),
    rule(r"G(?P<x>[DE](?:[,&]+[DE])*)", actions.group),
    # what is asked for
    rule(r"b(?P<k>K)?o?(?P<m>M)", asking.by_metric),
    rule(r"(?P<s>s)o?(?P<x>[DE])", asking.common),
    rule(r"w?(?P<s>S)(?P<k>K)?o?(?P<x>[EDM])", asking.superlative),
    rule(r"(?P<x>[M])(?P<s>S)", asking.superlative),
    rule(r"(?P<s>S)", asking.superlative),
    rule(r"(?P<a>A(?:[,&]*A)*)o?(?P<x>[DM])", asking.aggregate),
    rule(r"(?P<k>K)(?P<u>X)?o?(?P<x>[EDM])", asking.count),
    rule(r"b(?P<x>[DE](?:[,&]+[DE])*)", asking.by),
    rule(r"Zw?(?P<x>E)", asking.absent),
    rule(r"X", asking.distinct),
    rule(r"(?P<x>[DEM])", asking.targets),
)
