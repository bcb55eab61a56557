import ast
import re
from pathlib import Path

import pytest

from app.messages import (
    LANGUAGES,
    MessageError,
    catalogue,
    error_text,
    finding_text,
    join,
    placeholders,
    text,
)
from retrieval.errors import BunmyakuError
from text2sql.types import Violation


def test_both_languages_have_the_same_sentences():
    assert set(catalogue("en")) == set(catalogue("ja"))


@pytest.mark.parametrize("key", sorted(catalogue("en")))
def test_both_languages_want_the_same_values(key):
    assert placeholders(key, "en") == placeholders(key, "ja")
    for name in placeholders(key, "en"):
        assert re.fullmatch(r"[a-z_]+", name), (
            "a placeholder is a plain name: no attribute, no index, no format"
        )


@pytest.mark.parametrize("key", sorted(catalogue("ja")))
def test_japanese_sentences_are_japanese(key):
    sentence = re.sub(r"\{[a-z_]+\}", "", catalogue("ja")[key])
    letters = re.findall(r"[A-Za-z]{4,}", sentence)
    assert set(letters) <= {"PostgreSQL", "CREATE", "TABLE", "SELECT", "WITH", "JSON", "ORDER", "HAVING"}, (
        "a sentence was left untranslated"
    )


def test_values_are_filled_in_and_never_read_as_a_template():
    assert (
        text("outcome.truncated", "en", count="{x}") == "Only the first {x} rows are shown; there are more."
    )


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("outcome.nothing_like_it", {}),
        ("outcome.truncated", {}),
        ("outcome.no_rows", {"count": 1}),
        ("outcome.truncated", {"count": 1, "more": 2}),
    ],
)
def test_a_wrong_key_or_value_is_an_error(key, values):
    with pytest.raises(MessageError):
        text(key, "en", **values)


def _error_classes(root):
    for child in root.__subclasses__():
        yield child
        yield from _error_classes(child)


def test_every_error_of_the_product_has_a_sentence():
    import app.errors
    import retrieval.errors
    import text2sql.errors

    modules = {retrieval.errors.__name__, text2sql.errors.__name__, app.errors.__name__}
    names = {c.__name__ for c in _error_classes(BunmyakuError) if c.__module__ in modules} - {"AppError"}
    assert names <= {key.removeprefix("error.") for key in catalogue("en") if key.startswith("error.")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_error_says_what_where_and_what_to_do(language):
    class Unheard(BunmyakuError):
        pass

    shown = error_text(Unheard("It broke", where="shop.yaml", todo="Mend it."), language)
    assert shown.splitlines()[0] == text("error.BunmyakuError", language)
    assert all(part in shown for part in ("It broke", "shop.yaml", "Mend it."))
    assert "\n" in shown
    assert "shop.yaml" not in error_text(Unheard("It broke"), language)


def test_a_finding_without_a_sentence_keeps_its_message():
    finding = Violation(code="adapter_special", message="No such thing here.")
    assert finding_text(finding, "en") == "No such thing here."
    assert "No such thing here." in finding_text(finding, "ja")


def test_lists_read_as_each_language_writes_them():
    assert join(["a"], "en") == "a"
    assert join(["a", "b", "c"], "en") == "a, b and c"
    assert join(["a", "b"], "ja") == "a、b"


def test_every_key_that_code_names_exists():
    root = Path(__file__).resolve().parents[2] / "app"
    named = set()
    for path in root.rglob("*.py"):
        named |= set(
            re.findall(r"""\b(?:text|say)\(\s*"([a-z_]+\.[A-Za-z_]+)\"""", path.read_text(encoding="utf-8"))
        )
    assert named, "the pattern above finds nothing: mend the test"
    assert named <= set(catalogue("en"))


def _guard_codes():
    """The first argument of every `Refused(…)`, `Violation(…)` and `Warn(…)` in the guard's own source."""
    root = Path(__file__).resolve().parents[2] / "text2sql" / "guard"
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {
                "Refused",
                "Violation",
                "Warn",
            }:
                code = node.args[0] if node.args else None
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    yield code.value


def test_every_finding_of_the_guard_has_a_sentence():
    codes = set(_guard_codes())
    assert len(codes) > 20, "the search above finds too little: mend the test"
    assert codes <= {key.removeprefix("guard.") for key in catalogue("ja") if key.startswith("guard.")}


def test_a_finding_in_japanese_says_what_offended_and_what_is_near():
    finding = Violation(
        "unknown_column", "There is no column amout.", subject="amout", suggestions=("amount",)
    )
    assert finding_text(finding, "ja") == "その列は存在しません。（amout）近いもの：amount。"
    assert finding_text(finding, "en") == "There is no column amout."
