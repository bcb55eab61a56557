"""Errors of retrieval; the root of all is `prompts.errors.BunmyakuError`, handed on from here.

    BunmyakuError                 what went wrong · where · what to do about it
    ├── prompts.errors.PromptsError
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

from prompts.errors import BunmyakuError

__all__ = [
    "BunmyakuError",
    "EmbeddingsUnavailable",
    "HomeUnusable",
    "MigrationError",
    "RetrievalError",
    "SourceFailed",
    "StoreUnavailable",
]


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
