"""The one application behind all sessions of this server, opened again when its files change."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import streamlit as st

from app import settings as configuration
from app.commands.opening import require_home
from app.settings import Settings
from app.wiring import Application, open_application
from retrieval.types import Principal

GRACE_SECONDS = 120.0
"""How long a replaced application stays open, for the questions that are on their way in it."""
_WARM = ThreadPoolExecutor(max_workers=1, thread_name_prefix="warm")


def application() -> Application:
    """The application of the home as its files are now. Raises the errors of its parts, and then again when asked."""
    settings = configuration.load()
    require_home(settings)
    return _opened(str(settings.home), stamp(settings))


def stamp(settings: Settings) -> tuple[object, ...]:
    """Changes when a file of the home was edited (a policy counts at once), or the warehouse is another or gone."""
    names = ("semantic_model", "policy", "glossary", "verified", "situational")
    files = [getattr(settings, name) for name in names if getattr(settings, name)]
    edited = [_edited(settings.path(name)) for name in (configuration.CONFIG, *files)]
    kept = Path(settings.warehouse_url().rpartition(":///")[2]) if settings.warehouse else None
    # A warehouse is written to all the time by those who own it: only which file it is counts.
    return (*edited, _number(kept) if kept else None)


def _edited(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_ino, found.st_mtime_ns)


def _number(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _close_later(app: Application) -> None:
    timer = threading.Timer(GRACE_SECONDS, app.close)
    timer.daemon = True
    timer.start()


@st.cache_resource(show_spinner=False, max_entries=1, on_release=_close_later)
def _opened(home: str, state: tuple[object, ...]) -> Application:
    del state
    return open_application(configuration.load(Path(home)))


def warm(app: Application, principal: Principal) -> Future[None]:
    """Prepare what this caller's first question needs while they are still typing it; ask for the result to wait."""
    kept: dict[tuple[int, str], Future[None]] = st.session_state.setdefault("warmed", {})
    key = (id(app), principal.id)
    if key not in kept:
        kept.clear()
        kept[key] = _WARM.submit(_prepare, app, principal)
    return kept[key]


def _prepare(app: Application, principal: Principal) -> None:
    if app.warehousing is not None:
        app.warehousing.scope_for(principal)
