"""Everybody who may ask, for commands that ask nothing themselves."""

from __future__ import annotations

from app.commands.opening import relational
from app.directory import FileDirectory, SqlDirectory
from app.settings import Settings
from retrieval.types import Principal


def everyone(settings: Settings) -> list[Principal] | None:
    """All callers, by id; None where the settings name no users. Raises `SettingsError`, `StoreUnavailable`."""
    if settings.users is None:
        return None
    if settings.users.file:
        return FileDirectory(settings.path(settings.users.file)).everyone()
    with relational(settings) as stores:
        return SqlDirectory(stores.database, settings.users.sql).everyone()
