"""The model drafter: a chat model writes the query, from what its asker may see and nothing more.

A question that is a verified one is answered with the verified query, without asking the model. What the model
writes is a draft like any other: text, which the guard has to allow. When the model cannot be used, the fallback
drafts in its place and the drafting says why (`failure`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from prompts.calling import call_json, model_name
from prompts.errors import ModelFailed
from prompts.loading import Rendered, load
from retrieval.types import Clock, Context, Language
from text2sql.drafters.prompting.material import Material
from text2sql.drafters.prompting.replies import DraftReply, understood_as
from text2sql.glossary import Glossary
from text2sql.semantics import SemanticModel
from text2sql.types import Catalog, Draft, Drafter, Drafting, FailedDraft, ModelCall
from text2sql.verified import VerifiedQueries
from text2sql.visible_model import visible_model, visible_queries

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

NAME = "model"
FIRST, REVISED = 0.70, 0.50
"""Declared confidence of a draft, until it is calibrated on measured precision."""
SECONDS = 60.0
TOKENS = 6_000
LONGEST_SHOWN = 4_000
"""Characters of a refused query that are shown to the model again."""
MOST_PROBLEMS, LONGEST_PROBLEM = 12, 500
"""Of one refused query; a problem names what the model wrote, however long that was."""
_LANGUAGES: Mapping[Language, str] = {"en": "English", "ja": "日本語"}


class ModelDrafter:
    """Drafts over one catalogue and model, as one caller sees them. Build it once; safe between threads."""

    def __init__(
        self,
        catalog: Catalog,
        chat: BaseChatModel,
        fallback: Drafter,
        material: Material,
        verified: VerifiedQueries,
        *,
        clock: Clock,
        seconds: float = SECONDS,
    ) -> None:
        """`catalog`, `verified` and `material` are the caller's; `seconds` bound each use of the model."""
        self._catalog = catalog
        self._chat = chat
        self._fallback = fallback
        self._material = material
        self._verified = verified
        self._clock = clock
        self._seconds = seconds

    @property
    def fallback(self) -> Drafter:
        """What drafts when the model cannot be used."""
        return self._fallback

    def draft(self, question: str, context: Context, n: int = 1) -> Drafting:
        """One draft (`n` is at least 1: a model's second thoughts come from `revise`), readings, or a decline."""
        if not any(char.isalnum() for char in question):
            return self._fallback.draft(question, context, n)
        match = self._verified.match(question)
        if match is not None and match.exact:
            draft = Draft(match.query.sql, "verified", 0.99, understood=(match.wording,), drafter=NAME)
            return Drafting(drafts=(draft,), linked=(f"verified.{match.wording}",))
        values = self._values(question, context)
        prompt = load("draft", context.language).render(**values)
        return self._asked(question, context, prompt, FIRST, n)

    def revise(self, question: str, context: Context, failed: Sequence[FailedDraft]) -> Drafting:
        """Another draft after these, or readings, or a decline."""
        *before, last = failed
        problems = _listed(last.problems)
        for number, one in enumerate(before, start=1):
            problems.append(f"Refused before ({number}): {_shown(' '.join(one.draft.sql.split()))}")
            problems += _listed(one.problems)
        values = self._values(question, context)
        prompt = load("revise", context.language).render(
            **values, sql=_shown(last.draft.sql), problems="\n".join(problems)
        )
        return self._asked(question, context, prompt, REVISED, 1)

    def _values(self, question: str, context: Context) -> dict[str, str]:
        return {
            **self._material.values(question, context),
            "language_name": _LANGUAGES[context.language],
            "today": self._clock().date().isoformat(),
        }

    def _asked(
        self, question: str, context: Context, prompt: Rendered, confidence: float, n: int
    ) -> Drafting:
        started = perf_counter()
        try:
            reply, said = call_json(self._chat, prompt, DraftReply, seconds=self._seconds)
        except ModelFailed as failure:
            call = ModelCall(
                prompt.name,
                model_name(self._chat),
                prompt.version,
                seconds=perf_counter() - started,
                failure=failure.kind,
            )
            drafted = self._fallback.draft(question, context, n)
            return replace(drafted, failure=failure.kind, calls=(call,))
        call = ModelCall(
            prompt.name,
            said.model,
            said.prompt_version,
            said.input_tokens,
            said.output_tokens,
            said.seconds,
        )
        made = Draft(
            "",
            "model",
            confidence,
            understood=(question,),
            drafter=NAME,
            prompt_version=said.prompt_version,
            model=said.model,
        )
        return replace(understood_as(reply, self._catalog, self._material.model, made), calls=(call,))


def _listed(problems: Sequence[str]) -> list[str]:
    return [f"- {problem[:LONGEST_PROBLEM]}" for problem in problems[:MOST_PROBLEMS]]


def _shown(sql: str) -> str:
    return sql if len(sql) <= LONGEST_SHOWN else f"{sql[:LONGEST_SHOWN]} … ({len(sql):,} characters)"


def build(settings: Mapping[str, Any]) -> ModelDrafter:
    """From `catalog`, `model`, `chat`, `fallback`, `clock` and, where there are any, `verified`, `glossary`.

    `catalog` is the caller's, with the profiles they may see. `seconds` (60) bound each use of the chat model,
    `tokens` (6,000) what is retrieved for one prompt.
    """
    catalog: Catalog = settings["catalog"]
    model: SemanticModel = visible_model(settings["model"], catalog)
    verified = visible_queries(settings.get("verified") or VerifiedQueries(), catalog)
    material = Material(
        catalog,
        model,
        verified=verified,
        glossary=settings.get("glossary") or Glossary(),
        tokens=settings.get("tokens") or TOKENS,
    )
    return ModelDrafter(
        catalog,
        settings["chat"],
        settings["fallback"],
        material,
        verified,
        clock=settings["clock"],
        seconds=settings.get("seconds") or SECONDS,
    )
