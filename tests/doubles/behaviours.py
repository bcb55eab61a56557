"""What the model server can be told to do with a request that the real service would have accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Stop = Literal["end", "length", "filtered"]
Trouble = Literal[
    "throttled", "timeout", "unavailable", "internal", "denied", "quota", "not_ready", "overflow"
]


@dataclass(frozen=True)
class Say:
    """Reply with the text, streamed in `pieces`, waiting `pause` seconds before each."""

    text: str
    pieces: int = 5
    stop: Stop = "end"
    pause: float = 0.0


@dataclass(frozen=True)
class Fail:
    """Refuse with the service's own status and error body."""

    trouble: Trouble


@dataclass(frozen=True)
class FailInside:
    """Stream half of the text, then the service's own error event."""

    text: str
    trouble: Trouble = "unavailable"


@dataclass(frozen=True)
class Break:
    """Stream half of the text and no more. `clean`: as if that were the end; else the connection drops."""

    text: str
    clean: bool = False


@dataclass(frozen=True)
class Hang:
    """Say nothing (after half of the text, where there is one) until the server closes."""

    text: str = ""


@dataclass(frozen=True)
class Garble:
    """Answer 200 with bytes that are not of the wire format."""

    body: bytes = b"<html>gateway</html>"


Behaviour = Say | Fail | FailInside | Break | Hang | Garble


@dataclass(frozen=True)
class Asked:
    """One accepted request: what a test may look at. `messages` are (role, text), the system text first."""

    service: Literal["bedrock", "openai"]
    model: str
    messages: tuple[tuple[str, str], ...]
    streamed: bool
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """Everything that was said, for rules that look for a word."""
        return "\n".join(text for _, text in self.messages)


class Refused(Exception):
    """The real service would refuse this request: its status, headers and body."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.body = body
        self.headers = headers or {}
        super().__init__(f"{status} {body}")


def halves(text: str) -> tuple[str, str]:
    """The text before and after its middle."""
    return text[: len(text) // 2], text[len(text) // 2 :]


def cut(text: str, pieces: int) -> list[str]:
    """The text in at most `pieces` pieces, none of them empty."""
    size = max(1, -(-len(text) // max(1, pieces)))
    return [text[at : at + size] for at in range(0, len(text), size)]


def tokens(text: str) -> int:
    """A count that is no one's tokenizer but the same every time."""
    return len(text) // 4 + 1
