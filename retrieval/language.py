"""Which language a text is in, and one folding for everyone who compares words.

Only English and Japanese are told apart: the scripts give that away without a model or a dictionary.
"""

from __future__ import annotations

import re
import unicodedata

from retrieval.types import Language

HIRAGANA = "\u3041-\u3096\u309d\u309e"
KATAKANA = "\u30a1-\u30fa\u30fc-\u30fe\u31f0-\u31ff"
KANJI = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
"""Regular-expression character ranges of the three Japanese scripts (々 and 〇 count as kanji)."""

_JAPANESE = re.compile(f"[{HIRAGANA}{KATAKANA}{KANJI}]")
_HIRAGANA = re.compile(f"[{HIRAGANA}]")
_LATIN_WORD = re.compile(r"[^\W\d_\u3005-\u30ff\u3400-\u9fff]+")
_SPACES = re.compile(r"\s+")

# A Japanese sentence may be full of Latin names, but hardly ever holds these.
_FUNCTION = (
    "a an and are as at be by did do does each for from had has have how if in is it many me much my of on or"
    " our per show than that the their there these this to was we were what when where which who why will with"
    " you your"
)
_FUNCTION_WORDS = frozenset(_FUNCTION.split())

# Every katakana with a hiragana of its own, 0x60 below it.
_TO_HIRAGANA = {code: code - 0x60 for code in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}


def detect(text: str) -> Language:
    """`"ja"` or `"en"`, by the share of Japanese characters against Latin words.

    An English function word weighs as much as 2.5 Japanese characters and any other Latin word as half a one,
    so that "ASTMは何か" is Japanese and "sales in 東京都 last month" is English. Without a single hiragana the
    Japanese characters count half: names and headings are quoted in English text, particles are not.
    Text in neither language (or empty) is `"en"`.
    """
    folded = unicodedata.normalize("NFKC", text[:4000])
    japanese = float(len(_JAPANESE.findall(folded)))
    if not japanese:
        return "en"
    if not _HIRAGANA.search(folded):
        japanese /= 2
    words = [word.casefold() for word in _LATIN_WORD.findall(folded)]
    functional = sum(word in _FUNCTION_WORDS for word in words)
    return "ja" if japanese >= 2.5 * functional + 0.5 * (len(words) - functional) else "en"


def fold(text: str) -> str:
    """One form for texts that a reader takes as equal: for comparing, not for showing; the length may change.

    NFKC (width, ligatures, ㈱), case, katakana as hiragana, runs of white space as one space, ends stripped.
    """
    if text.isascii():  # most values of a warehouse, at a fifth of the time
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Case folding can undo the composed form ("İ"), and folding twice must change nothing.
    folded = unicodedata.normalize("NFKC", folded).translate(_TO_HIRAGANA)
    return _SPACES.sub(" ", folded).strip()
