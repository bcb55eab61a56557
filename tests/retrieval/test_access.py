from __future__ import annotations

import pytest

from retrieval.access import may_read
from retrieval.types import EVERYONE, Document, Principal


@pytest.mark.parametrize(
    ("labels", "tenant", "expected"),
    [
        ({EVERYONE}, "default", True),
        ({"role:analyst"}, "default", True),
        ({"user:ana"}, "default", True),
        ({"role:manager", "user:ana"}, "default", True),
        ({"role:manager"}, "default", False),
        ({"user:kenji"}, "default", False),
        ({"analyst", "ana"}, "default", False),
        (set(), "default", False),
        ({EVERYONE, "user:ana"}, "other", False),
    ],
)
def test_one_label_in_common_within_the_tenant(labels: set[str], tenant: str, expected: bool) -> None:
    about = Document("d", "1", "u", "t", labels=frozenset(labels), tenant=tenant)
    assert may_read(Principal("ana", roles=("analyst",)), about) is expected


def test_being_discoverable_does_not_make_it_readable() -> None:
    about = Document("d", "1", "u", "t", labels=frozenset({"role:x"}), discoverable=True)
    assert not may_read(Principal("ana"), about)
