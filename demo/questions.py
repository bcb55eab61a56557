"""What the demo asks: four questions of its own, or those of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from demo.errors import DemoError
from retrieval.yaml_files import read_yaml

SPREAD = Path(__file__).with_name("questions.yaml")
"""A good spread to try, in both languages."""


class Asked(NamedTuple):
    """A question and who asks it."""

    user: str
    question: str


QUESTIONS = (
    Asked("ana", "How far is towing free under the Standard plan?"),
    Asked("ana", "Claim frequency by region in fiscal year 2025"),
    Asked("kenji", "What does retention mean, and what was it by prefecture in FY2025?"),
    Asked("yui", "2025年度のプラン別の損害率を教えてください"),
)
"""From documents; from the warehouse; from both, by somebody who sees a part; in Japanese."""

_ASKERS = {"en": "ana", "ja": "yui"}


def read_questions(path: Path) -> tuple[Asked, ...]:
    """The questions of a file: groups by kind and language (as in questions.yaml), or one plain list.

    Raises `DemoError` where the file cannot be read or says something else.
    """
    try:
        raw = read_yaml(path.read_text(encoding="utf-8"))
        found = tuple(_asked(raw))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, KeyError) as error:
        raise DemoError("The questions cannot be read", where=str(path), todo=f"{error}") from error
    if not found:
        raise DemoError("There are no questions", where=str(path), todo="Write one a line, as `- question`.")
    return found


def _asked(raw: Any, language: str = "en") -> Iterator[Asked]:
    if isinstance(raw, dict):
        if "question" in raw:
            yield Asked(str(raw.get("user", _ASKERS[language])), str(raw["question"]))
            return
        for name, part in raw.items():
            yield from _asked(part, name if name in _ASKERS else language)
    elif isinstance(raw, list):
        for part in raw:
            yield from _asked(part, language)
    elif isinstance(raw, str):
        yield Asked(_ASKERS[language], raw)
    else:
        raise TypeError(f"a question is text, not {raw!r}")
