"""What a question matches that its asker may know of but not read: tables that the policy marks discoverable.

The caller's own drafter knows nothing of such a table, so it declines. Another one, over the names of those tables
too, says whether it would have drafted a query. Only that, and whom to ask, leaves this module: its drafts don't.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from retrieval.types import Context
from text2sql.policy import Policy
from text2sql.types import Catalog, Drafter


@dataclass(frozen=True)
class Beyond:
    """A drafter over what one caller may read or know of; `seen` is the part that they may read."""

    drafter: Drafter
    seen: Catalog
    policy: Policy

    def noted(self, question: str, context: Context) -> Context:
        """The context, with what is withheld of the tables that a query for this question would need."""
        return with_tables(context, self.policy, self.tables(question, context))

    def tables(self, question: str, context: Context) -> tuple[str, ...]:
        """The tables that a query for this question would need and the caller may not read."""
        drafting = self.drafter.draft(question, context, 1)
        drafts = drafting.drafts or tuple(choice.draft for choice in drafting.choices)
        named = dict.fromkeys(name for draft in drafts for name in draft.tables)
        return tuple(name for name in named if self.seen.table(name) is None)


def with_tables(context: Context, policy: Policy | None, tables: Collection[str]) -> Context:
    """The context, which also knows that these discoverable tables are withheld; their owners come first.

    A table may have been found as a document of the catalogue already, so the two counts are not added.
    """
    rules = [
        rule for name in tables if policy and (rule := policy.rule(name)) is not None and rule.discoverable
    ]
    owners = dict.fromkeys([*(rule.owner for rule in rules if rule.owner), *context.owners])
    return replace(context, withheld=max(context.withheld, len(rules)), owners=tuple(owners))
