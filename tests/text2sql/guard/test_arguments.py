"""Whatever the parser may set on a node, what the lists do not name is refused: each class, each argument, by itself."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest
from sqlglot import exp

from retrieval.yaml_files import read_yaml
from text2sql.guard.allowlist import DIALECTS, FOLDER, Allowlist, allowlist
from text2sql.guard.gate import check_nodes
from text2sql.guard.refusal import Refused


def _made(cls: type[exp.Expr]) -> bool:
    """Whether there can be such a node: bases of others are not made, and the compiled ones say so."""
    try:
        node = cls()
        return not isinstance(node, exp.Func) or bool(node.sql_names())
    except (TypeError, NotImplementedError):
        return False


CLASSES = [c for c in vars(exp).values() if inspect.isclass(c) and issubclass(c, exp.Expr) and _made(c)]
CODES = {
    "node",
    "argument",
    "not_read_only",
    "placeholder",
    "hint",
    "unknown_table",
    "function",
    "syntax",
    "type",
}


def _listed(dialect: str, name: str) -> frozenset[str] | None:
    allowed = allowlist(dialect)
    return allowed.nodes.get(name, allowed.function_arguments.get(name))


def _code(node: exp.Expr, allowed: Allowlist) -> str:
    try:
        check_nodes(node, "", allowed)
    except Refused as refused:
        return refused.code
    return "passed"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_argument_that_is_not_listed_is_refused(dialect: str) -> None:
    allowed = allowlist(dialect)
    passed, tried = [], 0
    for cls in CLASSES:
        listed = _listed(dialect, cls.__name__)
        if listed is None:
            continue
        for key in (*cls.arg_types, "made_up"):
            if key in listed:
                continue
            tried += 1
            named = {"this": "x"} if "this" in listed else {}
            code = _code(cls(**named, **{key: True}), allowed)
            if code not in CODES:
                passed.append(f"{cls.__name__}.{key}: {code}")
    assert passed == []
    assert tried > 400


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_class_that_is_not_listed_is_refused(dialect: str) -> None:
    unlisted = [c for c in CLASSES if _listed(dialect, c.__name__) is None]
    assert len(unlisted) > 300
    # What is offered instead is looked for among all names, a thousand times: not here.
    allowed = replace(allowlist(dialect), functions={})
    for cls in unlisted:
        with pytest.raises(Refused):
            check_nodes(cls(), "", allowed)


def test_the_lists_name_what_the_parser_has_and_say_why() -> None:
    functions = [(n, a) for g in read_yaml((FOLDER / "arguments.yaml").read_text(encoding="utf-8"))["groups"]
                 for a, names in g["take"].items() for n in names.split() if g["why"]]  # fmt: skip
    nodes = [(n, a) for g in read_yaml((FOLDER / "nodes.yaml").read_text(encoding="utf-8"))["nodes"]
             for n, a in g["allow"].items() if g["why"]]  # fmt: skip
    names = [name for name, _ in functions + nodes]
    assert len(names) == len(set(names)) > 350
    for name, arguments in functions + nodes:
        unknown = set(arguments.replace('"', "").split()) - set(getattr(exp, name).arg_types)
        assert not unknown, f"{name} has no {unknown}"
