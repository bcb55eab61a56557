"""How large a value may become: a call cannot be stopped half way, and texts that double ten times fill any memory.

An estimate over the tree, followed through WITH queries, sub-queries and names: what a call makes of its arguments, in
bytes or elements, where a stored value counts for a few. It bounds what a statement adds, not what the data holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import exp

from text2sql.guard.derived import Derived
from text2sql.guard.growth import called
from text2sql.guard.refusal import Refused
from text2sql.guard.scope import Facts, Scope, Source

MAX_SIZE = 1e8
STORED = 20.0
"""A value of a table, a number, a date."""
ROWS = 100.0
"""Rows that an aggregate puts into one value."""
ROUNDS = 1_000.0
"""What a recursion adds to what it began with; more is refused elsewhere."""
_STEPS = 20_000
_TIMES: Mapping[str, float] = {
    **dict.fromkeys(("bin", "to_binary"), 8.0),
    **dict.fromkeys(("to_json", "json_quote", "to_jsonb", "json_object", "json_array"), 6.0),
    **dict.fromkeys(("url_encode",), 3.0),
    **dict.fromkeys(("hex", "to_hex", "encode", "quote", "quote_literal", "regexp_escape", "base64", "to_base64"), 2.0),
    **dict.fromkeys(("string_agg", "group_concat", "listagg", "list", "array_agg", "json_group_array", "json_agg"), ROWS),
    **dict.fromkeys(("jsonb_agg", "json_group_object", "json_object_agg", "jsonb_object_agg", "histogram"), ROWS),
}  # fmt: skip
"""Calls that make so many times as much of what they are given."""
_EACH = frozenset(
    {"array_to_string", "list_string_agg", "list_aggr", "list_aggregate", "array_aggr", "aggregate"}
)
"""Put one argument between the elements of another."""
_REPLACE = frozenset({"replace", "regexp_replace"})
_FORMAT = frozenset({"format", "printf"})
_TO_LENGTH = frozenset({"repeat", "lpad", "rpad", "list_resize", "array_resize", "bitstring", "pad"})
_GENERATE = frozenset({"range", "generate_series", "generate_date_array", "generate_timestamp_array"})
_SHORT = frozenset(
    {
        "md5", "sha1", "sha256", "sha512", "length", "len", "strlen", "octet_length", "bit_length", "count", "sum", "avg",
        "round", "abs", "strpos", "instr", "hash", "date_trunc", "extract", "date_part", "row_number", "rank", "dense_rank",
    }
)  # fmt: skip
_CHOOSES = (exp.Case, exp.If, exp.Coalesce, exp.Max, exp.Min, exp.Greatest, exp.Least, exp.Nullif)
_JOINS = (exp.DPipe, exp.Concat, exp.ConcatWs)
_GROWS = frozenset({*_TIMES, *_EACH, *_REPLACE, *_FORMAT, *_TO_LENGTH})


def check_sizes(tree: exp.Expr, facts: Facts) -> None:
    """Raises `Refused` with code unbounded where a value may become larger than `MAX_SIZE`."""
    sizes: _Sizes | None = None
    for node in tree.walk():
        lambda_ = isinstance(node, exp.Func) and node.find(exp.Lambda) is not None
        if isinstance(node, _JOINS) or lambda_ or (isinstance(node, exp.Func) and called(node) & _GROWS):
            sizes = sizes or _Sizes(facts)
            if sizes.of(node) > MAX_SIZE:
                raise Refused(
                    "unbounded",
                    f"A value here could become longer than {MAX_SIZE:,.0f} characters; build less of it at once.",
                    node,
                )


class _Sizes:
    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.derived = Derived(facts)
        self._known: dict[int, float] = {}
        self._steps = 0

    def of(self, node: exp.Expr, given: Mapping[str, float] | None = None) -> float:
        """The size of an expression; `given`: of the parameters of the lambdas around it."""
        if given:
            self._steps += 1
            if self._steps > _STEPS:
                raise Refused("unbounded", "Too many functions inside one another here.", node)
            return self._size(node, given)
        found = self._known.get(id(node))
        if found is None:
            self._known[id(node)] = STORED  # a name that leads back to itself
            found = self._known[id(node)] = self._size(node, {})
        return found

    def _size(self, node: exp.Expr, given: Mapping[str, float]) -> float:
        if isinstance(node, exp.Literal):
            return float(len(node.name)) if node.is_string else STORED
        if isinstance(node, exp.Column | exp.Identifier):
            found = given.get(node.name.lower()) if not node.args.get("table") else None
            return self._column(node) if found is None else found
        if isinstance(node, exp.Query):
            return self._query(node)
        parts = [self.of(part, given) for part in _parts(node)]
        if isinstance(node, _CHOOSES):
            return max(parts, default=STORED)
        if isinstance(node, exp.Func) and not isinstance(node, _JOINS):
            return self._call(node, parts, given)
        if isinstance(node, exp.Binary | exp.Connector | exp.Predicate) and not isinstance(node, _JOINS):
            return max([STORED, *parts]) if isinstance(node, exp.Add | exp.Bracket) else STORED
        return sum(parts)

    def _call(self, node: exp.Func, parts: list[float], given: Mapping[str, float]) -> float:
        names = called(node)
        whole = sum(parts)
        mapped = node.find(exp.Lambda)
        if names & _SHORT:
            made = STORED
        elif names & _GENERATE:
            made = _largest(node)
        elif names & _REPLACE:
            made = self._replaced(node, parts)
        elif names & _FORMAT:
            made = whole * max(1.0, (parts[0] if parts else 0.0) / 2)
        elif names & _TO_LENGTH:
            made = max(1.0, whole) * _largest(node)
        elif names & _EACH and len(parts) > 1:
            made = max(parts) * max(1.0, *sorted(parts)[:-1])
        elif mapped is not None and mapped.parent is node:
            made = self._mapped(node, mapped, given)
        else:
            made = whole * max((_TIMES[name] for name in names if name in _TIMES), default=1.0)
        return made

    def _replaced(self, node: exp.Func, parts: list[float]) -> float:
        """Each piece that is found gives way to another: of constants it is known how long both are."""
        text, *others = parts
        if len(others) < 2:
            return text
        found = _parts(node)[1]
        plain = isinstance(found, exp.Literal) and called(node) & {"replace"}
        return text * max(1.0, others[1] / (others[0] or 1.0) if plain else others[1])

    def _mapped(self, node: exp.Func, function: exp.Lambda, given: Mapping[str, float]) -> float:
        """A function of each element: many short ones, or one that is all there is."""
        lists = sum(self.of(part, given) for part in _parts(node) if not isinstance(part, exp.Lambda))
        names = [parameter.name.lower() for parameter in function.expressions]
        many = lists * self.of(function.this, {**given, **dict.fromkeys(names, 1.0)})
        one = self.of(function.this, {**given, **dict.fromkeys(names, max(1.0, lists))})
        return max(lists, many, one)

    # Names.

    def _column(self, node: exp.Expr) -> float:
        alias = self.facts.aliases.get(id(node))
        if alias is not None:
            return self.of(alias)
        binding = self.facts.bindings.get(id(node))
        if binding is None or binding.field.column is not None:
            return STORED
        if binding.field.expression is not None:
            return self.of(binding.field.expression)
        return self._source(binding.source)

    def _source(self, source: Source) -> float:
        """The largest column of it."""
        if source.table is not None:
            return STORED
        node = source.node
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            bodies = _bodies(node)
            return max((self._body(body) for body in bodies), default=STORED)
        if isinstance(node, exp.Subquery):
            return self.of(node)
        calls = [call for call in node.find_all(exp.Func, exp.Column) if call is not node]
        if any(isinstance(c, exp.Func) and called(c) & _GENERATE for c in calls):
            return STORED
        return max((self.of(call) for call in calls), default=STORED)

    def _body(self, cte: exp.CTE) -> float:
        recursive = cte.parent is not None and cte.parent.args.get("recursive")
        body = cte.this
        if recursive and isinstance(body, exp.SetOperation):
            return self.of(body.this) * ROUNDS
        return self.of(body)

    def _query(self, node: exp.Expr) -> float:
        if isinstance(node, exp.SetOperation):
            return max(self.of(node.this), self.of(node.expression))
        if isinstance(node, exp.Subquery):
            return self.of(node.this)
        scope = self.derived.scopes.get(id(node))
        if not isinstance(node, exp.Select) or scope is None:
            return STORED
        return max((self._item(item, scope) for item in node.expressions), default=STORED)

    def _item(self, item: exp.Expr, scope: Scope) -> float:
        if item.find(exp.Star, exp.Columns) is not None and not isinstance(item.unalias(), exp.Count):
            return max([self.of(item), *(self._source(source) for source in scope.sources)])
        return self.of(item)


def _parts(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Alias | exp.Cast | exp.Window | exp.Filter | exp.WithinGroup | exp.Ordered):
        return [node.this]
    return [
        part for part in node.iter_expressions() if not isinstance(part, exp.DataType | exp.Order | exp.Where)
    ]


def _largest(node: exp.Expr) -> float:
    """The largest number written out among the arguments."""
    return max((_number(part) for part in node.iter_expressions()), default=1.0)


def _number(part: exp.Expr) -> float:
    part = part.this if isinstance(part, exp.Neg) else part
    return float(part.name) if isinstance(part, exp.Literal) and not part.is_string else 1.0


def _bodies(node: exp.Table) -> Iterable[exp.CTE]:
    """The WITH queries around a name that it may stand for."""
    name = node.name.lower()
    holder: exp.Expr | None = node
    while holder is not None:
        with_ = holder.args.get("with_")
        if with_ is not None:
            yield from (cte for cte in with_.expressions if cte.alias.lower() == name)
        holder = holder.parent
