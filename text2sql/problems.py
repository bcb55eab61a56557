"""What a drafter is told of a draft that the guard refused, so that the next one is better."""

from __future__ import annotations

from text2sql.types import Verdict


def problems_of(verdict: Verdict) -> tuple[str, ...]:
    """What the guard had against a draft, a line each: code, sentence, place, and what is near."""
    lines = []
    for violation in verdict.violations:
        place = f" (line {violation.position.line})" if violation.position else ""
        near = [name for name in violation.suggestions if name not in violation.message]
        nearest = f" Nearest: {', '.join(near)}." if near else ""
        lines.append(f"{violation.code}: {violation.message}{place}{nearest}")
    return tuple(lines) or ("refused without a reason",)
