"""Drafters as a user would have them for a database that nobody has described: `bunmyaku init`, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.models import open_model
from app.settings import ModelSettings
from evals.drafting.opened import Opened
from evals.errors import EvalError
from text2sql import drafters
from text2sql.types import Drafter
from text2sql.values import ValueIndex

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

MODEL = "model"
"""The drafter that needs a chat model."""


def fixed(at: datetime) -> datetime:
    """The time at which every question is asked, as a clock of no arguments once bound."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def drafter_for(name: str, model: ModelSettings | None, today: datetime, at: Opened) -> Drafter:
    """Built once for an open database. Raises `EvalError` without a model where one is needed, `SettingsError`."""
    key = f"{name} {today.isoformat()}"
    if key not in at.drafters:
        parts = {
            "catalog": at.catalog,
            "model": at.model,
            "values": ValueIndex.of(at.catalog, at.model),
            "clock": partial(fixed, today),
        }
        at.drafters[key] = _model_drafter(parts, model) if name == MODEL else drafters.build(name, parts)
    found: Drafter = at.drafters[key]
    return found


def _model_drafter(parts: Mapping[str, Any], model: ModelSettings | None) -> Drafter:
    chat = _chat(model.model_dump_json()) if model else None
    if model is None or chat is None:
        raise EvalError(
            "No chat model is configured",
            where="--drafter model",
            todo="Give --model, or set `model` in config.yaml.",
        )
    more = {
        "chat": chat,
        "fallback": drafters.build("offline", parts),
        "seconds": model.seconds,
        "tokens": model.tokens,
    }
    return drafters.build(MODEL, {**parts, **more})


@cache
def _chat(settings: str) -> BaseChatModel | None:
    """One chat model a process."""
    return open_model(ModelSettings.model_validate_json(settings))


def checked_model(settings: ModelSettings, home: Path) -> ModelSettings:
    """The settings as workers can use them: a recording by its full path. Raises `SettingsError`, `EvalError`."""
    provider, _, name = settings.name.partition(":")
    if provider == "replay":
        path = Path(name).expanduser()
        settings = settings.model_copy(update={"name": f"replay:{path if path.exists() else home / path}"})
        path = Path(settings.name.partition(":")[2]).resolve()
        settings = settings.model_copy(update={"name": f"replay:{path}"})
    if open_model(settings) is None:
        raise EvalError(
            "No chat model is configured",
            where="--drafter model",
            todo="Give --model, or set `model` in config.yaml.",
        )
    return settings
