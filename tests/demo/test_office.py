"""The situational tables in PostgreSQL: the warehouse's facts, for those who may see them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demo import building
from demo.constants import LAST_DAY
from demo.errors import NotADemoHome
from demo.office import fill_office, office_mark
from demo.people import ROLES, USERS
from retrieval.postgres.database import Database
from retrieval.situational.declared import load_sources
from retrieval.types import Clock, Fact, Principal

Query = Callable[..., list[tuple[Any, ...]]]
SOURCES = Path(building.__file__).with_name("files") / "situational.yaml"


@pytest.fixture
def office(database: Database, warehouse_file: Path) -> Database:
    fill_office(database, warehouse_file, "mark")
    return database


def rows(database: Database, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with database.connection() as connection:
        return connection.execute(sql, values).fetchall()


def user(user_id: str) -> Principal:
    found = next(one for one in USERS if one.id == user_id)
    attributes = {n: tuple(v) if isinstance(v, list) else v for n, v in found.attributes.items()}
    return Principal(id=found.id, roles=found.roles, attributes=attributes)


def asked(database: Database, clock: Clock, user_id: str, question: str) -> list[Fact]:
    """Facts of the declared sources alone."""
    sources = load_sources(SOURCES, database, clock)
    declared = [source for source in sources if source.name.startswith("insurer.")]
    assert len(declared) == 6
    return [fact for source in declared for fact in source.fetch(user(user_id), question)]


def test_it_holds_what_the_warehouse_holds(office: Database, query: Query) -> None:
    customers = rows(
        office, "SELECT customer_id, name, birth_date, prefecture, agent_id FROM insurer.customers"
    )
    assert sorted(customers) == query(
        "SELECT DISTINCT customer_id, customer_name, birth_date, prefecture, agent_id FROM policies ORDER BY 1"
    )
    assert rows(office, "SELECT count(*) FROM insurer.vehicles") == query(
        "SELECT count(DISTINCT vehicle_id) FROM policies"
    )
    assert rows(office, "SELECT count(*) FROM insurer.policies WHERE status = 'Active'") == query(
        "SELECT count(*) FROM policies WHERE status = 'Active'"
    )
    assert rows(office, "SELECT count(*), sum(reserve_yen) FROM insurer.open_claims") == query(
        "SELECT count(*), sum(reserve_yen) FROM claims WHERE status = 'Open'"
    )
    notes = rows(
        office, "SELECT min(called_at)::date, max(called_at)::date, count(*) FROM insurer.call_notes"
    )[0]
    assert notes[0].year in (2025, 2026)
    assert notes[1] <= LAST_DAY
    assert notes[2] > 500


def test_the_latest_policy_of_each_vehicle_is_there(office: Database, query: Query) -> None:
    latest = query(
        "SELECT vehicle_id, arg_max(policy_id, term_number), max(end_date) FROM policies GROUP BY 1 ORDER BY 1"
    )
    assert rows(office, "SELECT vehicle_id, policy_id, policy_end FROM insurer.policies ORDER BY 1") == latest


def test_names_are_written_in_japanese_too(office: Database) -> None:
    pairs = rows(
        office, "SELECT name, name_ja FROM insurer.customers WHERE split_part(name, ' ', 1) = 'Tanaka'"
    )
    assert pairs
    assert all(written.startswith("田中 ") for _, written in pairs)


def test_users_and_roles_are_those_of_the_demo(office: Database) -> None:
    found = rows(office, "SELECT id, language, roles, attributes FROM insurer.users ORDER BY id")
    expected = sorted((u.id, u.language, list(u.roles), u.attributes) for u in USERS)
    assert found == expected
    assert {row[0] for row in rows(office, "SELECT role FROM insurer.roles")} == set(ROLES)


def test_phones_are_not_real_numbers(office: Database) -> None:
    assert rows(office, "SELECT count(*) FROM insurer.customers WHERE phone !~ '^070-0000-[0-9]{4}$'") == [
        (0,)
    ]


def test_filling_again_replaces(office: Database, warehouse_file: Path) -> None:
    before = rows(office, "SELECT count(*) FROM insurer.customers")
    assert office_mark(office) == "mark"
    fill_office(office, warehouse_file, "another")
    assert office_mark(office) == "another"
    assert rows(office, "SELECT count(*) FROM insurer.customers") == before


def test_another_schema_of_that_name_is_left_alone(database: Database, warehouse_file: Path) -> None:
    with database.connection() as connection, connection.transaction():
        connection.execute("CREATE SCHEMA insurer")
        connection.execute("CREATE TABLE insurer.customers (id int)")
    with pytest.raises(NotADemoHome, match="not the demo's"):
        fill_office(database, warehouse_file, "mark")
    with pytest.raises(NotADemoHome):
        office_mark(database)
    assert rows(database, "SELECT count(*) FROM insurer.customers") == [(0,)]


def test_an_unfilled_database_has_no_mark(database: Database) -> None:
    assert office_mark(database) is None


def of_agent(office: Database, agent: str) -> tuple[str, str, str]:
    found = rows(
        office,
        "SELECT customer_id, name, name_ja FROM insurer.customers c WHERE agent_id = %s AND"
        " (SELECT count(*) FROM insurer.customers AS o WHERE o.name = c.name) = 1 ORDER BY 1 LIMIT 1",
        agent,
    )
    return found[0]


@pytest.mark.parametrize("by", ["number", "name", "Japanese name"])
def test_an_agent_is_told_of_own_customers_only(office: Database, clock: Clock, by: str) -> None:
    number, name, written = of_agent(office, "A0003")
    question = {
        "number": f"When does the policy of {number} expire?",
        "name": f"When does the policy of {name} expire?",
        "Japanese name": f"{written}さんの満期日はいつですか",
    }[by]
    facts = asked(office, clock, "aoi", question)
    told = {fact.name: fact.value for fact in facts}
    assert told["customer.name"] == name
    assert told["customer.agent_id"] == "A0003"
    end = rows(office, "SELECT max(policy_end) FROM insurer.policies WHERE customer_id = %s", number)[0][0]
    assert end.isoformat() in {fact.value for fact in facts if fact.name == "policy.policy_end"}
    assert all(fact.as_of is not None and fact.as_of.date() == LAST_DAY for fact in facts)
    assert asked(office, clock, "ren", question) == []
    assert asked(office, clock, "guest", question) == []


def test_a_manager_is_told_of_own_prefectures_only(office: Database, clock: Clock) -> None:
    number, name, _ = of_agent(office, "A0003")
    for question in (f"Which plan has {number}?", f"Which plan has {name}?"):
        assert {
            fact.value
            for fact in asked(office, clock, "kenji", question)
            if fact.name == "customer.prefecture"
        } == {"Osaka"}
        assert asked(office, clock, "emma", question) == []


def test_an_analyst_is_told_no_name_and_finds_nobody_by_name(office: Database, clock: Clock) -> None:
    number, name, written = of_agent(office, "A0003")
    told = {fact.name for fact in asked(office, clock, "ana", f"Which plan has {number}?")}
    assert "policy.plan" in told
    assert not told & {"customer.name", "customer.name_ja"}
    assert asked(office, clock, "ana", f"Which plan has {name}?") == []
    assert asked(office, clock, "ana", f"{written}さんのプランは") == []


def test_the_office_sees_everything(office: Database, clock: Clock) -> None:
    number, name, _ = of_agent(office, "A0001")
    assert name in {fact.value for fact in asked(office, clock, "mika", f"Which plan has {number}?")}


def test_a_policy_is_found_by_its_own_number(office: Database, clock: Clock) -> None:
    policy, plan = rows(office, "SELECT policy_id, plan FROM insurer.policies ORDER BY 1 LIMIT 1")[0]
    told = {fact.name: fact.value for fact in asked(office, clock, "mika", f"What is the plan of {policy}?")}
    assert told["policy.plan"] == plan


def test_a_question_without_a_customer_asks_nothing(office: Database, clock: Clock) -> None:
    assert asked(office, clock, "mika", "What was the loss ratio in FY2025?") == []


def test_facts_are_named_in_both_languages(office: Database, clock: Clock) -> None:
    number, _, _ = of_agent(office, "A0003")
    for fact in asked(office, clock, "aoi", number):
        assert fact.labels["en"], fact.name
        assert any(not label.isascii() for label in fact.labels["ja"]), fact.name
