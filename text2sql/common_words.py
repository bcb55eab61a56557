"""Words every trade shares, in both languages: what a column called `country` is called in Japanese.

The list (`common_words.yaml`) holds groups of words that mean the same in a schema, and abbreviations. It lets
a question in one language find names in the other where no semantic model says how; a model's own words win.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from pathlib import Path

from retrieval.yaml_files import read_yaml
from text2sql.words import stems

MOST = 24
"""Variants kept of one label: enough for three words with a few synonyms each."""


class CommonWords:
    """Groups of equal words. Immutable once built."""

    def __init__(self, groups: list[list[str]], abbreviations: dict[str, str]) -> None:
        self._groups: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for group in groups:
            forms = [stems(word) for word in group]
            for form in forms:
                self._groups.setdefault(form, []).extend(other for other in forms if other != form)
        self._abbreviations = {key: stems(value) for key, value in abbreviations.items()}
        self._longest = max((len(form) for form in self._groups), default=1)

    def variants(self, form: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Other ways to say a label, given and returned as stems; at most `MOST`, without the label itself."""
        expanded = self.written_out(form)
        choices = [[segment, *self._groups.get(segment, [])] for segment in self._segments(expanded)]
        found: dict[tuple[str, ...], None] = {}
        for combination in product(*choices):
            whole = tuple(word for segment in combination for word in segment)
            # A label half in one language and half in the other is said by nobody, but for 文書ID.
            scripts = {segment[0].isascii() for segment in combination if segment != ("id",)}
            if whole != form and len(scripts) <= 1:
                found[whole] = None
            if len(found) >= MOST:
                break
        return list(found)

    def written_out(self, form: tuple[str, ...]) -> tuple[str, ...]:
        """Abbreviations written out: num of staff, num staff, number staff are number of staff."""
        words = [word for part in form for word in self._abbreviations.get(part, (part,))]
        if len(words) > 1 and words[0] == "number" and words[1] != "of":
            words.insert(1, "of")
        return tuple(word for at, word in enumerate(words) if at == 0 or word != words[at - 1])

    def same(self, word: str, other: str) -> bool:
        """Whether two words are in one group, or the same word."""
        return stems(word) == stems(other) or stems(other) in self._groups.get(stems(word), [])

    def group(self, word: str) -> list[tuple[str, ...]]:
        """The word and everything that means the same, as stems."""
        return [stems(word), *self._groups.get(stems(word), [])]

    def others(self, form: tuple[str, ...]) -> list[tuple[str, ...]]:
        """What else means the same as these stems, as stems; empty for a form of no group."""
        return self._groups.get(form, [])

    def _segments(self, form: tuple[str, ...]) -> list[tuple[str, ...]]:
        """The label cut into the longest known groups, words of no group one by one."""
        segments: list[tuple[str, ...]] = []
        at = 0
        while at < len(form):
            size = next(
                (
                    n
                    for n in range(min(self._longest, len(form) - at), 0, -1)
                    if form[at : at + n] in self._groups
                ),
                1,
            )
            segments.append(form[at : at + size])
            at += size
        return segments


@lru_cache(maxsize=1)
def common_words() -> CommonWords:
    """The list that ships with the package."""
    data = read_yaml(Path(__file__).with_name("common_words.yaml").read_text(encoding="utf-8"))
    groups = [[*group.get("en", []), *group.get("ja", [])] for group in data["groups"]]
    return CommonWords(groups, data["abbreviations"])
