"""The insurer's documents: templates filled with facts and written as Markdown, HTML or PDF."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import yaml

from demo.constants import COMPANY, COMPANY_JA, REPORT_DATE
from demo.facts import VALID_FROM, facts
from demo.notes import agents, notes_of
from demo.packaging import to_docx, to_eml, to_scan, to_xlsx
from demo.rendering import to_html, to_pdf
from demo.wording import Language

_TEXTS = Path(__file__).with_name("texts")
_GLOSSARY = Path(__file__).with_name("files") / "glossary.yaml"


class Paper(NamedTuple):
    """One document: where it lies, its format in each language ("" where there is none), and when it was published."""

    name: str
    en: str
    ja: str
    published: date


PAPERS = (
    Paper("products/plan-comparison", "pdf", "pdf", VALID_FROM),
    Paper("products/premier-plan", "html", "html", VALID_FROM),
    Paper("claims/claims-handling-guide", "md", "html", date(2026, 4, 1)),
    Paper("rules/cancellation-and-renewal", "html", "md", date(2026, 4, 1)),
    Paper("roadside/roadside-assistance", "html", "pdf", date(2026, 6, 1)),
    Paper("handbook/glossary", "md", "md", date(2026, 4, 1)),
    Paper("reports/loss-report-2026-10", "md", "pdf", REPORT_DATE),
    Paper("agents/agent-handbook", "pdf", "md", date(2026, 7, 1)),
    Paper("internal/underwriting-memo", "md", "md", date(2026, 11, 10)),
    Paper("campaigns/spring-start-2026-brief", "docx", "docx", date(2026, 3, 2)),
    Paper("reports/campaign-report", "docx", "pdf", REPORT_DATE),
    Paper("products/rate-table", "xlsx", "xlsx", VALID_FROM),
    Paper("mail/spring-start-results", "eml", "eml", date(2026, 7, 6)),
    Paper("mail/monthly-call-figures", "eml", "eml", date(2026, 11, 2)),
    Paper("minutes/claims-review-2026-10", "docx", "docx", REPORT_DATE),
    Paper("news/press-release-2026-11", "html", "html", REPORT_DATE),
    Paper("faq/customer-faq", "md", "docx", date(2026, 6, 1)),
    Paper("letters/complaint-2026-10", "txt", "txt", date(2026, 10, 23)),
    Paper("telematics/safe-drive", "pdf", "html", date(2026, 11, 1)),
    Paper("claims/repair-estimate", "png", "", date(2026, 10, 9)),
    *(
        Paper(f"notes/{agent}/call-notes", "md" if at else "txt", "txt" if at else "md", REPORT_DATE)
        for at, agent in enumerate(agents())
    ),
)


def write_documents(folder: Path, warehouse: Path) -> list[Path]:
    """Write every document below `folder` and return the files, dated as published."""
    written: list[Path] = []
    languages: tuple[Language, ...] = ("en", "ja")
    for language in languages:
        stated = facts(warehouse, language)
        for paper in PAPERS:
            form = paper.en if language == "en" else paper.ja
            if not form:
                continue
            text = _text(paper.name, language, stated, warehouse)
            path = folder / f"{paper.name}.{language}.{form}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_FORMATS[form](text, language))
            when = datetime(
                paper.published.year, paper.published.month, paper.published.day, tzinfo=UTC
            ).timestamp()
            os.utime(path, (when, when))
            written.append(path)
    return written


def _text(name: str, language: Language, stated: dict[str, str], warehouse: Path) -> str:
    if name == "handbook/glossary":
        return _glossary(language)
    if name.startswith("notes/"):
        return notes_of(warehouse, name.split("/")[1], language)
    return _fill(name, language, stated)


def _fill(name: str, language: Language, stated: dict[str, str]) -> str:
    template = (_TEXTS / f"{name.replace('/', '__')}.{language}.md").read_text(encoding="utf-8")
    return template.format_map(stated)


def _glossary(language: Language) -> str:
    """The handbook of terms, from the glossary that the assistant uses too."""
    terms = yaml.safe_load(_GLOSSARY.read_text(encoding="utf-8"))["terms"]
    title, lead, also = {
        "en": ("Glossary handbook", f"Words that {COMPANY} uses, with one meaning each.", "Also called: {}."),
        "ja": ("用語集", f"{COMPANY_JA}で使う用語とその意味です。", "別名:{}。"),
    }[language]
    parts = [f"# {title}", lead]
    for term in terms:
        others = (", " if language == "en" else "、").join(term["synonyms"][language])
        name = term["term"][language]
        heading = name[:1].upper() + name[1:]
        parts += [
            f"## {heading}",
            _sentence(name, term["definition"][language], language) + also.format(others),
        ]
    return "\n\n".join(parts) + "\n"


def _sentence(name: str, definition: str, language: Language) -> str:
    """The definition with its term in front, so that the sentence can be quoted by itself."""
    return f"{name[:1].upper()}{name[1:]}: {definition} " if language == "en" else f"{name}とは、{definition}"


def _markdown(text: str, _: Language) -> bytes:
    return text.encode()


def _html(text: str, language: Language) -> bytes:
    return to_html(text, language, COMPANY if language == "en" else COMPANY_JA).encode()


def _pdf(text: str, language: Language) -> bytes:
    return to_pdf(text, language, COMPANY)


def _plain(text: str, _: Language) -> bytes:
    return re.sub(r"(?m)^#+ ", "", text).encode()


_FORMATS: dict[str, Callable[[str, Language], bytes]] = {
    "md": _markdown,
    "txt": _plain,
    "html": _html,
    "pdf": _pdf,
    "docx": to_docx,
    "xlsx": to_xlsx,
    "eml": to_eml,
    "png": to_scan,
}
