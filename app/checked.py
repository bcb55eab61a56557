"""What was checked for an answer, in the asker's language: from a record in JSON form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.messages import finding_text, has, text
from retrieval.types import Language
from text2sql.types import Warn


def lines(record: Mapping[str, Any], language: Language) -> Iterator[str]:
    """Each check with its mark. The guard speaks English; what is known of a check is said in the asker's language."""
    verdict = record["attempts"][-1]["verdict"] if record["attempts"] else {}
    for check in record["checks"]:
        mark = "✓" if check["passed"] else "✗"
        key = check["name"].replace(" ", "_")
        name = text(f"label.check_{key}", language) if has(f"label.check_{key}") else check["name"]
        detail = check["detail"]
        if has(f"check.{key}"):
            detail = text(f"check.{key}", language)
        elif language == "ja":
            detail = _counted(verdict, language) if key == "policy_written_in" else ""
        yield f"{mark} {name}{': ' if detail else ''}{detail}"


def warnings(record: Mapping[str, Any], language: Language) -> list[str]:
    """Each warning of the guard as a sentence."""
    return [finding_text(_warn(raw), language) for raw in record["warnings"]]


def _counted(verdict: Mapping[str, Any], language: Language) -> str:
    rules, masked = len(verdict.get("row_rules", {})), len(verdict.get("masked", ()))
    return text("label.policy_counts", language, rules=rules, masked=masked)


def _warn(raw: Mapping[str, Any]) -> Warn:
    return Warn(raw["code"], raw["message"], subject=raw["subject"], suggestions=tuple(raw["suggestions"]))
