"""Reads the plain-text cases of tests/fixtures/guard: blocks of `-- key: value` lines followed by one statement."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from text2sql.ddl import catalog_from_ddl
from text2sql.guard.allowlist import DIALECTS
from text2sql.types import Catalog, Dialect

FOLDER = Path(__file__).parents[2] / "fixtures" / "guard"
SCHEMA = (FOLDER / "shop.schema.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Case:
    dialect: Dialect
    sql: str
    why: str
    codes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.dialect}: {self.sql[:60]}"


def cases(name: str) -> list[Case]:
    """Every case of a file, once for each of its dialects."""
    found: list[Case] = []
    for block in (FOLDER / name).read_text(encoding="utf-8").split("\n\n"):
        keys: dict[str, str] = {}
        lines: list[str] = []
        for line in block.splitlines():
            key, colon, value = line.removeprefix("-- ").partition(": ")
            if line.startswith("-- ") and colon and key in ("dialects", "code", "why") and not lines:
                keys[key] = value
            elif keys:
                lines.append(line)
        dialects = DIALECTS if keys["dialects"] == "all" else tuple(keys["dialects"].split())
        codes = tuple(keys.get("code", "").split())
        found.extend(Case(d, "\n".join(lines), keys["why"], codes) for d in dialects)  # type: ignore[arg-type]
    return found


def shop(dialect: Dialect) -> Catalog:
    return catalog_from_ddl(SCHEMA, dialect)
