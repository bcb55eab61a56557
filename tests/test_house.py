"""Rules of the house that no linter knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("app", "ingest", "retrieval", "text2sql", "prompts", "evals")
EXAMPLE = re.compile(
    r"\binsurer|\bpremiums?\b|\bpolicyholder|loss.ratio|claim.(?:count|frequency)|\bclaims\b|保険|損害率|kazahaya",
    re.IGNORECASE,
)
ALLOWED = {"claims"}
"""Also an everyday verb, and what an identity token holds."""


def sources(*folders: str) -> list[Path]:
    kinds = {".py", ".sql", ".yaml", ".md", ".toml"}
    return [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in kinds]


def test_no_word_of_the_running_example_stands_outside_demo_and_tests() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in [*sources(*PACKAGES, "docs"), ROOT / "README.md", ROOT / "pyproject.toml"]
        for match in EXAMPLE.finditer(path.read_text(encoding="utf-8"))
        if match.group().casefold() not in ALLOWED
    ]
    assert found == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_of_app_has_the_name_of_a_package(package: str) -> None:
    # Streamlit puts the folder of its page first on the path: such a file would be found instead of the package.
    assert list((ROOT / "app").rglob(f"{package}.py")) == []


@pytest.mark.parametrize("lock", ["main.txt", "dev.txt", "weights.txt", "peers.txt", "peers.alone.txt"])
def test_locks_hold_hashes_and_no_hosts(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    assert "://" not in text
    pinned = re.findall(r"^[a-z0-9].*==.*$", text, re.MULTILINE)
    assert pinned
    assert all(line.rstrip().endswith("\\") for line in pinned), "a pin without a hash"
