"""Dates in each dialect: columns that hold days in whatever form, compared with periods and cut into buckets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlglot import exp

from text2sql.drafters.planning.plan import CannotPlan
from text2sql.drafters.reading.calendar import Period, Unit
from text2sql.types import Dialect

Form = Literal["date", "timestamp", "text", "number", "year", "first_day"]
"""How days are held: as dates, as timestamps, as ISO text, as a number like 20240401, as a bare year, or as a year
written as its first day (which knows nothing shorter than a year either)."""


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """A column (or expression) that holds days, in one dialect."""

    expression: exp.Expr
    form: Form
    dialect: Dialect
    fiscal_start: int = 4

    def within(self, period: Period) -> exp.Expr:
        """The predicate that holds for rows of the period."""
        if self.form == "year":
            return self._years(period)
        if self.form == "first_day":
            _whole_years(period)
        parts: list[exp.Expr] = []
        if period.start:
            parts.append(exp.GTE(this=self._comparable(), expression=self._literal(period.start)))
        if period.end:
            parts.append(exp.LT(this=self._comparable(), expression=self._literal(period.end)))
        return exp.and_(*parts)

    def bucket(self, unit: Unit, shift: int = 0) -> exp.Expr:
        """The first day (DuckDB, PostgreSQL: a date; SQLite: text) or the year of the bucket a row is in.

        `shift` moves rows that many months later first, so that last year's rows fall into this year's buckets.
        """
        if self.form == "first_day" and unit != "year":
            raise CannotPlan("only_years")
        if self.form == "year":
            if unit not in ("year", "fiscal_year"):
                raise CannotPlan("only_years")
            years = self.expression.copy()
            return years if not shift else exp.Add(this=years, expression=_number(shift // 12))
        if self.dialect == "sqlite":
            return self._sqlite_bucket(unit, shift)
        day = self._as_date()
        if shift:
            day = exp.Add(this=day, expression=_months(shift))
        if unit == "fiscal_year":
            if self.fiscal_start > 1:
                day = exp.Sub(this=day, expression=_months(self.fiscal_start - 1))
            return exp.cast(exp.Extract(this=exp.var("YEAR"), expression=day), "INT")
        if unit == "year":
            return exp.cast(exp.Extract(this=exp.var("YEAR"), expression=day), "INT")
        if unit == "day":
            return exp.cast(day, "DATE")
        truncated = exp.TimestampTrunc(this=day, unit=exp.var(unit.upper()))
        return exp.cast(truncated, "DATE")

    def _years(self, period: Period) -> exp.Expr:
        """Whole years only: a column of years knows nothing shorter."""
        parts: list[exp.Expr] = []
        _whole_years(period)
        if period.start and period.end and period.end.year == period.start.year + 1:
            return exp.EQ(this=self.expression.copy(), expression=_number(period.start.year))
        if period.start:
            parts.append(exp.GTE(this=self.expression.copy(), expression=_number(period.start.year)))
        if period.end:
            parts.append(exp.LT(this=self.expression.copy(), expression=_number(period.end.year)))
        return exp.and_(*parts)

    def _comparable(self) -> exp.Expr:
        if self.form == "text" and self.dialect != "sqlite":
            return exp.cast(self.expression.copy(), "DATE")
        return self.expression.copy()

    def _literal(self, value: date) -> exp.Expr:
        if self.form == "number":
            return _number(int(value.strftime("%Y%m%d")))
        text = exp.Literal.string(value.isoformat())
        return text if self.dialect == "sqlite" else exp.cast(text, "DATE")

    def _as_date(self) -> exp.Expr:
        column = self.expression.copy()
        if self.form == "number":
            text = exp.cast(column, "VARCHAR")
            if self.dialect == "duckdb":
                return exp.cast(exp.func("strptime", text, exp.Literal.string("%Y%m%d")), "DATE")
            return exp.func("to_date", text, exp.Literal.string("YYYYMMDD"), dialect=self.dialect)
        return exp.cast(column, "DATE") if self.form == "text" else column

    def _sqlite_bucket(self, unit: Unit, shift: int) -> exp.Expr:
        day = self.expression.copy()
        if self.form == "number":
            day = _dashed(day)
        modifiers = []
        if shift:
            modifiers = (
                ["start of month", f"{shift:+d} months"]
                if unit not in ("day", "week")
                else [f"{shift:+d} months"]
            )
        if unit == "fiscal_year":
            modifiers += ["start of month", f"-{self.fiscal_start - 1} months"]
        if unit == "week":
            modifiers += ["weekday 0", "-6 days"]
        formats = {"day": "%Y-%m-%d", "week": "%Y-%m-%d", "month": "%Y-%m"}
        if unit in formats:
            return _strftime(formats[unit], day, modifiers)
        year = _strftime("%Y", day, modifiers)
        if unit in ("year", "fiscal_year"):
            return exp.cast(year, "INTEGER")
        if unit != "quarter":
            raise CannotPlan("unsupported", name="half year")
        month = exp.cast(_strftime("%m", day, modifiers), "INTEGER")
        quarter = exp.Div(this=exp.paren(exp.Add(this=month, expression=_number(2))), expression=_number(3),
                          typed=True)  # fmt: skip
        named = exp.DPipe(this=year, expression=exp.Literal.string("-Q"))
        return exp.DPipe(this=named, expression=exp.paren(quarter))


def _whole_years(period: Period) -> None:
    """Raises `CannotPlan` for a period that begins or ends inside a year."""
    for bound in (period.start, period.end):
        if bound and (bound.month, bound.day) != (1, 1):
            raise CannotPlan("only_years")


def _number(value: int) -> exp.Expr:
    return exp.Literal.number(value)


def _months(count: int) -> exp.Expr:
    return exp.Interval(this=exp.Literal.string(str(count)), unit=exp.var("MONTH"))


def _strftime(pattern: str, day: exp.Expr, modifiers: list[str]) -> exp.Expr:
    parts = [exp.Literal.string(pattern), day.copy(), *(exp.Literal.string(text) for text in modifiers)]
    return exp.Anonymous(this="STRFTIME", expressions=parts)


def _dashed(number: exp.Expr) -> exp.Expr:
    """20240401 as '2024-04-01': what SQLite's date functions read."""
    parts = [
        exp.Anonymous(this="SUBSTR", expressions=[number.copy(), _number(start), _number(size)])
        for start, size in ((1, 4), (5, 2), (7, 2))
    ]
    joined: exp.Expr = parts[0]
    for part in parts[1:]:
        joined = exp.DPipe(this=exp.DPipe(this=joined, expression=exp.Literal.string("-")), expression=part)
    return joined
