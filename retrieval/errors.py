"""Errors of retrieval, and the root that every package's errors grow from.

    BunmyakuError                 what went wrong · where · what to do about it
    ├── RetrievalError
    │   ├── StoreUnavailable      the relational store cannot be reached or started
    │   │   └── HomeUnusable      the home folder cannot hold the embedded server
    │   ├── MigrationError        a migration failed, or was changed after it had been applied
    │   ├── EmbeddingsUnavailable weights missing, altered, or a provider that cannot be built
    │   └── SourceFailed          a situational source could not answer
    ├── ingest.errors.IngestError
    ├── text2sql.errors.Text2SqlError
    ├── app.errors.AppError
    └── evals.errors.EvalError

Errors carry fields; only `app` turns them into sentences in the asker's language.
"""

from __future__ import annotations


class BunmyakuError(Exception):
    """Root of every error raised on purpose. `str()` gives one English line for logs."""

    bad_input = False
    """Whether it is for the caller to mend (the command line then ends with 2, wrong usage)."""

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        self.what = what
        self.where = where
        self.todo = todo
        super().__init__(what)

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        todo = f" {self.todo}" if self.todo else ""
        return f"{self.what}{where}.{todo}"


class RetrievalError(BunmyakuError):
    """Something in retrieval failed."""


class StoreUnavailable(RetrievalError):
    """The relational store cannot be reached or started."""


class HomeUnusable(StoreUnavailable):
    """The home folder cannot hold the embedded server (full, read-only, not ours)."""


class MigrationError(RetrievalError):
    """A migration failed, or one already applied was changed."""


class EmbeddingsUnavailable(RetrievalError):
    """Weights are missing or altered, or a provider cannot be built."""


class SourceFailed(RetrievalError):
    """A situational source could not answer."""
