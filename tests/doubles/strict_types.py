"""A JSON value held against a type of `typing`, as strictly as a service does: no unknown field, no coercion.

pydantic validates typed dictionaries leniently (unknown keys pass) and iterables lazily, hence this small walk.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from typing_extensions import is_typeddict

Problem = tuple[str, str]
"""Where (a dotted path) and what."""
_SCALARS: dict[Any, tuple[type, ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int,),
    float: (int, float),
    type(None): (type(None),),
}


def problems(value: Any, kind: Any, at: str = "") -> list[Problem]:
    """Everything that is wrong with the value; for a union, what is wrong with the nearest member."""
    return list(_walk(value, kind, at))


def _walk(value: Any, kind: Any, at: str) -> Iterator[Problem]:
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any or kind is object:
        return
    if origin in {Annotated, Required, NotRequired}:
        yield from _walk(value, args[0], at)
    elif origin in {Union, types.UnionType}:
        yield from _nearest(value, args, at)
    elif origin is Literal:
        if value not in args:
            yield at, f"Invalid value {value!r}. Supported values are {args}"
    elif is_typeddict(kind):
        yield from _fields(value, kind, at)
    elif kind in _SCALARS:
        if not isinstance(value, _SCALARS[kind]) or (isinstance(value, bool) and kind in {int, float}):
            yield at, f"Invalid type: expected {kind.__name__}, but got {type(value).__name__}"
    elif origin in {dict, Mapping} or _is(origin, Mapping):
        yield from _mapping(value, args, at)
    elif _is(origin, Iterable) or _is(origin, Sequence) or (origin or kind).__name__ == "SequenceNotStr":
        if not isinstance(value, list):
            yield at, f"Invalid type: expected an array, but got {type(value).__name__}"
            return
        for index, item in enumerate(value):
            yield from _walk(item, args[0], f"{at}[{index}]")
    else:
        raise TypeError(f"No rule for {kind!r}")


def _is(origin: Any, base: type) -> bool:
    return isinstance(origin, type) and issubclass(origin, base)


def _mapping(value: Any, args: tuple[Any, ...], at: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield at, f"Invalid type: expected an object, but got {type(value).__name__}"
        return
    for key, item in value.items():
        yield from _walk(item, args[1], f"{at}.{key}")


def _fields(value: Any, kind: Any, at: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield at, f"Invalid type: expected an object, but got {type(value).__name__}"
        return
    hints, dot = _hints(kind), f"{at}." if at else ""
    for name in sorted(_required(kind, hints) - value.keys()):
        yield f"{dot}{name}", "Missing required parameter"
    for name, item in value.items():
        if name not in hints:
            yield f"{dot}{name}", "Unrecognized request argument supplied"
        else:
            yield from _walk(item, hints[name], f"{dot}{name}")


def _required(kind: Any, hints: dict[str, Any]) -> set[str]:
    # `__required_keys__` does not see through annotations that are strings; the resolved hints do.
    marked = {name: get_origin(hint) for name, hint in hints.items()}
    told = {name for name in kind.__required_keys__ if marked[name] is not NotRequired}
    return told | {name for name, origin in marked.items() if origin is Required}


def _nearest(value: Any, members: tuple[Any, ...], at: str) -> list[Problem]:
    """Nothing where one member fits; else the complaints of the member with the fewest."""
    found = [problems(value, member, at) for member in members]
    return min(found, key=len)


@lru_cache(maxsize=256)
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)
