"""Prompt templates: Markdown files whose version is the hash of their text.

A template is `templates/<task>.<lang>.md`: the system text, a line `---user---`, the user text. `{name}` stands for
a value as it is; `{data:name}` for retrieved text, rendered inside a fence that its content cannot close.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from prompts.errors import PromptError

TEMPLATES = Path(__file__).parent / "templates"
SEPARATOR = "---user---"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_VARIABLE = re.compile(r"\{(?P<data>data:)?(?P<name>[a-z][a-z0-9_-]*)\}")
_OPENER = re.compile("[<\uff1c\ufe64\u2039\u3008\u27e8\u2329]")
# What NFKD leaves apart and a reader (or a model) takes for the same letter or stroke.
_LOOKALIKES = str.maketrans("а\u03b1ԁт\u03c4\u2044\u2215\\\u203a\u3009\u27e9", "aadtt///>>>")
_INVISIBLE = {"Cc", "Cf", "Mn", "Me"}
# An opening tag only where it looks like one: `a < data` is arithmetic in somebody's verified query.
_TAGS = ("/data", "data>", "dataname=")
_WINDOW = 1_000
"""Characters after an opening bracket that are looked at; a tag padded beyond them reads as none."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is sent: (`system` | `user` | `assistant`, text) pairs, and which prompt they came from."""

    messages: tuple[tuple[str, str], ...]
    version: str
    name: str
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Prompt:
    """One template. `version` is the first 12 hex digits of the SHA-256 of the file's text."""

    name: str
    language: str
    version: str
    system: str
    user: str
    variables: frozenset[str]
    """Names to give to `render`, without `data:`, a hyphen written as an underscore."""

    def render(self, **values: str) -> Rendered:
        """The messages with every variable filled in, in one pass: a brace inside a value stays a brace.

        Raises `PromptError` naming the variables that are missing, not used, or not text.
        """
        given: dict[str, object] = dict(values)
        wrong = [
            *(f"`{name}` is missing" for name in sorted(self.variables - values.keys())),
            *(f"`{name}` is not used" for name in sorted(values.keys() - self.variables)),
            *(f"`{name}` is not text" for name, value in sorted(given.items()) if not isinstance(value, str)),
        ]
        if wrong:
            raise PromptError("; ".join(wrong), where=f"prompt {self.name}.{self.language}")
        parts = [("system", self.system), ("user", self.user)]
        messages = tuple((role, _fill(text, values)) for role, text in parts if text)
        return Rendered(messages, self.version, self.name, self.language)


def load(name: str, lang: str) -> Prompt:
    """The template of a task in a language ("en", "ja"). Raises `PromptError` where there is none."""
    return _read(TEMPLATES, name, lang)


@lru_cache(maxsize=64)
def _read(folder: Path, name: str, lang: str) -> Prompt:
    where = f"prompt {name}.{lang}"
    path = folder / f"{name}.{lang}.md"
    # The names come from code, but a path is built of them: nothing outside the folder may be meant.
    if not (_NAME.fullmatch(name) and _NAME.fullmatch(lang) and path.is_file()):
        there = ", ".join(sorted(found.name.removesuffix(".md") for found in folder.glob("*.md")))
        raise PromptError("There is no such prompt", where=where, todo=f"Available: {there}.")
    return parse(path.read_text(encoding="utf-8"), name, lang)


def parse(text: str, name: str, lang: str) -> Prompt:
    """A prompt from a template's text. Raises `PromptError` where it is not a template."""
    where = f"prompt {name}.{lang}"
    parts = re.split(rf"^{SEPARATOR}[ \t]*$", text, flags=re.MULTILINE)
    if len(parts) != 2 or not parts[1].strip():
        raise PromptError(f"A template has one line `{SEPARATOR}` and text after it", where=where)
    found = [(bool(match["data"]), _key(match["name"])) for match in _VARIABLE.finditer(text)]
    both = {key for fenced, key in found if fenced} & {key for fenced, key in found if not fenced}
    if both:
        raise PromptError(f"Both fenced and plain: {', '.join(sorted(both))}", where=where)
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Prompt(name, lang, version, parts[0].strip(), parts[1].strip(), frozenset(key for _, key in found))


def neutralised(text: str) -> str:
    """The text with everything that reads as a fence's tag made harmless, and nothing else changed."""
    return _OPENER.sub(lambda match: "&lt;" if _is_tag(text, match.end()) else match[0], text)


def _is_tag(text: str, start: int) -> bool:
    """Whether a bracket followed by this reads as the fence's tag: in full width, spaced out, or veiled too."""
    bare = ""
    for veiled in text[start : start + _WINDOW]:
        for character in unicodedata.normalize("NFKD", veiled).casefold().translate(_LOOKALIKES):
            if not character.isspace() and unicodedata.category(character) not in _INVISIBLE:
                bare += character
        if bare.startswith(_TAGS):
            return True
        if not any(tag.startswith(bare) for tag in _TAGS):
            return False
    return False


def _fill(template: str, values: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        text = neutralised(values[_key(match["name"])])
        if not match["data"]:
            return text
        return f'<data name="{match["name"]}">\n{text.strip() or "(none)"}\n</data>'

    return _VARIABLE.sub(value, template)


def _key(name: str) -> str:
    return name.replace("-", "_")
