"""The offline drafter: no model, only a grammar over the semantic layer. Deterministic.

question → items (words linked, numbers and periods read) → sketch (roles) → plan (columns) → SQL. What it is not
sure of it declines, saying what it understood, what it lacked, and what can be asked instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp
from sqlglot.errors import SqlglotError

from retrieval.types import Clock, Context
from text2sql.drafters.planning import grammar_en, grammar_ja
from text2sql.drafters.planning.actions import run
from text2sql.drafters.planning.builder import Builder
from text2sql.drafters.planning.compiler import compile_plan
from text2sql.drafters.planning.plan import CannotPlan, Field, Note, QueryPlan, note
from text2sql.drafters.planning.relating import detours
from text2sql.drafters.planning.resolver import Ambiguity, Resolver
from text2sql.drafters.planning.scope import Names
from text2sql.drafters.planning.sketch import Sketch
from text2sql.drafters.reading.clauses import clauses, refers_back, resolved, sentences
from text2sql.drafters.reading.followup import follow, leans_back
from text2sql.drafters.reading.items import Reading
from text2sql.drafters.reading.lexicon import lexicon
from text2sql.drafters.reading.periods import Today
from text2sql.drafters.reading.reader import Reader
from text2sql.drafters.telling.charting import chart
from text2sql.drafters.telling.confidence import THRESHOLD, confidence, features
from text2sql.drafters.telling.suggestions import suggestions
from text2sql.drafters.telling.understood import Teller, say
from text2sql.glossary import Glossary
from text2sql.linking import Linker
from text2sql.semantics import SemanticModel
from text2sql.types import Catalog, Choice, Decline, Draft, Drafting
from text2sql.values import ValueIndex
from text2sql.verified import VerifiedQueries
from text2sql.visible_model import visible_model, visible_queries

NAME = "offline"
_GRAMMARS = {"en": grammar_en.RULES, "ja": grammar_ja.RULES}


@dataclass(frozen=True)
class _Attempt:
    """One way through the drafter for one reading."""

    reading: Reading
    sketch: Sketch
    resolver: Resolver
    teller: Teller
    plan: QueryPlan | None = None
    sql: str = ""
    tables: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    confidence: float = 0.0
    reason: Note | None = None


def _sure(attempt: _Attempt) -> bool:
    return attempt.plan is not None and attempt.confidence >= THRESHOLD


def _about_metric(attempt: _Attempt) -> bool:
    """Whether one of the model's metrics answers it: a plain list may as well be in the documents."""
    return bool(_sure(attempt) and attempt.plan and any(m.metric for m in attempt.plan.every_measure))


class OfflineDrafter:
    """Drafts over one catalogue and model, as one caller sees them. Build it once; safe between threads."""

    def __init__(
        self,
        catalog: Catalog,
        model: SemanticModel,
        values: ValueIndex,
        glossary: Glossary | None = None,
        verified: VerifiedQueries | None = None,
        *,
        clock: Clock,
    ) -> None:
        visible = visible_model(model, catalog)
        self._names = Names(catalog, visible)
        self._reader = Reader(Linker(visible, glossary), values)
        self._verified = visible_queries(verified or VerifiedQueries(), catalog)
        self._clock = clock
        for language in _GRAMMARS:  # read the files now rather than during the first question
            lexicon(language)
            say("empty", language)

    def draft(self, question: str, context: Context, n: int = 1) -> Drafting:
        """At most `n` drafts; a Decline for what is not understood; choices where it could mean two things."""
        return self.best_effort(question, context, n)[0]

    def best_effort(self, question: str, context: Context, n: int = 1) -> tuple[Drafting, Draft | None]:
        """What `draft` gives, and the best draft there is, however doubtful: for measuring, never for an answer.

        None where no query could be made at all.
        """
        match = self._verified.match(question)
        if match is not None:
            found = self._verified_draft(match.query.sql, match.wording, match.exact)
            return found, found.drafts[0]
        today = self._today()
        reading = self._reader.read(question, today)
        together = follow(reading, context, lambda text: self._reader.read(text, today))
        attempt = self._best(together or reading)
        if together is None and leans_back(reading):
            attempt = replace(attempt, plan=None, reason=note("cannot_alone"))
        if together is not None:
            attempt = replace(attempt, notes=(note("follow", text=together.text), *attempt.notes))
        outcome = self._outcome(attempt, n)
        best = next(iter(outcome.drafts), None)
        if best is None and attempt.plan is not None:
            best = self._draft(attempt, attempt.plan)
        return outcome, best

    def _today(self) -> Today:
        return Today(self._clock().date(), self._names.model.fiscal_year_start)

    # -- one attempt -----------------------------------------------------------------------------------------

    def _attempt(self, reading: Reading, forced: dict[int, Field] | None = None) -> _Attempt:
        sketch = Sketch(reading)
        run(sketch, _GRAMMARS[reading.language])
        resolver = Resolver(self._names, reading, forced or {})
        attempt = _Attempt(reading, sketch, resolver, Teller(self._names, reading.language))
        builder = Builder(self._names, sketch, resolver, self._today())
        try:
            plan = builder.plan()
            tree = compile_plan(plan, self._names)
            sql = tree.sql(dialect=self._names.catalog.dialect)
        except CannotPlan as error:
            return replace(attempt, reason=error.note)
        except (
            SqlglotError
        ) as error:  # an expression of the model that does not parse: `semantics.check` tells
            return replace(attempt, reason=note("cannot_parse", text=str(error).splitlines()[0]))
        tables = self._tables(tree)
        sure = confidence(features(sketch, resolver, len(tables), detours(plan, self._names)), plan)
        return replace(
            attempt, plan=plan, sql=sql, tables=tables, notes=tuple(builder.notes), confidence=sure
        )

    def _tables(self, tree: exp.Query) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for table in tree.find_all(exp.Table):
            known = self._names.catalog.table(f"{table.db}.{table.name}" if table.db else table.name)
            if known is not None:
                found[known.qualified] = None
        return tuple(found)

    def _best(self, reading: Reading) -> _Attempt:
        """The reading as a whole; of two questions in one, the one that asks for a metric."""
        parts = clauses(reading.text)
        if not parts:
            whole = self._attempt(reading)
            if _sure(whole):
                return whole
            parts = sentences(reading.text)
        answered = [each for each in map(self._attempt, self._read_parts(parts)) if _about_metric(each)]
        if len(answered) != 1:
            return self._attempt(reading)
        return replace(answered[0], notes=(note("part", text=answered[0].reading.text), *answered[0].notes))

    def _read_parts(self, texts: tuple[str, ...]) -> list[Reading]:
        """Each part read by itself, a pronoun standing for the metric named before it."""
        found: list[Reading] = []
        named = ""
        for text in texts:
            part = self._reader.read(text, self._today())
            if named and not any(item.code in "MDE" for item in part.items):
                part = self._reader.read(resolved(text, named), self._today())
            named = next((item.text for item in part.items if item.code == "M"), named)
            if not refers_back(part.text):
                found.append(part)
        return found

    # -- what comes of it ------------------------------------------------------------------------------------

    def _outcome(self, attempt: _Attempt, n: int) -> Drafting:
        linked = tuple(
            ".".join(filter(None, (link.kind, link.entity, link.name)))
            for link in attempt.resolver.chosen.values()
        )
        if attempt.plan is not None:
            choices = self._choices(attempt)
            if choices:
                asked = self._question(attempt)
                return Drafting(choices=choices, clarify=asked, linked=linked)
            if attempt.confidence >= THRESHOLD:
                return Drafting(drafts=(self._draft(attempt, attempt.plan),)[:n], linked=linked)
        return Drafting(decline=self._decline(attempt), linked=linked)

    def _draft(self, attempt: _Attempt, plan: QueryPlan) -> Draft:
        teller = attempt.teller
        assumed = [teller.note(each) for each in (*attempt.notes, *attempt.sketch.weak)]
        assumed += teller.assumed(attempt.resolver, attempt.reading.items)
        return Draft(
            sql=attempt.sql,
            origin="offline",
            confidence=attempt.confidence,
            understood=teller.plan(plan),
            assumptions=tuple(dict.fromkeys(assumed)),
            metrics=tuple(m.metric for m in plan.every_measure if m.metric),
            tables=attempt.tables,
            drafter=NAME,
            chart=chart(plan, self._names),
        )

    def _decline(self, attempt: _Attempt) -> Decline:
        teller = attempt.teller
        understood = [
            f"{item.text}: {teller.link(item.links[0])}" for item in attempt.reading.items if item.links
        ]
        understood += [
            f"{item.text}: {teller.dates(item.period.dates)}" for item in attempt.reading.items if item.period
        ]
        lacking = [teller.say("unknown", text=word) for word in attempt.reading.unknown]
        if not attempt.reading.items:
            lacking = [teller.say("empty")]
        elif attempt.reason:
            lacking.append(teller.note(attempt.reason))
        else:
            lacking += [
                teller.say("unused", text=item.text)
                for item in attempt.sketch.unexplained
                if item.code != "U"
            ]
        if not lacking:
            lacking.append(teller.say("doubtful"))
        nearest = suggestions(attempt.reading, teller, self._names.model, self._drafts)
        return Decline(tuple(dict.fromkeys(understood)), tuple(dict.fromkeys(lacking)), nearest)

    def _drafts(self, question: str) -> bool:
        """Whether a question would be answered: what is suggested must work."""
        return _sure(self._attempt(self._reader.read(question, self._today())))

    # -- ambiguity -------------------------------------------------------------------------------------------

    def _choices(self, attempt: _Attempt) -> tuple[Choice, ...]:
        """The readings of the one thing that is ambiguous, each drafted; () where there is nothing to ask."""
        found = self._readings(attempt)
        choices = tuple(
            Choice(label, self._draft(one, one.plan))
            for label, one in found
            if one.plan is not None and one.confidence >= THRESHOLD
        )
        return choices if len({choice.draft.sql for choice in choices}) > 1 else ()

    def _readings(self, attempt: _Attempt) -> list[tuple[str, _Attempt]]:
        teller, reading = attempt.teller, attempt.reading
        for item in reading.items:
            if item.period and item.period.rivals:
                found = []
                for period in (replace(item.period, rivals=()), *item.period.rivals):
                    items = tuple(replace(i, period=period) if i is item else i for i in reading.items)
                    label = f"{period.label} ({teller.dates(period.dates)})"
                    found.append((label, self._attempt(replace(reading, items=items))))
                return found
        ambiguities = attempt.resolver.ambiguities
        if len({a.item.start for a in ambiguities}) != 1:
            return []
        one: Ambiguity = ambiguities[0]
        return [
            (
                teller.say("choice", name=teller.field(field), table=teller.entity(field.entity)),
                self._attempt(reading, {one.item.start: field}),
            )
            for field in one.fields[:4]
        ]

    def _question(self, attempt: _Attempt) -> str:
        for item in attempt.reading.items:
            if item.period and item.period.rivals:
                return attempt.teller.say("clarify_period", text=item.text)
        return attempt.teller.say("clarify", text=attempt.resolver.ambiguities[0].item.text)

    def _verified_draft(self, sql: str, wording: str, exact: bool) -> Drafting:
        sure = 0.99 if exact else 0.95
        draft = Draft(sql, "verified", sure, understood=(wording,), drafter=NAME)
        return Drafting(drafts=(draft,), linked=(f"verified.{wording}",))


def build(settings: Mapping[str, Any]) -> OfflineDrafter:
    """From `catalog`, `model`, `clock` and, where there are any, `values`, `glossary`, `verified`."""
    catalog, model = settings["catalog"], settings["model"]
    values = settings.get("values")
    return OfflineDrafter(
        catalog,
        model,
        values if values is not None else ValueIndex.of(catalog, model),
        settings.get("glossary"),
        settings.get("verified"),
        clock=settings["clock"],
    )
