"""Words for the lexical side of the search, and a cheap estimate of what a text costs in a prompt.

Both are deterministic and need neither a dictionary nor a model.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from retrieval.language import HIRAGANA, KANJI, KATAKANA

_CJK = f"{HIRAGANA}{KATAKANA}{KANJI}"
_RUN = re.compile(
    f"(?P<cjk>[{_CJK}]+)"
    # Thousands separators belong to the number; the other joints make a compound that is kept whole and in parts.
    r"|(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?)(?![^\W_])"
    rf"|(?P<word>[^\W_{_CJK}]+(?:[-_./'’&][^\W_{_CJK}]+)*)"
)
_PART = re.compile(r"[^\W_]+")
_SCRIPT_RUN = re.compile(f"[{KATAKANA}]{{2,}}|[{KANJI}]{{2,}}")
_KANJI = re.compile(f"[{KANJI}]")
_HIRAGANA_RUN = re.compile(f"[{HIRAGANA}]{{3,}}")
_HIRAGANA = re.compile(f"[{HIRAGANA}]")
_DIGIT = re.compile(r"\d")
_COST = re.compile(f"[{_CJK}]|\\d+|[^\\W\\d_{_CJK}]+|[^\\w\\s]|_")

_STOP = (
    "a an and are as at be been but by can did do does for from had has have he her his how i if in into is it"
    " its me my of on or our she so such than that the their them then there these they this to us was we were"
    " what when where which who whom whose why will with would you your"
)
STOP_WORDS = frozenset(_STOP.split())
"""English words that say nothing about what a text is about."""


def lexical_tokens(text: str) -> list[str]:
    """The tokens a text is found by, in order, repeats kept; queries and documents take the same way.

    English: case-folded words without stop words, plural and possessive endings taken off; compounds with a
    digit or sign in them (`C-00123`, `R&D`, `2024-03-01`) whole and by part. Japanese, which has no spaces:
    character pairs that begin with kanji or katakana (a leading hiragana is nearly always a particle or an
    ending), single kanji, whole runs of katakana or kanji, and threes of hiragana for words written in it.
    """
    tokens: list[str] = []
    for match in _RUN.finditer(unicodedata.normalize("NFKC", text).casefold()):
        run = match.group()
        if match.lastgroup == "cjk":
            _japanese(run, tokens)
        elif match.lastgroup == "number":
            tokens.append(run.replace(",", ""))
        else:
            _latin(run, tokens)
    return tokens


def count_tokens(text: str) -> int:
    """About what `text` costs a language model, in tokens: never far below, whatever the tokenizer.

    One a Japanese character or sign, one per three digits, one per six letters of a word, rounded up.
    """
    cost = 0
    for piece in _COST.findall(text):
        if len(piece) == 1:
            cost += 1
        elif piece[0].isdigit():
            cost += (len(piece) + 2) // 3
        else:
            cost += (len(piece) + 5) // 6
    return cost


def _japanese(run: str, tokens: list[str]) -> None:
    """Append the tokens of a run of kana and kanji."""
    tokens.extend(pair for pair in map("".join, pairwise(run)) if not _HIRAGANA.match(pair))
    tokens.extend(_KANJI.findall(run))
    tokens.extend(_SCRIPT_RUN.findall(run))
    for kana in _HIRAGANA_RUN.findall(run):
        tokens.extend(kana[start : start + 3] for start in range(len(kana) - 2))


def _latin(run: str, tokens: list[str]) -> None:
    """Append the tokens of one word or compound in a script that puts spaces between words."""
    if run.endswith(("'s", "’s")):
        run = run[:-2]
    if not run.isalnum():
        parts = _PART.findall(run)
        if len(run) <= 40 and (_DIGIT.search(run) or "&" in run):
            tokens.append(run)
    else:
        parts = [run]
    tokens.extend(stem(part) for part in parts if part not in STOP_WORDS)


def stem(word: str) -> str:
    """A word without its English plural ending (Harman's S-stemmer); short words and numbers are left alone."""
    if len(word) < 4 or not word.endswith("s"):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    return word if word.endswith(("us", "ss")) else word[:-1]
