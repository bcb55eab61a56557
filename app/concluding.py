"""The last step: from what the walk found to the record that is shown and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from time import perf_counter
from typing import Any

from app.charts import chart_for
from app.describing import describe_result
from app.facts import fact_sentences
from app.material import Material, passages_for, rows_for, said_by
from app.messages import text
from app.outcome import compose
from app.record import AnswerRecord, references, summarise
from app.walk import Walk, Warehousing
from retrieval.types import Language
from text2sql.cost import statement_hash
from text2sql.policy import Policy
from text2sql.semantics import SemanticModel
from text2sql.types import Check, Draft


def conclude(
    walk: Walk, side: Warehousing | None, versions: Mapping[str, str], at: datetime, started: float
) -> AnswerRecord:
    """The record of a walk that has come to its end; `started` is when it began, by `perf_counter`."""
    assert walk.route is not None  # noqa: S101 - decided before the end
    model = side.model if side else SemanticModel()
    language = walk.found.language
    told = compose(
        walk,
        _described(walk, model),
        _narrowed(walk, model, language),
        _owners(walk, side.policy if side else None),
        side.limits.confirm_rows if side else None,
    )
    queried = _queried(walk, model)
    walk.timings["total"] = perf_counter() - started
    return AnswerRecord(
        id=walk.id,
        at=at,
        principal=walk.principal,
        conversation_id=walk.conversation_id,
        question=walk.question,
        language=language,
        route=walk.route.kind,
        why=walk.route.why,
        outcome=told.outcome,
        text=told.text,
        citations=told.citations,
        retrieved=references(walk.found),
        facts=walk.found.facts(),
        left_out=walk.found.left_out,
        withheld=walk.found.withheld,
        linked=walk.drafting.linked,
        attempts=tuple(walk.attempts),
        checks=_checks(walk, language),
        warnings=walk.verdict.warnings if walk.verdict else (),
        understood=walk.chosen.understood if walk.chosen else told.understood,
        assumptions=walk.chosen.assumptions if walk.chosen else (),
        definitions=_definitions(walk.chosen, model, language),
        lacking=told.lacking,
        suggestions=told.suggestions,
        choices=tuple(choice.label for choice in walk.drafting.choices),
        confirm=statement_hash(walk.verdict, walk.principal)
        if told.outcome == "confirm" and walk.verdict
        else "",
        agreed=walk.given.agreed,
        policy=side.policy.title if side and side.policy else None,
        confidence=told.confidence,
        versions=versions,
        timings=dict(walk.timings),
        tokens=walk.found.tokens,
        model_calls=tuple(walk.calls),
        worded_by=told.worded_by,
        not_worded=walk.written.problem if walk.written else "",
        **queried,
    )


def material_of(walk: Walk, side: Warehousing | None) -> Material | None:
    """What a model may word the answer from; None where there is nothing to word (no rows, no passage, no answer)."""
    assert walk.route is not None  # noqa: S101 - decided before the end
    kind = walk.route.kind
    queried = kind in ("query", "both")
    documents = walk.documents if kind in ("documents", "both") else None
    if queried and (walk.result is None or walk.result.table.num_rows == 0 or walk.chosen is None):
        return None
    if not queried and not (documents and documents.citations):
        return None
    facts = fact_sentences(documents.facts, walk.found.language) if documents else []
    first = [citation.chunk_id for citation in documents.citations] if documents else []
    material = Material(
        walk.question, passages=passages_for(walk.found, first) if first else (), facts=tuple(facts)
    )
    if not queried or walk.result is None or walk.chosen is None:
        return material
    rows, note = rows_for(walk.result)
    model = side.model if side else SemanticModel()
    defined = _definitions(walk.chosen, model, walk.found.language)
    return replace(
        material,
        rows=rows,
        note=note,
        definitions=tuple(f"{name}: {words}" for name, words in defined.items() if words),
        reading=(*walk.chosen.understood, *walk.chosen.assumptions),
        units=tuple(found.unit for name in walk.chosen.metrics if (found := model.metric(name))),
        said=said_by(walk.chosen, walk.verdict, side.warehouse.dialect if side else ""),
    )


def _described(walk: Walk, model: SemanticModel) -> str:
    if walk.result is None or walk.chosen is None:
        return ""
    return describe_result(walk.question, walk.chosen, walk.result, model, walk.found.language)


def _narrowed(walk: Walk, model: SemanticModel, language: Language) -> tuple[str, ...]:
    """What people call the tables that a row policy narrowed for this asker."""
    names = []
    for qualified in walk.verdict.row_rules if walk.verdict else ():
        bare = qualified.rpartition(".")[2].casefold()
        entity = next((e for e in model.tables if e.physical.rpartition(".")[2].casefold() == bare), None)
        label = (entity.label.ja if language == "ja" else entity.label.en) if entity else ""
        names.append(label or qualified)
    return tuple(dict.fromkeys(names))


def _owners(walk: Walk, policy: Policy | None) -> tuple[str, ...]:
    """Who is asked for more rows of the narrowed tables that the asker may know of, in the policy's words."""
    rules = [policy.rule(name) for name in walk.verdict.row_rules] if walk.verdict and policy else []
    return tuple(dict.fromkeys(rule.owner for rule in rules if rule and rule.discoverable and rule.owner))


def _queried(walk: Walk, model: SemanticModel) -> dict[str, Any]:
    """The fields that only a query that ran fills."""
    if walk.result is None:
        return {}
    summary, rows = summarise(walk.result)
    chart = None
    if walk.chosen is not None:
        chart = chart_for(walk.result, walk.chosen, model=model, language=walk.found.language)
    return {
        "sql": walk.verdict.sql if walk.verdict else "",
        "parameters": walk.verdict.parameters if walk.verdict else {},
        "result": summary,
        "rows": rows,
        "chart": chart,
    }


def _definitions(draft: Draft | None, model: SemanticModel, language: Language) -> dict[str, str]:
    found = {}
    for name in draft.metrics if draft else ():
        metric = model.metric(name)
        if metric is not None:
            described = metric.description
            found[name] = (
                (described.ja or described.en) if language == "ja" else (described.en or described.ja)
            )
    return found


def _checks(walk: Walk, language: Language) -> tuple[Check, ...]:
    """The guard's steps, then what stands behind them."""
    if walk.verdict is None:
        return ()
    checks = list(walk.verdict.checks)
    if walk.attempts and walk.attempts[-1].estimate is not None:
        checks.append(Check("engine", True, text("check.engine", language)))
    if walk.result is not None:
        checks.append(Check("session", True, text("check.session", language)))
    return tuple(checks)
