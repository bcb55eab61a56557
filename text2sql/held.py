"""What comparisons ask of one column's values, worked out once a column and kept as long as its catalogue.

Values are found as people write them: width, katakana or hiragana, case, spaces and the marks between words make no
difference to what is offered, though they do to the engine.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Mapping
from functools import cached_property

from rapidfuzz import fuzz, process

from retrieval.language import fold
from text2sql.types import Catalog, Profile

_BETWEEN = re.compile(r"[\s\-_.,・･'’/]+")
_CUTOFF = 60.0
"""Ratio of edits (rapidfuzz) from which another value is worth naming."""


def plain(text: str) -> str:
    """One form for texts that differ in width, kana, case, spaces or marks between words only."""
    folded = fold(text)
    return _BETWEEN.sub("", folded) or folded


def nearness(one: str, other: str) -> float:
    """How alike two texts are in [0, 100], but for what `plain` makes no difference of."""
    return float(fuzz.ratio(plain(one), plain(other)))


def number(text: str) -> float | None:
    """The number that a text spells."""
    try:
        return float(text)
    except ValueError:
        return None


class Held:
    """The values of one profile, by the forms that comparisons ask for. Read-only; safe to share between threads."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    @cached_property
    def texts(self) -> frozenset[str]:
        """The values as they stand."""
        return frozenset(self.profile.values)

    @cached_property
    def caseless(self) -> frozenset[str]:
        """The values, case folded."""
        return frozenset(value.casefold() for value in self.profile.values)

    @cached_property
    def forms(self) -> frozenset[float | str]:
        """The values with `1` and `1.0` as one."""
        spelled = ((value, number(value)) for value in self.profile.values)
        return frozenset(value if found is None else found for value, found in spelled)

    @cached_property
    def ends(self) -> tuple[float, float] | None:
        """The least and the greatest value, where both are numbers."""
        low, high = number(self.profile.minimum or ""), number(self.profile.maximum or "")
        return None if low is None or high is None else (low, high)

    @cached_property
    def _plain(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for value in self.profile.values:
            found.setdefault(plain(value), []).append(value)
        return {form: tuple(values) for form, values in found.items()}

    @cached_property
    def kinds(self) -> dict[frozenset[str], frozenset[str]]:
        """Kinds of value that these pass for, by the kinds that are declared (filled by who judges types)."""
        return {}

    def alike(self, text: str) -> tuple[str, ...]:
        """The values that are the same text but for width, kana, case, spaces and marks between words."""
        return self._plain.get(plain(text), ())

    def nearest(self, text: str, limit: int = 3) -> tuple[str, ...]:
        """The values alike; where there are none, those spelled most like it (rapidfuzz ratio), best first."""
        same = self.alike(text)
        if same:
            return same[:limit]
        close = process.extract(
            plain(text), list(self._plain), scorer=fuzz.ratio, limit=limit, score_cutoff=_CUTOFF
        )
        return tuple(value for form, _, _ in close for value in self._plain[form])[:limit]


_KEPT: dict[int, dict[int, Held]] = {}
"""id of a catalogue -> id of a profile of it -> its values. Goes with the catalogue."""


def held(catalog: Catalog, profile: Profile) -> Held:
    """The values of a profile of this catalogue."""
    kept = _KEPT.get(id(catalog))
    if kept is None:
        kept = _KEPT[id(catalog)] = {}
        weakref.finalize(catalog, _KEPT.pop, id(catalog), None)
    found = kept.get(id(profile))
    if found is None or found.profile is not profile:
        found = kept[id(profile)] = Held(profile)
    return found
