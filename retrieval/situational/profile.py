"""Facts about the one who asks, from the Principal itself, and the date that "today" means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from retrieval.types import Clock, Fact, Principal

ORIGIN = "profile"

_LABELS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "name": {"en": ("name",), "ja": ("名前", "氏名")},
    "roles": {"en": ("roles", "role"), "ja": ("役割", "権限", "ロール")},
    "language": {"en": ("language",), "ja": ("言語",)},
    "today": {"en": ("date today", "today's date"), "ja": ("今日の日付",)},
}


class ProfileSource:
    """The caller's name, roles, language and attributes, and today's date. Nothing is read from anywhere."""

    name = ORIGIN

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def fetch(self, principal: Principal, question: str) -> list[Fact]:  # noqa: ARG002 - the port hands it to all
        """One fact each; a value that is empty makes none."""
        now = self._clock()
        values: dict[str, object] = {
            "name": principal.name,
            "roles": list(principal.roles),
            "language": principal.language,
            "today": now.date().isoformat(),
        }
        values |= {key: _plain(value) for key, value in principal.attributes.items() if key not in values}
        return [_fact(key, value, now) for key, value in values.items() if value not in ("", [], None)]


def _fact(key: str, value: object, now: datetime) -> Fact:
    spelled = key.replace("_", " ")
    labels = _LABELS.get(key, {"en": (spelled,), "ja": (spelled,)})
    return Fact(f"user.{key}", value, ORIGIN, as_of=now, entity="user", labels=labels)


def _plain(value: object) -> object:
    return (
        sorted(value)
        if isinstance(value, set | frozenset)
        else list(value)
        if isinstance(value, tuple)
        else value
    )
