"""Verdicts for lines of JSON: `{"id", "sql"}` in, one object a line out, whatever the line holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from retrieval.types import Principal
from text2sql.guard import SqlGuard
from text2sql.policy import Policy
from text2sql.types import Catalog, Position, Verdict, Violation, Warn


def check_lines(
    lines: Iterable[str],
    *,
    dialect: str,
    catalog: Catalog | None,
    principal: Principal,
    policy: Policy | None = None,
) -> Iterator[dict[str, Any]]:
    """One verdict for each line that is not empty. A line that cannot be read is refused; nothing stops the rest.

    `catalog` is None for a dialect that we do not know: every line is then refused with code dialect.
    """
    guard = SqlGuard()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        identity, sql, problem = _read(line, number)
        if problem is None and catalog is None:
            problem = Violation(
                "dialect", f"{dialect} is not a dialect we can check; refused.", None, dialect
            )
        if problem is not None or catalog is None:
            title = policy.title if policy is not None else None
            verdict = Verdict(allowed=False, policy=title, violations=(problem,) if problem else ())
        else:
            verdict = guard.check(sql, catalog, principal, policy)
        yield {"id": identity, **as_json(verdict)}


def _read(line: str, number: int) -> tuple[Any, str, Violation | None]:
    try:
        data = json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        return number, "", Violation("not_json", f"Line {number} is not JSON.", Position(1, 1))
    identity = data.get("id", number) if isinstance(data, Mapping) else number
    sql = data.get("sql") if isinstance(data, Mapping) else None
    if not isinstance(sql, str):
        return (
            identity,
            "",
            Violation("not_text", f'Line {number} has no "sql" that is text.', Position(1, 1)),
        )
    return identity, sql, None


def as_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as the JSON that programs read."""
    return {
        "allowed": verdict.allowed,
        "sql": verdict.sql,
        "parameters": dict(verdict.parameters),
        "policy": verdict.policy,
        "violations": [_finding(v) for v in verdict.violations],
        "warnings": [_finding(w) for w in verdict.warnings],
        "tables": list(verdict.tables),
        "columns": list(verdict.columns),
        "masked": list(verdict.masked),
        "row_rules": dict(verdict.row_rules),
        "withheld": list(verdict.withheld),
    }


def _finding(finding: Violation | Warn) -> dict[str, Any]:
    at = finding.position
    return {
        "code": finding.code,
        "message": finding.message,
        "position": {"line": at.line, "column": at.column} if at is not None else None,
        "subject": finding.subject,
        "suggestions": list(finding.suggestions),
        **({"severity": finding.severity} if isinstance(finding, Warn) else {}),
    }
