"""A join by columns that no key, declared or inferred, ties together."""

from __future__ import annotations

from collections.abc import Iterator

from text2sql.guard.looking import Link, Looking, groups, keys_alone, on_key
from text2sql.guard.refusal import position
from text2sql.guard.scope import Binding, Scope
from text2sql.held import number
from text2sql.key_names import Name, pointing
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
            "soft"
            if named_so(looking, link.left, link.right) or named_so(looking, link.right, link.left)
            else "hard",
        )


def named_so(looking: Looking, near: Binding, far: Binding) -> bool:
    """Whether the one is called like the key that the other is, though nothing bears it out.

    Of two columns of one name, what is unique today counts as a key. Two keys of one name (`id`) say nothing.
    """
    table, here = far.field.table, near.field.table
    if table is None or here is None or far.field.column is None or near.field.column is None:
        return False
    own, name = near.field.column.name, far.field.column.name
    if own.casefold() == name.casefold():
        return looking.unique(far) and not looking.unique(near)
    if name.casefold() not in keys_alone(table) or own.casefold() in keys_alone(here):
        return False
    return pointing(own, table.name, name, same_table=False) > 0 or _may_point(looking, near, far, here)


def _may_point(looking: Looking, near: Binding, far: Binding, table: Table) -> bool:
    """Whether an identifier that no key explains (`sender_id`) lies among the values of the key."""
    column = near.field.column
    if column is None or not Name.of(column.name).keyed:
        return False
    if any(column.name.casefold() in map(str.casefold, key.columns) for key in table.foreign_keys):
        return False
    one, other = looking.profile(near), looking.profile(far)
    if one is None or other is None or one.sampled or other.sampled:
        return False
    ends = [number(end or "") for end in (other.minimum, one.minimum, one.maximum, other.maximum)]
    known = [end for end in ends if end is not None]
    return len(known) == len(ends) and known == sorted(known)


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
            if here is None or there is None or not _leads(looking, key.to_table, there):
                continue
            if looking.tables.sees(here, key.columns) and looking.tables.sees(there, key.to_columns):
                pairs = zip(key.columns, key.to_columns, strict=False)
                found.append(
                    " AND ".join(f"{near.source.alias}.{a} = {far.source.alias}.{b}" for a, b in pairs)
                )
    return tuple(dict.fromkeys(found))


def _leads(looking: Looking, name: str, table: Table) -> bool:
    return looking.tables.catalog.table(name) is table
