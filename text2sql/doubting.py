"""What warnings make of a draft: one that is likelier wrong than right is not run; one that ran is as sure as they leave it."""

from __future__ import annotations

from dataclasses import replace

from text2sql.confidence import weighed
from text2sql.guard.weights import family, weight
from text2sql.types import Draft, ResultSet, Verdict, Warn

DOUBTFUL = "doubtful"
LEAST = 0.6
"""A draft of rules that is less sure than this after its warnings is not run: nobody looked at it, and no model will."""
_EMPTY = "empty_result"


def doubted(draft: Draft, verdict: Verdict) -> tuple[str, ...]:
    """Why a draft of the offline drafter should rather not run, a sentence a warning; () where it may.

    What a person or a model wrote runs, with its warnings beside it; so does what was doubted without them, which
    nobody is offered. A value that is not there keeps nothing back: no rows say it themselves, and the value may be
    one of rows that are withheld from the caller, which is told otherwise.
    """
    warnings = [warning for warning in verdict.warnings if family(warning.code) != "value"]
    sure = weighed(draft.confidence, warnings)
    if draft.origin != "offline" or not sure < LEAST <= draft.confidence:
        return ()
    return tuple(f"{warning.code}: {warning.message}" for warning in warnings)


def settled(draft: Draft, verdict: Verdict, result: ResultSet) -> tuple[Draft, Verdict]:
    """The draft as sure as its warnings leave it, and the verdict with a warning where no rows came.

    A verified query and what a person wrote stay as sure as they were: that was judged by a person.
    """
    if result.table.num_rows == 0:
        verdict = replace(verdict, warnings=(*verdict.warnings, _no_rows(verdict)))
    if draft.origin in ("offline", "model"):
        draft = replace(draft, confidence=weighed(draft.confidence, verdict.warnings))
    return draft, verdict


def _no_rows(verdict: Verdict) -> Warn:
    """That nothing was found, and of the guard's warnings the one that explains it, where one does."""
    why = next((w for w in verdict.warnings if w.code in _NEVER_TRUE), None)
    said = f" {why.message}" if why is not None else " Check the values and the period that it asks for."
    return Warn(
        _EMPTY,
        f"The query found no rows.{said}",
        why.position if why is not None else None,
        why.subject if why is not None else "",
        why.suggestions if why is not None else (),
        weight=weight(_EMPTY, "soft"),
    )


_NEVER_TRUE = (
    "literal_absent",
    "date_form",
    "no_common_values",
    "type_mismatch",
    "null_compared",
    "not_in_nulls",
    "in_select",
    "out_of_range",
    "group_of_one",
)
"""Warnings that a condition is true of no row."""
