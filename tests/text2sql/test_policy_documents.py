"""Who may read documents, who may learn of them, and whom they are told to ask."""

from __future__ import annotations

import pytest

from retrieval.types import EVERYONE, Access
from text2sql.errors import PolicyError
from text2sql.policy import parse

POLICY = parse(
    """
documents:
  - {match: "internal/secret/*", roles: [director], owner: boss@shop}
  - {match: "internal/*", roles: [manager], discoverable: true, owner: office@shop}
  - {match: "file:*/drafts/*", roles: [author], discoverable: true}
  - {match: "handbook*", roles: [everyone, manager]}
"""
)


@pytest.mark.parametrize(
    ("source", "uris", "access"),
    [
        ("internal", ["internal/plan.md"], Access(frozenset({"role:manager"}), True, "office@shop")),
        # The first rule decides whole: its mark and owner too, not only its roles.
        ("internal", ["internal/secret/plan.md"], Access(frozenset({"role:director"}), False, "boss@shop")),
        ("handbook", ["handbook/a.md"], Access(frozenset({EVERYONE, "role:manager"}))),
        ("other", ["other/a.md"], Access()),
        # Whichever of its names a rule matches: the order of the rules decides, not that of the names.
        ("handbook", ["handbook/drafts/a.md", "file:handbook/drafts/a.md"],
         Access(frozenset({"role:author"}), discoverable=True)),
    ],
)  # fmt: skip
def test_the_first_rule_that_matches_decides(source: str, uris: list[str], access: Access) -> None:
    assert POLICY.access_to_document(source, *uris) == access


def test_nothing_is_discoverable_unless_it_is_said() -> None:
    assert parse("documents: [{match: '*', roles: [manager]}]").access_to_document("a", "a/b") == Access(
        frozenset({"role:manager"})
    )


def test_a_mark_that_is_no_yes_or_no_is_an_error() -> None:
    with pytest.raises(PolicyError, match="enforced") as caught:
        parse("documents: [{match: '*', discoverable: perhaps}]")
    assert "discoverable" in caught.value.where
