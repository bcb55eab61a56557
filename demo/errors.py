"""Errors of the demo.

app.errors.SettingsError      what was asked for cannot be done here: wrong usage, to the command line
└── DemoError                 the demo cannot be built here
    └── NotADemoHome          the home (or database) holds something that the demo did not make
"""

from __future__ import annotations

from app.errors import SettingsError


class DemoError(SettingsError):
    """The demo cannot be built here."""


class NotADemoHome(DemoError):
    """The home or the database holds something that the demo did not make, so it is left alone."""
