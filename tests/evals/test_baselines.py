"""Comparing with a baseline: what is told apart, what is not, and when the gate stays shut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from evals.baselines import compare, pairs, score
from evals.cli import command
from evals.errors import EvalError
from evals.reading import Report, names, read_report
from evals.report import write

SUMMARY: dict[str, Any] = {
    "suite": "own", "n": 0, "version": {"passed": 1}, "coverage": 1.0, "options": {}, "fingerprint": "abc",
}  # fmt: skip


def report(
    folder: Path, name: str, passed: list[Any], *, summary: dict[str, Any] | None = None, **fields: Any
) -> Path:
    """A report of cases 0, 1, …; a field that is a list has one value a case."""
    rows = [
        {"id": str(i), "question": f"Q{i}", "passed": value,
         **{k: v[i] if isinstance(v, list) else v for k, v in fields.items()}}
        for i, value in enumerate(passed)
    ]  # fmt: skip
    write(folder / name, {**SUMMARY, "n": len(rows), **(summary or {})}, rows)
    return folder / name


def against(folder: Path, new: list[Any], base: list[Any], **fields: Any) -> Any:
    new_report = read_report(report(folder, "new.json", new, **fields))
    return compare(new_report, read_report(report(folder, "base.json", base)))


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_same_run_opens_the_gate(tmp_path: Path) -> None:
    found = against(tmp_path, [True, False] * 20, [True, False] * 20)
    assert found.reasons == ()
    assert found.metrics[0].verdict == "no difference"
    assert (found.metrics[0].new, found.metrics[0].n) == (0.5, 40)


def test_a_regression_shuts_it_and_names_the_part_that_failed(tmp_path: Path) -> None:
    parts = ["linking"] * 8 + ["wording"] * 2 + [None] * 20
    found = against(tmp_path, [False] * 10 + [True] * 20, [True] * 30, failed_part=parts)
    assert found.metrics[0].verdict == "worse"
    assert found.metrics[0].lost == tuple(str(i) for i in range(10))
    assert "linking 8, wording 2" in found.reasons[0]


def test_a_difference_that_chance_explains_does_not_shut_it_unless_asked_to(tmp_path: Path) -> None:
    new, base = [False, False] + [True] * 28, [True] * 30
    found = against(tmp_path, new, base)
    assert (found.metrics[0].verdict, found.reasons) == ("no difference", ())
    strict = compare(found.new, found.baseline, strict=True)
    assert "2 cases lost" in strict.reasons[0]


def test_an_improvement_is_one(tmp_path: Path) -> None:
    found = against(tmp_path, [True] * 30, [False] * 12 + [True] * 18)
    assert (found.metrics[0].verdict, found.reasons) == ("better", ())


@pytest.mark.parametrize("leaks", [1, ["rows"]])
def test_one_leak_shuts_it_however_good_the_rest(tmp_path: Path, leaks: Any) -> None:
    found = against(tmp_path, [True] * 30, [False] * 30, leaks=[leaks] + [0] * 29)
    assert found.metrics[0].verdict == "better"
    assert found.reasons == ("1 cases leak: 0",)


def test_a_case_that_does_not_withhold_any_more_shuts_it(tmp_path: Path) -> None:
    found = against(tmp_path, [False] + [True] * 29, [True] * 30, kind=["withhold"] + ["query"] * 29)
    assert "must withhold" in found.reasons[0]
    always = against(
        tmp_path, [False] + [True] * 29, [False] + [True] * 29, kind=["withhold"] + ["query"] * 29
    )
    assert always.reasons == ()


def test_crashed_cases_are_lost_and_unscored_ones_are_said(tmp_path: Path) -> None:
    new: list[Any] = [None] * 10 + [True] * 20
    crashed = against(tmp_path, new, [True] * 30, status=["error"] * 10 + ["ok"] * 20)
    assert crashed.metrics[0].verdict == "worse"
    assert "error 10" in crashed.reasons[0]
    silent = against(tmp_path, new, [True] * 30)
    assert silent.metrics[0].n == 20
    assert "10 cases have no score any more" in silent.reasons[0]


def test_scores_of_a_row() -> None:
    assert [score(row, "m") for row in ({"m": True}, {"m": 0.25}, {"m": None}, {}, {"status": "error"})] == [
        1.0, 0.25, None, None, 0.0,
    ]  # fmt: skip


def test_other_questions_are_refused_unless_asked_for(tmp_path: Path) -> None:
    new = read_report(report(tmp_path, "new.json", [True] * 12))
    base = read_report(report(tmp_path, "base.json", [True] * 10))
    with pytest.raises(EvalError, match="10 in common of 12"):
        compare(new, base)
    found = compare(new, base, common=True)
    assert len(found.common) == 10
    assert found.notes == ("10 of 12 questions are in both (83.3%)",)


def test_an_id_that_asks_something_else_is_another_question(tmp_path: Path) -> None:
    new = read_report(report(tmp_path, "new.json", [True] * 4, question=["Q0", "Q1", "Q2", "changed"]))
    base = read_report(report(tmp_path, "base.json", [True] * 4))
    with pytest.raises(EvalError, match="3 in common"):
        compare(new, base)
    assert compare(new, base, common=True).common == ("0", "1", "2")


def test_other_data_is_said(tmp_path: Path) -> None:
    new = read_report(
        report(tmp_path, "new.json", [True] * 4, summary={"fingerprint": "xyz", "options": {"jobs": 2}})
    )
    found = compare(new, read_report(report(tmp_path, "base.json", [True] * 4)))
    assert found.notes[0] == "the data differ: xyz and abc"
    assert "options" in found.notes[1]


def test_graded_metrics_are_corrected_for_their_number(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    base = random.random(200)
    shifted = base + random.normal(-0.1, 0.2, 200)
    fields = {"recall@10": list(shifted), "ndcg@10": list(base), "mrr@10": list(base)}
    new = read_report(report(tmp_path, "new.json", [None] * 200, **fields))
    old = read_report(report(tmp_path, "base.json", [None] * 200, **{name: list(base) for name in fields}))
    found = compare(new, old)
    assert [one.metric for one in found.metrics] == ["recall@10", "ndcg@10", "mrr@10"]
    assert [one.verdict for one in found.metrics] == ["worse", "no difference", "no difference"]
    assert found.metrics[0].p_corrected == pytest.approx(3 * found.metrics[0].paired.p_value)
    assert [one.metric for one in compare(new, old, "ndcg@10").metrics] == ["ndcg@10"]
    with pytest.raises(EvalError, match="nothing@10"):
        compare(new, old, "nothing@10")


def test_a_slowdown_is_seen_and_noise_is_not(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    base = list(random.lognormal(-3, 0.3, 60))
    old = read_report(report(tmp_path, "base.json", [True] * 60, seconds=base))
    noisy = [value * factor for value, factor in zip(base, random.lognormal(0.05, 0.3, 60), strict=True)]
    slow = [value * factor for value, factor in zip(base, random.lognormal(0.7, 0.3, 60), strict=True)]
    assert compare(read_report(report(tmp_path, "n.json", [True] * 60, seconds=noisy)), old).reasons == ()
    found = compare(read_report(report(tmp_path, "s.json", [True] * 60, seconds=slow)), old)
    assert "significantly slower" in found.reasons[0]
    assert found.timing.ratio == pytest.approx(2.0, rel=0.15)


def test_times_of_a_file_of_their_own_are_read_and_checked(tmp_path: Path) -> None:
    rows = [{"id": str(i), "passed": True, "seconds": 0.1} for i in range(5)]
    write(tmp_path / "a.json", {**SUMMARY, "n": 5}, rows, tmp_path / "a.times.json")
    write(tmp_path / "b.json", {**SUMMARY, "n": 5, "suite": "b"}, rows, tmp_path / "b.times.json")
    assert read_report(tmp_path / "a.json").seconds == {}
    assert read_report(tmp_path / "a.json", tmp_path / "a.times.json").seconds["4"] == 0.1
    with pytest.raises(EvalError, match="another report"):
        read_report(tmp_path / "a.json", tmp_path / "b.times.json")


def test_many_systems_by_chance_are_told_apart_at_the_stated_rate(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    wrong = 0
    for _ in range(40):  # families of six systems, 15 pairs each
        twins = [
            Report(
                str(i),
                {},
                {str(k): {"passed": bool(value)} for k, value in enumerate(random.random(200) < 0.7)},
                {},
            )
            for i in range(6)
        ]
        wrong += any(one.metrics[0].verdict != "no difference" for one in pairs(twins))
    assert wrong <= 6  # 5 % of the families: 2 of 40; more than 6 has a probability of 0.3 %


def test_a_system_that_is_better_is_found_among_many(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    scores = {"better": 0.9, "one": 0.7, "two": 0.7}
    systems = [
        read_report(report(tmp_path, f"{name}.json", [bool(v) for v in random.random(300) < share]))
        for name, share in scores.items()
    ]
    assert [one.metrics[0].verdict for one in pairs(systems)] == ["better", "better", "no difference"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"rows": 3}', "row a case"),
        ('{"rows": [{"correct": true}]}', "row a case"),
        ('{"rows": []}', "no rows"),
        ('{"rows": [{"id": 1}, {"id": "1"}]}', "Two rows"),
    ],
)
def test_what_is_no_report_is_said(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(EvalError, match=said) as caught:
        read_report(tmp_path / "r.json")
    assert caught.value.bad_input
    assert caught.value.todo
    with pytest.raises(EvalError, match="cannot be read"):
        read_report(tmp_path / "missing.json")


def test_names_tell_the_files_apart(tmp_path: Path) -> None:
    assert names([Path("a/x.json"), Path("b/y.json")]) == ["x.json", "y.json"]
    assert names([Path("a/x.json"), Path("b/x.json")]) == ["a/x.json", "b/x.json"]
    assert len(set(names([Path("x.json"), Path("x.json")]))) == 2


def compared(*arguments: Any) -> Any:
    return CliRunner().invoke(command, ["compare", *map(str, arguments)], env={"COLUMNS": "200"})


def test_the_command_says_it_in_words_and_ends_with_the_gate(tmp_path: Path) -> None:
    base = report(tmp_path, "base.json", [True] * 30)
    same = report(tmp_path, "same.json", [False] + [True] * 29)
    worse = report(tmp_path, "worse.json", [False] * 10 + [True] * 20, failed_part="policy")
    found = compared(same, base, "--gate")
    assert found.exit_code == 0, found.output
    assert "cannot be told apart: difference −3.3 points, 95% interval" in flat(found.output)
    assert "this suite could see" in found.output
    assert "gate: open" in found.output
    assert compared(same, base, "--gate", "--strict").exit_code == 1
    shut = compared(worse, base, "--gate", "--out", tmp_path / "found.json")
    assert shut.exit_code == 1
    assert "policy 10" in flat(shut.output)
    document = json.loads((tmp_path / "found.json").read_text())
    assert document["gate"]["passed"] is False
    assert document["metrics"][0]["lost_by_part"] == {"policy": 10}
    assert str(tmp_path) not in json.dumps(document)
    assert compared(worse, base).exit_code == 0  # without --gate it only says so


def test_the_command_shows_every_pair_of_three(tmp_path: Path) -> None:
    files = [report(tmp_path, f"{i}.json", [True] * (30 - 5 * i) + [False] * 5 * i) for i in range(3)]
    found = compared(*files, "--out", tmp_path / "found.json")
    assert found.exit_code == 0
    assert len(json.loads((tmp_path / "found.json").read_text())["pairs"]) == 3
    assert "first is better" in flat(found.output)


def test_the_command_refuses_bad_input(tmp_path: Path) -> None:
    base = report(tmp_path, "base.json", [True] * 3)
    for arguments in ([base], [base, base, "--timings", base], [base, tmp_path / "none.json"]):
        assert isinstance(compared(*arguments).exception, EvalError)
