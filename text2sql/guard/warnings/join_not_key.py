"""A join by columns that no key, declared or inferred, ties together."""

from __future__ import annotations

from collections.abc import Iterator

from text2sql.guard.looking import Link, Looking, groups, on_key
from text2sql.guard.refusal import position
from text2sql.guard.scope import Binding, Scope
from text2sql.key_names import pointing
from text2sql.types import Table, Warn


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each pair of columns that alone holds two parts of a SELECT together."""
    for scope in looking.joining():
        links = looking.links(scope)
        doubted = [link for link in links if on_key(looking, link.left, link.right) is False]
        if doubted:
            yield from _alone(looking, scope, links, doubted)


def _alone(looking: Looking, scope: Scope, links: list[Link], doubted: list[Link]) -> Iterator[Warn]:
    """Doubted conditions between parts that keys, or conditions we cannot judge, do not join already."""
    pairs = {frozenset((id(link.left.source), id(link.right.source))) for link in doubted}
    sure = [
        {id(link.left.source), id(link.right.source)} for link in links if not any(link is d for d in doubted)
    ]
    sure += [tie for tie in looking.ties(scope) if tie not in pairs]
    part = {id(s): at for at, held in enumerate(groups(scope.sources, sure)) for s in held}
    for link in doubted:
        if part[id(link.left.source)] == part[id(link.right.source)]:
            continue
        left, right = _named(link, "left"), _named(link, "right")
        offered = _ways(looking, link)
        way = (
            f" Keys join them: {offered[0]}." if offered else " Check that these columns hold the same thing."
        )
        yield Warn(
            "join_not_key",
            f"{left} = {right} follows no key.{way}",
            position(link.node, looking.facts.sql),
            f"{left} = {right}",
            offered,
            "soft" if _named_so(link.left, link.right) or _named_so(link.right, link.left) else "hard",
        )


def _named_so(near: Binding, far: Binding) -> bool:
    """Whether the one is called like the key that the other is, though the values do not bear it out.

    Two keys of the same name (`id`) say nothing of each other.
    """
    table, here = far.field.table, near.field.table
    if table is None or here is None or far.field.column is None or near.field.column is None:
        return False
    own, name = near.field.column.name, far.field.column.name
    if name.casefold() not in _keys(table) or own.casefold() in _keys(here):
        return False
    return own.casefold() == name.casefold() or pointing(own, table.name, name, same_table=False) > 0


def _keys(table: Table) -> set[str]:
    """The columns that are a key each by itself."""
    return {key[0].casefold() for key in (table.primary_key, *table.unique) if len(key) == 1}


def _named(link: Link, side: str) -> str:
    binding = link.left if side == "left" else link.right
    return f"{binding.source.alias}.{binding.field.name}"


def _ways(looking: Looking, link: Link) -> tuple[str, ...]:
    """The conditions that keys of the two tables spell out."""
    one, other = link.left, link.right
    found = []
    for near, far in ((one, other), (other, one)):
        here, there = near.field.table, far.field.table
        for key in here.foreign_keys if here is not None else ():
            if there is not None and _leads(looking, key.to_table, there):
                pairs = zip(key.columns, key.to_columns, strict=False)
                found.append(
                    " AND ".join(f"{near.source.alias}.{a} = {far.source.alias}.{b}" for a, b in pairs)
                )
    return tuple(dict.fromkeys(found))


def _leads(looking: Looking, name: str, table: Table) -> bool:
    return looking.tables.catalog.table(name) is table
