"""Regular expressions that an engine could hang on: counted repetitions of counted repetitions, and `(a+)+`.

PostgreSQL, Trino and Redshift either write counts out when they compile or try every way to split a text. DuckDB's
matcher (RE2) does neither: it is linear, and its size is bounded. Read in the literal alone; what is put together at
run time from constants must be written as one text, what comes from a column is as long as the column's values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sqlglot import exp

from text2sql.guard.allowlist import Allowlist
from text2sql.guard.refusal import Refused

MAX_ATOMS = 2_000
"""Parts of a pattern, its counts written out."""
MAX_PATTERN = 2_000
_SAFE = frozenset({"duckdb", "sqlite"})
_MATCHES: tuple[type[exp.Expr], ...] = (exp.RegexpLike, exp.RegexpILike, exp.SimilarTo)
MATCHERS = frozenset(
    {"Anonymous", "Substring", "SimilarTo", *(name for name in vars(exp) if "Regex" in name)}
)
"""Nodes that may hold a regular expression."""
_ATOM = re.compile(
    r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\((?:\?(?::|=|!|<=|<!|<\w+>|[imsx-]+:))?|\)|\||"
    r"\{(?P<low>\d+)(?:,(?P<high>\d*))?\}\??|[*+?]\??|.",
    re.DOTALL,
)


@dataclass(slots=True)
class _Group:
    """One alternative after another of a group while it is read."""

    atoms: int = 0
    """Of all alternatives, counts written out."""
    last: int = 0
    """Of the part that a count would repeat."""
    firm: int = 0
    """Parts of this alternative that must be there, and do not repeat by themselves."""
    loose: int = 0
    """Parts of this alternative that repeat without end."""
    last_loose: bool = False
    """Whether the last part can be split in many ways itself."""
    ambiguous: bool = field(default=False)
    """Whether an alternative is nothing but one part that repeats without end."""

    def part(self, atoms: int, *, loose: bool = False) -> None:
        self.last, self.last_loose = atoms, loose
        self.atoms += atoms
        self.firm += 1

    def end(self) -> None:
        self.ambiguous = self.ambiguous or (self.firm == 0 and self.loose > 0)
        self.firm, self.loose = 0, 0


def check_pattern(node: exp.Expr, allowed: Allowlist) -> None:
    """Raises `Refused` with code unbounded for a pattern that may take for ever to compile or to match."""
    if allowed.dialect in _SAFE or not _matches(node):
        return
    for pattern in _patterns(node):
        text = _constant(pattern)
        if text is None:
            if pattern.find(exp.Column, exp.Query) is None:
                raise Refused("unbounded", "Write the regular expression as one text.", node)
        elif len(text) > MAX_PATTERN or _explodes(text):
            message = "This regular expression repeats what repeats already; write it with fewer repetitions."
            raise Refused("unbounded", message, node, text[:40])


def _matches(node: exp.Expr) -> bool:
    if isinstance(node, _MATCHES):
        return True
    if not isinstance(node, exp.Func):
        return False
    name = node.name.lower() if isinstance(node, exp.Anonymous) else type(node).__name__.lower()
    return "regex" in name or name == "substring"


def _patterns(node: exp.Expr) -> list[exp.Expr]:
    """The operands that may be the pattern: all but the text, which is the first."""
    if isinstance(node, _MATCHES):
        return [node.expression]
    operands = [part for key, value in node.args.items() if key != "this" or isinstance(node, exp.Anonymous)
                for part in (value if isinstance(value, list) else [value])
                if isinstance(part, exp.Expr) and not isinstance(part, exp.Lambda)]  # fmt: skip
    if isinstance(node, exp.Anonymous):
        operands = operands[1:]
    return [part for part in operands if _constant(part) is not None or not isinstance(node, exp.Substring)][
        :2
    ]


def _constant(node: exp.Expr) -> str | None:
    node = node.unnest()
    if isinstance(node, exp.Any | exp.All | exp.Array | exp.Tuple):
        parts = [_constant(part) for part in node.iter_expressions()]
        return "|".join(part for part in parts if part is not None) if None not in parts else None
    if isinstance(node, exp.DPipe):
        left, right = _constant(node.this), _constant(node.expression)
        return None if left is None or right is None else left + right
    if isinstance(node, exp.Literal | exp.RawString | exp.Null | exp.Neg | exp.Boolean | exp.Var):
        return node.name
    return _constant(node.this) if isinstance(node, exp.Cast) else None


def _explodes(text: str) -> bool:
    groups = [_Group()]
    for match in _ATOM.finditer(text):
        word, group = match.group(), groups[-1]
        if word[0] == "(":
            groups.append(_Group())
        elif word == ")" and len(groups) > 1:
            group.end()
            groups.pop()
            groups[-1].part(group.atoms, loose=group.ambiguous)
        elif word == "|":
            group.end()
        elif match["low"] is not None or word[0] in "*+?":
            if _repeated(group, match):
                return True
        else:
            group.part(1)
        if sum(g.atoms for g in groups) > MAX_ATOMS:
            return True
    return False


def _repeated(group: _Group, match: re.Match[str]) -> bool:
    """Apply a quantifier to the last part. True where it repeats what can be split in many ways."""
    word = match.group()
    if match["low"] is not None:
        open_end = match["high"] == ""
        times = int(match["high"] or match["low"])
        optional = int(match["low"]) == 0
    else:
        open_end, times, optional = word[0] in "*+", 1, word[0] in "*?"
    if group.last_loose and (open_end or times > 8):
        return True
    group.atoms += group.last * (max(times, 1) - 1)
    group.last *= max(times, 1)
    if group.firm and (open_end or optional):
        group.firm -= 1
    if open_end:
        group.loose += 1
        group.last_loose = group.last_loose or False
    return False
