"""What a column is to a person: what its table is called by, and which numbers may be added or averaged."""

from __future__ import annotations

from typing import Literal

from text2sql.key_names import Name
from text2sql.types import Column, Table
from text2sql.words import split_name

MeasureKind = Literal["additive", "average"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEVER = _words(
    "id code cd no nr key zip postal postcode postalcode phone tel fax mobile year yr month day hour minute second "
    "week quarter date time ymd epoch timestamp latitude longitude lat lng lon long altitude rank ranking position "
    "order sequence seq version index row flag is has round number num grid serial isbn ssn ip port 番号 コード 緯度 "
    "経度 順位 年 月 日"
)
_AVERAGE = _words(
    "price rate ratio percent percentage pct share average avg mean median age score rating grade gpa level stars "
    "temperature temp humidity pressure speed height weight length width depth size elevation density "
    "expectancy probability latency margin growth change min max minimum maximum low lowest high highest limit "
    "capacity 単価 価格 率 割合 比率 平均 年齢 得点 点数 評価 身長 体重 気温 面積"
)
_ADDITIVE = _words(
    "amount total sum sales revenue income cost expense quantity qty count number population budget profit volume "
    "paid payment balance fee tax discount 金額 売上 売上高 数量 件数 合計 人数 費用 利益 人口"
) - {"number"}
_PER = _words("unit per avg average mean median min max minimum maximum")
"""Whatever else the name says: `unit_cost` is no cost to be added up (`units` are)."""
_ENDINGS_NEVER = ("番号", "コード", "緯度", "経度", "順位")
_ENDINGS_AVERAGE = ("率", "単価", "価格", "年齢", "割合")
_TITLE_WORDS = ("name", "title", "名", "名称", "氏名", "名前", "タイトル", "label", "fullname")


def measure_kind(column: Column, referring: frozenset[str]) -> MeasureKind | None:
    """Whether a numeric column may be summed, only averaged, or is no measure. `referring`: key columns.

    Unknown names count as additive; a person who knows better edits the model.
    """
    if column.family not in ("integer", "number") or column.name in referring or _is_flag(column):
        return None
    name = Name.of(column.name)
    words = name.words
    if _PER.intersection(split_name(column.name).split()):
        return "average"
    if _counts(name) or (words and words[-1] in _ADDITIVE | {"unit"}):
        return "additive"
    identifies = name.keyed and column.family == "integer"
    if not words or identifies or words[-1] in _NEVER or words[-1].endswith(_ENDINGS_NEVER):
        return None
    if _AVERAGE.intersection(words) or words[-1].endswith(_ENDINGS_AVERAGE):
        return "average"
    return None if _NEVER.intersection((words[0],)) else "additive"


def _is_flag(column: Column) -> bool:
    return column.profile is not None and column.profile.complete and set(column.profile.values) <= {"0", "1"}


def _counts(name: Name) -> bool:
    """`number_of_visits`, `num_visits`: a count, though `number` and `num` alone are identifiers."""
    return len(name.words) > 1 and name.words[0] in ("number", "num", "count") and not name.keyed


def title_column(table: Table, referring: frozenset[str]) -> str:
    """The column a person calls a row by: a name or title of the table's own, "" where there is none."""
    texts = [c for c in table.columns if c.family == "text" and c.name not in referring]
    ranked = sorted(texts, key=lambda c: (-_title_score(table, c), -_distinct_share(table, c)))
    return ranked[0].name if ranked and _title_score(table, ranked[0]) > 0 else ""


def _title_score(table: Table, column: Column) -> float:
    words = Name.of(column.name).words
    if not words:
        return 0.0
    own = set(Name.of(table.name).words)
    score = 0.0
    if words[-1] in _TITLE_WORDS or column.name.endswith(_TITLE_WORDS[2:7]):
        rest = set(words[:-1])
        score = 4.0 if not rest or rest <= own else 2.0
        if rest & {"first", "last", "middle", "user", "file", "short", "family", "given", "kana"}:
            score = 1.0
    elif "".join(words) == "".join(Name.of(table.name).words):
        score = 3.0
    if score and _distinct_share(table, column) < 0.2:
        score *= 0.25  # a category's name, not the row's
    return score


def _distinct_share(table: Table, column: Column) -> float:
    if not table.rows or column.profile is None or column.profile.distinct is None:
        return 1.0
    return column.profile.distinct / table.rows
