"""Step 8: what may run and still be wrong, as far as names, keys and profiles tell. Warnings never refuse.

One file a warning, found by being here: `find(looking)` yields what it has to say. What several need to know of a
statement (which columns are compared, what a column holds, which keys there are) stands in `looking`.
A hard warning rests on what is known of every row; a sample, or a column under a policy, gives soft ones at most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules

from sqlglot import exp

from text2sql.guard.looking import Looking
from text2sql.guard.scope import Facts
from text2sql.guard.tables import Tables
from text2sql.guard.weights import weight
from text2sql.types import Warn

Find = Callable[[Looking], Iterator[Warn]]
_FINDERS: tuple[Find, ...] = tuple(
    import_module(f"{__name__}.{name}").find for name in sorted(m.name for m in iter_modules(__path__))
)


def warnings_for(facts: Facts, tables: Tables, ungrouped: list[exp.Expr]) -> tuple[Warn, ...]:
    """The warnings of a statement that resolves, hard ones first."""
    looking = Looking(facts, tables, ungrouped)
    found = dict.fromkeys(warning for find in _FINDERS for warning in find(looking))
    weighed = (replace(warning, weight=weight(warning.code, warning.severity)) for warning in found)
    return tuple(sorted(weighed, key=lambda warning: warning.severity != "hard"))
