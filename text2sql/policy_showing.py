"""What one caller sees under a policy, table by table: for whoever keeps the file, before somebody asks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from retrieval.types import Principal
from text2sql.grants import Bucket, Grant
from text2sql.policy import Policy, visible_columns
from text2sql.types import Catalog, Table


@dataclass(frozen=True)
class Seen:
    """One table. `rows`: a rule a grant, any of which admits a row; `masked`: column -> how, in which rows."""

    name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    masked: dict[str, str]
    hidden: tuple[str, ...]


@dataclass(frozen=True)
class Sight:
    """Everything. `discoverable`: withheld table -> whom to ask; `documents`: rule -> read, or withheld."""

    tables: tuple[Seen, ...] = ()
    discoverable: dict[str, str] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The same as JSON has it."""
        return asdict(self)


def sight(policy: Policy, catalog: Catalog, caller: Principal) -> Sight:
    """What the caller sees of this catalogue and of the documents."""
    tables: list[Seen] = []
    withheld: dict[str, str] = {}
    for table in catalog.tables:
        grants = policy.grants(table, caller)
        if grants and visible_columns(table, grants):
            tables.append(_seen(policy, table, grants, caller))
        elif (rule := policy.rule(table)) is not None and rule.discoverable:
            withheld[table.qualified] = rule.owner
    documents: dict[str, str] = {}
    for about in policy.documents:
        if about.access.labels & caller.labels:
            documents.setdefault(about.match, "read")
        elif about.discoverable:
            documents.setdefault(about.match, f"withheld, ask {about.owner or 'nobody'}")
    return Sight(tuple(tables), withheld, documents, tuple(sorted(caller.labels)))


def _seen(policy: Policy, table: Table, grants: tuple[Grant, ...], caller: Principal) -> Seen:
    shown = [c.name for c in visible_columns(table, grants)]
    masked = {name: how for name in shown if (how := _masks(name, grants))}
    whole = any(g.predicate is None for g in grants)
    rows = ("all",) if whole else tuple(_bound(policy, g, caller) for g in grants)
    return Seen(
        table.qualified, rows, tuple(name for name in shown if name not in masked), masked,
        tuple(c.name for c in table.columns if c.name not in shown),
    )  # fmt: skip


def _bound(policy: Policy, grant: Grant, caller: Principal) -> str:
    """The rule as written, with the caller's values beside it."""
    if grant.predicate is None:
        return "all"
    values = [f":{n} = {', '.join(map(repr, policy.values(n, caller)))}" for n in grant.predicate.attributes]
    return f"{grant.rows} ({'; '.join(values)})" if values else grant.rows


def _masks(column: str, grants: tuple[Grant, ...]) -> str:
    """How the column is shown; "" where it is in every row as it is."""
    kinds = ["null" if g.hides(column) else _spelled(g, column) for g in grants]
    if not any(kinds) or any(not k and g.predicate is None for k, g in zip(kinds, grants, strict=True)):
        return ""
    if len(set(kinds)) == 1:
        return kinds[0]
    return "; ".join(f"{k or 'shown'} where {g.rows}" for k, g in zip(kinds, grants, strict=True))


def _spelled(grant: Grant, column: str) -> str:
    mask = grant.mask(column)
    return f"bucket of {mask.bucket}" if isinstance(mask, Bucket) else str(mask or "")
