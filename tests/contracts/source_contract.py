"""What every source does. An adapter inherits `SourceContract` and brings the fixture `place`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Protocol

import pytest

from ingest.errors import Refused, SourceUnavailable
from ingest.types import Change, DocumentSource


class Place(Protocol):
    """Somewhere documents can be put and taken away, and the source that looks at it."""

    @property
    def source(self) -> DocumentSource: ...

    def put(self, key: str, content: bytes) -> None: ...

    def remove(self, key: str) -> None: ...

    def destroy(self) -> None:
        """Make the place itself unreachable."""


def known(changes: list[Change]) -> dict[str, str]:
    """What the pipeline would remember of a listing."""
    return {change.key: change.fingerprint for change in changes if change.kind != "delete"}


def listed(place: Place, before: Mapping[str, str] | None = None) -> list[Change]:
    return list(place.source.changes(before or {}))


def kinds(changes: list[Change]) -> dict[str, str]:
    return {change.key: change.kind for change in changes}


class SourceContract:
    """Behaviour that does not depend on where documents come from."""

    @pytest.fixture
    def place(self) -> Place:
        raise NotImplementedError

    def test_its_signatures_are_the_ports(self, place: Place) -> None:
        for name in ("changes", "open", "settled"):
            expected = list(inspect.signature(getattr(DocumentSource, name)).parameters)[1:]
            assert list(inspect.signature(getattr(place.source, name)).parameters) == expected

    def test_an_empty_place_has_no_changes(self, place: Place) -> None:
        assert listed(place) == []

    def test_everything_is_new_at_first(self, place: Place) -> None:
        place.put("a.txt", b"one")
        place.put("folder/b.txt", b"two")
        assert kinds(listed(place)) == {"a.txt": "upsert", "folder/b.txt": "upsert"}

    def test_uris_name_the_source_and_the_key(self, place: Place) -> None:
        place.put("folder/売上 2024.txt", b"one")
        (change,) = listed(place)
        assert change.uri.endswith(f"{place.source.name}/folder/売上 2024.txt")
        assert change.modified is not None
        assert change.modified.tzinfo is not None
        assert change.size == 3

    def test_what_did_not_change_is_said_so(self, place: Place) -> None:
        place.put("a.txt", b"one")
        before = known(listed(place))
        assert kinds(listed(place, before)) == {"a.txt": "unchanged"}

    def test_changed_content_of_the_same_length_is_an_upsert(self, place: Place) -> None:
        place.put("a.txt", b"one")
        before = known(listed(place))
        place.put("a.txt", b"two")
        assert kinds(listed(place, before)) == {"a.txt": "upsert"}

    def test_what_is_gone_is_deleted_after_everything_else(self, place: Place) -> None:
        place.put("a.txt", b"one")
        place.put("b.txt", b"two")
        before = known(listed(place))
        place.remove("a.txt")
        place.put("c.txt", b"three")
        changes = listed(place, before)
        assert kinds(changes) == {"a.txt": "delete", "b.txt": "unchanged", "c.txt": "upsert"}
        assert changes[-1].kind == "delete"

    def test_an_untrusted_fingerprint_is_never_unchanged(self, place: Place) -> None:
        place.put("a.txt", b"one")
        assert kinds(listed(place, {"a.txt": ""})) == {"a.txt": "upsert"}

    def test_bytes_are_what_was_put(self, place: Place) -> None:
        place.put("a.txt", b"one")
        (change,) = listed(place)
        with place.source.open(change) as stream:
            assert stream.read() == b"one"
        assert place.source.settled(change)

    def test_a_change_after_the_listing_is_noticed(self, place: Place) -> None:
        place.put("a.txt", b"one")
        (change,) = listed(place)
        place.put("a.txt", b"two")
        assert not place.source.settled(change)

    def test_what_vanished_after_the_listing_is_refused(self, place: Place) -> None:
        place.put("a.txt", b"one")
        (change,) = listed(place)
        place.remove("a.txt")
        with pytest.raises(Refused) as caught:
            place.source.open(change)
        assert caught.value.what
        assert not place.source.settled(change)

    def test_a_place_that_cannot_be_listed_deletes_nothing(self, place: Place) -> None:
        place.put("a.txt", b"one")
        before = known(listed(place))
        place.destroy()
        with pytest.raises(SourceUnavailable):
            listed(place, before)
