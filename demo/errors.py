"""Errors of the demo.

BunmyakuError
└── DemoError                 the demo cannot be built here
    └── NotADemoHome          the home (or database) holds something that the demo did not make
"""

from __future__ import annotations

from retrieval.errors import BunmyakuError


class DemoError(BunmyakuError):
    """The demo cannot be built here."""


class NotADemoHome(DemoError):
    """The home or the database holds something that the demo did not make, so it is left alone."""
