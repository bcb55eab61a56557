"""The second wall: a policy file as roles, grants and row security of the database itself.

`postgres.Administration` applies it; `wanted` (what should stand), `standing` (what stands) and `changes` (what runs)
are pure but for reading the catalogue. `behind` makes guard and wall agree on what the database withholds.
"""

from __future__ import annotations

from text2sql.policy import Policy
from text2sql.types import Warehouse


def behind(warehouse: Warehouse, policy: Policy | None) -> Policy | None:
    """The policy as it holds in this warehouse: where a wall withholds masked columns, the guard writes NULL for them."""
    agree = getattr(warehouse, "behind", None)
    if agree is None:
        return policy
    agreed: Policy | None = agree(policy)
    return agreed
