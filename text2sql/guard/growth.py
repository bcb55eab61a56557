"""What a round of WITH RECURSIVE makes: rounds are bounded elsewhere (`recursion`), here what each adds is.

Refused where a text or a product would double in every round, or where every row meets every row of another source.
Lengths are followed by name: how often the longer columns of the last round stand in a column of the next.
"""

from __future__ import annotations

from collections import Counter

from sqlglot import exp

from text2sql.guard.refusal import Refused

_ADDS = (exp.DPipe, exp.Concat, exp.ConcatWs, exp.ArrayConcat, exp.ArrayAppend, exp.ArrayPrepend, exp.Mul)
_HOLDS = (exp.Array, exp.Struct, exp.Tuple)
_DOUBLES = frozenset(
    {
        "array_agg", "array_to_string", "group_concat", "json_agg", "json_insert", "json_merge_patch", "json_patch",
        "json_replace", "json_set", "jsonb_agg", "jsonb_insert", "jsonb_set", "jsonb_set_lax", "list", "list_insert",
        "list_string_agg", "list_transform", "transform", "listagg", "overlay", "string_agg", "array_transform", "list_apply", "apply",
        "array_apply", "flatten", "json_group_array", "jsonb_concat", "map", "translate", "ts_headline",
        "array_cat", "array_concat", "array_value", "base64", "encode", "format", "hex", "json_array", "json_build_array",
        "json_build_object", "json_object", "json_quote", "jsonb_build_array", "jsonb_build_object", "list_cat",
        "list_concat", "list_value", "pow", "power", "printf", "quote", "quote_literal", "regexp_replace", "repeat",
        "replace", "replicate", "row", "struct_pack", "to_base64", "to_hex", "to_json", "to_jsonb", "url_encode",
    }
)  # fmt: skip
"""May make a value longer by a factor, or hold it several times over."""
_UNFOLDS = (exp.Explode, exp.Unnest, exp.GenerateSeries, exp.ExplodingGenerateSeries, exp.Posexplode)
"""Give several rows for one where they stand in a SELECT list."""
_FOLDS = frozenset({"reduce", "list_reduce", "array_reduce"})
_KEEPS = (exp.Substring, exp.Left, exp.Right, exp.Trim, exp.Lower, exp.Upper, exp.Cast, exp.Paren, exp.Alias)
_CHOOSES = (exp.Case, exp.If, exp.Coalesce)


def check_growth(node: exp.Expr) -> None:
    """Raises `Refused` with code recursion for a WITH RECURSIVE whose rounds multiply what they make."""
    if not node.args.get("recursive"):
        return
    for cte in node.expressions:
        body = cte.this
        if isinstance(body, exp.SetOperation) and isinstance(body.expression, exp.Select):
            name = cte.alias.lower()
            step = body.expression
            if any(
                table.name.lower() == name and not table.args.get("db") for table in step.find_all(exp.Table)
            ):
                _rows(step, cte)
                if any(p.find(*_UNFOLDS) is not None for p in step.expressions):
                    raise _refused(
                        cte, "makes several rows of each in every round; leave that to another query"
                    )
                _lengths(step, _columns(cte, body), cte)


def check_fold(node: exp.Expr) -> None:
    """Raises `Refused` with code unbounded for a `reduce` whose every step holds what it made so far twice."""
    around = node.parent
    if len(node.expressions) < 2 or not isinstance(around, exp.Func) or not called(around) & _FOLDS:
        return
    made = node.expressions[0].name.lower()
    body = node.this
    if (body.find(*_ADDS) or _doubled(body)) and _weight(body, {made})[made] > 1:
        raise Refused("unbounded", f"{made} is made twice as long in every step; add to it once.", node, made)


def _columns(cte: exp.Expr, body: exp.SetOperation) -> list[str]:
    declared = cte.args["alias"].columns if cte.args.get("alias") else []
    if declared:
        return [column.name.lower() for column in declared]
    first: exp.Expr = body
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    return [projection.alias_or_name.lower() for projection in first.expressions]


def _rows(step: exp.Select, cte: exp.Expr) -> None:
    joins = step.args.get("joins") or []
    from_ = step.args.get("from_")
    sources = [*([from_.this] if from_ is not None else []), *(join.this for join in joins)]
    made = any(
        isinstance(source, exp.Values | exp.Unnest | exp.Lateral)
        or (isinstance(source, exp.Table) and not isinstance(source.this, exp.Identifier))
        or (
            isinstance(source, exp.Subquery)
            and (not source.find(exp.From) or source.find(exp.Values, exp.Unnest))
        )
        for source in sources
    )
    conditions = [join.args["on"] for join in joins if join.args.get("on") is not None]
    if step.args.get("where") is not None:
        conditions.append(step.args["where"].this)
    equal = sum(_equates(part) for condition in conditions for part in _conjuncts(condition))
    equal += sum(bool(join.args.get("using") or join.args.get("method") == "NATURAL") for join in joins)
    if (joins and made) or equal < len(joins) or step.args.get("laterals"):
        raise _refused(
            cte, "joins every row with every row of another source in every round; join it by a column"
        )


def _conjuncts(condition: exp.Expr) -> list[exp.Expr]:
    return list(condition.flatten()) if isinstance(condition, exp.And) else [condition]


def _equates(node: exp.Expr) -> bool:
    """A column of one source is held equal to a column of another."""
    node = node.unnest()
    if not isinstance(node, exp.EQ):
        return False
    left, right = node.this.find(exp.Column), node.expression.find(exp.Column)
    return left is not None and right is not None and (left.table != right.table or not left.table)


def _lengths(step: exp.Select, names: list[str], cte: exp.Expr) -> None:
    weights = dict(zip(names, (_weight(p, set(names)) for p in step.expressions), strict=False))
    growing = {
        name
        for name, p in zip(names, step.expressions, strict=False)
        if p.find(*_ADDS, *_HOLDS) or _doubled(p)
    }
    while more := {name for name, weight in weights.items() if name not in growing and growing & set(weight)}:
        growing |= more
    for weight in weights.values():
        if sum(weight[name] for name in growing) > 1:
            raise _refused(cte, "makes a value twice as long in every round; add to it once a round")


def _doubled(node: exp.Expr) -> bool:
    return any(called(call) & _DOUBLES for call in node.find_all(exp.Func))


def called(call: exp.Func) -> set[str]:
    """The names, in lower case, that a function goes by."""
    names = [call.name] if isinstance(call, exp.Anonymous) else call.sql_names()
    return {name.lower() for name in names}


def _weight(node: exp.Expr, names: set[str]) -> Counter[str]:
    """How often each column of the last round stands, at its length, in this expression."""
    if isinstance(node, exp.Column | exp.Identifier):
        return Counter([node.name.lower()]) if node.name.lower() in names else Counter()
    if isinstance(node, _KEEPS):
        return _weight(node.this, names)
    parts = [part for part in node.iter_expressions() if not isinstance(part, exp.DataType)]
    if isinstance(node, _CHOOSES):
        chosen: Counter[str] = Counter()
        for part in parts:
            chosen |= _weight(part, names)
        return chosen
    whole: Counter[str] = Counter()
    if isinstance(node, _ADDS):
        for part in parts:
            whole += _weight(part, names)
    elif isinstance(node, exp.Query):
        whole = Counter(c.name.lower() for c in node.find_all(exp.Column) if c.name.lower() in names)
    elif isinstance(node, exp.Func | exp.Array | exp.Struct | exp.Tuple):
        inside = Counter(
            c.name.lower()
            for c in node.find_all(exp.Column, exp.Identifier)
            if c.name.lower() in names and not isinstance(c.parent, exp.Column)
        )
        if isinstance(node, exp.Array | exp.Struct | exp.Tuple):
            whole = inside
        elif called(node) & _DOUBLES:
            whole = inside + inside
    return whole


def _refused(cte: exp.Expr, what: str) -> Refused:
    return Refused("recursion", f"{cte.alias} {what}.", cte, cte.alias)
