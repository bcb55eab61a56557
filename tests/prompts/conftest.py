"""A model service on this machine."""

from __future__ import annotations

from tests.doubles.fixtures import model_server, session_server

__all__ = ["model_server", "session_server"]
