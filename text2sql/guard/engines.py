"""How each engine reads names: the differences that decide whether a statement runs, as data."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase
from typing import Literal

from sqlglot import exp

_A_TO_Z = str.maketrans(ascii_uppercase, ascii_lowercase)
_ALIASES_EVERYWHERE = frozenset({"on", "where", "group", "having", "qualify", "order"})


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine's ways. `aliases_in`: the clauses that may use a name given in the SELECT list."""

    name: str
    aliases_in: frozenset[str]
    default_schema: str = ""
    """What an unqualified name means where the catalogue does not say."""
    exact_quotes: bool = False
    """Whether a quoted name keeps its case (and an unquoted one is folded to lower)."""
    strings_in_double_quotes: bool = False
    """Whether a double-quoted name that is nothing else is a string."""
    strict_groups: bool = True
    """Whether a column beside an aggregate must be grouped."""
    keys_determine: bool = False
    """Whether grouping by a table's whole primary key covers its other columns."""
    implicit_lateral: bool = False
    """Whether a sub-query in FROM sees its left neighbours without LATERAL."""
    forward_ctes: bool = False
    """Whether a WITH query sees those after it."""
    aliases_in_select: bool = False
    """Whether a name given in the SELECT list can be used further right in it."""
    system_columns: frozenset[str] = frozenset()
    """Columns every table has that nobody may name: where its rows lie, and who wrote them."""
    orders_by_output: bool = True
    """Whether ORDER BY finds a result column by its name though it was given no alias."""
    fence: Literal["", "offset", "limit"] = ""
    """What keeps a sub-query's condition and those around it apart, which else are tested in any order: `OFFSET 0` or
    `LIMIT -1`; "" where that was not tried."""
    renames_tables: bool = True
    """Whether `t AS x(a, b)` is known for tables and sub-queries."""
    folds_every_letter: bool = False
    """Whether É and é are one name; most engines fold A to Z and nothing else."""
    name_bytes: int | None = None
    """What is longer, the engine cuts off: its names in UTF-8."""

    def fold(self, identifier: exp.Expr) -> str:
        """The form under which two spellings of a name are the same."""
        text = identifier.name
        if self.exact_quotes and identifier.args.get("quoted"):
            return text
        return self.folded(text)

    def folded(self, text: str) -> str:
        """A name's letters as the engine compares them."""
        return text.lower() if self.folds_every_letter or text.isascii() else text.translate(_A_TO_Z)


ENGINES: dict[str, Engine] = {
    "sqlite": Engine(
        "sqlite",
        _ALIASES_EVERYWHERE,
        default_schema="main",
        strings_in_double_quotes=True,
        strict_groups=False,
        forward_ctes=True,
        system_columns=frozenset({"rowid", "oid", "_rowid_"}),
        orders_by_output=False,
        fence="limit",
        renames_tables=False,
    ),
    "duckdb": Engine(
        "duckdb",
        _ALIASES_EVERYWHERE,
        default_schema="main",
        implicit_lateral=True,
        aliases_in_select=True,
        orders_by_output=False,
        fence="offset",
        system_columns=frozenset({"rowid"}),
    ),
    "postgres": Engine(
        "postgres",
        frozenset({"group"}),  # ORDER BY knows them alone, and inside no expression
        default_schema="public",
        exact_quotes=True,
        system_columns=frozenset({"ctid", "cmin", "cmax", "xmin", "xmax", "tableoid", "oid"}),
        keys_determine=True,
        fence="offset",
        name_bytes=63,
    ),
    "redshift": Engine(
        "redshift",
        frozenset({"group", "order", "where", "having", "qualify"}),
        system_columns=frozenset({"ctid", "cmin", "cmax", "xmin", "xmax", "tableoid", "oid"}),
        default_schema="public",
        aliases_in_select=True,
        name_bytes=127,
    ),
    "athena": Engine("athena", frozenset({"order"}), folds_every_letter=True),
}
