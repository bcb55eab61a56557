"""Trips: exactly as many as asked for, within the cover, the same for the same seed, and made without Python's rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from demo.errors import DemoError
from demo.trips import CUSTOMERS_FOR_TRIPS, KEYED_TRIPS, MOST_TRIPS, TRIPS_A_CUSTOMER, scale_of
from demo.warehouse import build_warehouse, fingerprints
from ingest.reading import read

Query = Callable[..., list[tuple[Any, ...]]]


@pytest.mark.parametrize(
    ("customers", "scale", "expected"),
    [
        (None, None, (1000, 1000 * TRIPS_A_CUSTOMER)),
        (300, None, (300, 300 * TRIPS_A_CUSTOMER)),
        (None, "100m", (100_000_000 // CUSTOMERS_FOR_TRIPS, 100_000_000)),
        (None, "100M", (50_000, 100_000_000)),
        (None, "10m", (5000, 10_000_000)),
        (None, "1.5m", (1000, 1_500_000)),
        (None, "250k", (1000, 250_000)),
        (None, "1,000,000", (1000, 1_000_000)),
        (70, "1000", (70, 1000)),
    ],
)
def test_sizes(customers: int | None, scale: str | None, expected: tuple[int, int]) -> None:
    assert scale_of(customers, scale) == expected


@pytest.mark.parametrize("scale", ["", "many", "0", "-5", "1g", "1e6", str(MOST_TRIPS + 1), "0.1"])
def test_what_is_no_size(scale: str) -> None:
    with pytest.raises(DemoError, match="scale") as caught:
        scale_of(None, scale)
    assert caught.value.where.startswith("--scale")


@pytest.mark.parametrize("trips", [1, 7, 12_345])
def test_there_are_exactly_as_many_as_asked_for(tmp_path: Path, trips: int) -> None:
    path = tmp_path / "w.duckdb"
    build_warehouse(path, 20, 3, trips=trips)
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(
            "SELECT count(*), count(DISTINCT trip_id), min(trip_id), max(trip_id) FROM trips"
        )
        assert found.fetchall() == [(trips, trips, 1, trips)]


def test_a_large_table_is_made_by_month_and_without_keys(tmp_path: Path) -> None:
    path, seen = tmp_path / "w.duckdb", list[tuple[str, int, int]]()
    wanted = KEYED_TRIPS + 1
    build_warehouse(path, 20, 3, trips=wanted, progress=lambda *stage: seen.append(stage))
    assert [done for _, done, _ in seen] == list(range(len(seen)))
    assert len(seen) > 40
    assert seen[-1][1] == seen[-1][2]
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM trips").fetchall() == [(wanted,)]
        keys = connection.execute("SELECT count(*) FROM duckdb_constraints() WHERE table_name = 'trips' AND constraint_type = 'PRIMARY KEY'")  # fmt: skip
        assert keys.fetchall() == [(0,)]


def test_more_trips_change_no_other_table(tmp_path: Path) -> None:
    few, many = tmp_path / "few.duckdb", tmp_path / "many.duckdb"
    build_warehouse(few, 30, 3, trips=10)
    build_warehouse(many, 30, 3, trips=500)
    one, other = fingerprints(few), fingerprints(many)
    assert {table for table in one if one[table] != other[table]} == {"trips"}


def test_nobody_drives_outside_the_cover(query: Query) -> None:
    outside = """SELECT count(*) FROM trips JOIN policies USING (policy_id)
        WHERE started_at::DATE < start_date OR started_at::DATE >= coalesce(cancelled_on, end_date)
        OR trips.product <> policies.product OR trips.prefecture <> policies.prefecture
        OR trips.channel <> policies.channel OR trips.agent_id <> policies.agent_id"""
    assert query(outside) == [(0,)]
    assert query("SELECT count(*) FROM trips") == [(1000 * TRIPS_A_CUSTOMER,)]


def test_trips_are_plausible(query: Query) -> None:
    wrong = """SELECT count(*) FROM trips WHERE distance_km <= 0 OR minutes < 2 OR hard_brakes < 0
        OR at_night <> (hour(started_at) >= 22 OR hour(started_at) < 5)
        OR distance_km * 60 / minutes > 60"""
    assert query(wrong) == [(0,)]
    km, brakes, night, months = query(
        "SELECT avg(distance_km)::DOUBLE, sum(hard_brakes) / sum(distance_km) * 100, avg(at_night::INTEGER),"
        " count(DISTINCT date_trunc('month', started_at)) FROM trips"
    )[0]
    assert 7 < km < 12
    assert 4 < brakes < 7
    assert 0.04 < night < 0.15
    assert months == 44


def test_risky_prefectures_brake_harder(query: Query) -> None:
    """The larger insurer's regions differ because the prefectures' risks do, not by chance alone."""
    rows = query(
        "SELECT prefecture, sum(hard_brakes)::DOUBLE, sum(distance_km)::DOUBLE FROM trips GROUP BY 1"
    )
    from demo.prefectures import PREFECTURES

    risk = {p.name: p.risk for p in PREFECTURES}
    middle = sorted(risk.values())[len(risk) // 2]

    def rate(high: bool) -> float:
        mine = [(brakes, km) for name, brakes, km in rows if (risk[name] > middle) is high]
        return sum(b for b, _ in mine) / sum(k for _, k in mine)

    assert rate(high=True) > rate(high=False)


def test_the_papers_say_what_was_recorded(papers: Path, query: Query) -> None:
    (path,) = papers.glob("telematics/safe-drive.en.*")
    text = read(path.read_bytes(), path.name).text
    rows = query("SELECT hard_brakes, distance_km, at_night FROM trips")
    braking = 100 * sum(r[0] for r in rows) / float(sum(r[1] for r in rows))
    flat = " ".join(text.split())
    assert f"{len(rows):,} trips have been recorded." in flat
    assert f"The hard braking rate of all of them is {braking:.2f} per 100 km." in flat
    assert f"{100 * sum(r[2] for r in rows) / len(rows):.1f} percent of the trips were night trips." in flat
    (path,) = papers.glob("news/press-release-2026-11.en.*")
    assert f"{len(rows):,} trips" in read(path.read_bytes(), path.name).text
