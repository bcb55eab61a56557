"""The messages between the processes, and how plugins are found."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest import parsers
from ingest.errors import IngestError
from ingest.limits import Limits
from ingest.preparing import Prepared, prepare
from ingest.worker import LENGTH, answer, receive, send, serve
from retrieval import plugins
from tests.ingest import samples


def request(path: Path, name: str, **limits: int) -> dict[str, object]:
    return {"path": str(path), "name": name, "limits": Limits(**limits).to_json(), "size": 128}


def test_messages_survive_the_way() -> None:
    stream = io.BytesIO()
    send(stream, {"text": "返品\n\ud800"})
    send(stream, {"n": 1})
    stream.seek(0)
    assert receive(stream, 1000) == {"text": "返品\n?"}
    assert receive(stream, 1000) == {"n": 1}
    assert receive(stream, 1000) is None


@pytest.mark.parametrize("raw", [b"", b"\0\0", LENGTH.pack(5) + b"{}", LENGTH.pack(1 << 60) + b"{}"])
def test_messages_cut_short_or_too_long_are_none(raw: bytes) -> None:
    assert receive(io.BytesIO(raw), 1000) is None


def test_answers(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(samples.pdf())
    prepared = Prepared.from_json(
        json.loads(json.dumps(answer(request(tmp_path / "a", "a.pdf"))["prepared"]))
    )
    assert prepared == prepare(samples.pdf(), "a.pdf")
    (tmp_path / "b").write_bytes(samples.encrypted_pdf())
    assert answer(request(tmp_path / "b", "b.pdf")) == {"reason": "encrypted: a password is needed"}
    (tmp_path / "c").write_bytes(samples.bomb(3))
    reply = answer(request(tmp_path / "c", "c.zip", expanded_bytes=1_000_000))
    assert reply == {"reason": "unpacks to more than 1 MB", "limit": True}


def test_serving_ends_with_the_requests() -> None:
    answers = io.BytesIO()
    serve(io.BytesIO(), answers)
    assert answers.getvalue() == b""


def test_limits_survive_the_way() -> None:
    limits = Limits(depth=7)
    assert Limits.from_json(json.loads(json.dumps(limits.to_json()))) == limits


def test_parsers_of_other_packages_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    made = SimpleNamespace(build=lambda _settings: SimpleNamespace(version=3, media_types=frozenset({"x/y"})))
    point = SimpleNamespace(name="theirs", load=lambda: made)
    monkeypatch.setattr(
        plugins,
        "entry_points",
        lambda group, name="theirs": [point] if (group, name) == ("bunmyaku.parsers", "theirs") else [],
    )
    remembered = (parsers.by_media_type, parsers.identities, parsers.fingerprint)
    before = parsers.fingerprint()
    for one in remembered:
        one.cache_clear()
    try:
        assert "theirs" in parsers.names()
        assert parsers.by_media_type()["x/y"] == "theirs"
        assert parsers.identities()["theirs"] == "theirs/3"
        # Another set of parsers: what is in quarantine is tried again.
        assert parsers.fingerprint() != before
    finally:
        monkeypatch.undo()
        for one in remembered:
            one.cache_clear()


def test_two_parsers_of_one_type_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    made = SimpleNamespace(
        build=lambda _settings: SimpleNamespace(version=1, media_types=frozenset({"text/html"}))
    )
    point = SimpleNamespace(name="theirs", load=lambda: made)
    monkeypatch.setattr(plugins, "entry_points", lambda **_: [point])
    parsers.by_media_type.cache_clear()
    try:
        with pytest.raises(IngestError, match="claimed by two parsers"):
            parsers.by_media_type()
    finally:
        monkeypatch.undo()
        parsers.by_media_type.cache_clear()


def test_an_unknown_parser_is_said() -> None:
    with pytest.raises(IngestError, match="no parser nothing") as caught:
        parsers.build("nothing")
    assert "markdown" in caught.value.todo
