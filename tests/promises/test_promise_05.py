"""Promise 5: row policies and masks at every scan of a table, bound tighter than OR, default deny."""

from __future__ import annotations

from tests.promises.shop import CLERK, DIALECTS, ENGINES, MINE, NOBODY, allowed, place, refused
from text2sql.policy import parse

COUNT = len(MINE)
TOTAL = sum(row[4] for row in MINE)
SHAPES = {
    "SELECT COUNT(*) FROM sales": COUNT,
    "SELECT COUNT(*) FROM sales WHERE amount > 0 OR 1 = 1": COUNT,
    "SELECT COUNT(*) FROM sales WHERE NOT (1 = 0) OR region <> 'Kanto'": COUNT,
    "SELECT COUNT(*) FROM stores AS s JOIN sales AS x ON x.store_id = s.store_id OR 1 = 1": 9 * COUNT,
    "SELECT COUNT(x.sale_id) FROM stores AS s LEFT JOIN sales AS x ON 1 = 1": 9 * COUNT,
    "SELECT COUNT(*) FROM sales AS a JOIN sales AS b ON a.sale_id = b.sale_id": COUNT,
    "WITH every AS (SELECT amount FROM sales) SELECT SUM(amount) FROM every": TOTAL,
    "WITH a AS (WITH b AS (SELECT amount FROM sales) SELECT * FROM b) SELECT SUM(amount) FROM a": TOTAL,
    "SELECT COUNT(*) FROM (SELECT sale_id FROM sales UNION ALL SELECT sale_id FROM sales) AS u": 2 * COUNT,
    "SELECT COUNT(*) FROM (SELECT -1 AS sale_id UNION SELECT sale_id FROM sales) AS u": COUNT + 1,
    "SELECT COUNT(*) FROM (SELECT store_id FROM stores EXCEPT SELECT store_id FROM sales) AS u": 6,
    "SELECT (SELECT SUM(amount) FROM sales)": TOTAL,
    "SELECT COUNT(*) FROM stores AS s WHERE EXISTS (SELECT 1 FROM sales AS x WHERE x.store_id = s.store_id)": 3,
    "SELECT COUNT(*) FROM stores WHERE store_id IN (SELECT store_id FROM sales)": 3,
    "SELECT COUNT(*) FROM stores WHERE (SELECT COUNT(*) FROM sales) = 30": 0,
    "SELECT MAX(n) FROM (SELECT COUNT(*) OVER () AS n FROM sales) AS w": COUNT,
    "SELECT size FROM stores ORDER BY CASE WHEN (SELECT COUNT(*) FROM sales) = 30 THEN size ELSE -size END LIMIT 1": 90,
    "SELECT COUNT(*) FROM stores HAVING (SELECT COUNT(*) FROM sales) < 30": 9,
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM sales WHERE region = 'Kansai') THEN 1 ELSE 0 END": 0,
    "SELECT COUNT(*) FROM sales WHERE buyer = 'Buyer 03'": 0,
    "SELECT COUNT(*) FROM sales WHERE buyer = 'B***'": COUNT,
    "SELECT COUNT(DISTINCT buyer) FROM sales": 1,
}


def test_only_the_callers_rows_reach_any_shape_of_query() -> None:
    for engine in ENGINES:
        for sql, expected in SHAPES.items():
            assert place(engine).rows(sql) == [(expected,)], f"{engine}: {sql}"


def test_masks_hold_in_every_clause() -> None:
    for engine in ENGINES:
        assert place(engine).rows("SELECT DISTINCT buyer FROM sales ORDER BY buyer") == [("B***",)]
        grouped = "SELECT buyer, COUNT(*) AS n FROM sales GROUP BY buyer HAVING buyer LIKE 'B%'"
        assert place(engine).rows(grouped) == [("B***", COUNT)]
        assert place(engine).rows("SELECT s.buyer FROM sales AS s WHERE s.buyer LIKE 'Buyer%'") == []


def test_hidden_columns_and_tables_are_not_there() -> None:
    for dialect in DIALECTS:
        assert refused(dialect, "SELECT note FROM sales") == "unknown_column"
        assert refused(dialect, "SELECT amount FROM sales ORDER BY note") == "unknown_column"
        assert refused(dialect, "SELECT person FROM bonuses") == "unknown_table"
    for engine in ENGINES:
        rows = place(engine).rows("SELECT * FROM sales")
        assert len(rows) == COUNT
        assert not any("note" in str(value) for row in rows for value in row)


def test_nobody_is_admitted_by_default() -> None:
    for dialect in DIALECTS:
        assert refused(dialect, "SELECT region FROM stores", NOBODY) == "unknown_table"
    unlisted = parse("tables: {sales: {grants: [{roles: [clerk]}]}}")
    verdict = place("sqlite").check("SELECT region FROM stores", CLERK, unlisted)
    assert not verdict.allowed, "a table without a rule is readable by nobody"


def test_a_missing_attribute_admits_nothing() -> None:
    for dialect in DIALECTS:
        assert (
            refused(dialect, "SELECT amount FROM sales", type(CLERK)("kim", roles=("clerk",)))
            == "unknown_table"
        )


def test_attributes_are_bound_and_never_text() -> None:
    odd = type(CLERK)("kim", roles=("clerk",), attributes={"regions": ("x') OR ('1' = '1",)})
    for dialect in DIALECTS:
        verdict = allowed(dialect, "SELECT amount FROM sales", odd)
        assert "'1'" not in verdict.sql
        assert "x') OR ('1' = '1" in verdict.parameters.values()
    for engine in ENGINES:
        assert place(engine).rows("SELECT amount FROM sales", odd) == []
