"""The recent turns of a conversation, and whether a question leans on them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from retrieval.language import detect
from retrieval.tokens import lexical_tokens
from retrieval.types import ConversationStore, Principal, Turn

ORIGIN = "conversation"
RECENT = 3
"""Turns handed on; older ones are found by `ConversationStore.search`."""

_ENGLISH = re.compile(
    r"^\W*(and|but|what about|how about|same|only|also|then|instead|why|now)\b"
    r"|\b(it|its|they|them|their|those|these|that|this one|that one|he|him|his|she|her|the same)\b",
    re.IGNORECASE,
)
_JAPANESE = re.compile(
    r"^\W*(では|じゃあ|それで|それは|それを|それの|その|あの|この|これ|それ|同じ|なぜ|どうして|ちなみに|他に|ほかに|もっと|あと)"
    r"|(はどう|はどうです|については|の場合は)[?？。]?$"
    r"|(その|この|同じ)(人|方|顧客|店|商品|件|期間|年|月|結果|中|うち)"
)


def leans_on_before(question: str) -> bool:
    """Whether a question only means something after the one before ("and by region?", 「大阪はどう？」).

    Short and opening with a connective, or holding a pronoun, or with hardly a content word of its own.
    """
    folded = question.strip()
    own = len(set(lexical_tokens(folded)))
    if detect(folded) == "ja":
        return bool(_JAPANESE.search(folded)) and len(folded) <= 30
    return own <= 1 or (own <= 6 and bool(_ENGLISH.search(folded)))


class RecentTurns:
    """Recent turns of one caller's conversation, oldest first."""

    name = ORIGIN

    def __init__(self, store: ConversationStore, count: int = RECENT) -> None:
        self._store = store
        self._count = count

    def turns(self, principal: Principal, conversation_id: str) -> list[Turn]:
        """At most `count` turns; empty for a conversation of somebody else."""
        return self._store.recent(principal, conversation_id, self._count)


def with_before(question: str, turns: Sequence[Turn]) -> str:
    """The question with the last questions before it, newest last, when it leans on them; else unchanged.

    This is what is searched for and what entities are looked for in, never what is shown or drafted from.
    """
    if not turns or not leans_on_before(question):
        return question
    chain: list[str] = [question]
    for turn in reversed(turns):
        chain.insert(0, turn.question)
        if not leans_on_before(turn.question):
            break
    return "\n".join(chain)
