"""Warnings speak of the caller's own rows alone: no value of another's rows, none of a masked column, is ever named."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval.types import Principal
from text2sql.additivity import with_additivity
from text2sql.guard import SqlGuard
from text2sql.policy import parse, visible_catalog
from text2sql.scoped_profiles import with_scoped_profiles
from text2sql.semantics import SemanticModel
from text2sql.types import Catalog, Verdict
from text2sql.warehouses import open_warehouse

OWN = ("Ana North", "Ann Norton", "青山 花子", "アオヤマ")
OTHERS = ("Anna North", "Anne Nortan", "青山 花", "アオキ")
POLICY = """
attributes: {region: {type: text}}
tables:
  people:
    grants:
      - {roles: [seller], rows: "region = :region", masks: {email: hash}}
      - {roles: [boss]}
"""
SELLER = Principal("s", roles=frozenset({"seller"}), attributes={"region": ("east",)})
BOSS = Principal("b", roles=frozenset({"boss"}))


@pytest.fixture(name="place", scope="module")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scoped") / "people.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, region TEXT, name TEXT, email TEXT)")
        rows = [(region, name) for region, names in (("east", OWN), ("west", OTHERS)) for name in names]
        connection.executemany(
            "INSERT INTO people (region, name, email) VALUES (?, ?, ?)",
            [(region, name, f"{at}.mail@example.org") for at, (region, name) in enumerate(rows)],
        )
    connection.close()
    return path


def told(place: Path, sql: str, caller: Principal, *, known: bool = True) -> Verdict:
    warehouse = open_warehouse(place)
    try:
        policy, guard, catalog = parse(POLICY), SqlGuard(), warehouse.catalog()
        own = visible_catalog(policy, catalog, caller)
        own = with_scoped_profiles(own, caller, policy, guard, warehouse)
        verdict = guard.check(sql, catalog, caller, policy, known=own if known else None)
    finally:
        warehouse.close()
    assert verdict.allowed, verdict.violations
    return verdict


LITERALS = ("Anna Nort", "ANNA NORTH", "Ann nortan", "青山花", "青山　花子", "ｱｵﾔﾏ", "あおき", "Zzz")


@pytest.mark.parametrize("text", LITERALS)
@pytest.mark.parametrize(
    "form", ["name = '{}'", "name IN ('Ana North', '{}')", "name LIKE '{}'", "name <> '{}'"]
)
def test_no_value_of_other_rows_is_named(place: Path, text: str, form: str) -> None:
    condition = form.format(text)
    verdict = told(place, f"SELECT COUNT(*) FROM people WHERE {condition}", SELLER)
    for warning in verdict.warnings:
        assert not set(warning.suggestions) & set(OTHERS)
        said = warning.message.replace(repr(text), "")
        assert not [value for value in OTHERS if value in said and not any(value in own for own in OWN)]
        assert set(warning.suggestions) <= set(OWN)


def test_what_the_caller_sees_is_offered(place: Path) -> None:
    sql = "SELECT COUNT(*) FROM people WHERE name = 'ｱｵﾔﾏ'"
    [warning] = told(place, sql, SELLER).warnings
    assert (warning.code, warning.suggestions) == ("literal_absent", ("アオヤマ",))
    assert told(place, sql, SELLER, known=False).warnings == ()
    absent = "SELECT COUNT(*) FROM people WHERE name = 'Anna North'"  # another's row
    assert told(place, absent, SELLER).warnings[0].code == "literal_absent"
    assert told(place, absent, BOSS).warnings == ()


@pytest.mark.parametrize("text", ["0.mail@example.org", "0.mail@example.com", "5.mail@example.or", "x"])
def test_nothing_is_said_of_a_masked_column(place: Path, text: str) -> None:
    sql = f"SELECT COUNT(*) FROM people WHERE email = '{text}'"
    assert told(place, sql, SELLER).warnings == ()
    if text.endswith((".com", ".or")):
        assert told(place, sql, BOSS).warnings[0].code == "literal_absent"


def test_the_model_says_what_adds_up() -> None:
    from tests.text2sql.guard.warned import STORES, column

    days = replace(
        STORES, name="days", primary_key=(), columns=(*STORES.columns, column("balance", "integer", "1", "2"))
    )
    catalog = Catalog("sqlite", (days,))

    def model(additivity: str, agg: str = "sum", expr: str = "balance") -> SemanticModel:
        metric = {
            "name": "held",
            "table": "days",
            "agg": agg,
            "expr": expr,
            "additivity": additivity,
        }
        return SemanticModel.model_validate({"tables": [{"name": "days"}], "metrics": [metric]})

    def said(sql: str, given: SemanticModel) -> list[tuple[str, str]]:
        known = with_additivity(catalog, given)
        verdict = SqlGuard().check(sql, catalog, BOSS, known=known)
        return [(w.code, w.severity) for w in verdict.warnings]

    total = "SELECT SUM(balance) FROM days"
    assert said(total, model("semi_additive")) == [("not_additive", "hard")]
    assert said(f"{total} GROUP BY opened", model("semi_additive")) == []
    assert said(f"{total} WHERE opened = '2020-01-01'", model("semi_additive")) == []
    assert said(f"{total} GROUP BY city", model("semi_additive")) == [("not_additive", "hard")]
    assert said(f"{total} GROUP BY opened", model("non_additive", "avg")) == [("not_additive", "hard")]
    assert said(total, model("additive")) == []
    assert said(total, model("non_additive", "avg", "size")) == []
    assert with_additivity(catalog, SemanticModel()) is catalog
