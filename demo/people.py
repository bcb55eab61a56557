"""Who works at the insurer: the demo's users, one or more a role."""

from __future__ import annotations

from typing import Any, NamedTuple

from demo.prefectures import of_region

ROLES = {
    "admin": "Sees everything, names included.",
    "analyst": "Sees every row; names of customers are hidden, of birth dates only the year is shown.",
    "regional_manager": "Sees the customers of their own prefectures.",
    "agent": "Sees their own customers.",
}


class User(NamedTuple):
    """One user. `attributes` are what row rules bind."""

    id: str
    name: str
    language: str
    roles: tuple[str, ...]
    attributes: dict[str, Any]


USERS = (
    User("ana", "Ana Kimura", "en", ("analyst",), {}),
    User("yui", "森田 結衣", "ja", ("analyst",), {}),
    User("kenji", "岡本 健司", "ja", ("regional_manager",), {"prefectures": list(of_region("Kansai"))}),
    User("emma", "Emma Hayashi", "en", ("regional_manager",), {"prefectures": list(of_region("Kanto"))}),
    User("aoi", "中川 葵", "ja", ("agent",), {"agent_id": "A0003"}),
    User("ren", "Ren Wada", "en", ("agent",), {"agent_id": "A0001"}),
    User("mika", "Mika Ishii", "en", ("admin",), {}),
    User("guest", "Guest", "en", (), {}),
)
"""The agents are the `NAMED_AGENTS` of the warehouse."""
