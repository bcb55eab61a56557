"""Promise 6: literals are looked at: what a column does not hold is said, with what is near, of what the caller sees."""

from __future__ import annotations

from tests.promises.shop import CLERK, ENGINES, place, policy
from text2sql.policy import visible_catalog
from text2sql.scoped_profiles import with_scoped_profiles
from text2sql.types import Warn


def _absent(engine: str, sql: str) -> list[Warn]:
    at = place(engine)  # type: ignore[arg-type]  # one of ENGINES
    return [warn for warn in at.check(sql).warnings if warn.code == "literal_absent"]


def test_a_value_that_is_not_there_is_said_with_the_nearest() -> None:
    for engine in ENGINES:
        found = _absent(engine, "SELECT size FROM stores WHERE region = 'Kantoo'")
        assert [warn.suggestions for warn in found] == [("Kanto",)], engine
        assert found[0].position is not None


def test_in_every_place_where_a_column_meets_a_text() -> None:
    for engine in ENGINES:
        for condition in ("region IN ('Kanto', 'Kantoo')", "'Kantoo' = region", "NOT region = 'Kantoo'"):
            assert _absent(engine, f"SELECT size FROM stores WHERE {condition}"), f"{engine}: {condition}"
        assert _absent(
            engine, "SELECT COUNT(*) FROM (SELECT region AS r FROM stores) AS d WHERE r = 'Kantoo'"
        )


def test_a_value_that_is_there_is_not_said() -> None:
    for engine in ENGINES:
        assert not _absent(engine, "SELECT size FROM stores WHERE region = 'Kanto'")


def test_values_of_others_are_no_suggestion() -> None:
    for engine in ENGINES:
        for warn in _absent(engine, "SELECT amount FROM sales WHERE region = 'Kansaii'"):
            assert "Kansai" not in (*warn.suggestions, *warn.message.split())
        warehouse = place(engine).warehouse
        mine = visible_catalog(policy(), warehouse.catalog(), CLERK)
        scoped = with_scoped_profiles(mine, CLERK, policy(), place(engine).guard, warehouse)
        sales = scoped.table("sales")
        assert sales is not None
        region = sales.column("region")
        assert region is not None
        assert region.profile is not None
        assert region.profile.values == ("Kanto",)
