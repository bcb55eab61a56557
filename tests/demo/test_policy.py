"""Who sees what: the policy covers every table, and every user has what it asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo import building
from demo.documents import PAPERS
from demo.notes import agents
from demo.people import ROLES, USERS, User
from demo.prefectures import PREFECTURES
from retrieval.types import Access, Principal
from text2sql.policy import Policy, load, visible_catalog
from text2sql.types import Catalog

FILE = Path(building.__file__).with_name("files") / "policy.yaml"
WITH_ROWS = ("policies", "premiums", "claims", "payments", "calls", "campaign_contacts", "trips", "agents")
EVERYBODYS = {"products", "prefectures", "channels", "dates"}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load(FILE)


def caller(user: User) -> Principal:
    attributes = {n: tuple(v) if isinstance(v, list) else v for n, v in user.attributes.items()}
    return Principal(id=user.id, roles=user.roles, attributes=attributes)


def named(user_id: str) -> Principal:
    return caller(next(user for user in USERS if user.id == user_id))


def test_every_table_has_a_rule_and_every_rule_a_table(policy: Policy, catalog: Catalog) -> None:
    assert set(policy.tables) == {table.name for table in catalog.tables}


def test_rules_fit_the_columns(policy: Policy, catalog: Catalog) -> None:
    for name, rule in policy.tables.items():
        table = catalog.table(name)
        assert table is not None
        for grant in rule.grants:
            for column in (*grant.masks, *grant.hide):
                assert table.column(column) is not None, f"{name}.{column}"
            columns = "agent_id" if "agent_id" in grant.rows else "prefecture"
            assert grant.rows == "all" or table.column(columns) is not None


def test_every_role_is_known_and_used(policy: Policy) -> None:
    granted = {role for rule in policy.tables.values() for grant in rule.grants for role in grant.roles}
    assert granted - {"everyone"} == set(ROLES)
    assert {role for user in USERS for role in user.roles} == set(ROLES)


def test_there_are_at_least_six_users_with_unique_ids() -> None:
    assert len({user.id for user in USERS}) == len(USERS) >= 6
    assert {user.language for user in USERS} == {"en", "ja"}


@pytest.mark.parametrize("user", [u for u in USERS if u.roles], ids=lambda user: user.id)
def test_every_user_with_a_role_is_admitted_to_every_table(user: User, policy: Policy) -> None:
    for table in policy.tables:
        assert policy.grants(table, caller(user)), table


def test_without_a_role_only_the_lists_are_there(policy: Policy, catalog: Catalog) -> None:
    seen = visible_catalog(policy, catalog, named("guest"))
    assert {table.name for table in seen.tables} == EVERYBODYS


def test_a_manager_sees_own_prefectures_and_an_agent_own_customers(policy: Policy) -> None:
    for table in WITH_ROWS:
        assert [grant.rows for grant in policy.grants(table, named("kenji"))] == [
            "prefecture IN (:prefectures)"
        ]
        assert [grant.rows for grant in policy.grants(table, named("aoi"))] == ["agent_id = :agent_id"]
    assert policy.values("prefectures", named("kenji")) == (
        "Shiga",
        "Kyoto",
        "Osaka",
        "Hyogo",
        "Nara",
        "Wakayama",
    )


def test_a_manager_without_prefectures_is_not_admitted(policy: Policy) -> None:
    lost = Principal(id="x", roles=("regional_manager",))
    assert all(policy.grants(table, lost) == () for table in WITH_ROWS)


def test_names_and_birth_dates_are_masked_for_analysts_only(policy: Policy, catalog: Catalog) -> None:
    (analyst,) = policy.grants("policies", named("ana"))
    assert (analyst.mask("customer_name"), analyst.mask("birth_date")) == ("null", "year")
    for user in ("mika", "kenji", "aoi"):
        (grant,) = policy.grants("policies", named(user))
        assert grant.mask("customer_name") is None
    table = visible_catalog(policy, catalog, named("ana")).table("policies")
    assert table is not None
    name = table.column("customer_name")
    assert name is not None
    assert name.profile is None


def test_no_other_table_holds_names_or_birth_dates_of_customers(catalog: Catalog) -> None:
    for table in catalog.tables:
        held = {c.name for c in table.columns} & {"customer_name", "birth_date"}
        assert not held or table.name == "policies"


def test_managers_prefectures_exist() -> None:
    known = {p.name for p in PREFECTURES}
    for user in USERS:
        assert set(user.attributes.get("prefectures", ())) <= known


@pytest.mark.parametrize(
    ("folder", "labels"),
    [
        ("internal", {"role:regional_manager", "role:admin"}),
        ("agents", {"role:agent", "role:regional_manager", "role:admin"}),
        ("reports", {"role:analyst", "role:regional_manager", "role:admin"}),
        ("products", {"everyone"}),
        ("faq", {"everyone"}),
        ("news", {"everyone"}),
        ("campaigns", {"role:agent", "role:analyst", "role:regional_manager", "role:admin"}),
        ("minutes", {"role:regional_manager", "role:admin"}),
        ("letters", {"role:analyst", "role:regional_manager", "role:admin"}),
        ("mail", {"role:analyst", "role:regional_manager", "role:admin"}),
        ("notes/A0001", {"user:ren", "user:emma", "role:admin"}),
        ("notes/A0003", {"user:aoi", "user:kenji", "role:admin"}),
    ],
)
def test_documents_are_labelled_by_folder(policy: Policy, folder: str, labels: set[str]) -> None:
    uri = next(f"kazahaya/{paper.name}.en.md" for paper in PAPERS if paper.name.startswith(folder))
    access = policy.access_to_document("kazahaya", uri)
    assert access.labels == labels
    assert access.discoverable is (folder == "internal")


def test_each_agents_notes_are_for_that_agent(policy: Policy) -> None:
    for agent, user in agents().items():
        labels = policy.access_to_document("kazahaya", f"kazahaya/notes/{agent}/call-notes.en.md").labels
        assert labels & named(user).labels
        others = [one for one in USERS if one.roles == ("agent",) and one.id != user]
        assert others
        assert not [one.id for one in others if labels & caller(one).labels]
    assert policy.access_to_document("kazahaya", "kazahaya/notes/A0002/x.md").labels == {"role:admin"}


def test_what_a_contact_cost_is_not_for_agents(policy: Policy) -> None:
    (grant,) = policy.grants("campaign_contacts", named("ren"))
    assert "cost_yen" in grant.hide


def test_other_documents_are_nobodys(policy: Policy) -> None:
    assert policy.access_to_document("elsewhere", "elsewhere/notes.md") == Access()
