"""Where an answer comes from: documents, a query, both, a question back, or nowhere; and why, in plain words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from app.answering import SURE_ENOUGH, DocumentAnswer
from app.messages import text
from app.questions import asked, words_of
from retrieval.types import Context
from text2sql.types import Drafting

RouteKind = Literal["documents", "query", "both", "clarify", "decline"]

STRONG = 0.7
"""Confidence of a document answer that is worth telling beside a figure."""


@dataclass(frozen=True, slots=True)
class Route:
    """The decision. `why` is a sentence in the asker's language; `reason` its key, for the record and for tests."""

    kind: RouteKind
    why: str
    reason: str = ""


_MEANING = re.compile(
    r"\bwhat (?:does|is meant|do (?:we|you) mean|counts? as)\b|\bdefin|\bmean(?:s|ing)?\b|\bexplain\b|\bwhy\b"
    r"|\brules?\b|\bpolic(?:y|ies) (?:on|for|about)\b|\bconditions?\b|\bprocedure\b|\bhow (?:do|can|should|is|are) (?!many|much)"
    r"|\b(?:can|may|must|should) (?:i|we|customers?)\b|\ballowed\b"
    r"|とは|定義|意味|条件|規則|ルール|規程|手続|方法|なぜ|理由|説明|どうやって|どうすれば|仕組み|について教えて|できますか|必要ですか|いつまでに",
    re.IGNORECASE,
)
_FIGURE = re.compile(
    r"\bhow (?:many|much)\b|\b(?:total|sum|average|mean of|number of|count of|trend|top|bottom|highest|lowest|compare[ds]?|rank"
    r"|per|by) \w|\b(?:this|last|next) (?:month|quarter|year|week)\b|\b(?:19|20)\d\d\b"
    r"|いくら|何(?:件|人|円|台|個|回|%|パーセント)|件数|合計|平均|推移|別の|別に|ごとの|上位|下位|ランキング|比較|前年|今月|先月|今年|昨年|年度|\d+年",
    re.IGNORECASE,
)


_CHANGE = re.compile(
    r"^\W*(?:(?:please|now|then|can you|could you|would you|i want (?:you )?to|i'd like (?:you )?to|let's)\W+)*"
    r"(?:delete|erase|drop|truncate|purge|update|overwrite|insert|alter|grant|revoke)\s+"
    r"(?:from|into|all|every|each|the|this|that|these|those|any|my|our|everything|a|an|new|old|rows?|records?|tables?|columns?"
    r"|\w+\s+set|\w+\s+(?:rows?|records?|tables?|columns?)|\w+$)\b"
    r"|(?:削除|消去|抹消|上書き|挿入|(?:delete|drop|update|insert|truncate)\s?)(?:して|せよ|しろ|したい|をお願い|願います)"
    r"|更新(?:して|せよ|しろ)(?!いる|います|いない|いません|も)|書き換え(?:て|よ|ろ)|(?:を|全部|すべて|全て)消(?:して|せ|したい)",
    re.IGNORECASE,
)


def asks_for_change(question: str) -> bool:
    """Whether it asks to change data rather than about them; "how do I delete …" is a question like any other."""
    return bool(_CHANGE.search(question)) and not re.search(
        r"方法|手順|やり方|できますか|には[?？。]*$", question
    )


def asks_for_meaning(question: str) -> bool:
    """Whether it asks what something means or what the rule is, rather than for a figure."""
    return bool(_MEANING.search(question)) and not _FIGURE.search(question)


def decide(
    question: str,
    context: Context,
    drafting: Drafting,
    documents: DocumentAnswer | None,
    *,
    beyond: bool = False,
) -> Route:
    """Weigh what the drafter offers against what the documents say. Nothing runs or is shown by this alone.

    `beyond`: a table that the asker may know of, but not read, would be queried. What somebody else's figure would
    come from decides the way here too: no sentence of a document stands in for a figure that is withheld.
    """
    if asks_for_change(question):
        return _route("decline", context, "change")
    quoted = documents is not None and documents.found and documents.confidence >= SURE_ENOUGH
    told = bool(documents and documents.facts)
    if drafting.drafts:
        return _with_draft(question, context, drafting, documents if quoted else None)
    if beyond and quoted and _FIGURE.search(question) and not _MEANING.search(question):
        return _route("decline", context, "withheld")
    if quoted and not (drafting.choices and not told and _says_little(question, documents)):
        only_facts = told and not (documents and documents.citations)
        return _route("documents", context, "facts" if only_facts else "documents")
    if drafting.clarify or drafting.choices:
        return _route("clarify", context, "clarify")
    return _route("decline", context, "withheld" if context.withheld else "declined")


def _says_little(question: str, documents: DocumentAnswer | None) -> bool:
    """Whether so little is asked that a sentence which shares a word with it is no answer: "by status"."""
    sure = documents.confidence if documents else 0.0
    return not _MEANING.search(question) and (sure < STRONG or len(asked(question).words) < 2)


def _with_draft(
    question: str, context: Context, drafting: Drafting, documents: DocumentAnswer | None
) -> Route:
    if documents is None:
        return _route("query", context, "query")
    meaning, figure = _MEANING.search(question), _FIGURE.search(question)
    counted = bool(drafting.drafts[0].metrics)
    if not figure and (meaning or (counted and asked(question).wants == "date")):
        return _route("documents", context, "documents_stronger")
    # Nothing in the words asks for a figure: what the documents say of it belongs beside one.
    beside = meaning or not figure or _covers_the_rest(question, drafting, documents)
    if beside and documents.confidence >= STRONG:
        return _route("both", context, "both")
    return _route("query", context, "query")


def _covers_the_rest(question: str, drafting: Drafting, documents: DocumentAnswer) -> bool:
    """Whether words of the question that the draft says nothing of are in what is quoted (half of two or more)."""
    best = drafting.drafts[0]
    said = " ".join((*best.understood, *best.assumptions, *best.metrics, *drafting.linked, best.sql))
    rest = asked(question).words - words_of(said.replace("_", " "))
    rest = frozenset(word for word in rest if word.isascii() or len(word) > 1)
    quotes = words_of(" ".join(citation.quote for citation in documents.citations))
    return len(rest) >= 2 and 2 * len(rest & quotes) >= len(rest)


def _route(kind: RouteKind, context: Context, reason: str) -> Route:
    return Route(kind, text(f"route.{reason}", context.language), reason)
