"""From a question to items: of all ways to cover it with known pieces, the cheapest.

Few long pieces beat many short ones, a model's own words beat similar ones, and every word that stays unknown
costs much, so that a reading with an unknown word is taken only where there is no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from retrieval.language import detect
from text2sql.drafters.reading.items import CODES, Item, Reading
from text2sql.drafters.reading.lexicon import lexicon
from text2sql.drafters.reading.numbers import Number, find_numbers
from text2sql.drafters.reading.periods import PeriodSpan, Today, find_periods
from text2sql.drafters.reading.tidying import tidied
from text2sql.drafters.reading.together import together
from text2sql.linking import Link, Linker
from text2sql.values import ValueIndex, ValueMatch
from text2sql.words import Token, normal, tokenize

MOST_CHARACTERS = 1_000
"""Longer questions are cut here: no question about a warehouse is as long."""

_QUOTED = re.compile(
    r"\"([^\"]{1,120})\"|“([^”]{1,120})”|「([^」]{1,120})」|『([^』]{1,120})』|(?<!\w)'([^']{1,120})'(?!\w)"
    r"|`([^`]{1,120})`"
)
_LIMITS = (
    (re.compile(r"(?:上位|トップ|ベスト|TOP)\s?(\d{1,4})(?:件|名(?!前)|人|位|社|つ|個)?", re.IGNORECASE), "desc"),
    (re.compile(r"(?:下位|ワースト|BOTTOM)\s?(\d{1,4})(?:件|名(?!前)|人|位|社|つ|個)?", re.IGNORECASE), "asc"),
    (re.compile(r"(?:先頭|最初の?)(\d{1,4})(?:件|行|レコード)"), "head"),
    (re.compile(r"(\d{1,4})(?:つ|個|件|人|名|社|か所|カ所|ヶ所|位)(?:を|だけ|のみ|ほど)?(?=挙げ|あげ|列挙|教え)"), "head"),
    (re.compile(r"(\d{1,4})(?:件|行)(?:だけ|のみ|ほど|を|ずつ)?(?=表示|抽出|出力|取得|示|見せ|列挙)"), "head"),
)  # fmt: skip
_DEFINITION = re.compile(
    r"\bwhat (?:do|does|did)\b.*\b(?:means?|about|say|write|reply|complain)\b|何について|何と(?:言|答|回答)|どう(?:回答|答え|返事)",
    re.IGNORECASE,
)
"""What something means, or what somebody said: no count of them answers that."""
_AS_OF = re.compile(r"(?:[年月日末]|年度|期)(?:時点|現在)")
"""A state on a day that is over: periods only say when something happened."""
_FIRST_AND_LAST = re.compile(r"\bfirst(?: name)?(?: and |, )last name(s?)\b", re.IGNORECASE)
_HAVING = ("have", "has", "had", "having")
_PHRASE_COSTS = {"verb": 2.2, "filler": 2.2}
_KANJI_RUN_COST = 2.5
_COSTS = {"word": 6.0, "number": 3.0, "kanji": _KANJI_RUN_COST, "katakana": _KANJI_RUN_COST, "kana": 1.2}


@dataclass(frozen=True, slots=True)
class _Piece:
    """A candidate item over tokens [start, end) and what it costs."""

    start: int
    end: int
    cost: float
    item: Item


class Reader:
    """Reads questions against one model's words and one caller's values. Immutable; safe between threads."""

    def __init__(self, linker: Linker, values: ValueIndex) -> None:
        self._linker = linker
        self._values = values

    def read(self, question: str, today: Today) -> Reading:
        """The cheapest cover of the question. Never raises."""
        text = _FIRST_AND_LAST.sub(r"first name\1 and last name\1", normal(question)[:MOST_CHARACTERS])
        language = detect(text)
        tokens = tokenize(text)
        pieces = self._pieces(text, tokens, today, language)
        heard = _said_again(tidied(_cover(tokens, pieces, text), text), text)
        items = _spoken(heard)
        merged = together(list(_merge_unknown(items, text)), text, self._linker)
        if match := _DEFINITION.search(text) or _AS_OF.search(text):
            merged.append(Item("!", match.start(), match.end(), match.group(), role="unsupported"))
        return Reading(text, language, tuple(merged), _verbs(heard))

    def _pieces(self, text: str, tokens: list[Token], today: Today, language: str) -> dict[int, list[_Piece]]:
        fixed = [*_quoted(text, self._values), *_limits(text)]
        spans = [(item.start, item.end) for item in fixed]
        fixed += [_period(span, text, language) for span in find_periods(text, today)]
        fixed += [Item("N", n.start, n.end, text[n.start : n.end], number=n) for n in find_numbers(text)]
        pieces: dict[int, list[_Piece]] = {}
        for item in fixed:
            piece = _over(tokens, item)
            if piece and (item.code in "QT" or not any(s < item.end and item.start < e for s, e in spans)):
                pieces.setdefault(piece.start, []).append(piece)
        texts = [token.text for token in tokens]
        for at in range(len(tokens)):
            pieces.setdefault(at, []).extend(self._open(text, tokens, texts, at, language))
        return pieces

    def _open(
        self, text: str, tokens: list[Token], texts: list[str], at: int, language: str
    ) -> Iterator[_Piece]:
        token = tokens[at]
        for end, phrase in lexicon(language).at(texts, at):
            if not phrase.katakana and any(each.kind == "katakana" for each in tokens[at:end]):
                continue  # folding makes ト and と one; a particle is never written so
            item = replace(_item(CODES[phrase.role], text, tokens, at, end), role=phrase.role, tag=phrase.tag)
            # Verbs between two tables and filling nouns add nothing, but a column of that name goes first.
            cost = _PHRASE_COSTS.get(phrase.role, 0.7 if item.code == "." else 1.0)
            yield _Piece(at, end, cost, item)
        if token.kind == "mark":
            code = "," if token.text in (",", "、", ";") else "(" if token.text == "(" else "."
            yield _Piece(at, at + 1, 0.1, _item(code, text, tokens, at, at + 1))
            return
        for end, links in self._linker.at(tokens, at):
            item = _linked(text, tokens, at, end, links)
            yield _Piece(at, end, 1.05 + 2 * (1 - links[0].score), item)
        for end, matches in self._values.at(tokens, at):
            if _sayable(text, tokens, at, end, matches) and not _cuts_word(tokens, at, end):
                item = replace(_item("V", text, tokens, at, end), values=matches)
                yield _Piece(at, end, 1.2, item)
        if token.kind == "word":
            fuzzy = self._linker.fuzzy(token.stem)
            if fuzzy:
                yield _Piece(at, at + 1, 3.0, _linked(text, tokens, at, at + 1, fuzzy))


def _spoken(items: list[Item]) -> list[Item]:
    """Without glue. "By" after a verb names who did it, not what to group by."""
    kept: list[Item] = []
    verb = False
    for item in items:
        if item.code == "b" and verb:
            kept.append(replace(item, code="w"))
        elif item.code != ".":
            kept.append(item)
        verb = item.role == "verb" or (verb and item.code == "w")
    return kept


def _verbs(items: list[Item]) -> tuple[str, ...]:
    """What is said to be done or had."""
    said = [item for item in items if item.role in ("verb", "relative")]
    return tuple(i.text for i in said if i.role == "verb" or i.text.lower().split()[-1] in _HAVING)


def _said_again(items: list[Item], text: str) -> list[Item]:
    """売上金額（amount）: what stands in brackets says the word before again, in the model's own words, and wins."""
    kept: list[Item] = []
    for at, item in enumerate(items):
        if item.code == "(":
            following = items[at + 1].code if at + 1 < len(items) else ""
            end = item.start
            while following and following in "DEM" and kept and _same_word(kept[-1], end, text):
                end = kept.pop().start
        else:
            kept.append(item)
    return kept


def _same_word(item: Item, end: int, text: str) -> bool:
    """Whether an item is part of the compound that ends there; 売上データ is one with or without its データ."""
    if item.role == "filler":
        return True
    return item.code in "UDEMV" and not text[item.end : end]


def _cover(tokens: list[Token], pieces: dict[int, list[_Piece]], text: str) -> list[Item]:
    """The cheapest sequence of pieces, by dynamic programming from the right."""
    count = len(tokens)
    best: list[tuple[float, _Piece | None]] = [(0.0, None)] * (count + 1)
    for at in range(count - 1, -1, -1):
        unknown = _Piece(at, at + 1, _COSTS.get(tokens[at].kind, 0.1), _unknown(text, tokens[at]))
        choices = [(piece.cost + best[piece.end][0], piece) for piece in (*pieces.get(at, ()), unknown)]
        best[at] = min(choices, key=lambda choice: (choice[0], -choice[1].end))
    items, at = [], 0
    while at < count:
        piece = best[at][1] or _Piece(at, at + 1, 0.0, _unknown(text, tokens[at]))
        items.append(piece.item)
        at = piece.end
    return items


def _unknown(text: str, token: Token) -> Item:
    # Hiragana that no phrase lists is an ending, not a content word.
    code = "." if token.kind in ("kana", "mark") else "U"
    return Item(code, token.start, token.end, text[token.start : token.end], role=token.kind)


def _merge_unknown(items: list[Item], text: str) -> Iterator[Item]:
    """Neighbouring unknown Japanese characters are one word."""
    held: Item | None = None
    for item in items:
        if (
            held
            and held.code == item.code == "U"
            and item.start == held.end
            and item.role != "word" != held.role
        ):
            held = Item("U", held.start, item.end, text[held.start : item.end], role=held.role)
            continue
        if held:
            yield held
        held = item
    if held:
        yield held


def _item(code: str, text: str, tokens: list[Token], at: int, end: int) -> Item:
    start, stop = tokens[at].start, tokens[end - 1].end
    return Item(code, start, stop, text[start:stop])


def _linked(text: str, tokens: list[Token], at: int, end: int, links: tuple[Link, ...]) -> Item:
    """One item for everything the words may name; the code is the likeliest kind."""
    plural = tokens[end - 1].text != tokens[end - 1].stem
    best = {kind: max((k.score for k in links if k.kind == kind), default=0.0) for kind in _KINDS}
    if best["metric"] and best["metric"] >= max(best["dimension"], best["entity"]):
        code = "M"
    elif (
        best["entity"] > best["dimension"]
        or (best["entity"] and plural)
        or (best["entity"] and best["entity"] == best["dimension"])
    ):
        code = "E"
    else:
        code = "D"
    return replace(_item(code, text, tokens, at, end), links=links, plural=plural)


_KINDS = ("metric", "dimension", "entity")


def _sayable(text: str, tokens: list[Token], at: int, end: int, matches: tuple[ValueMatch, ...]) -> bool:
    """Whether words outside quotes may be meant as this value: no bare number, no lone common letter."""
    said = text[tokens[at].start : tokens[end - 1].end]
    if said.replace(",", "").replace(".", "").isdigit():
        return False
    first = tokens[at].text
    if first in ("the", "a", "an", "all", "this") and said.islower():
        return False
    if len(said) == 1 and said.isascii():
        return said.isupper() and said not in "AI"
    if end - at == 1 and len(said) <= 3 and said.isascii() and said.islower():
        return any(match.value == said for match in matches)
    return True


def _cuts_word(tokens: list[Token], at: int, end: int) -> bool:
    """Whether a value begins or ends inside a run of katakana, or is one kanji of a compound (中 of 中央)."""
    kind = tokens[at].kind
    if kind not in ("katakana", "kanji") or (kind == "kanji" and end - at > 1):
        return False
    before = at > 0 and tokens[at - 1].kind == kind and tokens[at - 1].end == tokens[at].start
    last = tokens[end - 1]
    after = end < len(tokens) and tokens[end].kind == last.kind == kind and last.end == tokens[end].start
    return before or after


def _quoted(text: str, values: ValueIndex) -> list[Item]:
    found = []
    for match in _QUOTED.finditer(text):
        inner = next(group for group in match.groups() if group is not None)
        found.append(Item("Q", match.start(), match.end(), inner, values=values.lookup(inner)))
    return found


def _limits(text: str) -> list[Item]:
    found: list[Item] = []
    for pattern, tag in _LIMITS:
        for match in pattern.finditer(text):
            if not any(match.start() < item.end and item.start < match.end() for item in found):
                number = Number(match.start(1), match.end(1), Decimal(match[1]), text=match[1])
                found.append(Item("T", match.start(), match.end(), match.group(), tag=tag, number=number))
    return found


def _year_number(year: int | None) -> Number | None:
    return Number(0, 0, Decimal(year), text=str(year)) if year else None


def _period(span: PeriodSpan, text: str, language: str) -> Item:
    """Japanese answers name a period as the question did; English labels are made by the calendar."""
    said = text[span.start : span.end]
    period = span.period.named(said) if language == "ja" else span.period
    return Item("P", span.start, span.end, said, span.opened, period=period, number=_year_number(period.year))


def _over(tokens: list[Token], item: Item) -> _Piece | None:
    """The piece over the tokens that the item's characters touch; None where it cuts through one."""
    inside = [at for at, token in enumerate(tokens) if token.start < item.end and item.start < token.end]
    if not inside or tokens[inside[0]].start < item.start or tokens[inside[-1]].end > item.end:
        return None
    cost = {"Q": -50.0, "T": 0.5, "P": 0.8, "N": 1.0}[item.code]
    return _Piece(inside[0], inside[-1] + 1, cost, item)
