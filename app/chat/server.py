"""The server process of `bunmyaku ui`: Streamlit, with the application opened while no one is looking yet."""

from __future__ import annotations

import contextlib
import sys
import threading
from pathlib import Path

from streamlit.web.cli import main as streamlit

from app.chat import opening
from retrieval.errors import BunmyakuError

PAGE = Path(__file__).with_name("page.py")


def main(options: list[str]) -> None:
    """Serve until interrupted. `options` are Streamlit's own."""
    threading.Thread(target=_open_early, name="opening", daemon=True).start()
    streamlit(["run", str(PAGE), *options], prog_name="streamlit")


def _open_early() -> None:
    """What fails here fails again on the page, where it is shown."""
    with contextlib.suppress(BunmyakuError):
        opening.application()


if __name__ == "__main__":
    main(sys.argv[1:])
