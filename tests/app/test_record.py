from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from app.record import KEPT_ROWS, AnswerRecord, RecordStore, jsonable, summarise
from retrieval.postgres.database import Database
from retrieval.types import Citation, Principal
from text2sql.types import Check, Draft, ResultSet, Verdict

ANA = Principal("ana", roles=("analyst",), attributes={"regions": ("North",)})


def record(identifier: str = "r1", who: Principal = ANA, **changes: object) -> AnswerRecord:
    fields: dict[str, object] = {
        "id": identifier,
        "at": datetime(2026, 11, 20, tzinfo=UTC),
        "principal": who,
        "conversation_id": "c1",
        "question": "how many?",
        "language": "en",
        "route": "query",
        "why": "figures",
        "outcome": "answered",
        "text": "3",
    }
    return AnswerRecord(**{**fields, **changes})  # type: ignore[arg-type]


def result(rows: int) -> ResultSet:
    return ResultSet(pa.table({"n": list(range(rows))}), seconds=0.1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal(10), 10),
        (Decimal("1.5"), 1.5),
        (Decimal("NaN"), None),
        (Decimal("-Infinity"), None),
        (float("nan"), None),
        (float("inf"), None),
        (date(2026, 4, 1), "2026-04-01"),
        (b"\x00\xff", "00ff"),
        ("a\x00b", "a\ufffdb"),
        (timedelta(minutes=1), 60.0),
        (True, True),
        ((1, {"a": frozenset({"y", "x"})}), [1, {"a": ["x", "y"]}]),
        (10**30, 10**30),
    ],
)
def test_every_value_becomes_json(value: object, expected: object) -> None:
    assert jsonable(value) == expected
    json.dumps(jsonable(value), allow_nan=False)


def test_the_hash_covers_every_row_though_few_are_kept() -> None:
    whole, rows = summarise(result(KEPT_ROWS + 5))
    other, _ = summarise(ResultSet(pa.table({"n": [*range(KEPT_ROWS + 4), -1]}), seconds=0.1))
    assert (whole.rows, len(rows)) == (KEPT_ROWS + 5, KEPT_ROWS)
    assert whole.sha256 != other.sha256
    assert whole.sha256 == summarise(result(KEPT_ROWS + 5))[0].sha256


def test_a_record_is_json_with_everything_in_it() -> None:
    full = record(
        checks=(Check("one statement", passed=True),),
        citations=(
            Citation(1, "d#0", "d", "v", "file:x", "X", "q", 0, 1, as_of=datetime(2026, 1, 1, tzinfo=UTC)),
        ),
        rows=({"n": 1},),
    )
    data = json.loads(json.dumps(full.to_json(), allow_nan=False))
    assert data["principal"]["attributes"] == {"regions": ["North"]}
    assert data["citations"][0]["as_of"].startswith("2026-01-01")
    assert data["checks"] == [{"name": "one statement", "passed": True, "detail": ""}]
    assert data["rows"] == [{"n": 1}]
    assert "rows" not in full.to_json(rows=False)


def test_records_are_kept_and_read_by_their_owner_only(database: Database) -> None:
    store = RecordStore(database)
    summary, rows = summarise(result(2))
    store.keep(record(result=summary, rows=rows))
    kept = store.get(ANA, "r1")
    assert kept is not None
    assert kept["rows"] == [{"n": 0}, {"n": 1}]
    assert store.get(Principal("bob"), "r1") is None
    assert store.get(Principal("ana", tenant="other"), "r1") is None
    assert [r["id"] for r in store.recent(ANA, "c1")] == ["r1"]
    assert store.recent(Principal("bob"), "c1") == []


def test_a_record_with_hostile_text_is_kept_whole(database: Database) -> None:
    from app.record import Attempt

    attempt = Attempt(Draft("SELECT '\x00'", "offline", 0.5), Verdict(allowed=False))
    RecordStore(database).keep(record(question="'; DROP TABLE x; --\x00", attempts=(attempt,)))
    kept = RecordStore(database).get(ANA, "r1")
    assert kept is not None
    assert "DROP TABLE" in kept["question"]
