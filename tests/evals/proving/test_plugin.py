"""The pytest plugin, as others use it: in a pytest of its own, with the example of the documentation."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from evals.proving.bases import SqliteBase
from evals.proving.guards import bunmyaku
from evals.proving.offered import check, find_guard, read_queries
from retrieval.errors import BunmyakuError
from retrieval.types import Principal
from tests.evals.proving.bakery import QUERIES, duckdb_file, sqlite_file

ROOT = Path(__file__).parents[3]
POLICY = """
version: 1
attributes: {towns: {type: text, list: true}}
tables:
  branch: {grants: [{roles: [everyone], rows: "city IN (:towns)"}]}
  baker: {grants: [{roles: [clerk], rows: "age > 30", masks: {name: partial, wage: 'null'}}, {roles: [boss]}]}
  skill: {grants: [{roles: [boss], rows: all}]}
"""
CALLERS = [
    Principal("a", roles=("clerk",), attributes={"towns": ("Oslo",)}),
    Principal("b", roles=("boss",), attributes={"towns": ("Oslo", "Bergen")}),
    Principal("c"),
]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest, started afresh, which finds the plugin as it does in an environment where the package is installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    metadata = folder / "installed" / "proof_probe-1.dist-info"
    metadata.mkdir(parents=True, exist_ok=True)
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: proof-probe\nVersion: 1\n", encoding="utf-8"
    )
    points = [f"{name} = {module}\n" for name, module in project["entry-points"]["pytest11"].items()]
    (metadata / "entry_points.txt").write_text("[pytest11]\n" + "".join(points), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rf", "--rootdir", str(folder), "-c", "/dev/null",
         *arguments, str(folder)],
        capture_output=True, text=True, cwd=ROOT, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(metadata.parent), str(ROOT)])},
    )  # fmt: skip


def test_the_example_of_the_documentation_is_true(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "guard-proof.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(# test_my_guard\.py\n.*?)```", text, re.DOTALL)
    (tmp_path / "test_my_guard.py").write_text(example, encoding="utf-8")
    ran = run(tmp_path)
    assert "3 failed, 1 passed" in ran.stdout, ran.stdout
    failed = re.findall(r"FAILED .*::(\w+)", ran.stdout)
    assert sorted(failed) == ["test_left_join", "test_no_policy", "test_where_outside_of_the_or"]
    for told in (
        "the guard is not proved",
        "statement   ",
        "rewritten   ",
        "caller      ",
        "seed        ",
        "    tables:",
    ):
        assert told in ran.stdout


@pytest.mark.slow  # three runs of pytest
def test_options_stand_for_what_the_fixture_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(guard_proof):\n    guard_proof()\n", encoding="utf-8")
    queries = tmp_path / "q.sql"
    queries.write_text(";\n".join(QUERIES[:5]) + ";\n", encoding="utf-8")
    database = sqlite_file(tmp_path)
    given = ["--proof-database", str(database), "--proof-queries", str(queries), "--proof-seeds", "4"]
    assert "1 passed" in run(tmp_path, *given, "--proof-guard", "evals.proving.guards:bunmyaku").stdout
    assert "1 failed" in run(tmp_path, *given, "--proof-guard", "evals.proving.planted:no_policy").stdout
    lacking = run(tmp_path, *given)
    assert "--proof-guard" in lacking.stdout
    assert lacking.returncode != 0


def test_the_plugin_costs_other_runs_nothing() -> None:
    """It imports no more than pytest itself until its fixture is asked for."""
    code = "import pytest, sys; import evals.proving.pytest_plugin; print([m for m in sys.modules if m.split('.')[0] in ('sqlglot', 'duckdb', 'pydantic', 'text2sql', 'app', 'retrieval')])"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_a_policy_of_ones_own_for_callers_of_ones_own(tmp_path: Path) -> None:
    for database in (sqlite_file(tmp_path), duckdb_file(tmp_path)):
        assert check(bunmyaku, database, QUERIES, policies=POLICY, callers=CALLERS) == []
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    broken = find_guard("evals.proving.planted:no_policy")
    found = check(broken, database, QUERIES, policies=tmp_path / "policy.yaml", callers=CALLERS[:1])
    assert found
    assert "city IN (:towns)" in found[0].text


def test_what_cannot_be_proved_is_said(tmp_path: Path) -> None:
    database = sqlite_file(tmp_path)
    with pytest.raises(BunmyakuError, match="no queries"):
        check(bunmyaku, database, [])
    with pytest.raises(BunmyakuError, match="needs callers"):
        check(bunmyaku, database, QUERIES, policies=POLICY)
    with pytest.raises(BunmyakuError, match="no such database"):
        check(bunmyaku, tmp_path / "none", QUERIES)
    with pytest.raises(BunmyakuError, match="no such guard"):
        find_guard("nowhere:nothing")
    lines = tmp_path / "q.jsonl"
    lines.write_text('{"gold_sql": "SELECT 1"}\n{"sql": "SELECT 2"}\n', encoding="utf-8")
    assert read_queries(lines) == ["SELECT 1", "SELECT 2"]
    with pytest.raises(BunmyakuError, match="cannot be read"):
        read_queries(tmp_path / "none.sql")
    SqliteBase(database).close()
