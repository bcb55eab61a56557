"""The chat model that the settings name, opened through LangChain's `init_chat_model`.

`none` is no model; `replay:FILE` answers from a recording. Opening one asks nothing of the provider: a key that is
refused shows at the first question, one that is missing here.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic

from app.errors import SettingsError
from app.settings import ModelSettings
from prompts.errors import PromptError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

WHERE = "config.yaml: model"
_REPLAY = "replay"
# The Converse API is the one that every chat model of Bedrock speaks; LangChain's `bedrock` is the older one.
_ALIASES: Mapping[str, str] = {"bedrock": "bedrock_converse"}
_EXTRAS: Mapping[str, str] = {
    "bedrock": "bunmyaku[bedrock]",
    "bedrock_converse": "bunmyaku[bedrock]",
    "openai": "bunmyaku[openai]",
    "azure_openai": "bunmyaku[openai]",
}
_NEEDS: Mapping[str, str] = {
    "bedrock_converse": "Set `options: {region_name: …}` (or AWS_REGION), and give credentials the way AWS tools take them:"
    " a profile, a role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "openai": "Set OPENAI_API_KEY, and `options: {base_url: …}` for a server of your own.",
}
_ANY_PROVIDER = "Give the provider's key the way its own tools take it, and check `options`."
_SHORTEST_SECRET = 6


def open_model(model: ModelSettings | str, home: Path | None = None) -> BaseChatModel | None:
    """The model, or None for `none`. A recording's path is relative to `home`.

    Raises `SettingsError`: no `provider:name`, a provider that is not installed or not known, a key or region that
    is missing, an option that the provider does not take.
    """
    settings = ModelSettings.model_validate(model) if isinstance(model, str) else model
    if settings.name == "none":
        return None
    provider, separator, name = settings.name.partition(":")
    if not (provider and separator and name):
        raise SettingsError(
            # Not repeated: a key lands here when it is written in the wrong place.
            "The setting does not name a chat model",
            where=WHERE,
            todo="Write `none`, `provider:name` (such as `bedrock:…` or `openai:…`), or `replay:FILE`.",
        )
    if provider == _REPLAY:
        return _replayed((home or Path()) / Path(name).expanduser())
    provider = _ALIASES.get(provider, provider)
    # `prompts.calling` repeats within one deadline: the provider's own repetitions would stand in its way.
    own = {"max_retries": 0, "timeout": settings.seconds} if provider in _NEEDS else {}
    return _opened(provider, name, {**own, **settings.options})


def _replayed(path: Path) -> BaseChatModel:
    from prompts.replaying import ReplayedChatModel

    try:
        return ReplayedChatModel(path=path)
    except PromptError as error:
        raise SettingsError(error.what, where=error.where or WHERE, todo=error.todo) from error


def _opened(provider: str, name: str, options: Mapping[str, Any]) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    try:
        with warnings.catch_warnings():
            # A misspelled option is handed on to the provider with no more than a warning: say so at once instead.
            warnings.filterwarnings("error", message=".*is not default parameter.*")
            opened: BaseChatModel = init_chat_model(name, model_provider=provider, **options)
    except ImportError as error:
        raise SettingsError(
            f"The provider {provider} is not installed",
            where=WHERE,
            todo=_install(provider, error),
        ) from None
    except Exception as error:  # noqa: BLE001 - each provider raises what it likes here, none of it ours to name
        if "Supported providers" in str(error) or "Unsupported provider" in str(error):
            raise SettingsError(
                f"There is no provider {provider}",
                where=WHERE,
                todo="Use `bedrock`, `openai`, or another provider of LangChain's `init_chat_model`.",
            ) from None
        raise _unusable(provider, name, error, options) from None
    return opened


def _install(provider: str, error: ImportError) -> str:
    extra = _EXTRAS.get(provider)
    if extra:
        return f"Run `pip install '{extra}'`."
    _, _, package = str(error).partition("pip install ")
    return f"Run `pip install {package.split('`')[0].strip() or 'langchain-' + provider}`."


def _unusable(provider: str, name: str, error: Exception, options: Mapping[str, Any]) -> SettingsError:
    """What the provider said, without any value of the options: those may be keys."""
    if isinstance(error, pydantic.ValidationError):
        parts = error.errors(include_url=False, include_context=False, include_input=False)
        said = "; ".join(f"{'.'.join(map(str, part['loc']))} {part['msg']}".strip() for part in parts[:3])
    else:
        said = f"{type(error).__name__}: {error}"
    for value in _texts(options):
        said = said.replace(value, "…")
    return SettingsError(
        f"The model {provider}:{name} cannot be opened: {' '.join(said.split())[:300]}",
        where=WHERE,
        todo=_NEEDS.get(provider, _ANY_PROVIDER),
    )


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) and len(value) >= _SHORTEST_SECRET else []
