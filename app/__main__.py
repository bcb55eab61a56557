"""The process: `bunmyaku` and `python -m app`. Ctrl-C ends it without a word, from its first moment on."""

from __future__ import annotations

import sys

from app.interrupting import INTERRUPTED, leave, watch


def main() -> None:
    """Entry point of the console script."""
    watch()
    try:
        _main()
    except SystemExit as end:
        leave(end)
        raise


def _main() -> None:
    try:
        from app.cli import (
            main as run,  # here: reading all the code takes a second, in which one may press Ctrl-C
        )

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
