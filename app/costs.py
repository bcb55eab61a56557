"""What is said of a query's cost: figures that a person can take in, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.messages import text
from retrieval.types import Language
from text2sql.attempting import ANYTHING, Attempt
from text2sql.cost import BUDGET_SPENT, BudgetState

_ENGLISH = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"))
_JAPANESE = ((10**12, "兆"), (10**8, "億"), (10**4, "万"))


def about(number: float, language: Language) -> str:
    """A big number in two digits or so: "80 million" / 「8,000万」. Exact below a million (万: below ten thousand)."""
    if number > 10**16:
        return text("cost.beyond", language)
    for size, name in _JAPANESE if language == "ja" else _ENGLISH:
        if number >= size:
            value = number / size
            digits = f"{value:,.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")
            return f"{digits}{name}" if language == "ja" else f"{digits} {name}"
    return f"{number:,.0f}"


def asked_first(attempt: Attempt, unasked: int, language: Language) -> str:
    """That it was not run yet, how much it would read, and how much runs without asking."""
    rows = attempt.estimate.work if attempt.estimate else None
    return text("outcome.confirm", language, rows=about(rows or 0, language), most=about(unasked, language))


def not_run(attempt: Attempt, language: Language) -> str:
    """Why a query that the guard allowed was refused all the same: nothing left of the budget, or another statement."""
    if attempt.error == BUDGET_SPENT and attempt.budget is not None:
        return _spent(attempt.budget, language)
    return text("outcome.changed", language)


def _spent(state: BudgetState, language: Language) -> str:
    renews = f"{state.renews:%Y-%m-%d %H:%M} ({state.renews.tzinfo})"
    values = {"limit": about(state.limit, language), "left": about(state.left, language), "renews": renews}
    if state.kind == "rows":
        values["wanted"] = about(state.wanted, language)
    return text(f"cost.spent_{state.kind}", language, **values)


def lines(record: Mapping[str, Any], language: Language) -> list[str]:
    """What a record (in JSON form) says of its cost: the estimate as far as it may be told, and the agreement."""
    attempts = record["attempts"]
    found = (attempts[-1].get("estimate") or {}) if attempts else {}
    counts = [found[name] for name in ("rows", "scanned") if found.get(name) is not None]
    told = []
    if counts:
        key = "cost.estimate_band" if found.get("rounded") else "cost.estimate"
        told.append(text(key, language, rows=about(max(counts), language)))
    if record.get("agreed") and record["result"]:
        told.append(
            text("cost.agreed_beforehand" if record["agreed"] == ANYTHING else "cost.agreed", language)
        )
    return told


def confirm_label(record: Mapping[str, Any], key: str, language: Language) -> str:
    """The question, or the button, for a record (in JSON form) that waits for a person."""
    found = record["attempts"][-1]["estimate"]
    rows = max(found[name] or 0 for name in ("rows", "scanned"))
    return text(key, language, rows=about(rows, language))
