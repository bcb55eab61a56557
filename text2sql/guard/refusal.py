"""Refusing: the one exception that the steps raise, and where in the draft a node stands."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from sqlglot import exp

from text2sql.types import Position, Violation


class Refused(Exception):
    """A step found a reason to refuse; it carries the violation. Never leaves the guard."""

    def __init__(
        self,
        code: str,
        message: str,
        where: exp.Expr | int | None = None,
        subject: str = "",
        suggestions: Iterable[str] = (),
        cause: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        self.subject = subject
        self.suggestions = tuple(suggestions)
        self.cause = cause

    def violation(self, sql: str) -> Violation:
        """The violation, with the position in the draft `sql`."""
        return Violation(self.code, self.message, position(self.where, sql), self.subject, self.suggestions)


def offset(node: exp.Expr) -> int | None:
    """The character a node starts at: its own, that of what it holds, or that of what holds it."""
    current: exp.Expr | None = node
    while current is not None:
        starts = [n.meta["start"] for n in current.walk() if "start" in n.meta]
        if starts:
            return int(min(starts))
        current = current.parent
    return None


def position(where: exp.Expr | int | None, sql: str) -> Position:
    """Line and column in the draft; the end of the statement where nothing better is known."""
    found = offset(where) if isinstance(where, exp.Expr) else where
    at = len(sql.rstrip()) if found is None else min(found, len(sql))
    before = sql[:at]
    return Position(before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1)


def nearest(name: str, names: Iterable[str], n: int = 3) -> tuple[str, ...]:
    """The known names most like one that is not known, best first."""
    known = {candidate.casefold(): candidate for candidate in names}
    return tuple(known[found] for found in get_close_matches(name.casefold(), list(known), n=n, cutoff=0.6))


def instead(suggestions: Iterable[str], otherwise: str = "") -> str:
    """The way out, as the end of a sentence."""
    offered = ", ".join(suggestions)
    return f" Did you mean {offered}?" if offered else f" {otherwise}" if otherwise else ""
