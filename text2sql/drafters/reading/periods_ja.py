"""Japanese atoms of periods: 年度, 和暦, 上期/下期, 四半期, 先月, 直近3か月. Most specific first."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

from text2sql.drafters.reading import calendar
from text2sql.drafters.reading.calendar import Period
from text2sql.drafters.reading.periods_en import Make, relative, rolling

ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867}
"""Year 1 of an era is this plus one."""
_LETTERS = {"r": "令和", "h": "平成", "s": "昭和"}
_KANJI = {"一": 1, "二": 2, "三": 3, "四": 4, "１": 1, "２": 2, "３": 3, "４": 4}

_ERA_YEAR = rf"(?:(?P<era>{'|'.join(ERAS)})(?P<in_era>\d{{1,2}}|元))"
_YEAR = rf"(?:(?P<year>(?:19|20)\d{{2}})|{_ERA_YEAR}|(?P<word>今|本|当|昨|前|去|一昨|来))"
_WORDS = {"今": 0, "本": 0, "当": 0, "昨": -1, "前": -1, "去": -1, "一昨": -2, "来": 1}
_PART = r"(?:第?(?P<quarter>[1-4一二三四])四半期|(?P<q>[QqＱ])(?P<qn>[1-4])|(?P<half>上期|下期|上半期|下半期|前期|後期))"
_HALVES = {"上期": 1, "上半期": 1, "前期": 1, "下期": 2, "下半期": 2, "後期": 2}


def _year_number(match: re.Match[str], today: int) -> int:
    named = match.groupdict()
    if named.get("year"):
        return int(named["year"])
    if named.get("era"):
        number = 1 if named["in_era"] == "元" else int(named["in_era"])
        return ERAS[named["era"]] + number
    return today + _WORDS[named["word"]]


def _fiscal(match: re.Match[str], today: date, fiscal_start: int) -> Period:
    current = calendar.fiscal_year_of(today, fiscal_start)
    return _part_of(match, calendar.fiscal_year(_year_number(match, current), fiscal_start))


def _part_of(match: re.Match[str], whole: Period) -> Period:
    named = match.groupdict()
    if named.get("half"):
        return calendar.part_of(whole, 2, _HALVES[named["half"]])
    digit = named.get("quarter") or named.get("qn")
    if not digit:
        return whole
    return calendar.part_of(whole, 4, _KANJI.get(digit) or int(digit))


def _calendar_part(match: re.Match[str], today: date, fiscal_start: int) -> Period:
    """2024年第1四半期: of the calendar or of the fiscal year; 上期/下期 belong to fiscal years."""
    number = _year_number(match, today.year)
    fiscal = _part_of(match, calendar.fiscal_year(number, fiscal_start))
    plain = _part_of(match, calendar.year(number))
    if fiscal_start == 1:
        return plain
    if match.groupdict().get("half"):
        return replace(fiscal, assumption="fiscal", rivals=(plain,))
    return replace(plain, rivals=(fiscal,))


def _bare_part(match: re.Match[str], today: date, fiscal_start: int) -> Period:
    whole = calendar.fiscal_year(calendar.fiscal_year_of(today, fiscal_start), fiscal_start)
    return replace(_part_of(match, whole), assumption="no_year")


def _date(match: re.Match[str], today: date, _fiscal_start: int) -> Period:
    number = _year_number(match, today.year)
    month, day = match.groupdict().get("month"), match.groupdict().get("day")
    if day:
        return calendar.day(date(number, int(month or 1), int(day)))
    return calendar.month(number, int(month)) if month else calendar.year(number)


def _bare_month(match: re.Match[str], today: date, _fiscal_start: int) -> Period:
    number = int(match["month"])
    year = today.year if number <= today.month else today.year - 1
    period = calendar.month(year, number)
    return replace(period, assumption="no_year")


def _day_word(match: re.Match[str], today: date, _fiscal_start: int) -> Period:
    back = {"今日": 0, "本日": 0, "昨日": 1, "きのう": 1, "一昨日": 2, "おととい": 2}[match.group()]
    return calendar.day(today - timedelta(days=back))


def _unit_word(match: re.Match[str], today: date, fiscal_start: int) -> Period:
    offset = {"先々": -2, **_WORDS, "先": -1, "翌": 1}[match["which"]]
    unit = {"週": "week", "月": "month", "四半期": "quarter", "期": "fiscal year"}[match["unit"]]
    period = relative(unit, offset, today, fiscal_start)
    return period.named(f"{match.group()} ({period.label})")


def _two_years_ago(_match: re.Match[str], today: date, _fiscal_start: int) -> Period:
    return calendar.year(today.year - 2)


def _rolling(match: re.Match[str], today: date, _fiscal_start: int) -> Period:
    said = match["unit"]
    unit = {"日": "day", "週": "week", "四": "quarter", "年": "year"}.get(said[0], "month")
    return rolling(unit, int(match["count"]), today)


def _to_date(match: re.Match[str], today: date, fiscal_start: int) -> Period:
    unit = {"年初来": "year", "月初来": "month"}.get(match.group(), "fiscal year")
    whole = relative(unit, 0, today, fiscal_start)
    return Period(whole.start, today + timedelta(days=1), whole.unit, f"{match.group()}")


ATOMS: tuple[tuple[re.Pattern[str], Make], ...] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (r"年初来|月初来|年度累計|期初来|今年度累計|今期累計", _to_date),
        (rf"{_YEAR}年度の?{_PART}", _fiscal),
        (rf"{_YEAR}年度(?!ごと|別)", _fiscal),
        (rf"{_YEAR}年の?{_PART}", _calendar_part),
        (rf"{_YEAR}年の?(?P<month>1[0-2]|0?[1-9])月(?P<day>3[01]|[12]\d|0?[1-9])日", _date),
        (rf"{_YEAR}年の?(?P<month>1[0-2]|0?[1-9])月", _date),
        (rf"{_YEAR}年(?!度|間|ごと|別|代|同|比|以内)", _date),
        (r"(?P<year>(?:19|20)\d{2})/(?P<month>\d{1,2})(?:/(?P<day>\d{1,2}))?(?!\d)", _date),
        (r"おととし", _two_years_ago),
        (
            r"(?:直近|過去|最近|ここ)の?(?P<count>\d{1,3})\s*(?P<unit>日間?|週間?|[かカヶケヵ箇]月間?|四半期|年間?)",
            _rolling,
        ),
        (r"一昨日|今日|本日|昨日|きのう|おととい", _day_word),
        (r"(?P<which>先々|今|当|先|前|翌|来|昨)(?P<unit>週|月|四半期|期)(?!比|同|間|別|ごと|間)", _unit_word),
    )
)

BARE: tuple[tuple[re.Pattern[str], Make], ...] = (
    (re.compile(rf"{_PART}(?!別|ごと|毎|比)"), _bare_part),
    (re.compile(r"(?<![\d年])(?P<month>1[0-2]|0?[1-9])月(?!別|ごと|毎|間|\d)"), _bare_month),
)
"""Without a year: tried when nothing else, in either language, wants the words."""
