"""Why an answer can be trusted: who asked, what was understood, what was checked, what it took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app import checked, costs, modelled
from app.chat import markup
from app.columns import called
from app.messages import text
from retrieval.types import Language
from text2sql.semantics import SemanticModel

Record = Mapping[str, Any]
PARTS = ("retrieve", "scope", "draft", "route", "guard", "run", "write")
"""The parts of the way that take time, in order."""
ROUTES = frozenset({"documents", "query", "both"})


def byline(record: Record, language: Language) -> str:
    """How it was answered, for whom, in what time."""
    route = text(f"label.{record['route']}", language) if record["route"] in ROUTES else ""
    asker = record["principal"]
    took = text("ui.took", language, ms=milliseconds(record["timings"].get("total", 0.0)))
    return " · ".join(part for part in (route, asker["name"] or asker["id"], took) if part)


def html(record: Record, model: SemanticModel, language: Language) -> str:
    """The whole account, as HTML."""
    return markup.pairs(_lines(record, model, language))


def listed(value: Any) -> str:
    """A bound value, or several."""
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def milliseconds(seconds: float) -> str:
    """Whole milliseconds, with separators."""
    return f"{seconds * 1000:,.0f}"


def _lines(record: Record, model: SemanticModel, language: Language) -> Iterator[tuple[str, str]]:
    yield from _titled(text("label.understood", language), record["understood"])
    yield from _titled(text("label.assumed", language), record["assumptions"])
    definitions = record["definitions"].items()
    yield from ((_called(name, model, language), said) for name, said in definitions if said)
    yield from _titled(text("label.warning", language), checked.warnings(record, language))
    verdict = _verdict(record)
    yield from _titled(text("label.checks", language), checked.lines(record, language))
    limits = verdict.get("row_rules", {}).items()
    rules = [f"{table}: {_bound(rule, verdict['parameters'])}" for table, rule in limits]
    yield from _titled(text("label.row_rules", language), rules)
    yield from _titled(text("label.masked", language), verdict.get("masked", ()))
    yield from _titled(text("label.left_out", language), record["left_out"])
    yield text("label.policy", language), record["policy"] or text("ui.policy_none", language)
    asker = record["principal"]
    yield (
        text("label.asker", language),
        f"{asker['name'] or asker['id']} ({', '.join(asker['roles']) or '–'})",
    )
    yield text("label.why", language), record["why"]
    yield from _titled(text("label.cost", language), costs.lines(record, language))
    yield from _titled(text("label.model", language), modelled.lines(record, language))
    took = record["timings"]
    spent = [f"{part} {milliseconds(took[part])} ms" for part in PARTS if part in took]
    yield text("label.timings", language), " · ".join(spent)
    yield text("label.record", language), f"{record['id']} · {record['at'][:19].replace('T', ' ')}"


def _called(name: str, model: SemanticModel, language: Language) -> str:
    metric = model.metric(name)
    return called(metric.label, name, language) if metric else name


def _bound(rule: str, values: Mapping[str, Any]) -> str:
    """A row rule with the values that were bound to it, to be read (never run)."""
    for name in sorted(values, key=len, reverse=True):
        for placeholder in (f"${name}", f":{name}", f"%({name})s"):
            rule = rule.replace(placeholder, listed(values[name]))
    return rule


def _titled(name: str, items: Any) -> Iterator[tuple[str, str]]:
    for number, item in enumerate(items):
        yield ("" if number else name), str(item)


def _verdict(record: Record) -> Mapping[str, Any]:
    return record["attempts"][-1]["verdict"] if record["attempts"] else {}
