from __future__ import annotations

from pathlib import Path

import pytest

from app.directory import FileDirectory, SqlDirectory
from app.errors import SettingsError, UnknownUser
from retrieval.postgres.database import Database

USERS = """
users:
  - {id: zoe, name: Zoe, roles: [seller], attributes: {regions: [North, East], seller_id: 7}}
  - {id: ana, name: 佐藤, language: ja, roles: [analyst]}
"""


def file(tmp_path: Path, text: str) -> FileDirectory:
    path = tmp_path / "users.yaml"
    path.write_text(text, encoding="utf-8")
    return FileDirectory(path)


def test_lookup_in_a_file(tmp_path: Path) -> None:
    directory = file(tmp_path, USERS)
    zoe = directory.lookup("zoe")
    assert zoe.roles == ("seller",)
    assert zoe.attributes == {"regions": ("North", "East"), "seller_id": 7}
    assert [who.id for who in directory.everyone()] == ["ana", "zoe"]
    assert directory.lookup("ana").language == "ja"


def test_an_unknown_user_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownUser, match="mallory"):
        file(tmp_path, USERS).lookup("mallory")


@pytest.mark.parametrize(
    "text",
    [
        "users: 3",
        "people: []",
        "users: [{name: x}]",
        "users: [{id: x, admin: true}]",
        "users: [{id: x, language: fr}]",
        "users: [",
    ],
)
def test_a_broken_list_of_users_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError):
        file(tmp_path, text).lookup("x")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"users\.yaml"):
        FileDirectory(tmp_path / "users.yaml").everyone()


def users_table(database: Database) -> None:
    with database.connection() as connection:
        connection.execute("CREATE TABLE people (id text, name text, roles text[], attributes jsonb)")
        connection.execute(
            """INSERT INTO people VALUES ('kim', 'Kim', '{seller}', '{"regions": ["South"]}')"""
        )


def test_lookup_by_sql(database: Database) -> None:
    users_table(database)
    directory = SqlDirectory(database, "SELECT id, name, roles, attributes FROM people;")
    assert directory.lookup("kim").attributes == {"regions": ("South",)}
    assert [who.name for who in directory.everyone()] == ["Kim"]
    with pytest.raises(UnknownUser):
        directory.lookup("' OR true --")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM people) AS users; DROP TABLE people; SELECT * FROM (SELECT 1 AS id",
        "DELETE FROM people RETURNING id",
        "SELECT nothing FROM nowhere",
    ],
)
def test_a_users_query_only_reads(database: Database, sql: str) -> None:
    users_table(database)
    with pytest.raises(SettingsError):
        SqlDirectory(database, sql).everyone()
    with database.connection() as connection:
        assert connection.execute("SELECT count(*) FROM people").fetchone() == (1,)


def test_countries_and_answers_stay_words(tmp_path: Path) -> None:
    text = "users: [{id: x, roles: [on, 7], attributes: {countries: [NO, SE], active: yes}}]"
    who = file(tmp_path, text).lookup("x")
    assert who.attributes == {"countries": ("NO", "SE"), "active": "yes"}
    assert who.roles == ("on", "7")


@pytest.mark.parametrize(
    "entry",
    [
        "{id: x, roles: analyst}",
        "{id: x, roles: 5}",
        "{id: x, attributes: [north]}",
        "{id: x, attributes: north}",
        "{id: x, language: [en]}",
        "ana",
        "5",
    ],
)
def test_an_entry_of_another_shape_is_refused(tmp_path: Path, entry: str) -> None:
    with pytest.raises(SettingsError):
        file(tmp_path, f"users: [{entry}]").lookup("x")


def test_two_entries_for_one_user_admit_nobody(tmp_path: Path, database: Database) -> None:
    directory = file(tmp_path, "users: [{id: x, roles: [clerk]}, {id: x, roles: [owner]}, {id: y}]")
    with pytest.raises(SettingsError, match="2 entries"):
        directory.lookup("x")
    assert directory.lookup("y").roles == ()
    users_table(database)
    twice = SqlDirectory(database, "SELECT id FROM people UNION ALL SELECT id FROM people")
    with pytest.raises(SettingsError, match="2 entries"):
        twice.lookup("kim")


def test_a_comment_may_end_the_users_query(database: Database) -> None:
    users_table(database)
    assert SqlDirectory(database, "SELECT id, name FROM people -- everyone").lookup("kim").name == "Kim"
