"""A number compared with a column all of whose values lie elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from text2sql.guard.looking import Looking
from text2sql.guard.refusal import position
from text2sql.guard.warnings.literal_absent import compared
from text2sql.held import number
from text2sql.types import Warn


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each number beyond the least and the greatest of a column that was read whole."""
    for scope in looking.facts.scopes:
        for found in compared(looking, scope):
            side, literal, text = found.side, found.value, found.text
            binding = looking.bound(side)
            column = binding.field.column if binding is not None else None
            if binding is None or column is None or column.family not in ("integer", "number"):
                continue
            held, value = looking.held(binding), number(text)
            if held is None or held.profile.sampled or held.ends is None or value is None:
                continue
            if held.ends[0] <= value <= held.ends[1]:
                continue
            profile = held.profile
            yield Warn(
                "out_of_range",
                f"{binding.field.name} holds nothing but {profile.minimum} to {profile.maximum}, so never "
                f"{text}. Ask for a value between them.",
                position(literal, looking.facts.sql),
                text,
            )
