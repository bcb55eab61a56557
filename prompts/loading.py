"""Prompt templates: Markdown files whose version is the hash of their text.

A template is `templates/<task>.<lang>.md`: the system text, a line `---user---`, the user text. `{name}` stands for
a value as it is; `{data:name}` for retrieved text, rendered inside a fence that its content cannot close.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from prompts.errors import PromptError

TEMPLATES = Path(__file__).parent / "templates"
SEPARATOR = "---user---"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_VARIABLE = re.compile(r"\{(?P<data>data:)?(?P<name>[a-z][a-z0-9_-]*)\}")
# A person or a document may write the fence in full width, with blanks, or with invisible characters in between.
_BLANK = r"[\s\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]*"
_WORD = _BLANK.join(
    f"[{letter}{letter.upper()}{chr(ord(letter) + 0xFEE0)}{chr(ord(letter) + 0xFEC0)}]" for letter in "data"
)
_OPENER = "[<\uff1c\ufe64\u2039\u3008\u27e8\u2329]"
# An opening tag only where it looks like one: `a < data` is arithmetic in somebody's verified query.
_FENCE = re.compile(
    rf"{_OPENER}(?={_BLANK}[/\uff0f\u2044\u2215\\]{_BLANK}{_WORD}"
    rf"|{_BLANK}{_WORD}{_BLANK}(?:name{_BLANK}[=\uff1d]|[>\uff1e\ufe65]))"
)


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
    return _FENCE.sub("&lt;", text)


def _fill(template: str, values: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        text = neutralised(values[_key(match["name"])])
        if not match["data"]:
            return text
        return f'<data name="{match["name"]}">\n{text.strip() or "(none)"}\n</data>'

    return _VARIABLE.sub(value, template)


def _key(name: str) -> str:
    return name.replace("-", "_")
