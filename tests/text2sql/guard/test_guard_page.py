"""docs/guard.md names every code that the guard refuses with, and no other; its example runs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from text2sql.guard import gate

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "guard.md").read_text(encoding="utf-8")
_OF_LINES = {"not_json"}
"""Of `bunmyaku guard`, which reads lines."""


def codes_in_use() -> set[str]:
    found: set[str] = set()
    for file in sorted((ROOT / "text2sql" / "guard").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id in {"Refused", "Violation"} and isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return (found | {"argument", *gate._ARGUMENT_CODES.values()}) - _OF_LINES


def test_every_code_is_on_the_page() -> None:
    table = PAGE[PAGE.index("## What a refusal says") : PAGE.index("## How it is tried")]
    named = {code for row in table.splitlines() if row.startswith("| `") for code in _first_cell(row)}
    assert named == codes_in_use()


def _first_cell(row: str) -> list[str]:
    return re.findall(r"`(\w+)`", row.split("|")[1])


def test_every_file_that_the_page_names_is_there() -> None:
    for name in re.findall(r"`([\w/]+\.py)`", PAGE):
        folders = (ROOT / "text2sql" / "guard", ROOT / "tests" / "promises", ROOT)
        assert any((folder / name).is_file() for folder in folders), name


def test_the_example_runs() -> None:
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code is not None
    said: list[str] = []
    exec(
        compile(code[1], "docs/guard.md", "exec"),
        {"print": lambda *words: said.append(" ".join(map(str, words)))},
    )
    assert "region" in said[0]
    assert "Kanto" not in said[0]
    assert "Kanto" in said[1]
