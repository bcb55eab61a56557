import pytest

from retrieval.errors import SourceFailed
from retrieval.situational import load_sources
from retrieval.types import Principal
from tests.conftest import NOW

SHOP = """
CREATE SCHEMA shop;
CREATE TABLE shop.customers (
    id text PRIMARY KEY, name text, region text, seller text, plan text, points numeric, since date,
    updated_at timestamptz, note text
);
INSERT INTO shop.customers VALUES
    ('C-00001', '佐藤 花子', 'Kansai', 'mei', 'Gold', 1200, '2020-04-01', '2026-11-01 09:00+09', NULL),
    ('C-00002', 'Ann Lee', 'Kanto', 'ken', 'Basic', 12.5, '2021-04-01', '2026-11-02 09:00+09', 'x'),
    ('C-00003', '佐藤 花子', 'Kanto', 'ken', 'Basic', 0, '2022-04-01', NULL, NULL);
CREATE TABLE shop.orders (customer_id text, amount integer);
INSERT INTO shop.orders SELECT 'C-00001', g FROM generate_series(1, 20) g;
"""

CUSTOMERS = r"""
version: 1
attributes:
  regions: {type: text, list: true}
sources:
  - name: shop.customers
    entity: customer
    roles: [seller, manager]
    match:
      regex: '\bC-\d{5}\b'
      lookup: SELECT id, name FROM shop.customers WHERE region = ANY(:user_regions) OR seller = :user_id
    sql: |
      SELECT id AS key, name, plan, points, since, updated_at, note FROM shop.customers
      WHERE id = :key AND (region = ANY(:user_regions) OR seller = :user_id)  -- own or in own regions
    as_of: updated_at
    labels: {plan: {en: [plan, tariff], ja: プラン}}
"""

MEI = Principal("mei", roles=("seller",), attributes={"regions": ()})
BOSS = Principal("boss", roles=("manager",), attributes={"regions": ("Kanto", "Kansai")})


@pytest.fixture
def shop(database):
    with database.connection() as connection:
        connection.execute(SHOP)
    return database


@pytest.fixture
def load(shop, tmp_path):
    def loaded(text):
        path = tmp_path / "situational.yaml"
        path.write_text(text, encoding="utf-8")
        return load_sources(path, shop, lambda: NOW)

    return loaded


def fetched(sources, asker, question):
    return {fact.name: fact for source in sources[1:] for fact in source.fetch(asker, question)}


def test_without_a_file_there_is_the_profile(database):
    (profile,) = load_sources(None, database, lambda: NOW)
    facts = {fact.name: fact for fact in profile.fetch(BOSS, "?")}
    assert facts["user.roles"].value == ["manager"]
    assert facts["user.regions"].value == ["Kanto", "Kansai"]
    assert facts["user.today"].value == "2026-11-20"
    assert "user.name" not in facts, "what is empty is no fact"
    assert {fact.entity for fact in facts.values()} == {"user"}


@pytest.mark.parametrize(
    "question", ["Which plan has C-00001?", "C-00001のプランは？", "佐藤花子さんのプランは？"]
)
def test_the_customer_asked_about(load, question):
    facts = fetched(load(CUSTOMERS), MEI, question)
    plan = facts["customer.plan"]
    assert (plan.value, plan.origin, plan.entity) == ("Gold", "shop.customers", "customer:C-00001")
    assert plan.as_of is not None
    assert plan.as_of.isoformat() == "2026-11-01T00:00:00+00:00"
    assert plan.labels == {"en": ("plan", "tariff"), "ja": ("プラン",)}
    assert facts["customer.points"].value == 1200
    assert facts["customer.since"].value == "2020-04-01"
    assert "customer.note" not in facts, "a NULL is no fact"
    assert not {"customer.key", "customer.updated_at"} & facts.keys()


def test_only_what_this_caller_may_see(load):
    sources = load(CUSTOMERS)
    assert fetched(sources, MEI, "C-00002 and Ann Lee") == {}
    assert fetched(sources, BOSS, "Ann Lee?")["customer.points"].value == 12.5
    stranger = Principal("mei", roles=("visitor",), attributes={"regions": ("Kansai",)})
    assert fetched(sources, stranger, "C-00001") == {}, "without a role that is asked for there is nothing"
    without = Principal("mei", roles=("seller",))
    assert fetched(sources, without, "C-00001") == {}, (
        "an attribute the SQL names and the caller lacks admits nothing"
    )


def test_two_of_one_name_are_both_told(load):
    (_, source) = load(CUSTOMERS)
    found = source.fetch(BOSS, "佐藤花子さんは？")
    assert {fact.entity for fact in found} == {"customer:C-00001", "customer:C-00003"}


def test_an_undated_row_is_of_now(load):
    (_, source) = load(CUSTOMERS)
    assert {fact.as_of for fact in source.fetch(BOSS, "C-00003")} == {NOW}


@pytest.mark.parametrize(
    "question",
    ["C-00001'; DROP TABLE shop.customers; --", "Ann Lee' OR '1'='1", "%s %(key)s :key {0}", "", "\x00"],
)
def test_a_question_is_only_ever_data(load, shop, question):
    facts = fetched(load(CUSTOMERS), MEI, question)
    assert {fact.entity for fact in facts.values()} <= {"customer:C-00001"}
    with shop.connection() as connection:
        assert connection.execute("SELECT count(*) FROM shop.customers").fetchone() == (3,)


def test_rows_without_a_key_and_their_number_is_bounded(load):
    text = """
sources:
  - {name: orders, entity: order, rows: 3, when: 'orders?|注文',
     sql: 'SELECT amount FROM shop.orders WHERE customer_id = :user_id OR true ORDER BY amount DESC'}
"""
    (_, source) = load(text)
    assert [fact.value for fact in source.fetch(MEI, "my orders")] == [20, 19, 18]
    assert source.fetch(MEI, "my points") == []


def one(sql, **more):
    extra = "".join(f"\n    {key}: {value}" for key, value in more.items())
    return f"attributes: {{age: {{type: integer}}}}\nsources:\n  - name: s\n    entity: thing{extra}\n    sql: |\n      {sql}\n"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM shop.customers", "not one SELECT"),
        ("SELECT 1; DELETE FROM shop.customers", "not one SELECT"),
        ("SELECT 1) AS x; DELETE FROM shop.customers; SELECT (1", "not one SELECT"),
        ("WITH gone AS (DELETE FROM shop.customers RETURNING *) SELECT * FROM gone", "not one SELECT"),
        ("SELECT id INTO TEMP t FROM shop.customers", "not one SELECT"),
        ("COPY shop.customers TO STDOUT", "not one SELECT"),
        ("SELECT nothing FROM shop.customers", "not one SELECT"),
        ("SELECT id FROM shop.customers WHERE points = :user_name", "unknown parameter: :user_name"),
        ("SELECT id FROM shop.customers WHERE since = :user_age", "not one SELECT"),
        ("SELECT id, plan AS id FROM shop.customers", "Two columns"),
        ("SELECT id FROM shop.customers WHERE id = :key", "belong together"),
        ("SELECT 'unfinished", "not one SELECT"),
    ],
)
def test_what_cannot_be_enforced_is_refused_when_it_is_read(load, shop, sql, said):
    with pytest.raises(SourceFailed, match=said) as caught:
        load(one(sql))
    assert caught.value.where.endswith("situational.yaml: s")
    assert caught.value.todo
    with shop.connection() as connection:
        assert connection.execute("SELECT count(*) FROM shop.customers").fetchone() == (3,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sources: [", "not readable YAML"),
        ("sources: 3", "not valid"),
        ("sources: [{name: s, entity: thing, sql: SELECT 1, colour: red}]", "not valid"),
        ("sources: [{name: s, entity: 'A thing', sql: SELECT 1}]", "not valid"),
        (one("SELECT 1 AS n", as_of="then"), "as_of"),
        (one("SELECT 1 AS n", labels="{m: {en: m}}"), "labels"),
        (one("SELECT 1 AS n", when="'('"), "regular expression"),
        (one("SELECT 1 AS n WHERE 'a' = :key", match="{lookup: SELECT id FROM shop.customers}"), "two columns"),
        (one("SELECT 1 AS n WHERE 'a' = :key", match="{lookup: 'SELECT :key, 2'}"), "unknown parameter"),
        ("sources: [{name: profile, entity: thing, sql: SELECT 1}]", "same name"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_valid_says_where(load, text, said):
    with pytest.raises(SourceFailed, match=said):
        load(text)


def test_a_file_that_is_not_there(database, tmp_path):
    with pytest.raises(SourceFailed, match="no file"):
        load_sources(tmp_path / "none.yaml", database)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT pg_sleep(5)::text AS n", "longer than 0.2 s"),
        ("SELECT name::integer AS n FROM shop.customers", "failed (InvalidTextRepresentation)"),
    ],
)
def test_a_source_that_is_slow_or_fails_says_so_and_not_what_it_saw(load, sql, said):
    (_, source) = load(one(sql, seconds="0.2"))
    with pytest.raises(SourceFailed) as caught:
        source.fetch(MEI, "?")
    assert caught.value.where == "s"
    assert said in caught.value.what
    assert "佐藤" not in str(caught.value)


def test_a_function_that_writes_is_stopped_by_the_transaction(load, shop):
    with shop.connection() as connection:
        connection.execute(
            "CREATE FUNCTION shop.sneak() RETURNS integer LANGUAGE sql VOLATILE AS"
            " 'DELETE FROM shop.customers; SELECT 1'"
        )
    (_, source) = load(one("SELECT shop.sneak() AS n"))
    with pytest.raises(SourceFailed):
        source.fetch(MEI, "?")
    with shop.connection() as connection:
        assert connection.execute("SELECT count(*) FROM shop.customers").fetchone() == (3,)
