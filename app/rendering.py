"""An answer record in a terminal: the sentence first, then rows, SQL, sources, checks and what it took."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from app import checked, costs, modelled
from app.columns import Field, named_fields
from app.figures import show as in_unit
from app.messages import text
from app.record import AnswerRecord
from retrieval.types import Language
from text2sql.semantics import SemanticModel
from text2sql.types import Draft
from text2sql.words import split_name

SHOWN_ROWS = 20
_KEY = re.compile(r"\b(?:id|code|year)\b|年度?$|コード$|番号$")
"""Columns whose numbers are names, after their own names were split into words."""
STYLES = {
    "answered": "green",
    "no_rows": "yellow",
    "clarify": "cyan",
    "withheld": "magenta",
    "confirm": "yellow",
}


def show(record: AnswerRecord, console: Console, model: SemanticModel | None = None) -> None:
    """Print one record; with the semantic model, figures carry its units."""
    language = record.language
    style = STYLES.get(record.outcome, "red")
    asker = f"{record.principal.name or record.principal.id} ({', '.join(record.principal.roles) or '-'})"
    title = f"{escape(record.question)} · {escape(asker)}"
    console.print(Panel(Text(record.text), title=title, title_align="left", border_style=style))
    if record.result is not None:
        console.print(result_table(record, SHOWN_ROWS, model or SemanticModel()))
        if record.result.rows > SHOWN_ROWS or record.result.truncated:
            console.print(
                f"  {text('label.rows_shown', language, shown=min(SHOWN_ROWS, record.result.rows), total=f'{record.result.rows:,}')}"
            )
        if record.result.truncated:
            cut = text("result.cut", language, count=f"{record.result.rows:,}").strip()
            console.print(f"  {cut}", style="yellow")
    sql = record.attempts[-1].verdict.sql if record.confirm else record.sql
    if sql:
        laid_out = pretty_sql(sql, record.versions.get("dialect", ""))
        console.print(Syntax(laid_out, "sql", word_wrap=True, background_color="default"))
        if record.parameters:
            console.print(
                f"  {text('label.parameters', language)}: {escape(str(dict(record.parameters)))}",
                highlight=False,
            )
    kept = replace(record, rows=()).to_json()  # what reads records as they are kept reads this one too
    for part in (_sources(record), _checks(kept, language), _notes(record, kept)):
        if part is not None:
            console.print(part)
    spent = " · ".join(
        f"{name} {seconds * 1000:.0f} ms" for name, seconds in record.timings.items() if name != "total"
    )
    total = record.timings.get("total", 0.0) * 1000
    console.print(
        f"[dim]{record.route} · {total:.0f} ms ({spent}) · {record.tokens} tokens · {record.id}[/]",
        highlight=False,
    )


def result_table(record: AnswerRecord, most: int, model: SemanticModel) -> Table:
    """The first `most` rows as a table; numbers to the right, with separators and the units of their metrics."""
    columns = record.result.columns if record.result else ()
    draft = record.attempts[-1].draft if record.attempts else Draft("", "offline", 0.0)
    fields = named_fields(columns, record.rows, draft, model, record.language)
    table = Table(header_style="bold")
    for field in fields:
        values = [row.get(field.name) for row in record.rows]
        numeric = all(isinstance(value, int | float | None) for value in values) and bool(values)
        table.add_column(escape(field.name), justify="right" if numeric else "left", overflow="fold")
    for row in record.rows[:most]:
        table.add_row(*(escape(_shown(row.get(field.name), field, record.language)) for field in fields))
    return table


def _shown(value: Any, field: Field, language: Language) -> str:
    if field.unit and isinstance(value, int | float) and not isinstance(value, bool):
        return in_unit(value, language, field.unit)
    return cell(value, field.name)


def cell(value: Any, column: str = "") -> str:
    """A value as a person reads it. Years and codes keep their digits."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value) if _KEY.search(split_name(column)) else f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    return str(value)


def pretty_sql(sql: str, dialect: str) -> str:
    """The statement laid out over lines; as it is where it cannot be (it is shown, never run, from here)."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        return sqlglot.transpile(sql, read=dialect or None, write=dialect or None, pretty=True)[0]
    except SqlglotError:
        return sql


def _sources(record: AnswerRecord) -> Group | None:
    if not record.citations:
        return None
    lines = []
    for citation in record.citations:
        page = f", p. {citation.page}" if citation.page else ""
        day = f", {citation.as_of:%Y-%m-%d}" if citation.as_of else ""
        lines.append(
            Text(f"  [{citation.marker}] {citation.title}{page}{day} · {citation.uri}", style="blue")
        )
    return Group(*lines)


def _checks(kept: Mapping[str, Any], language: Language) -> Text | None:
    found = list(checked.lines(kept, language))
    return Text("  " + "\n  ".join(found), style="green") if found else None


def _notes(record: AnswerRecord, kept: Mapping[str, Any]) -> Group | None:
    language = record.language
    lines: list[Text] = []
    if record.understood:
        lines.append(Text(f"  {text('label.understood', language)}: {'; '.join(record.understood)}"))
    lines.extend(
        Text(f"  {text('label.assumed', language)}: {item}", style="yellow") for item in record.assumptions
    )
    lines.extend(
        Text(f"  {name}: {words}", style="dim") for name, words in record.definitions.items() if words
    )
    lines.extend(Text(f"  ! {item}", style="yellow") for item in checked.warnings(kept, language))
    lines.extend(
        Text(f"  {text('label.left_out', language)}: {item}", style="yellow") for item in record.left_out
    )
    lines.extend(
        Text(f"  {text('label.cost', language)}: {line}", style="dim") for line in costs.lines(kept, language)
    )
    lines.extend(
        Text(f"  {text('label.model', language)}: {line}", style="dim")
        for line in modelled.lines(kept, language)
    )
    if record.result is not None:
        lines.append(Text(f"  {text('label.policy', language)}: {record.policy or 'none'}", style="dim"))
    return Group(*lines) if lines else None
