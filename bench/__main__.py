"""Runs benchmarks by name: `python -m bench`, `python -m bench retrieval --data DIR`, `python -m bench a b`.

A benchmark is a module of this folder with `main(arguments: list[str])`; without a name all are run. One that takes
`--data DIR` says so by `TAKES_DATA = True`; the option is then handed on when all are run.
"""

from __future__ import annotations

import pkgutil
import sys
import time
from importlib import import_module
from itertools import takewhile
from pathlib import Path


def names() -> list[str]:
    """Every benchmark there is."""
    folder = str(Path(__file__).parent)
    return sorted(info.name for info in pkgutil.iter_modules([folder]) if not info.name.startswith("_"))


def main(arguments: list[str]) -> int:
    """Run the named benchmarks with the options that follow the names; returns the exit code."""
    chosen = list(takewhile(lambda argument: not argument.startswith("-"), arguments))
    options = arguments[len(chosen) :]
    if unknown := sorted(set(chosen) - set(names())):
        print(f"no benchmark called {', '.join(unknown)}; there are: {', '.join(names())}", file=sys.stderr)
        return 2
    if not chosen and options and (len(options) != 2 or options[0] != "--data"):
        print(
            f"python -m bench [NAME …] [options]; NAME: {', '.join(names())}; all of them take --data DIR only"
        )
        return 0 if options in (["-h"], ["--help"]) else 2
    for name in chosen or names():
        print(f"\n== {name}", flush=True)
        module = import_module(f"{__package__}.{name}")
        started = time.perf_counter()
        module.main(options if chosen or getattr(module, "TAKES_DATA", False) else [])
        print(f"({time.perf_counter() - started:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
