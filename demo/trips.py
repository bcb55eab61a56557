"""Trips recorded by the device in the car: the table that grows to hundreds of millions of rows.

DuckDB makes them by itself, a month at a time, so that memory stays bounded and progress can be told. Which vehicle
drives when follows from the premiums: trips are dealt out evenly over the days covered. Everything else is read off a
hash of the trip's number and the seed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import duckdb

from demo.errors import DemoError
from retrieval.types import Progress

TRIPS_A_CUSTOMER = 20
"""Without a scale: a sample, so that the small insurer is built in seconds."""
CUSTOMERS_FOR_TRIPS = 2000
"""With a scale and no number of customers, there is one for so many trips: about two a day and vehicle."""
KEYED_TRIPS = 1_000_000
"""Above it the table has no keys: checking them takes longer than the rest."""
MOST_TRIPS = 1_000_000_000
NIGHT_FROM, NIGHT_UPTO = 22, 5

_SCALE = re.compile(r"(\d+(?:\.\d+)?)([km]?)", re.IGNORECASE)
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}


class Scale(NamedTuple):
    """How large the insurer is."""

    customers: int
    trips: int


def scale_of(customers: int | None, scale: str | None, usual: int = 1000) -> Scale:
    """The size asked for. `scale` is rows of `trips`: `100m`, `500k` or a plain number. Raises `DemoError`."""
    if scale is None:
        count = usual if customers is None else customers
        return Scale(count, count * TRIPS_A_CUSTOMER)
    found = _SCALE.fullmatch(scale.strip().replace(",", "").replace("_", ""))
    trips = round(float(found[1]) * _UNITS[found[2].lower()]) if found else 0
    if not 1 <= trips <= MOST_TRIPS:
        raise DemoError(
            "The scale is not a number of rows that can be built",
            where=f"--scale {scale}",
            todo=f"Give rows of the table of trips, from 1 to {MOST_TRIPS:,}: for example 1m, 10m or 100m.",
        )
    return Scale(max(usual, trips // CUSTOMERS_FOR_TRIPS) if customers is None else customers, trips)


_TABLE = """
CREATE TABLE trips (
    trip_id BIGINT{key}, policy_id VARCHAR NOT NULL{policies}, product VARCHAR NOT NULL{products},
    prefecture VARCHAR NOT NULL{prefectures}, channel VARCHAR NOT NULL{channels}, agent_id VARCHAR NOT NULL{agents},
    started_at TIMESTAMP NOT NULL, distance_km DECIMAL(6, 1) NOT NULL, minutes INTEGER NOT NULL,
    hard_brakes INTEGER NOT NULL, at_night BOOLEAN NOT NULL
)"""
# A policy's month has the trips from `before` to `upto`, so that all of them together are exactly as many as wanted.
_SLOTS = """
CREATE TEMP TABLE slots AS
SELECT month, policy_id, product, prefecture, channel, agent_id, risk, since, days,
    ((days_before * $trips) // days_total)::BIGINT AS before,
    (((days_before + days) * $trips) // days_total)::BIGINT AS upto
FROM (
    SELECT m.month, m.policy_id, m.product, m.prefecture, m.channel, m.agent_id, r.risk,
        greatest(m.month, p.start_date)::TIMESTAMP AS since, m.exposure_days AS days,
        coalesce(sum(m.exposure_days) OVER (
            ORDER BY m.month, m.policy_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS days_before,
        sum(m.exposure_days) OVER () AS days_total
    FROM premiums AS m JOIN policies AS p USING (policy_id) JOIN s_risk AS r ON r.prefecture = m.prefecture
    WHERE m.exposure_days > 0
) AS covered
ORDER BY month, policy_id"""
# Bits of `h` are used once each: day, two parts of the hour, minute, distance, speed, brakes.
_INSERT = f"""
INSERT INTO trips
SELECT trip, policy_id, product, prefecture, channel, agent_id,
    since + to_days((h & 1023)::INTEGER % days) + to_minutes(hour * 60 + ((h >> 18) & 63)::INTEGER % 60),
    km, 2 + (km * (150 + ((h >> 40) & 127)) // 100)::INTEGER,
    floor(km * 0.05 * risk * (CASE WHEN night THEN 1.3 ELSE 1.0 END) + ((h >> 48) & 4095) / 4096.0)::INTEGER, night
FROM (
    SELECT *, hour >= {NIGHT_FROM} OR hour < {NIGHT_UPTO} AS night,
        (0.4 - 9.0 * ln((1 + ((h >> 24) & 65535)) / 65537.0))::DECIMAL(6, 1) AS km
    FROM (
        SELECT *, (4 + ((h >> 10) & 15)::INTEGER % 12 + ((h >> 14) & 15)::INTEGER % 12) % 24 AS hour
        FROM (SELECT *, hash(trip * 4294967296 + $seed) AS h FROM (
            SELECT * EXCLUDE (before, upto), unnest(range(before + 1, upto + 1)) AS trip
            FROM slots WHERE month BETWEEN $first AND $last AND upto > before)))
)
"""  # noqa: S608 - own numbers
_KEYS = {"key": " PRIMARY KEY", "policies": " REFERENCES policies (policy_id)",
         "products": " REFERENCES products (product)", "prefectures": " REFERENCES prefectures (prefecture)",
         "channels": " REFERENCES channels (channel)", "agents": " REFERENCES agents (agent_id)"}  # fmt: skip


def add_trips(
    connection: duckdb.DuckDBPyConnection, trips: int, seed: int, progress: Progress, *, keys: bool
) -> None:
    """Fill the table `trips` of the warehouse in use, from its premiums and the registered table `s_risk`."""
    connection.execute(
        _TABLE.format_map(_KEYS if keys and trips <= KEYED_TRIPS else dict.fromkeys(_KEYS, ""))
    )
    connection.execute(_SLOTS, {"trips": trips})
    months = [row[0] for row in connection.execute("SELECT DISTINCT month FROM slots ORDER BY 1").fetchall()]
    # A statement has its own cost: few trips are made in one.
    step = 1 if trips > KEYED_TRIPS else len(months)
    for start in range(0, len(months), step):
        progress("the insurer's trips", start, len(months))
        part = months[start : start + step]
        connection.execute(_INSERT, {"first": part[0], "last": part[-1], "seed": seed})
    progress("the insurer's trips", len(months), len(months))
    connection.execute("DROP TABLE slots")
