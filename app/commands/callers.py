"""Everybody who may ask, and under which policy, for commands that ask nothing themselves."""

from __future__ import annotations

from pathlib import Path

from app.commands.opening import relational
from app.directory import FileDirectory, SqlDirectory
from app.errors import SettingsError
from app.settings import Settings
from retrieval.types import Principal
from text2sql.policy import Policy
from text2sql.policy import load as load_policy


def everyone(settings: Settings) -> list[Principal] | None:
    """All callers, by id; None where the settings name no users. Raises `SettingsError`, `StoreUnavailable`."""
    if settings.users is None:
        return None
    if settings.users.file:
        return FileDirectory(settings.path(settings.users.file)).everyone()
    with relational(settings) as stores:
        return SqlDirectory(stores.database, settings.users.sql).everyone()


def policy_meant(file: Path | None, settings: Settings) -> Policy:
    """The policy of that file, else of the settings. Raises `SettingsError` where neither is there, `PolicyError`."""
    if file is None and not settings.policy:
        raise SettingsError("No policy is configured", where="config.yaml: policy", todo="Give --policy.")
    return load_policy(file or settings.path(settings.policy))
