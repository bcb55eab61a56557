"""The nouns of text2sql: catalogue, drafts, verdicts, results, and the ports that hand them on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from retrieval.types import Context, Principal

if TYPE_CHECKING:
    import pyarrow as pa

    from text2sql.policy import Policy

Dialect = Literal["duckdb", "sqlite", "postgres", "athena", "redshift"]
"""sqlglot's names."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a column holds, measured when the catalogue was read. None: not known.

    `values` are the most frequent values as text (all of them when `distinct <= len(values)`). A profile is
    data of the warehouse: it may reach only those who may see the column unmasked and the table whole.
    """

    nulls: int | None = None
    distinct: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    values: tuple[str, ...] = ()
    sampled: bool = False
    """Measured on a part of a big table: `values` are those of the part, counts may be estimates."""

    @property
    def complete(self) -> bool:
        """Whether `values` holds every distinct value."""
        return not self.sampled and self.distinct is not None and self.distinct <= len(self.values)


TypeFamily = Literal["integer", "number", "text", "date", "timestamp", "time", "boolean", "binary", "other"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `type` as the engine spells it, `family` what it means across engines."""

    name: str
    type: str
    family: TypeFamily = "other"
    nullable: bool = True
    comment: str = ""
    profile: Profile | None = None
    additivity: Literal["", "additive", "semi_additive", "non_additive"] = ""
    """Whether its values may be added up (semi: not over time), where a semantic model says so."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`columns` of this table refer to `to_columns` of `to_table` (a qualified name). `inferred`: by us."""

    columns: tuple[str, ...]
    to_table: str
    to_columns: tuple[str, ...]
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view. `schema` is "" where the engine has none worth naming (SQLite's main)."""

    name: str
    columns: tuple[Column, ...]
    schema: str = ""
    catalog: str = ""
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    rows: int | None = None
    comment: str = ""
    kind: Literal["table", "view"] = "table"
    key_inferred: bool = False
    """Whether `primary_key` is what the data bear out and not what the engine keeps."""

    @property
    def qualified(self) -> str:
        """`schema.name`, or the bare name where there is no schema."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def column(self, name: str) -> Column | None:
        """The column of that name, case-insensitively; None when absent."""
        folded = name.casefold()
        return next((c for c in self.columns if c.name.casefold() == folded), None)


@dataclass(frozen=True)
class Catalog:
    """Everything a caller could name in one warehouse. `default_schema` is what an unqualified name means."""

    dialect: Dialect
    tables: tuple[Table, ...]
    default_schema: str = ""
    default_catalog: str = ""
    fingerprint: str = ""
    """Hash over names, types and keys (not profiles): changes when the schema does."""
    left_out: tuple[str, ...] = ()
    """Qualified names of tables that nothing but case tells apart, none of which can be named."""
    _index: dict[str, Table] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        alike = set(differing_in_case(self.tables))
        for table in self.tables:
            if table.qualified in alike:
                continue
            self._index[table.qualified.casefold()] = table
            if not table.schema or table.schema.casefold() == self.default_schema.casefold():
                self._index[table.name.casefold()] = table

    def table(self, name: str) -> Table | None:
        """By qualified name, or by bare name within the default schema; case-insensitive; None when absent.

        Nor is there one where names differ in nothing but case: none of them could be told from the other.
        """
        return self._index.get(name.casefold())


def differing_in_case(tables: Sequence[Table]) -> tuple[str, ...]:
    """Qualified names that another of these tables has in another case, sorted."""
    spelled: dict[str, set[str]] = {}
    for table in tables:
        spelled.setdefault(table.qualified.casefold(), set()).add(table.qualified)
    return tuple(sorted(name for names in spelled.values() if len(names) > 1 for name in names))


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may use. None: no limit of that kind (the warehouse's own still hold)."""

    rows: int = 10_000
    seconds: float = 30.0
    bytes: int = 256 * 1024 * 1024
    memory: int = 2 * 1024 * 1024 * 1024
    estimated_rows: int | None = None
    """Refused before running when the engine's estimate exceeds it."""
    confirm_rows: int | None = None
    """Asked back before running when the engine's estimate exceeds it."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the engine expects, before running; None: it does not say.

    `rows`: the largest number of rows that one part of the plan makes or meets (a join without a key meets every
    pair). `scanned`: rows of the tables that are read whole, or as far as no index spares them. `returned`: rows of
    the result. `cost`: in the engine's own unit, not to be compared between engines.
    """

    rows: int | None = None
    bytes: int | None = None
    cost: float | None = None
    detail: str = ""
    scanned: int | None = None
    returned: int | None = None
    rounded: bool = False
    """Whether the figures are bands only, so that they tell nothing of rows that the caller may not see."""

    @property
    def work(self) -> int | None:
        """What limits are held against, the same on every engine: rows read or met, whichever are more."""
        return max((n for n in (self.rows, self.scanned) if n is not None), default=None)


@dataclass(frozen=True)
class ResultSet:
    """Rows as one Arrow table, already inside the limits. `truncated` says that more existed."""

    table: pa.Table
    seconds: float
    truncated: bool = False
    total_bytes: int = 0

    @property
    def columns(self) -> list[str]:
        """Column names, in order."""
        return list(self.table.column_names)

    def rows(self) -> list[dict[str, Any]]:
        """The rows as dictionaries (column names are unique: warehouses number repeats)."""
        return list(self.table.to_pylist())


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the text handed in, both 1-based; the end of the statement where nothing better is known."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a statement was refused: a stable code, a sentence with a way out, and where.

    `subject` is the name or text that offended, so that a repair loop need not read sentences.
    """

    code: str
    message: str
    position: Position | None = None
    subject: str = ""
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Warn:
    """Something that may make a result wrong though the statement may run. Same fields as a violation.

    `hard`: by what is known of the data, hardly ever meant. `soft`: worth a look.
    """

    code: str
    message: str
    position: Position | None = None
    subject: str = ""
    suggestions: tuple[str, ...] = ()
    severity: Literal["hard", "soft"] = "soft"
    weight: float = 1.0
    """How many times likelier it is on right results than on wrong ones, as measured; below 1 it lowers confidence."""


@dataclass(frozen=True, slots=True)
class Check:
    """One step of the guard, and what it proved: shown to the asker ("one read-only statement: yes")."""

    name: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard says. `sql` is the regenerated, rewritten text, "" when refused: only this may run.

    `parameters` are bound by name (DuckDB `$name`, SQLite `:name`, PostgreSQL `%(name)s`). `policy` is the
    policy's name and version, None where no policy is configured. `columns` are `table.column`, qualified.
    """

    allowed: bool
    sql: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    policy: str | None = None
    violations: tuple[Violation, ...] = ()
    warnings: tuple[Warn, ...] = ()
    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    withheld: tuple[str, ...] = ()
    """Discoverable tables the caller may not read that the statement named."""
    row_rules: Mapping[str, str] = field(default_factory=dict)
    """Qualified table -> the row predicate that was written in, as SQL text with placeholders."""
    masked: tuple[str, ...] = ()


DraftOrigin = Literal["offline", "verified", "model", "person"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A candidate query and why it was drafted. Text only: nothing of it runs before the guard allows it.

    `confidence` is calibrated in [0, 1]. `metrics` are the semantic model's metric names that were compiled.
    `understood` lists what was read from the question ("period: fiscal year 2024 (2024-04-01 to 2025-03-31)").
    """

    sql: str
    origin: DraftOrigin
    confidence: float
    understood: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    drafter: str = ""
    prompt_version: str = ""
    model: str = ""
    chart: Mapping[str, str] = field(default_factory=dict)
    """Hints for a chart: `x`, `y`, `kind` (`line`, `bar`), `series`: names of result columns."""


@dataclass(frozen=True, slots=True)
class Decline:
    """Why nothing was drafted: what was understood, what was lacking, and what could be asked instead."""

    understood: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One reading of an ambiguous question: the label a person picks, and the draft it stands for."""

    label: str
    draft: Draft


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One use of a chat model. `task` is the prompt's name; `failure` says why no usable reply came, "" when one did.

    Tokens are the provider's count, both ways, of all that was sent for it; 0 where it does not tell.
    """

    task: str
    model: str
    prompt_version: str
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = field(default=0.0, compare=False)
    failure: str = ""


@dataclass(frozen=True, slots=True)
class FailedDraft:
    """A draft that did not come to rows, and why: sentences that the asker may read, whoever they are."""

    draft: Draft
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drafting:
    """What a drafter came back with: drafts (best first), or a question to the asker, or a decline."""

    drafts: tuple[Draft, ...] = ()
    choices: tuple[Choice, ...] = ()
    clarify: str = ""
    decline: Decline | None = None
    linked: tuple[str, ...] = ()
    """Catalogue and model objects the question was linked to, best first (for the record and for blame)."""
    failure: str = ""
    """Why a chat model could not be used, so that this was drafted without it (a `FailureKind`); else ""."""
    calls: tuple[ModelCall, ...] = ()


class Drafter(Protocol):
    """Turns a question into candidate queries."""

    def draft(self, question: str, context: Context, n: int = 1) -> Drafting:
        """At most `n` drafts; never raises for a question it does not understand (that is a Decline)."""
        ...


@runtime_checkable
class Reviser(Drafter, Protocol):
    """A drafter that can mend a draft which was refused. It reads a question whole, however many parts it has."""

    @property
    def fallback(self) -> Drafter:
        """What drafts when this one cannot."""
        ...

    def revise(self, question: str, context: Context, failed: Sequence[FailedDraft]) -> Drafting:
        """Another way after these, oldest first: drafts, a question back or a decline. Never raises, as `draft`."""
        ...


class Guard(Protocol):
    """Decides what may run."""

    def check(
        self,
        sql: str,
        catalog: Catalog,
        principal: Principal,
        policy: Policy | None = None,
        *,
        known: Catalog | None = None,
    ) -> Verdict:
        """Prove the statement harmless and rewrite it for this caller, or refuse it with reasons.

        `known`: the catalogue as this caller sees it, which warnings may speak of; left out where there is none.
        """
        ...


class Warehouse(Protocol):
    """A warehouse opened read-only. `run` and `explain` take only text that a guard returned."""

    @property
    def dialect(self) -> Dialect:
        """sqlglot's name of the SQL it speaks."""
        ...

    def catalog(self) -> Catalog:
        """Tables, columns, keys, samples and profiles; read once, kept until `refresh`."""
        ...

    def refresh(self) -> Catalog:
        """Read the catalogue again."""
        ...

    def explain(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Estimate:
        """Plan without running: the engine's own proof that the text is valid. Raises `WarehouseError`."""
        ...

    def run(self, sql: str, limits: Limits, parameters: Mapping[str, Any] | None = None) -> ResultSet:
        """Run under the limits. Raises `QueryTimeout`, `QueryCancelled`, `WarehouseError`."""
        ...

    def cancel(self) -> None:
        """Stop whatever is running, from any thread; nothing happens when nothing runs."""
        ...

    def close(self) -> None:
        """Let go of the engine. Using it afterwards raises `WarehouseError`."""
        ...


def unique_names(names: Sequence[str]) -> list[str]:
    """Number repeated column names (`name`, `name_2`), as every warehouse adapter must."""
    seen: dict[str, int] = {}
    result: list[str] = []
    for name in names:
        count = seen.get(name, 0) + 1
        seen[name] = count
        candidate = name if count == 1 else f"{name}_{count}"
        while candidate in result:
            count += 1
            candidate = f"{name}_{count}"
        result.append(candidate)
    return result
