"""The process that parses. It takes requests on its standard input, answers on its standard output, and may die.

Both ways a message is eight bytes of length and JSON (never pickle: what comes out of this process has seen hostile
bytes). It starts with an empty environment, limits itself, and ends when its parent does.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

from ingest.errors import LimitExceeded, Unreadable
from ingest.limits import Limits, size_in_words
from ingest.preparing import prepare

LENGTH = struct.Struct(">Q")


def send(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Write one message."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    stream.write(LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


def receive(stream: BinaryIO, limit: int) -> dict[str, Any] | None:
    """Read one message; None at the end of the stream, or when a message is cut short or over `limit` bytes."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    if length > limit:
        return None
    body = stream.read(length)
    if len(body) < length:
        return None
    message: dict[str, Any] = json.loads(body)
    return message


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """One request's answer: `prepared`, or the `reason` it cannot be read for."""
    limits = Limits.from_json(request["limits"])
    try:
        raw = Path(request["path"]).read_bytes()
        return {"prepared": prepare(raw, request["name"], limits, request["size"]).to_json()}
    except LimitExceeded as error:
        return {"reason": error.what, "limit": True}
    except Unreadable as error:
        return {"reason": error.what}
    except MemoryError:
        return {"reason": f"needs more than {size_in_words(limits.memory_bytes)} of memory", "limit": True}


def limit_this_process(limits: Limits) -> None:
    """Memory and core dumps once; where the system has no such limits the parent's deadline remains."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    except (ValueError, OSError):  # macOS takes no limit below what is mapped already
        return


def limit_this_document(limits: Limits) -> None:
    """Processor time from now on, and a clock that ends the process even if its parent is gone."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + limits.cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds + 5)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the requests end."""
    limited = False
    while (request := receive(requests, 1 << 20)) is not None:
        limits = Limits.from_json(request["limits"])
        if not limited:
            limit_this_process(limits)
            limited = True
        limit_this_document(limits)
        reply = answer(request)
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        send(answers, reply)


def main() -> None:
    """Keep the two pipes for messages; whatever a library prints goes nowhere."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.dup2(null, sys.stderr.fileno())
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
