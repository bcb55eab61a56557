"""By what our statements are found in an engine's log, and the line that our own log has for each of them.

The tag is the id of the answer's record, so that one leads to the other both ways. It stands before the statement as
a comment of ours, put there after the guard and made of letters, digits, `_` and `-` alone: nothing of a question
or of a name reaches the text. The caller is told apart by a hash.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from retrieval.types import Principal

LOGGER = logging.getLogger("bunmyaku.queries")
"""One line a statement: tag, caller, rows, seconds, outcome. The statement itself at debug level alone."""
LOGGER.addHandler(logging.NullHandler())
_OTHER = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST = 48


@dataclass(frozen=True, slots=True)
class Tag:
    """What stands beside a statement. Both are made of `[A-Za-z0-9_-]`; "" where nothing is known."""

    question: str = ""
    caller: str = ""

    @property
    def name(self) -> str:
        """What a session is called on a server: at most 63 bytes."""
        return f"bunmyaku-{self.question}" if self.question else "bunmyaku"

    def on(self, sql: str) -> str:
        """The statement with the tag before it; as it is where there is no tag."""
        if not self.question:
            return sql
        caller = f" caller={self.caller}" if self.caller else ""
        return f"/* bunmyaku question={self.question}{caller} */ {sql}"


@dataclass(slots=True)
class Told:
    """What the log's line is to say of the result."""

    rows: int = 0
    truncated: bool = False


def tag_of(owner: object) -> Tag:
    """The tag of a session; an empty one for whoever has none."""
    question, principal = getattr(owner, "tag", ""), getattr(owner, "principal", None)
    return Tag(safe(question), caller_hash(principal) if isinstance(principal, Principal) else "")


def caller_hash(principal: Principal) -> str:
    """Twelve hexadecimal digits that stay the same for a caller and do not name them."""
    return hashlib.sha256(f"{principal.tenant}\0{principal.id}".encode()).hexdigest()[:12]


def safe(text: str) -> str:
    """What of a text may stand in a comment."""
    return _OTHER.sub("-", text)[:_LONGEST].strip("-")


@contextmanager
def telling(tag: Tag, sql: str) -> Iterator[Told]:
    """A line in the log when the statement has ended, whichever way."""
    told, outcome, started = Told(), "rows", time.perf_counter()
    try:
        yield told
    except BaseException as error:
        outcome = type(error).__name__
        raise
    finally:
        seconds = time.perf_counter() - started
        LOGGER.info(
            "question=%s caller=%s outcome=%s rows=%d truncated=%s seconds=%.3f",
            tag.question or "-", tag.caller or "-", outcome, told.rows, told.truncated, seconds,
            extra={"question": tag.question, "caller": tag.caller, "outcome": outcome, "rows": told.rows,
                   "truncated": told.truncated, "seconds": seconds},
        )  # fmt: skip
        LOGGER.debug("question=%s %s", tag.question or "-", sql)
