"""Follow-up questions: "and by region?", 「去年は？」 read together with the question before.

Only the simple kind: a short question that names a period, groups, values or another metric, and nothing that
stands by itself. What it names replaces its like in the question before; everything else is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from retrieval.types import Context
from text2sql.drafters.reading.items import Item, Reading

_CUE = re.compile(
    r"^(?:and|what about|how about|also|now|then|same|the same)\b|^(?:では|じゃあ|それでは|それを|同じ|その|あと)",
    re.IGNORECASE,
)
_TOPIC = re.compile(r"(?:は|では|だと|の場合は|別では|別は|別に|別だと|ごとでは)[?？]?$")
_LONGEST = 60


def follow(reading: Reading, context: Context, read: Callable[[str], Reading]) -> Reading | None:
    """The question before with this one's changes, read anew; None where this one stands by itself."""
    cue = _CUE.search(reading.text)
    if not (cue or _TOPIC.search(reading.text)) or len(reading.text) > _LONGEST:
        return None
    before = _question_before(context)
    if before is None or not _changes(reading, with_cue=bool(cue)):
        return None
    earlier = read(before)
    if not any(item.code in "MEDK" for item in earlier.items):
        return None
    kept = _without(earlier, reading)
    rest = reading.text[cue.end() :] if cue else reading.text
    separator = "、" if reading.language == "ja" else " "
    return read(f"{kept}{separator}{rest.strip(' ,')}")


def leans_back(reading: Reading) -> bool:
    """Whether a question says by its first word that it goes on from another."""
    return bool(_CUE.search(reading.text)) and _changes(reading, with_cue=True)


def _question_before(context: Context) -> str | None:
    """The newest question of the conversation: the first line of the last `turn` piece, without its prefix."""
    turns = [piece for piece in context.pieces if piece.kind == "turn"]
    if not turns:
        return None
    newest = max(turns, key=lambda piece: (piece.as_of is not None, piece.as_of or 0)) if all(
        piece.as_of for piece in turns
    ) else turns[-1]  # fmt: skip
    line = newest.text.strip().splitlines()[0] if newest.text.strip() else ""
    return re.sub(r"^(?:Q|question|質問|user)\s*[:：]\s*", "", line, flags=re.IGNORECASE) or None


def _changes(reading: Reading, *, with_cue: bool) -> bool:
    """Whether the question only changes something: a period, groups, values, or (after a cue) a metric."""
    codes = reading.codes
    if "U" in codes or "K" in codes or "A" in codes or "E" in codes.replace("GE", "").replace("EG", ""):
        return False
    if "M" in codes and not with_cue:
        return False
    return any(code in "PVYGMb" for code in codes)


def _without(earlier: Reading, later: Reading) -> str:
    """The earlier question without what the later one says anew."""
    gone = [item for at, item in enumerate(earlier.items) if _replaced(earlier, at, item, later)]
    text = earlier.text
    for item in sorted(gone, key=lambda item: -item.start):
        text = text[: item.start] + " " + text[item.end :]
    return " ".join(re.sub(r"[?？。]+$", "", text.strip()).split())


def _replaced(earlier: Reading, at: int, item: Item, later: Reading) -> bool:
    codes = later.codes
    if item.code == "P":
        return "P" in codes
    if item.code == "M":
        return "M" in codes
    if item.code == "V":
        columns = {(v.table, v.column) for other in later.items for v in other.values}
        return any((v.table, v.column) in columns for v in item.values)
    grouping = any(code in codes for code in "GYb")
    if not grouping:
        return False
    if item.code in "GYb":
        return True
    following = earlier.codes[at + 1 : at + 2]
    preceding = earlier.codes[at - 1 : at] if at else ""
    return item.code in "DE" and (preceding in ("b", "G") or following == "G") and "M" in earlier.codes
