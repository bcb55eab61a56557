"""What the documents say is what the data and the rules say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from demo import constants, facts, rendering, wording
from demo.documents import PAPERS, write_documents
from demo.figures import Part
from ingest.reading import read

Query = Callable[..., list[tuple[Any, ...]]]
SUFFIXES = {".md", ".html", ".pdf", ".docx", ".xlsx", ".eml", ".txt"}
READ = [
    (paper, language)
    for paper in PAPERS
    for language, form in (("en", paper.en), ("ja", paper.ja))
    if form and form != "png"
]
"""Everything but the scan, which needs a command of the system (see test_packaging.py)."""
TEMPLATES = Path(facts.__file__).with_name("texts")


def text_of(folder: Path, name: str, language: str) -> str:
    """The text of one document as ingest would read it."""
    (path,) = folder.glob(f"{name}.{language}.*")
    return read(path.read_bytes(), path.name).text


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_there_are_at_least_thirty_documents_in_both_languages_and_all_formats(papers: Path) -> None:
    files = sorted(path for path in papers.rglob("*") if path.is_file())
    assert len(files) == len(READ) + 1 >= 30
    assert {path.suffix for path in files} == SUFFIXES | {".png"}
    for language in ("en", "ja"):
        assert {path.suffix for path in files if f".{language}." in path.name} >= SUFFIXES


def test_the_same_warehouse_gives_the_same_bytes_and_dates(
    papers: Path, warehouse_file: Path, tmp_path: Path
) -> None:
    for path in write_documents(tmp_path, warehouse_file):
        first = papers / path.relative_to(tmp_path)
        assert path.read_bytes() == first.read_bytes(), path.name
        assert path.stat().st_mtime == first.stat().st_mtime


@pytest.mark.parametrize(("paper", "language"), READ, ids=lambda value: getattr(value, "name", value))
def test_ingest_reads_the_whole_text_of_each(papers: Path, paper: Any, language: str) -> None:
    """No box characters, nothing lost on the way through PDF or HTML: every sentence of the source comes back."""
    text = squeezed(text_of(papers, paper.name, language))
    (path,) = papers.glob(f"{paper.name}.{language}.*")
    assert "■" not in text
    assert "{" not in text
    template = TEMPLATES / f"{paper.name.replace('/', '__')}.{language}.md"
    if template.is_file():
        for block in rendering.blocks(template.read_text(encoding="utf-8")):
            # Headers that a mail program keeps to itself.
            items = [item for item in block.items if not item.startswith(("Message-ID", "In-Reply", "Refer"))]
            for sentence in [block.text, *items]:
                for literal in re.split(r"\{\w+\}", sentence):
                    assert squeezed(literal) in text, (path.name, literal)


def test_every_template_is_a_document_and_uses_only_known_facts(warehouse_file: Path) -> None:
    templates = {path.name for path in TEMPLATES.glob("*.md")}
    named = {
        f"{paper.name.replace('/', '__')}.{language}.md"
        for paper, language in [*READ, *((paper, "en") for paper in PAPERS if paper.en == "png")]
        if not paper.name.startswith(("handbook/glossary", "notes/"))
    }
    assert templates == named
    known = facts.facts(warehouse_file, "en")
    for name in templates:
        used = re.findall(r"\{(\w+)\}", (TEMPLATES / name).read_text(encoding="utf-8"))
        assert set(used) <= known.keys(), name


def test_both_languages_state_the_same_facts() -> None:
    for paper in PAPERS:
        pair = [TEMPLATES / f"{paper.name.replace('/', '__')}.{language}.md" for language in ("en", "ja")]
        if pair[0].is_file() and pair[1].is_file():
            en, ja = (set(re.findall(r"\{(\w+)\}", path.read_text(encoding="utf-8"))) for path in pair)
            assert en == ja, paper.name


@pytest.mark.parametrize("plan", constants.PRODUCTS, ids=lambda plan: plan.name)
def test_the_brochure_agrees_with_the_plans_of_the_warehouse(papers: Path, query: Query, plan: Any) -> None:
    towing, deductible, rental = query(
        "SELECT towing_km, deductible_yen, rental_days FROM products WHERE product = $1", plan.name
    )[0]
    assert (towing, deductible, rental) == (plan.towing_km, plan.deductible, plan.rental_days)
    english, japanese = (text_of(papers, "products/plan-comparison", language) for language in ("en", "ja"))
    assert f"Free towing under the {plan.name} plan reaches {towing} km." in english
    if deductible:
        assert f"The deductible of the {plan.name} plan is {deductible:,} yen." in english
        assert f"{plan.name_ja}プランの免責金額は{deductible // 10_000}万円です。" in squeezed(japanese)
    else:
        assert f"The {plan.name} plan has no deductible." in english
        assert f"{plan.name_ja}プランには免責金額がありません。" in squeezed(japanese)
    if rental:
        assert f"{plan.name_ja}プランでは修理中の代車費用を{rental}日まで補償します。" in squeezed(japanese)


def test_the_loss_report_is_what_the_warehouse_says(papers: Path, query: Query) -> None:
    """Read the figures back out of the report and compute them again from the rows."""
    text = text_of(papers, "reports/loss-report-2026-10", "en")
    summary = re.search(
        r"In October 2026 the earned premium was ([\d,]+) yen and the incurred loss was ([\d,]+) yen, a loss ratio of"
        r" ([\d.]+) percent\. There were (\d+) claims\..*?the earned premium was ([\d,]+) yen, the incurred loss was"
        r" ([\d,]+) yen and the loss ratio was ([\d.]+) percent\. The claim frequency of the fiscal year so far is"
        r" ([\d.]+) percent and the severity is ([\d,]+) yen",
        text,
    )
    assert summary is not None
    said = [float(figure.replace(",", "")) for figure in summary.groups()]
    month = slice_of(query, "2026-10-01", "2026-11-01")
    year = slice_of(query, "2026-04-01", "2026-11-01")
    assert said == [
        month.earned,
        month.incurred,
        pytest.approx(100 * month.loss_ratio, abs=0.06),
        month.claims,
        year.earned,
        year.incurred,
        pytest.approx(100 * year.loss_ratio, abs=0.06),
        pytest.approx(100 * year.frequency, abs=0.06),
        pytest.approx(year.severity, abs=1),
    ]


@pytest.mark.parametrize("plan", [plan.name for plan in constants.PRODUCTS])
def test_the_loss_reports_tables_are_what_the_warehouse_says(papers: Path, query: Query, plan: str) -> None:
    text = (papers / "reports" / "loss-report-2026-10.en.md").read_text(encoding="utf-8")
    found = re.search(
        rf"^\| {plan} \| ([\d,]+) yen \| ([\d,]+) yen \| ([\d.]+) percent \|$", text, re.MULTILINE
    )
    assert found is not None
    earned, incurred, ratio = (float(figure.replace(",", "")) for figure in found.groups())
    part = slice_of(query, "2026-04-01", "2026-11-01", plan)
    assert (earned, incurred) == (part.earned, part.incurred)
    assert ratio == pytest.approx(100 * part.loss_ratio, abs=0.06)


def test_the_japanese_report_has_the_same_figures(papers: Path) -> None:
    english = text_of(papers, "reports/loss-report-2026-10", "en")
    japanese = squeezed(text_of(papers, "reports/loss-report-2026-10", "ja"))
    for figure in re.findall(r"([\d,]{7,}) yen", english):
        assert f"{figure}円" in japanese or f"{int(figure.replace(',', '')) // 10_000:,}万円" in japanese, (
            figure
        )
    for figure in re.findall(r"([\d.]+) percent", english):
        assert f"{figure}パーセント" in japanese


def test_the_memo_and_the_previous_years_agree(papers: Path, query: Query) -> None:
    memo = text_of(papers, "internal/underwriting-memo", "en")
    report = text_of(papers, "reports/loss-report-2026-10", "en")
    for year in (2024, 2025):
        part = slice_of(query, f"{year}-04-01", f"{year + 1}-04-01")
        said = wording.percent(part.loss_ratio, "en")
        assert said in memo
        assert said in report


def test_the_handbook_defines_every_term_of_the_glossary(papers: Path) -> None:
    terms = yaml.safe_load(
        (Path(facts.__file__).with_name("files") / "glossary.yaml").read_text(encoding="utf-8")
    )
    for language in ("en", "ja"):
        text = text_of(papers, "handbook/glossary", language)
        for term in terms["terms"]:
            assert term["definition"][language] in text


def test_nobodys_name_is_in_a_document(papers: Path, query: Query) -> None:
    names = {row[0] for row in query("SELECT DISTINCT customer_name FROM policies")}
    for paper, language in READ:
        text = text_of(papers, paper.name, language)
        assert not [name for name in names if name in text], paper.name


def slice_of(query: Query, start: str, upto: str, plan: str = "%") -> Part:
    """The sums of a slice, written here apart from demo/figures.py."""
    rows = query(
        "SELECT earned_yen, exposure_days FROM premiums WHERE product LIKE $1 AND month >= $2 AND month < $3",
        plan,
        start,
        upto,
    )
    hurt = query(
        "SELECT incurred_yen, status FROM claims WHERE product LIKE $1 AND occurred_on >= $2 AND occurred_on < $3",
        plan,
        start,
        upto,
    )
    return Part(
        earned=sum(earned for earned, _ in rows),
        days=sum(days for _, days in rows),
        incurred=sum(incurred for incurred, _ in hurt),
        claims=sum(status != "Rejected" for _, status in hurt),
    )


@pytest.mark.parametrize(
    ("amount", "en", "ja"),
    [
        (0, "0 yen", "0円"),
        (770, "770 yen", "770円"),
        (47_000, "47,000 yen", "47,000円"),
        (50_000, "50,000 yen", "5万円"),
        (3_000_000, "3 million yen", "300万円"),
        (100_000_000, "100 million yen", "1億円"),
        (4_331_917, "4,331,917 yen", "4,331,917円"),
    ],
)
def test_amounts_as_people_say_them(amount: int, en: str, ja: str) -> None:
    assert wording.yen(amount, "en") == en
    assert wording.yen(amount, "ja") == ja


def test_percentages_and_dates_as_people_say_them() -> None:
    assert wording.percent(0.624, "en") == "62.4 percent"
    assert wording.percent(0.15, "ja") == "15パーセント"
    assert wording.day(constants.LAST_DAY, "en") == "15 November 2026"
    assert wording.day(constants.LAST_DAY, "ja") == "2026年11月15日"
    assert wording.month(constants.REPORT_MONTH, "en") == "October 2026"


def test_empty_slices_divide_by_nothing() -> None:
    assert (Part().loss_ratio, Part().frequency, Part().severity) == (0, 0, 0)


def test_blocks_of_a_text() -> None:
    kinds = [
        block.kind for block in rendering.blocks("# A\n\nb\nc\n\n- d\n- e\n\n| f | g |\n|---|---|\n| 1 | 2 |")
    ]
    assert kinds == ["h1", "p", "ul", "table"]
    (table,) = rendering.blocks("| f | g |\n|---|---|\n| 1 | 2 |")
    assert table.rows == [["f", "g"], ["1", "2"]]


def test_text_is_escaped_in_html_and_pdf() -> None:
    page = rendering.to_html("# A & B\n\n1 < 2\n\n- <b>\n\n| <i> | & |\n|---|---|\n| 1 | 2 |", "en", "C & D")
    for escaped in (
        "<h1>A &amp; B</h1>",
        "1 &lt; 2",
        "<li>&lt;b&gt;</li>",
        "<th>&lt;i&gt;</th>",
        "C &amp; D",
    ):
        assert escaped in page
    assert rendering.to_pdf("# A & B\n\n1 < 2", "en", "C & D").startswith(b"%PDF-")
