"""Words of a model against what they were made from: what is kept, what is not, and which sentence is quoted."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from app.material import Material, passages_for, rows_for, said_by
from app.writing import checked, renumbered
from prompts.calling import Reply
from tests.app.making import context, passage
from text2sql.types import Draft, ResultSet, Verdict

RULES = passage(
    "# Fees\n\nThe late fee is 500 yen. It is charged after 14 days. Members pay nothing.\n",
    key="rules",
    title="Rules 2026",
)
HOURS = passage(
    "Stores open at nine and close at 20:00. On holidays they close at 18:00.", key="hours", page=3
)
ROWS = ({"region": "South", "revenue": 550}, {"region": "North", "revenue": 110})


def reply(text: str, complete: bool = True) -> Reply:
    return Reply(text, 10, 5, 0.1, "m", "v", complete)


def look(text: str, **material: object) -> tuple[str, str]:
    """The text that is kept, or "" and the problem."""
    written, _ = checked(reply(text), Material("q", **material))  # type: ignore[arg-type]
    return (written.text, "") if written.used else ("", written.problem)


@pytest.mark.parametrize(
    "text",
    [
        "South comes first with 550.",
        "South: 550, North: 110, together 660.",
        "South sold five times as much as North, 440 more.",
        "Of 2 regions South is first.",
    ],
)
def test_figures_of_the_rows_and_what_follows_from_them(text: str) -> None:
    assert look(text, rows=ROWS) == (text, "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("South sold 551.", "unsupported: 551"),
        ("South sold 550 [1].", "no_such_passage: [1]"),
        ("Here is what you asked for.", "says_nothing"),
        ("South sold 550 in “Tokyo Central”.", "unsupported: “Tokyo Central”"),
        ("550 " * 1500, "too_long"),
    ],
)
def test_what_the_rows_do_not_hold(text: str, problem: str) -> None:
    assert look(text, rows=ROWS) == ("", problem)


def test_a_reply_that_was_cut_off_is_no_answer() -> None:
    written, told = checked(reply("South: 550", complete=False), Material("q", rows=ROWS))
    assert (written.used, written.problem) == (False, "too_long")
    assert told


def test_a_figure_has_to_stand_in_the_passage_that_is_cited() -> None:
    given = (RULES, HOURS)
    assert look("The fee is 500 yen [1].", passages=given)[1] == ""
    assert look("The fee is 500 yen [2].", passages=given)[1] == "unsupported: 500"
    assert look("The fee is 500 yen [1], closing is 18:00 [2].", passages=given)[1] == ""
    assert look("The fee is 500 yen.", passages=given)[1] == "no_citation"
    assert look("The fee is 500 yen [1], as Rules 2026 say.", passages=given)[1] == "", "a title may be named"


def test_rows_beside_documents_need_a_citation_too() -> None:
    assert look("South: 550.", rows=ROWS, passages=(RULES,))[1] == "no_citation"
    assert look("South: 550; the late fee is 500 yen [1].", rows=ROWS, passages=(RULES,))[1] == ""


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("A late fee of 500 yen applies [1].", ["The late fee is 500 yen."]),
        ("After 14 days it is charged [1].", ["It is charged after 14 days."]),
        ("Members do not pay. [1]", ["Members pay nothing."]),
        (
            "On holidays until 18:00 [2]. Members pay nothing [1].",
            ["On holidays they close at 18:00.", "Members pay nothing."],
        ),
    ],
)
def test_the_quote_is_the_sentence_that_says_it(text: str, quotes: list[str]) -> None:
    given = (RULES, HOURS)
    written, _ = checked(reply(text), Material("q", passages=given))
    assert [citation.quote for citation in written.citations] == quotes
    assert [citation.marker for citation in written.citations] == list(range(1, len(quotes) + 1))
    for citation in written.citations:
        [source] = [one.chunk for one in given if one.chunk.id == citation.chunk_id]
        assert source.text[citation.start - source.start : citation.end - source.start] == citation.quote


def test_a_japanese_quote() -> None:
    source = passage("返品は30日以内に限ります。食品は返品できません。", key="ja")
    written, _ = checked(reply("食品は返品の対象外です［1］。"), Material("q", passages=(source,)))
    assert written.citations[0].quote == "食品は返品できません。"
    assert written.text == "食品は返品の対象外です[1]。"


def test_markers_are_numbered_as_they_appear() -> None:
    assert renumbered("a [3]. b [1, 3]. c[2]") == ("a [1]. b [2][1]. c[3]", [3, 1, 2])
    assert renumbered("none") == ("none", [])


def test_an_address_has_to_stand_in_the_material() -> None:
    shown = passage("Forms are at https://shop.example/forms for everyone.", key="f")
    assert look("See https://shop.example/forms. [1]", passages=(shown,))[1] == ""
    assert look("See https://evil.example/x [1]", passages=(shown,))[1].startswith(
        "unsupported: https://evil"
    )
    assert look("550, www.evil.example", rows=ROWS)[1] == "unsupported: www.evil.example"


def test_figures_of_the_query_may_be_repeated_and_those_of_a_reading_prove_nothing() -> None:
    draft = Draft(
        "SELECT SUM(a) FROM t WHERE d >= '2024-04-01' AND d < '2025-04-01' AND a > 70", "model", 0.7
    )
    said = said_by(draft, Verdict(True, parameters={"p": "East", "n": 12}), "sqlite")
    assert {"70", "East", "12"} <= set(said)
    text = "550 from 2024-04-01 to 2025-03-31 (March 31, 2025), above 70."
    assert look(text, rows=ROWS, said=said)[1] == ""
    assert look(text, rows=ROWS, reading=(text,))[1].startswith("unsupported")
    assert said_by(Draft("not sql (", "model", 0.7), None, "sqlite") == ()


def test_a_period_alone_tells_nothing_of_the_rows() -> None:
    said = ("2024-04-01", "2025-03-31")
    assert look("From 2024-04-01 to 2025-03-31, highest first.", rows=ROWS, said=said)[1] == "says_nothing"
    assert look("From 2024-04-01 to 2025-03-31 South is first.", rows=ROWS, said=said)[1] == ""
    assert look("None at all.", rows=({"n": None},))[1] == "says_nothing"


def test_rows_are_capped_and_the_note_says_so() -> None:
    table = pa.table({"n": list(range(500)), "day": [date(2026, 1, 1)] * 500, "note": ["long " * 100] * 500})
    rows, note = rows_for(ResultSet(table, 0.1, truncated=True))
    assert 1 <= len(rows) < 60
    assert rows[0]["day"] == "2026-01-01"
    assert len(rows[0]["note"]) == 200
    assert note == f"(first {len(rows)} of 500 rows) (only the first 500 rows were read; there are more)"
    rows, note = rows_for(ResultSet(pa.table({"n": [1]}), 0.1))
    assert (rows, note) == (({"n": 1},), "(1 rows; all are shown)")


def test_what_was_quoted_without_a_model_is_among_the_passages() -> None:
    many = [passage(f"Passage {n}. " + "word " * 300, key=f"k{n}", score=1 - n / 100) for n in range(12)]
    found = passages_for(context("q", *many, budget=100_000), ["k11#0"])
    assert found[0].chunk.id == "k11#0"
    assert 1 < len(found) <= 8


@pytest.mark.parametrize(
    ("text", "material", "problem"),
    [
        ("South sold $550.", {"units": ("JPY",)}, "unsupported: $"),
        ("South sold 550 dollars.", {"definitions": ("revenue: in yen",)}, "unsupported: dollars"),
        ("South は550ドルです。", {"rows": ({"region": "South", "total_yen": 550},)}, "unsupported: ドル"),
        ("South sold 550 yen.", {"units": ("JPY",)}, ""),
        ("South sold $550.", {}, ""),
    ],
)
def test_a_currency_is_not_exchanged(text: str, material: dict[str, object], problem: str) -> None:
    assert look(text, **{"rows": ROWS, **material})[1] == problem


def test_figures_in_words_are_looked_up_too() -> None:
    assert look("South sold three hundred, well above North.", rows=ROWS)[1] == "unsupported: three hundred"
    assert look("South sold five hundred and fifty.", rows=ROWS)[1] == ""


def test_a_passage_has_to_say_something_of_what_it_is_cited_for() -> None:
    given = (RULES, HOURS)
    assert look("Bananas taste best in summer [1].", passages=given)[1] == "not_in_passage: [1]"
    assert look("Members pay nothing [1]. Bananas ripen [2].", passages=given)[1] == "not_in_passage: [2]"
    assert look("Members never pay [1].", passages=given)[1] == ""
    assert look("会員は無料です [1]。", passages=given)[1] == "", (
        "another language cannot be compared by words"
    )
    japanese = passage("返品は30日以内に限ります。", key="ja")
    assert look("天気は晴れ [1]。", passages=(japanese,))[1] == "not_in_passage: [1]"


def test_a_figure_that_no_column_is_compared_with_proves_nothing() -> None:
    sql = "SELECT COUNT(*) AS n FROM sale WHERE 5000 = 5000 AND amount > 300 AND day BETWEEN 7 AND 9 AND kind IN (41, 42)"
    said = said_by(Draft(sql, "model", 0.7), None, "duckdb")
    assert set(said) == {"300", "7", "9", "41", "42"}
    assert (
        look("There are 5,000, of which 178 count.", rows=({"n": 178},), said=said)[1] == "unsupported: 5,000"
    )
