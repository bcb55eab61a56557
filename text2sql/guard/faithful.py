"""Writing a tree out so that it says the same: sqlglot's generators, without their mending."""

from __future__ import annotations

from functools import cache

from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError

from text2sql.guard.affinity import affinity, data_type, plain_casts
from text2sql.guard.reading import parse, speaker
from text2sql.guard.refusal import Refused

_RESPELT: dict[str, tuple[type[exp.Expr], ...]] = {
    "duckdb": (exp.WithinGroup, exp.Date, exp.TsOrDsToDate, exp.LogicalAnd, exp.LogicalOr, exp.If),
    "redshift": (exp.Concat,),
}


def write(tree: exp.Expr, dialect: str) -> str:
    """The tree as text, without comments. Uses the tree up. Raises `Refused` with code changed."""
    if dialect == "sqlite":
        plain_casts(tree)
    writer = speaker(dialect).generator(
        comments=False, normalize_functions=False, unsupported_level=ErrorLevel.RAISE
    )
    try:
        return str(writer.generate(tree, copy=False))
    except UnsupportedError as error:
        message = "This cannot be written out faithfully; write it another way."
        raise Refused("changed", message, cause=str(error)) from error


def settle(tree: exp.Expr, dialect: str) -> None:
    """Put into the tree what the generator would otherwise choose by itself."""
    _short_forms(tree, dialect)
    if dialect == "sqlite":
        _affinities(tree)
        return
    for cast in tree.find_all(exp.Cast):
        if "." in str(cast.args["to"].args.get("kind") or ""):
            continue  # a type of somebody's schema, which our masks write; a draft's was looked up before
        cast.set("to", _spelled(cast.args["to"].sql(dialect=dialect), dialect).copy())
    if dialect in ("postgres", "redshift"):
        _rounds(tree)
        if dialect == "redshift":
            _reserved(tree)
    elif dialect == "duckdb":
        _duckdb(tree)
    elif dialect == "athena":
        _nameless(tree)
    if dialect in _RESPELT:
        _as_spelt(tree, _RESPELT[dialect], dialect)


def _duckdb(tree: exp.Expr) -> None:
    """What DuckDB's generator leaves out or puts in: the `,` of a list, how UNNEST is joined."""
    for node in list(tree.find_all(exp.GroupConcat, exp.Join)):
        if isinstance(node, exp.GroupConcat):
            if node.args.get("separator") is None:
                node.set("separator", exp.Literal.string(","))
        elif (
            isinstance(node, exp.Join)
            and isinstance(node.this, exp.Unnest)
            and not _joined(node)
            and _nothing_outer_follows(node)
        ):
            node.set("kind", "CROSS")


def _joined(join: exp.Join) -> bool:
    return any(join.args.get(key) for key in ("on", "using", "kind", "side", "method"))


def _nothing_outer_follows(join: exp.Join) -> bool:
    """Whether `a, b JOIN c` is `a CROSS JOIN b JOIN c`: unless a row of `c` alone is kept."""
    joins = join.parent.args.get("joins") or [] if join.parent is not None else []
    return not any(j.side in ("RIGHT", "FULL") for j in joins[joins.index(join) + 1 :]) if joins else False


def _nameless(tree: exp.Expr) -> None:
    """Athena's generator would name the columns of every query beside a recursive one; nothing at all stands for them."""
    for with_ in tree.find_all(exp.With):
        for query in with_.expressions if with_.args.get("recursive") else ():
            if not query.args["alias"].args.get("columns"):
                query.args["alias"].set("columns", [exp.Var(this="")])


def _short_forms(tree: exp.Expr, dialect: str) -> None:
    """`ROWS 2 PRECEDING`, `SOME (…)` and joins that FROM holds, as they are written out."""
    for node in list(
        tree.find_all(
            exp.WindowSpec,
            exp.Any,
            exp.From,
            exp.JSONExtract,
            exp.JSONExtractScalar,
            exp.AtTimeZone,
            exp.Trim,
        )
    ):
        if isinstance(node, exp.WindowSpec):
            if node.args.get("start") and not node.args.get("end"):
                node.set("end", "CURRENT ROW")
        elif isinstance(node, exp.Trim):
            _trim(node, dialect)
        elif isinstance(node, exp.AtTimeZone):
            if dialect == "athena":
                _zone(node)
        elif isinstance(node, exp.JSONExtract | exp.JSONExtractScalar):
            if dialect == "duckdb":
                _arrows(node)
        elif isinstance(node, exp.Any):
            if isinstance(node.this, exp.Select | exp.SetOperation):
                node.set("this", exp.Subquery(this=node.this))
        elif isinstance(node.parent, exp.Select) and node.this.args.get("joins"):
            node.parent.set("joins", [*node.this.args["joins"], *(node.parent.args.get("joins") or ())])
            node.this.set("joins", None)


@cache
def _spelled(name: str, dialect: str) -> exp.Expr:
    """A type as the dialect reads its own spelling of it: `TEXT` is `VARCHAR(MAX)` to Redshift."""
    return exp.DataType.build(name, dialect=dialect, udt=True)


def _rounds(tree: exp.Expr) -> None:
    """PostgreSQL's generator would cast the number first, and so mend what the engine refuses."""
    for node in list(tree.find_all(exp.Round)):
        operands = (
            [node.this, node.args["decimals"]] if node.args.get("decimals") is not None else [node.this]
        )
        plain = exp.Anonymous(this="ROUND")
        node.replace(plain)
        plain.set("expressions", operands)


def _reserved(tree: exp.Expr) -> None:
    """Names that the generator puts in quotes, which fold as they did without."""
    reserved = speaker("redshift").generator().RESERVED_KEYWORDS
    for name in tree.find_all(exp.Identifier):
        if not name.args.get("quoted") and name.name.lower() in reserved:
            name.set("this", name.name.lower())
            name.set("quoted", True)


def _trim(node: exp.Trim, dialect: str) -> None:
    """`TRIM(BOTH FROM x)` is `TRIM(x)`; DuckDB's generator leaves BOTH out with a second argument as well."""
    if node.args.get("position") == "BOTH" and (dialect == "duckdb" or not node.expression):
        node.set("position", None)


def _zone(node: exp.AtTimeZone) -> None:
    """`x AT TIME ZONE z` is written as the function that it is to Trino."""
    call = exp.Anonymous(this="AT_TIMEZONE")
    node.replace(call)
    call.set("expressions", [node.this, node.args["zone"]])


def _arrows(node: exp.Expr) -> None:
    """`x -> 'a' -> 'b'` is written with parentheses around the first, which change nothing."""
    inner = node.this.this if isinstance(node.this, exp.Paren) else None
    if isinstance(inner, exp.JSONExtract | exp.JSONExtractScalar):
        node.set("this", inner)


def _as_spelt(tree: exp.Expr, classes: tuple[type[exp.Expr], ...], dialect: str) -> None:
    """Functions that the generator spells as others (`DATE(x)` as CAST), in that spelling."""
    for node in list(tree.find_all(*classes)):
        if node.find_ancestor(*classes) or (isinstance(node, exp.If) and isinstance(node.parent, exp.Case)):
            continue
        text = f"SELECT {node.sql(dialect=dialect)}"
        node.replace(parse(text, list(speaker(dialect).tokenize(text)), dialect).expressions[0].pop())


def _affinities(tree: exp.Expr) -> None:
    """SQLite knows five types; each CAST is written with the one that its type name means there."""
    for cast in tree.find_all(exp.Cast):
        cast.set("to", _affinity(cast.args["to"]))


def _affinity(declared: exp.Expr) -> exp.DataType:
    """https://www.sqlite.org/datatype3.html#determination_of_column_affinity"""
    kind = declared.this
    name = kind.value if isinstance(kind, exp.DType) else str(kind)
    if kind == exp.DType.USERDEFINED:
        name = str(declared.args.get("kind") or "")
    if kind == exp.DType.VARBINARY:
        name = "BLOB"
    return data_type(affinity(name) if name else "NUMERIC")
