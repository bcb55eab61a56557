"""Errors of app.

BunmyakuError
└── AppError
    ├── SettingsError      a settings file or variable that cannot be used as written
    ├── QuestionInvalid    an empty, over-long or unreadable question; nothing was asked
    ├── UnknownUser        nobody of that id in the directory
    └── GivenInvalid       steps supplied by the caller that cannot stand in for our own
"""

from __future__ import annotations

from retrieval.errors import BunmyakuError


class AppError(BunmyakuError):
    """Something in app failed."""


class SettingsError(AppError):
    """A settings file or variable cannot be used as written."""


class QuestionInvalid(AppError):
    """The question is empty, too long or not text."""


class UnknownUser(AppError):
    """Nobody of that id is in the directory."""


class GivenInvalid(AppError):
    """A supplied step cannot stand in for our own."""
