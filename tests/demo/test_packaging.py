"""Word, Excel, mail and scans from the demo's Markdown, as other programs read them; and the figures in them."""

from __future__ import annotations

import email
import io
import shutil
import zipfile
from collections.abc import Callable
from email import policy
from pathlib import Path
from typing import Any

import pytest

from demo import packaging
from demo.constants import NOTES, PRODUCTS, VEHICLE_CLASSES
from demo.notes import NOTES_EN, agents, notes_of
from ingest.reading import read

Query = Callable[..., list[tuple[Any, ...]]]
TEXT = "# A & B\n\nOne < two.\n\n## More\n\n- x\n- y\n\n| f | g |\n|---|---|\n| 1 | two |\n"
MAIL = "# Grüße\n\n- From: a@b.example\n- To: c@d.example\n- Date: Mon, 02 Nov 2026 08:30:00 +0900\n\nHello.\n\n| f | g |\n|---|---|\n| 1 | 2 |\n"


def test_a_word_document_has_headings_lists_and_tables() -> None:
    parsed = read(packaging.to_docx(TEXT, "en"), "a.docx")
    assert parsed.title == "A & B"
    assert [
        (b.kind, parsed.text[b.start : b.end]) for b in parsed.blocks if b.kind in ("heading", "table")
    ] == [
        ("heading", "A & B"),
        ("heading", "More"),
        ("table", "f | g\n1 | two"),
    ]
    assert "One < two." in parsed.text


def test_a_workbook_holds_numbers_as_numbers() -> None:
    raw = packaging.to_xlsx(TEXT, "en")
    assert "1 | two" in read(raw, "a.xlsx").text
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        assert archive.testzip() is None
        assert "<v>1</v>" in archive.read("xl/worksheets/sheet1.xml").decode()


def test_a_mail_is_read_by_the_standard_library() -> None:
    message = email.message_from_bytes(packaging.to_eml(MAIL, "en"), policy=policy.default)
    assert message["Subject"] == "Grüße"
    assert message["From"] == "a@b.example"
    assert [part.get_filename() for part in message.iter_attachments()] == ["figures.csv"]
    assert message.get_body() is not None


@pytest.mark.parametrize("make", [packaging.to_docx, packaging.to_xlsx, packaging.to_eml, packaging.to_scan])
def test_the_same_text_gives_the_same_bytes(make: Callable[[str, Any], bytes]) -> None:
    text = MAIL if make is packaging.to_eml else TEXT
    assert make(text, "en") == make(text, "en")


def test_japanese_mail_goes_out_as_it_did_for_decades(papers: Path) -> None:
    for path in papers.glob("mail/*.ja.eml"):
        raw = path.read_bytes()
        assert b'charset="iso-2022-jp"' in raw
        assert b"=?iso-2022-jp?" in raw
        assert b"\x1b$B" in raw
        assert read(raw, path.name).language == "ja"


def test_a_reply_names_what_it_replies_to(papers: Path) -> None:
    message = email.message_from_bytes(
        (papers / "mail/spring-start-results.en.eml").read_bytes(), policy=policy.default
    )
    assert message["In-Reply-To"] == "<spring-1@kazahaya.example>"
    assert message["In-Reply-To"] in message["References"]
    assert message["Subject"].startswith("Re: ")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_figures_of_calls_and_their_attachment_are_the_warehouses(
    papers: Path, query: Query, language: str
) -> None:
    (path,) = papers.glob(f"mail/monthly-call-figures.{language}.eml")
    text = read(path.read_bytes(), path.name).text
    rows = query("SELECT reason, wait_seconds FROM calls WHERE called_at::VARCHAR LIKE '2026-10-%'")
    assert f"{len(rows)}{' calls' if language == 'en' else '件'}" in text
    assert f"{sum(wait for _, wait in rows) / len(rows):.0f}" in text
    assert "figures.csv" in text
    for reason in {reason for reason, _ in rows}:
        count = sum(one == reason for one, _ in rows)
        if language == "en":
            assert f"Reason: {reason}; Calls: {count}" in text


def test_the_rate_table_is_base_times_factor(papers: Path, query: Query) -> None:
    (path,) = papers.glob("products/rate-table.en.xlsx")
    text = read(path.read_bytes(), path.name).text
    base = dict(query("SELECT product, base_premium_yen FROM products"))
    for vehicle in VEHICLE_CLASSES:
        rates = [str(round(base[p.name] * vehicle.factor / 10) * 10) for p in PRODUCTS]
        assert " | ".join([vehicle.name, *rates]) in text


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_press_release_states_the_half_year(papers: Path, query: Query, language: str) -> None:
    (path,) = papers.glob(f"news/press-release-2026-11.{language}.html")
    text = read(path.read_bytes(), path.name).text
    earned = query(
        "SELECT earned_yen, policy_id FROM premiums WHERE month::VARCHAR BETWEEN '2026-04-01' AND '2026-09-30'"
    )
    incurred = sum(r[0] for r in query("SELECT incurred_yen FROM claims WHERE occurred_on BETWEEN '2026-04-01' AND '2026-09-30'"))  # fmt: skip
    total = sum(yen for yen, _ in earned)
    assert f"{total:,}" in text or f"{total // 10_000:,}万円" in text
    assert f"{100 * incurred / total:.1f}".removesuffix(".0") in text
    assert f"{len({policy for _, policy in earned}):,}" in text


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_the_scan_is_read(papers: Path) -> None:
    raw = (papers / "claims/repair-estimate.en.png").read_bytes()
    text = " ".join(read(raw, "repair-estimate.en.png").text.split())
    assert "The estimate amounts to 134,000 yen without tax." in text
    assert 46_000 + 38_500 + 49_500 == 134_000
    for amount in ("46,000", "38,500", "49,500"):
        assert amount in text


def test_the_scan_lies_askew_and_is_grey(papers: Path) -> None:
    import numpy as np
    from PIL import Image

    page = np.asarray(Image.open(papers / "claims/repair-estimate.en.png"))
    assert page.ndim == 2
    assert 2 < len(np.unique(page)) <= 16
    assert page.shape[0] > 2000


@pytest.mark.parametrize("language", ["en", "ja"])
def test_notes_are_the_calls_of_the_agents_own_customers(
    warehouse_file: Path, query: Query, language: Any
) -> None:
    assert agents() == {"A0001": "ren", "A0003": "aoi"}
    own = {
        agent: {
            row[0] for row in query("SELECT DISTINCT customer_id FROM policies WHERE agent_id = $1", agent)
        }
        for agent in agents()
    }
    for agent, mine in own.items():
        text = notes_of(warehouse_file, agent, language)
        told = {word.strip(":,") for word in text.split() if word.startswith("C-")}
        assert told
        assert told <= mine
        assert agent in text
    assert not own["A0001"] & own["A0003"]


def test_every_reason_has_a_note_in_both_languages() -> None:
    assert NOTES_EN.keys() == NOTES.keys()


def test_an_agent_without_calls_has_an_empty_file(warehouse_file: Path) -> None:
    assert "No calls" in notes_of(warehouse_file, "A9999", "en")
    assert "電話はありませんでした" in notes_of(warehouse_file, "A9999", "ja")
