"""Step 3: the statement only reads: every node of the tree, and every argument set on it, is on the list."""

from __future__ import annotations

from sqlglot import exp

from text2sql.guard import absent
from text2sql.guard.allowlist import Allowlist
from text2sql.guard.functions import unknown_function
from text2sql.guard.growth import check_fold, check_growth
from text2sql.guard.patterns import MATCHERS, check_pattern
from text2sql.guard.refusal import Refused
from text2sql.guard.samples import check_sample
from text2sql.guard.shapes import SHAPES

_WRITES = frozenset(
    [
        "Into",
        "Lock",
        "Insert",
        "Update",
        "Delete",
        "Merge",
        "Create",
        "Drop",
        "Alter",
        "Command",
        "Set",
        "Copy",
        "Use",
        "Pragma",
        "Attach",
        "Detach",
    ]
)
_PARAMETERS = frozenset({"Placeholder", "Parameter", "SessionParameter"})
_ARGUMENT_CODES = {
    "locks": "not_read_only",
    "into": "not_read_only",
    "catalog": "unknown_table",
    "hint": "hint",
}
_JOIN_METHODS: dict[str, frozenset[str]] = {"duckdb": frozenset({"NATURAL", "ASOF", "POSITIONAL"})}
_JOIN_KINDS: dict[str, frozenset[str]] = {"duckdb": frozenset({"INNER", "CROSS", "OUTER", "SEMI", "ANTI"})}
_WRAPPER = frozenset({"with", "without", "conditional", "unconditional", "array", "wrapper"})
"""How JSON_QUERY wraps what it finds."""
_COMMON_METHODS = frozenset({"NATURAL"})
_COMMON_KINDS = frozenset({"INNER", "CROSS", "OUTER"})


def check_nodes(tree: exp.Expr, sql: str, allowed: Allowlist) -> int:
    """Check every node; returns how many there are. Raises `Refused` at the first that is not on the list."""
    count = 0
    for node in tree.walk():
        count += 1
        name = type(node).__name__
        arguments = allowed.nodes.get(name)
        if arguments is None:
            if not isinstance(node, exp.Func):
                raise _refused_node(node, name)
            _check_function_name(node, sql, allowed)
            arguments = allowed.function_arguments.get(name)
            if arguments is None:
                raise _refused_node(node, name)
        for key, value in node.args.items():
            if key not in arguments and value is not None and value is not False and value != []:
                raise _refused_argument(node, name, key)
        special = _SPECIAL.get(name)
        if special is not None:
            special(node, allowed)
        shape = SHAPES.get(name)
        if shape is not None:
            shape(node, allowed)
    return count


def _refused_node(node: exp.Expr, name: str) -> Refused:
    if name in _WRITES:
        return Refused(
            "not_read_only", f"{name.upper()} does more than read; only SELECT runs here.", node, name
        )
    if name in _PARAMETERS:
        return Refused(
            "placeholder", "Placeholders are bound by the guard alone; write the value.", node, node.name
        )
    return Refused("node", f"{_words(name)} is not allowed here; write it another way.", node, name)


def _refused_argument(node: exp.Expr, name: str, key: str) -> Refused:
    code = _ARGUMENT_CODES.get(key, "argument")
    plain = key.rstrip("_").replace("_", " ").upper()
    return Refused(
        code, f"{plain} on {_words(name)} is not allowed here; leave it out.", node, f"{name}.{key}"
    )


def _words(name: str) -> str:
    return "".join(f" {c.lower()}" if c.isupper() and i else c for i, c in enumerate(name))


def _check_function_name(node: exp.Func, sql: str, allowed: Allowlist) -> None:
    """A function is admitted by the name it was written with, or, written without one, by the parser's names for it."""
    start, end = node.meta.get("start"), node.meta.get("end")
    if isinstance(start, int) and isinstance(end, int):
        names = [sql[start : end + 1].strip('"`[]').lower()]
    elif isinstance(node, exp.Anonymous):
        names = [node.name.lower()]
    else:
        names = [name.lower() for name in node.sql_names()]
    names.extend(allowed.written.get(type(node).__name__, ()))
    if not any(name in allowed.functions for name in names):
        raise unknown_function(next((n for n in names if n in allowed.excluded), names[0]), node, allowed)


def _check_type(node: exp.Expr, allowed: Allowlist) -> None:
    if allowed.types is None:
        return
    kind = node.this
    name = kind.name if isinstance(kind, exp.DType) else type(kind).__name__
    if name == "USERDEFINED":  # one that the parser does not know: as it is written, and never of a schema
        name = str(node.args.get("kind") or "").lower()
    if name not in allowed.types:
        written = node.args.get("kind") or node.sql()
        raise Refused(
            "type", f"{written} is not a type to convert to here.", node.parent or node, str(written)
        )


def _check_collation(node: exp.Expr, allowed: Allowlist) -> None:
    name = node.expression.name.lower()
    if name not in allowed.collations:
        raise Refused(
            "collation", f"{name} is not a known collation.", node, name, sorted(allowed.collations)
        )


def _check_word(node: exp.Expr, allowed: Allowlist) -> None:
    if isinstance(node.parent, exp.Collate | exp.TableSample):
        return  # read by what holds them
    if isinstance(node.parent, exp.JSONExtract) and set(node.name.lower().split()) <= _WRAPPER:
        return
    if not set(node.name.lower().split()) <= allowed.words:
        raise Refused("syntax", f"{node.name} is not understood here.", node, node.name)


def _check_join(node: exp.Expr, allowed: Allowlist) -> None:
    method, kind = str(node.args.get("method") or ""), str(node.args.get("kind") or "")
    methods = _JOIN_METHODS.get(allowed.dialect, _COMMON_METHODS)
    kinds = _JOIN_KINDS.get(allowed.dialect, _COMMON_KINDS)
    sided = bool(node.args.get("side"))
    if (kind == "OUTER" and not (sided or method)) or (kind in ("INNER", "CROSS") and sided):
        raise Refused("syntax", f"{kind} JOIN is not written like this.", node, kind)
    if method == "NATURAL" and (node.args.get("on") is not None or node.args.get("using")):
        raise Refused("syntax", "A NATURAL JOIN takes neither ON nor USING.", node, method)
    if (method and method not in methods) or (kind and kind not in kinds):
        raise Refused(
            "node", f"{method or kind} JOIN is not known to {allowed.dialect}.", node, method or kind
        )


def _check_alias(node: exp.Expr, allowed: Allowlist) -> None:
    """A name is given to a result column, and nowhere inside an expression."""
    del allowed
    if not isinstance(node.parent, exp.Select | exp.Star | exp.Pivot | exp.In | exp.Struct):
        raise Refused("syntax", f"AS {node.alias} stands in the wrong place.", node, node.alias)


def _check_identifier(node: exp.Expr, allowed: Allowlist) -> None:
    name = node.args.get("this")
    if node.args.get("quoted") or not isinstance(name, str) or name.lower() not in allowed.reserved:
        return
    if allowed.reserved_as_alias or not isinstance(node.parent, exp.Alias):
        raise Refused("syntax", f'{name} is a word of the language; as a name, write "{name}".', node, name)


def _check_group(node: exp.Expr, allowed: Allowlist) -> None:
    del allowed
    if not any(node.args.values()):
        raise Refused("syntax", "GROUP BY with nothing after it.", node, "GROUP BY")


def _check_is(node: exp.Expr, allowed: Allowlist) -> None:
    if allowed.dialect == "postgres" and isinstance(node.expression, exp.JSON):
        return
    if allowed.dialect == "athena" and isinstance(node.expression, exp.Boolean):
        truth = node.expression.sql()
        message = f"Trino has no IS {truth}; write the condition alone, or COALESCE(…, FALSE)."
        raise Refused("syntax", message, node, f"IS {truth}")
    if allowed.dialect != "sqlite" and not isinstance(node.expression, exp.Null | exp.Boolean):
        raise Refused(
            "syntax", "IS is followed by NULL, TRUE, FALSE or DISTINCT FROM; else write =.", node, "IS"
        )


def _check_like(node: exp.Expr, allowed: Allowlist) -> None:
    """PostgreSQL fails on a pattern that ends in its escape, but only once a value has matched so far.

    It tries patterns on its statistics already, which hold rows of everyone: the failure would tell of them.
    """
    if allowed.dialect not in ("postgres", "redshift"):
        return
    pattern, around = node.expression, node.parent
    if isinstance(pattern, exp.Any | exp.All):
        several = pattern.this.unnest()
        if isinstance(several, exp.Array | exp.Tuple) and all(
            isinstance(part, exp.Literal) and not part.name.endswith("\\") for part in several.expressions
        ):
            return
    escape = around.expression if isinstance(around, exp.Escape) else None
    if isinstance(pattern, exp.Literal) and (escape is None or isinstance(escape, exp.Literal)):
        mark = "\\" if escape is None else escape.name
        if mark and (len(pattern.name) - len(pattern.name.rstrip(mark))) % 2:
            raise Refused("syntax", f"A pattern cannot end in {mark}, its escape.", node, "LIKE")
    elif pattern.find(exp.Column) is None and any(
        isinstance(part, exp.Func)
        or (isinstance(part, exp.Literal) and "\\" in part.name)
        or escape is not None
        for part in pattern.walk()
    ):
        raise Refused("syntax", "Write the pattern of LIKE as one text.", node, "LIKE")


def _check_select(node: exp.Expr, allowed: Allowlist) -> None:
    if node.args.get("joins") and node.args.get("from_") is None:
        raise Refused("syntax", "A JOIN without FROM.", node, "JOIN")
    if node.args.get("windows"):
        absent.check_windows(node, allowed)


def _check_limit(node: exp.Expr, allowed: Allowlist) -> None:
    if node.args.get("percent") and allowed.dialect != "duckdb":
        raise Refused("syntax", f"{allowed.dialect} has no LIMIT by percentage.", node, "LIMIT")
    if node.args.get("with_ties") and allowed.dialect not in ("postgres", "athena"):
        raise Refused("syntax", f"{allowed.dialect} has no WITH TIES.", node, "WITH TIES")


def _check_dot(node: exp.Expr, allowed: Allowlist) -> None:
    """`value.field`, and neither a function by its schema nor a chain of calls."""
    inner = node.this.unnest()
    if (
        allowed.dialect == "sqlite"
        or not isinstance(node.expression, exp.Identifier)
        or isinstance(inner, exp.Identifier | exp.Star | exp.Literal)
        or inner.is_star
    ):
        raise Refused("node", "A dot leads to a field of a value here, nothing else.", node, ".")


def _check_match(node: exp.Expr, allowed: Allowlist) -> None:
    if allowed.dialect != "postgres" or len(node.expressions) != 1:
        raise Refused("node", f"{allowed.dialect} does not match texts like this; use LIKE.", node, "@@")


def _check_rows(node: exp.Expr, allowed: Allowlist) -> None:
    del allowed
    if not isinstance(node.parent, exp.Table | exp.Lateral):
        raise Refused("function", "json_table() gives rows: it stands in FROM.", node, "json_table")


def _check_lambda(node: exp.Expr, allowed: Allowlist) -> None:
    del allowed
    check_fold(node)


def _check_with(node: exp.Expr, allowed: Allowlist) -> None:
    del allowed
    check_growth(node)


_SPECIAL = {
    "With": _check_with,
    "LimitOptions": _check_limit,
    "Dot": _check_dot,
    "Lambda": _check_lambda,
    "JSONTable": _check_rows,
    "MatchAgainst": _check_match,
    "TableSample": check_sample,
    "Like": _check_like,
    "ILike": _check_like,
    "Select": _check_select,
    "Is": _check_is,
    "Alias": _check_alias,
    "Group": _check_group,
    "Identifier": _check_identifier,
    "DataType": _check_type,
    "Collate": _check_collation,
    "Any": absent.check_quantified,
    "All": absent.check_quantified,
    "WindowSpec": absent.check_frame_kind,
    "Extract": absent.check_field,
    "Array": absent.check_list,
    "Var": _check_word,
    "Join": _check_join,
    **dict.fromkeys(MATCHERS, check_pattern),
}
