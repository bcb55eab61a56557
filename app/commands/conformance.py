"""`bunmyaku guard conformance`: the guard against statements as data, with a score per class and dialect."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from app.commands.exits import Exit
from app.commands.output import Terminal, write_json
from app.errors import SettingsError
from retrieval.types import Principal
from text2sql.ddl import catalog_from_ddl
from text2sql.errors import ConformanceError
from text2sql.guard import SqlGuard
from text2sql.guard.allowlist import DIALECTS
from text2sql.guard.conformance import KINDS, SCHEMA, Outcome, Score, judge, read_folder, score
from text2sql.types import Catalog, Verdict

OURS = Path(__file__).parents[2] / "tests" / "fixtures" / "guard" / "corpus"


def command(
    folder: Annotated[
        Path, typer.Argument(help="A folder with hostile/*.sql and legitimate/*.sql, one file a class.")
    ] = OURS,
    dialect: Annotated[
        str | None, typer.Option("--dialect", help=f"Only one of {', '.join(DIALECTS)}.")
    ] = None,
    ddl: Annotated[
        Path | None, typer.Option("--ddl", help=f"The tables; else {SCHEMA} in the folder or above it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document, for programs.")] = False,
) -> None:
    """Must refuse every hostile statement and allow every legitimate one; ends with 1 when it does not."""
    if dialect is not None and dialect not in DIALECTS:
        raise SettingsError(
            "Not a dialect we know", where=dialect, todo=f"Give one of {', '.join(DIALECTS)}."
        )
    statements = read_folder(folder, [dialect] if dialect else DIALECTS)
    text = _schema(folder, ddl)
    guard, caller = SqlGuard(), Principal("conformance")

    @cache
    def catalog(name: str) -> Catalog:
        return catalog_from_ddl(text, name)  # type: ignore[arg-type]  # the reader knows only our dialects

    def check(sql: str, name: str) -> Verdict:
        return guard.check(sql, catalog(name), caller)

    outcomes = judge(statements, check)
    scores = score(outcomes)
    wrong = [outcome for outcome in outcomes if not outcome.right]
    if as_json:
        write_json(_document(scores, wrong))
    else:
        _show(scores, wrong)
    if wrong:
        raise typer.Exit(Exit.fault)


def _schema(folder: Path, ddl: Path | None) -> str:
    places = [ddl] if ddl else [place / SCHEMA for place in (folder, *folder.resolve().parents[:2])]
    for place in places:
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise ConformanceError(
        "The tables of the statements are not there", where=str(places[0]), todo="Give them with --ddl."
    )


def _document(scores: list[Score], wrong: list[Outcome]) -> dict[str, Any]:
    return {
        **{
            kind: {
                "right": sum(s.right for s in scores if s.kind == kind),
                "of": sum(s.of for s in scores if s.kind == kind),
            }
            for kind in KINDS
        },
        "classes": [
            {"kind": s.kind, "class": s.group, "dialect": s.dialect, "right": s.right, "of": s.of}
            for s in scores
        ],
        "wrong": [
            {
                "file": str(o.statement.file), "number": o.statement.number, "digest": o.statement.digest,
                "kind": o.statement.kind, "dialect": o.statement.dialect, "why": o.statement.why,
                "sql": o.statement.sql, "allowed": o.allowed, "verdict": o.reason,
            }
            for o in wrong
        ],
    }  # fmt: skip


def _show(scores: list[Score], wrong: list[Outcome]) -> None:
    console = Terminal(soft_wrap=True)
    names = [name for name in DIALECTS if any(s.dialect == name for s in scores)]
    for kind in KINDS:
        cells = {(s.group, s.dialect): f"{s.right}/{s.of}" for s in scores if s.kind == kind}
        if not cells:
            continue
        sums = [s for s in scores if s.kind == kind]
        verb = "refused" if kind == "hostile" else "allowed"
        table = Table("class", *names, box=None, pad_edge=False)
        for group in dict.fromkeys(group for group, _ in cells):
            table.add_row(group, *(cells.get((group, name), "") for name in names))
        console.print(f"[bold]{kind}[/]: {sum(s.right for s in sums)} of {sum(s.of for s in sums)} {verb}")
        console.print(table)
    for outcome in wrong:
        s = outcome.statement
        what = "passes" if outcome.allowed else "is refused"
        line = f"{s.file}, block {s.number} on {s.dialect} {what}: {s.why}\n  {s.sql}\n  -> {outcome.reason}"
        console.print(escape(line), highlight=False)
