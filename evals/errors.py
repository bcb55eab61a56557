"""Errors of evals.

BunmyakuError
└── EvalError       something handed in cannot be evaluated: exit 2, nothing is lost
    └── SuiteError  a suite with mistakes in it; `where` names the file and the line

A case that goes wrong is a row with `status: "error"`, never one of these.
"""

from __future__ import annotations

from retrieval.errors import BunmyakuError


class EvalError(BunmyakuError):
    """What was handed in (a folder, a file, an option) cannot be evaluated."""

    bad_input = True


class SuiteError(EvalError):
    """A suite that cannot be read as it stands."""
