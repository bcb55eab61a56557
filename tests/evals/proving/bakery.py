"""A small database with NULLs, repeats and awkward types, and statements that scan it in every place there is."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.evals.little_sets import make_sqlite

_ROWS = """
INSERT INTO branch VALUES (1, 'North', 'Oslo', '2019-04-01'), (2, 'South', 'Oslo', '2020-11-30'),
  (3, 'East', 'Bergen', NULL), (4, 'West', 'Bergen', '2021-02-15'), (5, 'Quay', 'oslo', '2019-12-24');
INSERT INTO baker VALUES (1, 'Ana', 34, 2100.5, 1), (2, 'Bo', 28, 1900, 1), (3, 'Cyrus', 51, 2600.25, 2),
  (4, 'Dina', 34, 2150, 3), (5, 'Edda', NULL, 2000, NULL), (6, 'Finn', 45, 2300, 3), (7, 'O''Hara', 19, NULL, 4),
  (8, NULL, 60, 3100, 9), (9, 'Gus', 34, 2150, 3), (10, 'Hedda', 28, 1900, 2), (11, 'Ivo', 44, 2222, 5);
INSERT INTO skill VALUES (1, 'rye', 3), (1, 'bagel', 2), (2, 'rye', 1), (3, 'toast', 3), (4, 'rye', 2), (6, 'bagel', 3),
  (7, 'rye', NULL), (8, 'toast', 1), (9, 'rye', 2), (10, 'bagel', 1), (11, 'toast', 2), (12, 'rye', 3);
"""
SCRIPT = f"""
CREATE TABLE branch (branch_id INTEGER, name TEXT, city TEXT, opened TEXT);
CREATE TABLE baker (baker_id INTEGER, name TEXT, age INTEGER, wage REAL, branch_id INTEGER);
CREATE TABLE skill (baker_id INTEGER, bread TEXT, level INTEGER);
{_ROWS}"""
TYPED = f"""
CREATE TABLE branch (branch_id INTEGER, name VARCHAR, city VARCHAR, opened DATE);
CREATE TABLE baker (baker_id INTEGER, name VARCHAR, age INTEGER, wage DOUBLE, branch_id INTEGER);
CREATE TABLE skill (baker_id INTEGER, bread VARCHAR, level INTEGER);
{_ROWS}"""
QUERIES = (
    "SELECT name, age FROM baker",
    "SELECT * FROM branch ORDER BY name",
    "SELECT COUNT(*) FROM baker",
    "SELECT city, COUNT(*) FROM branch GROUP BY city HAVING COUNT(*) > 1",
    "SELECT name FROM baker ORDER BY age DESC LIMIT 3",
    "SELECT name FROM baker ORDER BY wage, age",
    "SELECT name FROM branch ORDER BY opened, city",
    "SELECT bread FROM skill ORDER BY level DESC, bread",
    "SELECT name FROM baker WHERE age < 30 OR wage > 2000",
    "SELECT bread FROM skill WHERE level = 3 OR bread = 'rye'",
    "SELECT name FROM branch WHERE city = 'Oslo' OR branch_id > 2",
    "SELECT b.name, r.name FROM baker AS b LEFT JOIN branch AS r ON b.branch_id = r.branch_id",
    "SELECT b.name, s.bread FROM baker AS b LEFT JOIN skill AS s ON s.baker_id = b.baker_id AND s.level > 1",
    "SELECT b.name, s.bread FROM baker AS b JOIN skill AS s ON s.baker_id = b.baker_id",
    "WITH old AS (SELECT baker_id, age FROM baker WHERE age > 30) SELECT COUNT(*), SUM(age) FROM old",
    "WITH c AS (SELECT branch_id FROM branch) SELECT name FROM baker WHERE branch_id IN (SELECT branch_id FROM c)",
    "SELECT name FROM baker UNION SELECT name FROM branch",
    "SELECT baker_id FROM baker EXCEPT SELECT baker_id FROM skill",
    "SELECT baker_id FROM baker INTERSECT SELECT baker_id FROM skill",
    "SELECT name FROM baker WHERE EXISTS (SELECT 1 FROM skill WHERE skill.baker_id = baker.baker_id)",
    "SELECT name FROM baker WHERE NOT EXISTS (SELECT 1 FROM skill WHERE skill.baker_id = baker.baker_id AND level > 1)",
    "SELECT name FROM baker WHERE branch_id NOT IN (SELECT branch_id FROM branch WHERE branch_id IS NOT NULL)",
    "SELECT name FROM baker WHERE wage > (SELECT AVG(wage) FROM baker)",
    "SELECT AVG(wage), MIN(age), MAX(age) FROM baker WHERE name LIKE '%a%'",
    "SELECT (SELECT COUNT(*) FROM skill AS s WHERE s.baker_id = b.baker_id) AS n, b.name FROM baker AS b",
)


def sqlite_file(folder: Path) -> Path:
    return make_sqlite(folder / "bakery.sqlite", SCRIPT)


def duckdb_file(folder: Path) -> Path:
    path = folder / "bakery.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(TYPED)
    return path
