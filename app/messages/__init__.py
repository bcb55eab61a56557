"""Every sentence the product says, in files: `en.yaml` and `ja.yaml`, the same keys and placeholders in both.

`text("outcome.declined", "ja")` gives the sentence; a value missing or left over is an error, as is an unknown
key, so that a sentence never reaches a person with a hole in it. Values are put in as they are: they are data
and never looked at as a template.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.errors import AppError
from retrieval.errors import BunmyakuError
from retrieval.types import Language
from retrieval.yaml_files import read_yaml
from text2sql.types import Violation, Warn

LANGUAGES: tuple[Language, ...] = ("en", "ja")


class MessageError(AppError):
    """A sentence was asked for that no file holds, or with the wrong values: a mistake in the program."""


@functools.cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Every sentence of one language by its key. Raises `MessageError` where the file repeats or lacks a text."""
    path = Path(__file__).with_name(f"{language}.yaml")
    groups = read_yaml(path.read_text(encoding="utf-8"))
    sentences: dict[str, str] = {}
    for group, entries in groups.items():
        for name, sentence in entries.items():
            if not isinstance(sentence, str) or not sentence.strip():
                raise MessageError("A sentence is empty", where=f"{path.name}: {group}.{name}")
            sentences[f"{group}.{name}"] = sentence.rstrip("\n")
    return sentences


@functools.cache
def placeholders(key: str, language: Language) -> frozenset[str]:
    """The names a sentence wants values for. Raises `MessageError` for an unknown key."""
    try:
        sentence = catalogue(language)[key]
    except KeyError:
        raise MessageError("There is no such sentence", where=f"{language}: {key}") from None
    return frozenset(name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None)


def has(key: str) -> bool:
    """Whether there is a sentence of that key (in every language: the key sets are the same)."""
    return key in catalogue("en")


def text(key: str, language: Language, **values: Any) -> str:
    """The sentence with its values filled in. Raises `MessageError` on an unknown key or the wrong values."""
    wanted = placeholders(key, language)
    if wanted != values.keys():
        raise MessageError(
            f"The sentence wants {sorted(wanted)} and was given {sorted(values)}", where=f"{language}: {key}"
        )
    return catalogue(language)[key].format(**values)


def join(items: tuple[str, ...] | list[str], language: Language) -> str:
    """A list within a sentence: "a, b and c" / 「a、b、c」."""
    if language == "ja" or len(items) < 2:
        return ("、" if language == "ja" else ", ").join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def error_text(error: BunmyakuError, language: Language) -> str:
    """What went wrong, where, and what to do: the error's own fields, opened by a sentence for its kind.

    The fields are written in English where the error is raised; the opening sentence of the nearest class that
    has one tells a reader of another language what kind of trouble it is.
    """
    kind = next((c.__name__ for c in type(error).__mro__ if has(f"error.{c.__name__}")), "BunmyakuError")
    parts = [text(f"error.{kind}", language), text("error.what", language, what=error.what)]
    if error.where:
        parts.append(text("error.where", language, where=error.where))
    if error.todo:
        parts.append(text("error.todo", language, todo=error.todo))
    return "\n".join(parts)


def finding_text(finding: Violation | Warn, language: Language) -> str:
    """What the guard found, in the asker's language: its own English message, or the sentence for its code.

    A code without a sentence of its own (an adapter's) is shown with the message it came with.
    """
    key = f"guard.{finding.code}"
    if language == "en" and finding.message:
        return finding.message
    if not has(key):
        return text("guard.other", language, code=finding.code, message=finding.message)
    sentence = text(key, language)
    if finding.subject:
        sentence += text("guard.subject", language, subject=finding.subject)
    if finding.suggestions:
        sentence += text("guard.suggestions", language, suggestions=join(finding.suggestions, language))
    return sentence
