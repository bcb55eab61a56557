"""The closed list of function words of each language, read from `lexicon/<language>.yaml`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from retrieval.language import KATAKANA
from retrieval.yaml_files import read_yaml
from text2sql.words import normal, tokenize

_KATAKANA = re.compile(f"[{KATAKANA}]")


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a phrase does: its role (a key of the file) and its tag ("" where the role has none)."""

    role: str
    tag: str = ""
    katakana: bool = False
    """Whether it is written in katakana, in part at least."""


class Lexicon:
    """Phrases by their tokens. Immutable once built."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.phrases: dict[tuple[str, ...], Phrase] = {}
        self._longest: dict[str, int] = {}
        for role, listed in data.items():
            for tag, texts in (listed if isinstance(listed, dict) else {"": listed}).items():
                for text in texts or ():
                    self._add(str(text), Phrase(role, str(tag)))

    def _add(self, text: str, phrase: Phrase) -> None:
        key = tuple(token.text for token in tokenize(normal(text)))
        # The first role of the file wins where two list one phrase: the order of the file is deliberate.
        known = self.phrases.setdefault(key, phrase)
        if not known.katakana and _KATAKANA.search(text):
            self.phrases[key] = replace(known, katakana=True)
        self._longest[key[0]] = max(self._longest.get(key[0], 0), len(key))

    def at(self, texts: list[str], start: int) -> list[tuple[int, Phrase]]:
        """The phrases that begin at `texts[start]`: (end, phrase), longest first."""
        longest = self._longest.get(texts[start], 0)
        found = []
        for size in range(min(longest, len(texts) - start), 0, -1):
            phrase = self.phrases.get(tuple(texts[start : start + size]))
            if phrase:
                found.append((start + size, phrase))
        return found


@lru_cache(maxsize=4)
def lexicon(language: str) -> Lexicon:
    """The function words of `en` or `ja`; Japanese includes the English ones (TOP 5, by month)."""
    folder = Path(__file__).parent.parent / "lexicon"
    data = read_yaml((folder / f"{language}.yaml").read_text(encoding="utf-8"))
    return Lexicon(data)
