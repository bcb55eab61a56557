import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.situational.binding import Attribute, bind, caller_values, known_parameters, limited
from retrieval.types import Principal
from tests.conftest import NOW

KNOWN = known_parameters({"regions": Attribute("text", list=True), "store_id": Attribute("integer")})


@pytest.mark.parametrize(
    ("written", "bound", "parameters"),
    [
        ("SELECT 1 WHERE id = :key", "SELECT 1 WHERE id = %(key)s::text", {"key"}),
        ("SELECT :key, :key", "SELECT %(key)s::text, %(key)s::text", {"key"}),
        (
            "SELECT 1 WHERE r = ANY(:user_regions)",
            "SELECT 1 WHERE r = ANY(%(user_regions)s::text[])",
            {"user_regions"},
        ),
        ("SELECT :user_store_id", "SELECT %(user_store_id)s::bigint", {"user_store_id"}),
        (
            "SELECT ':key', \":key\", $$:key$$, $a$:key$a$",
            "SELECT ':key', \":key\", $$:key$$, $a$:key$a$",
            set(),
        ),
        ("SELECT 'it''s :key' || :key", "SELECT 'it''s :key' || %(key)s::text", {"key"}),
        ("SELECT 1 -- :key\n, :key /* :nope */", "SELECT 1 -- :key\n, %(key)s::text /* :nope */", {"key"}),
        ("SELECT now()::date, x::text", "SELECT now()::date, x::text", set()),
        ("SELECT 7 % 3, 'a%' LIKE 'b%'", "SELECT 7 %% 3, 'a%%' LIKE 'b%%'", set()),
        ("SELECT 1 ; ", "SELECT 1", set()),
    ],
)
def test_names_become_typed_placeholders_and_nothing_else_changes(written, bound, parameters):
    statement = bind(written, KNOWN)
    assert statement.sql == bound
    assert statement.parameters == parameters


@pytest.mark.parametrize("written", ["SELECT :nobody", "SELECT :user_colour", "SELECT 'x' || :x"])
def test_an_unknown_name_is_an_error(written):
    with pytest.raises(KeyError):
        bind(written, KNOWN)


@given(st.text(alphabet="ab':\"$-/*\n %key", max_size=30))
def test_every_percent_sign_is_escaped_or_ours(written):
    try:
        bound = bind(written, {"key": "text"}).sql
    except KeyError:
        return
    assert "%" not in bound.replace("%(key)s", "").replace("%%", "")


def test_a_trailing_comment_does_not_swallow_what_follows():
    assert (
        limited(bind("SELECT 1 -- done", KNOWN), 3)
        == "SELECT * FROM (\nSELECT 1 -- done\n) AS declared LIMIT 3"
    )


def test_the_callers_values_and_no_others():
    attributes = {
        "regions": Attribute("text", list=True),
        "store_id": Attribute("integer"),
        "desk": Attribute(),
    }
    asker = Principal(
        "mei", roles=("seller",), attributes={"regions": "Kansai", "store_id": (7, 8), "secret": 1}
    )
    values = caller_values(asker, attributes, lambda: NOW)
    assert values["user_regions"] == ["Kansai"], "one value of a list attribute is a list of one"
    assert "user_store_id" not in values, (
        "several values of a single attribute are none: never a wider answer"
    )
    assert "user_desk" not in values
    assert "user_secret" not in values
    assert (values["user_id"], values["user_roles"], values["today"].isoformat()) == (
        "mei",
        ["seller"],
        "2026-11-20",
    )
