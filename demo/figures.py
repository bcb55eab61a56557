"""The figures of the loss report, by plain SQL over the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from demo.constants import REPORT_MONTH


@dataclass(frozen=True)
class Part:
    """Sums over one slice of the business: yen, yen, vehicle-days, and claims without rejected ones."""

    earned: int = 0
    incurred: int = 0
    days: int = 0
    claims: int = 0

    @property
    def loss_ratio(self) -> float:
        """Incurred over earned; 0 where nothing was earned."""
        return self.incurred / self.earned if self.earned else 0.0

    @property
    def frequency(self) -> float:
        """Claims a vehicle-year; 0 where nothing was covered."""
        return self.claims / (self.days / 365) if self.days else 0.0

    @property
    def severity(self) -> float:
        """Yen a claim; 0 where there was none."""
        return self.incurred / self.claims if self.claims else 0.0


@dataclass(frozen=True)
class Figures:
    """Everything the report says. `so_far`, `by_product` … run from April to the end of the report's month."""

    month: Part
    so_far: Part
    by_product: dict[str, Part]
    by_cause: dict[str, Part]
    by_prefecture: dict[str, Part]
    by_year: dict[int, Part]
    premier_share: float


def figures(connection: duckdb.DuckDBPyConnection) -> Figures:
    """Compute them all."""
    start, upto = date(REPORT_MONTH.year, 4, 1), _next_month(REPORT_MONTH)
    products = [row[0] for row in _rows(connection, "SELECT product FROM products ORDER BY base_premium_yen")]
    claims = "count(*) FILTER (status <> 'Rejected')"
    window = "FROM claims WHERE occurred_on >= $1 AND occurred_on < $2"
    causes = _rows(
        connection,
        f"SELECT cause, {claims}, sum(incurred_yen)::BIGINT {window} GROUP BY 1 ORDER BY 3 DESC, 1",
        start,
        upto,
    )
    places = _rows(
        connection,
        f"SELECT prefecture, {claims}, sum(incurred_yen)::BIGINT {window} GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT 5",
        start,
        upto,
    )
    share = _rows(connection, "SELECT avg((product = 'Premier')::INTEGER) FROM policies")[0][0]
    return Figures(
        month=_part(connection, REPORT_MONTH, upto),
        so_far=_part(connection, start, upto),
        by_product={product: _part(connection, start, upto, product) for product in products},
        by_cause={name: Part(claims=count, incurred=amount) for name, count, amount in causes},
        by_prefecture={name: Part(claims=count, incurred=amount) for name, count, amount in places},
        by_year={
            year: _part(connection, date(year, 4, 1), date(year + 1, 4, 1))
            for year in range(2023, REPORT_MONTH.year)
        },
        premier_share=float(share),
    )


def _part(connection: duckdb.DuckDBPyConnection, start: date, upto: date, product: str = "") -> Part:
    only = " AND product = $3" if product else ""
    values = (start, upto, *([product] if product else []))
    premium = "coalesce(sum(earned_yen), 0)::BIGINT, coalesce(sum(exposure_days), 0)::BIGINT FROM premiums"
    loss = "coalesce(sum(incurred_yen), 0)::BIGINT, count(*) FILTER (status <> 'Rejected') FROM claims"
    earned, days = _rows(
        connection,
        f"SELECT {premium} WHERE month >= $1 AND month < $2{only}",
        *values,
    )[0]
    incurred, claims = _rows(
        connection,
        f"SELECT {loss} WHERE occurred_on >= $1 AND occurred_on < $2{only}",
        *values,
    )[0]
    return Part(earned, incurred, days, claims)


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    return connection.execute(sql, list(values)).fetchall()


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
