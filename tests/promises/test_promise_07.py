"""Promise 7: arithmetic is looked at: rows multiplied under an aggregate, tables that nothing joins, and their kind."""

from __future__ import annotations

from tests.promises.shop import ENGINES, place

MISTAKES = {
    "cartesian": "SELECT COUNT(*) FROM stores, sales",
    "fan_out": "SELECT SUM(s.size) FROM stores AS s JOIN sales AS x ON x.store_id = s.store_id",
    "join_not_key": "SELECT COUNT(*) FROM stores AS s JOIN sales AS x ON x.amount = s.size",
    "no_common_values": "SELECT COUNT(*) FROM stores AS s JOIN sales AS x ON x.buyer = s.region",
    "type_mismatch": "SELECT COUNT(*) FROM stores WHERE region = 5",
    "ungrouped": "SELECT region, COUNT(*) FROM stores",
    "out_of_range": "SELECT COUNT(*) FROM stores WHERE size = 5000",
}
SOUND = (
    "SELECT COUNT(*) FROM stores",
    "SELECT SUM(x.amount) FROM stores AS s JOIN sales AS x ON x.store_id = s.store_id",
    "SELECT region, COUNT(*) FROM stores GROUP BY region",
    "SELECT s.store_id, s.region, COUNT(*) FROM stores AS s JOIN sales AS x ON x.store_id = s.store_id GROUP BY s.store_id, s.region",
    "SELECT COUNT(*) FROM stores WHERE size > 50",
)


def test_mistakes_of_meaning_are_said() -> None:
    for code, sql in MISTAKES.items():
        said = {
            engine: {warn.code for warn in verdict.warnings} | {v.code for v in verdict.violations}
            for engine in ENGINES
            for verdict in [place(engine).open(sql)]
        }
        assert code in said["sqlite"], f"{code}: {sql} {said}"
        # The strict engines refuse some of them, and with the engine's own reason.
        for engine in ENGINES:
            assert said[engine], f"{engine}: {sql}"


def test_what_is_sound_is_left_alone() -> None:
    for engine in ENGINES:
        for sql in SOUND:
            hard = [warn.code for warn in place(engine).open(sql).warnings if warn.severity == "hard"]
            assert not hard, f"{engine}: {sql}: {hard}"
