"""BM25 over hashed tokens: what a text is weighed by, shared by stores that keep sparse vectors.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009. The score is an inner
product: saturated term frequency on the document side, inverse document frequency on the query side.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from zlib import crc32

SPACE = 1_000_000_000
"""Terms are 1 … SPACE. Two of a million distinct tokens share one with a chance of 1 in 1,000 a token."""

_MOST_TERMS = 16_000  # a sparse vector of pgvector holds no more


def term_id(token: str) -> int:
    """The number of a token, the same on every machine."""
    return crc32(token.encode("utf-8", "surrogatepass")) % SPACE + 1


def count_terms(tokens: Iterable[str]) -> tuple[list[int], list[int], int]:
    """Terms in ascending order, how often each occurs, and how many tokens there were.

    Of a text with more than 16,000 distinct terms only the most frequent are kept.
    """
    counts = Counter(map(term_id, tokens))
    kept = sorted(term for term, _ in counts.most_common(_MOST_TERMS))
    return kept, [counts[term] for term in kept], counts.total()


def idf(holding: int, total: int) -> float:
    """Inverse document frequency of a term that `holding` of `total` chunks hold; never negative."""
    total = max(total, holding)
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))


def rarest(frequencies: Mapping[int, int], most: int, least: int) -> list[int]:
    """The terms worth fetching candidates by: from the rarest on, while they bring at most `most` chunks together,
    and never fewer than `least` terms. The others still count in the score of what these bring.

    `frequencies` says how many chunks hold each term; terms nobody holds are left out.
    """
    chosen: list[int] = []
    brought = 0
    for count, term in sorted((count, term) for term, count in frequencies.items() if count > 0):
        brought += count
        if brought > most and len(chosen) >= least:
            break
        chosen.append(term)
    return chosen
