"""What warnings leave of a draft's confidence, and which drafts are not run."""

from __future__ import annotations

import pyarrow as pa
import pytest

from text2sql.confidence import weighed
from text2sql.doubting import doubted, settled
from text2sql.guard.weights import LOWEST, UNMEASURED, WEIGHTS, weight
from text2sql.types import Draft, ResultSet, Verdict, Warn


def warn(code: str, ratio: float) -> Warn:
    return Warn(code, f"said of {code}", weight=ratio)


@pytest.mark.parametrize("sure", [0.0, 0.3, 0.97, 1.0])
def test_without_warnings_nothing_changes(sure: float) -> None:
    assert weighed(sure, ()) == sure
    assert weighed(sure, (warn("no_time_bound", 1.0),)) == sure


def test_odds_are_multiplied_by_the_heaviest_of_each_family() -> None:
    assert weighed(0.5, (warn("literal_absent", 0.25),)) == 0.2
    both = (warn("literal_absent", 0.25), warn("type_mismatch", 0.5))  # one family: one mistake
    assert weighed(0.5, both) == 0.2
    apart = (warn("literal_absent", 0.25), warn("ungrouped", 0.5))
    assert weighed(0.5, apart) == pytest.approx(1 / 9, abs=1e-4)


def test_it_never_rises_nor_leaves_the_bounds() -> None:
    many = tuple(warn(code, 0.001) for code in ("a", "b", "c"))
    for sure in (0.0, 0.005, 0.5, 1.0):
        assert 0 <= weighed(sure, many) <= sure


def test_every_weight_lowers_and_is_measured_or_mild() -> None:
    assert WEIGHTS.exists()
    for code in ("literal_absent", "ungrouped", "join_not_key", "null_compared", "no_such_code"):
        for severity in ("hard", "soft"):
            assert LOWEST <= weight(code, severity) <= 1
    assert weight("no_such_code", "hard") == UNMEASURED["hard"]
    assert weight("literal_absent", "hard") < UNMEASURED["hard"]


def draft(origin: str, sure: float = 0.97) -> Draft:
    return Draft("SELECT 1", origin, sure)  # type: ignore[arg-type]


def test_only_drafts_of_rules_are_kept_back_and_only_for_their_warnings() -> None:
    wrong = Verdict(True, warnings=(warn("ungrouped", 0.02),))
    assert doubted(draft("offline"), wrong) == ("ungrouped: said of ungrouped",)
    assert doubted(draft("offline", 0.4), wrong) == ()
    assert (
        doubted(draft("model"), wrong)
        == doubted(draft("person"), wrong)
        == doubted(draft("verified"), wrong)
        == ()
    )
    assert doubted(draft("offline"), Verdict(True)) == ()
    assert doubted(draft("offline"), Verdict(True, warnings=(warn("literal_absent", 0.02),))) == ()


def test_no_rows_are_told_with_the_condition_that_explains_them() -> None:
    nothing = ResultSet(pa.table({"a": pa.array([], pa.int64())}), 0.1)
    absent = Warn("literal_absent", "city holds no value 'Rmoe'.", None, "Rmoe", ("Rome",), "hard", 0.02)
    one, verdict = settled(draft("model", 0.9), Verdict(True, warnings=(absent,)), nothing)
    empty = verdict.warnings[-1]
    assert (empty.code, empty.suggestions) == ("empty_result", ("Rome",))
    assert "Rmoe" in empty.message
    assert one.confidence < 0.3
    plain, verdict = settled(draft("offline", 0.9), Verdict(True), nothing)
    assert [w.code for w in verdict.warnings] == ["empty_result"]
    assert one.confidence < plain.confidence < 0.9
    assert settled(draft("verified", 0.9), Verdict(True), nothing)[0].confidence == 0.9


def test_rows_leave_it_as_it_was() -> None:
    some = ResultSet(pa.table({"a": [1]}), 0.1)
    assert settled(draft("offline", 0.9), Verdict(True), some) == (draft("offline", 0.9), Verdict(True))
