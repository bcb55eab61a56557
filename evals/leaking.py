"""Looking for what an asker must not get, anywhere in what the asker gets."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

OWN = frozenset({"id", "at", "principal", "conversation_id", "question", "versions", "timings", "policy"})
"""Fields of a record that hold nothing of the data: what the asker said, and how the answer was made."""
SMALLEST = 100
"""Smaller whole numbers are no secrets: they stand in every text."""
_COMMA = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def leaks(record: Mapping[str, Any], secrets: Iterable[Any], allowed: Iterable[Any] = ()) -> list[str]:
    """The fields of a record (its JSON form) in which a secret stands; sorted, the secrets themselves not named.

    Texts are compared folded and at word boundaries; numbers as cells and as they are written in text. What stands
    in the question, or in what the asker may know (`allowed`), is no secret.
    """
    question, known = folded(str(record.get("question", ""))), list(allowed)
    looked_for = [
        secret
        for secret in secrets
        if _is_one(secret)
        and not _in_text(secret, question)
        and not any(_equal(secret, other) for other in known)
    ]
    found = set()
    for name, value in record.items():
        if name in OWN:
            continue
        cells = list(_leaves(value))
        if any(_stands_in(secret, cells) for secret in looked_for):
            found.add(name)
    return sorted(found)


def folded(text: str) -> str:
    """Width, case, spaces and the commas of big numbers make no difference."""
    return _COMMA.sub("", " ".join(unicodedata.normalize("NFKC", text).casefold().split()))


def stands_in_text(wanted: str, text: str) -> bool:
    """Whether a text or number stands in a text, at word boundaries; both are folded here."""
    return _in_text(wanted, folded(text))


def _is_one(secret: Any) -> bool:
    if secret is None or isinstance(secret, bool):
        return False
    if isinstance(secret, int):
        return abs(secret) >= SMALLEST
    return not isinstance(secret, str) or len(secret.strip()) > 1


def _stands_in(secret: Any, cells: list[Any]) -> bool:
    return any(
        _equal(secret, cell) or (isinstance(cell, str) and _in_text(secret, folded(cell))) for cell in cells
    )


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-9)
    return isinstance(one, str) and isinstance(other, str) and folded(one) == folded(other)


def _in_text(secret: Any, text: str) -> bool:
    """`text` is folded already. Boundaries where the secret ends in a letter or digit of ours: A01 is not in A012."""
    if isinstance(secret, float) and not secret.is_integer():
        return False  # rounded when written; as a cell it is found
    wanted = folded(str(int(secret) if isinstance(secret, float) else secret))
    if not wanted:
        return False
    before = r"(?<![0-9a-z])(?<!\d\.)" if re.match(r"[0-9a-z]", wanted) else ""
    after = r"(?![0-9a-z])(?!\.\d)" if re.search(r"[0-9a-z]$", wanted) else ""
    if wanted[-1].isdigit():  # 50km is 50
        after = r"(?!\d)(?!\.\d)"
    return re.search(before + re.escape(wanted) + after, text) is not None


def _leaves(value: Any) -> Iterator[Any]:
    """Every scalar in a JSON value, keys too."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value
