"""Errors of text2sql.

BunmyakuError
└── Text2SqlError
    ├── WarehouseError            the engine refused or failed; `where` names the warehouse
    │   ├── WarehouseUnavailable  missing, locked, not a database
    │   ├── QueryTimeout          stopped at the time limit
    │   ├── QueryCancelled        stopped by `cancel()`
    │   └── WallRefused           roles, grants or row security that a server would not have written or taken away
    ├── PolicyError               a policy file that cannot be enforced as written
    ├── SemanticModelError        a semantic model that is not valid, or not valid for this catalogue
    ├── DdlError                  a DDL file from which no catalogue can be read
    └── ConformanceError          statements to try a guard on that cannot be read
"""

from __future__ import annotations

from retrieval.errors import BunmyakuError


class Text2SqlError(BunmyakuError):
    """Something in text2sql failed."""


class WarehouseError(Text2SqlError):
    """The engine refused or failed."""


class WarehouseUnavailable(WarehouseError):
    """The warehouse is missing, locked, or not a database."""


class QueryTimeout(WarehouseError):
    """Stopped at the time limit."""


class QueryCancelled(WarehouseError):
    """Stopped on request."""


class WallRefused(WarehouseError):
    """A server would not have its roles, grants or row security written or taken away; nothing was changed."""

    bad_input = True


class PolicyError(Text2SqlError):
    """A policy that cannot be enforced as written."""


class SemanticModelError(Text2SqlError):
    """A semantic model that is not valid, in itself or for the catalogue at hand."""


class DdlError(Text2SqlError):
    """No catalogue can be read from the DDL."""


class ConformanceError(Text2SqlError):
    """Statements to try a guard on cannot be read."""

    bad_input = True
