"""A model service on this machine: real HTTP, the wire formats of Bedrock Converse and OpenAI, scripted replies.

What the real services refuse is refused here before any script is looked at. A script is a queue (`then`), then
rules (`when`), then one standing reply (`otherwise`).
"""

from __future__ import annotations

import json
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.doubles import bedrock_wire, openai_wire
from tests.doubles.behaviours import (
    Asked,
    Behaviour,
    Break,
    Fail,
    FailInside,
    Garble,
    Hang,
    Refused,
    Say,
    halves,
)

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

Rule = Callable[[Asked], Behaviour | str | None]


class ModelServer:
    """Use as a context manager; `url` is its root. Everything may be called from any thread."""

    def __init__(self) -> None:
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._models: dict[str, BaseChatModel] = {}
        self.reset()
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.model_server = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def reset(self) -> None:
        """Forget every script and request, and let go of whoever was made to hang."""
        self.closing.set()
        with self._lock:
            self.closing = threading.Event()
            self.requests: list[Asked] = []
            """What was accepted, in order."""
            self.refused: list[Refused] = []
            """What was refused as the real service would."""
            self._queue: deque[Behaviour] = deque()
            self._rules: list[Rule] = []
            self._standing: Behaviour = Say("ok")

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def then(self, *behaviours: Behaviour | str) -> ModelServer:
        """Queue what to do with the next requests."""
        with self._lock:
            self._queue.extend(_behaviour(one) for one in behaviours)
        return self

    def when(self, word: str | Rule, behaviour: Behaviour | str = "") -> ModelServer:
        """A rule: a word anywhere in the request, or a function of it (None: not mine). Earlier rules win."""
        rule = word if callable(word) else lambda asked: behaviour if word in asked.text else None
        with self._lock:
            self._rules.append(rule)
        return self

    def otherwise(self, behaviour: Behaviour | str) -> ModelServer:
        """What to do where neither queue nor rule says anything."""
        self._standing = _behaviour(behaviour)
        return self

    def decide(self, asked: Asked) -> Behaviour:
        """Note the request and take the next behaviour for it."""
        with self._lock:
            self.requests.append(asked)
            if self._queue:
                return self._queue.popleft()
            for rule in self._rules:
                if (found := rule(asked)) is not None:
                    return _behaviour(found)
            return self._standing

    def bedrock(self, model: str = bedrock_wire.MODELS[0], **options: Any) -> BaseChatModel:
        """LangChain's Converse model against this server, built as the product builds it; the same one each time."""
        return self._model(f"bedrock_converse:{model}", {**self.bedrock_options(), **options})

    def openai(self, model: str = openai_wire.MODELS[0], **options: Any) -> BaseChatModel:
        """LangChain's OpenAI model against this server, built as the product builds it; the same one each time."""
        return self._model(f"openai:{model}", {**self.openai_options(), **options})

    def _model(self, name: str, options: dict[str, Any]) -> BaseChatModel:
        from langchain.chat_models import init_chat_model

        key = f"{name} {sorted(options.items())}"
        if key not in self._models:
            self._models[key] = init_chat_model(name, **options)
        return self._models[key]

    def bedrock_options(self) -> dict[str, Any]:
        """What `init_chat_model` needs to reach this server as Bedrock, nothing from the environment."""
        return {
            "endpoint_url": self.url,
            "region_name": bedrock_wire.REGION,
            "aws_access_key_id": bedrock_wire.ACCESS_KEY,
            "aws_secret_access_key": bedrock_wire.SECRET_KEY,
            "timeout": 5,
            "max_retries": 0,
        }

    def openai_options(self) -> dict[str, Any]:
        """What `init_chat_model` needs to reach this server as OpenAI, nothing from the environment."""
        return {
            "base_url": f"{self.url}/v1",
            "api_key": openai_wire.API_KEY,
            "timeout": 5,
            "max_retries": 0,
            "stream_usage": True,
        }


def _behaviour(given: Behaviour | str) -> Behaviour:
    return Say(given) if isinstance(given, str) else given


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A handler that hangs on purpose must not keep the test from ending.
    block_on_close = False
    model_server: ModelServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that gave up are what some tests are about; anything else is a fault of this server."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """One request of either service."""
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        double = self.server.model_server
        try:
            if bedrock_wire.PATH.fullmatch(self.path):
                url = f"http://{headers.get('host', '')}{self.path}"
                asked = bedrock_wire.understand("POST", self.path, headers, raw, url)
            elif self.path == openai_wire.PATH:
                asked = openai_wire.understand(headers, raw)
            else:
                raise openai_wire.error(404, "invalid_request_error", None, f"Invalid URL (POST {self.path})")
        except Refused as refused:
            double.refused.append(refused)
            self._refuse(refused)
            return
        self._behave(asked, double.decide(asked))

    def _behave(self, asked: Asked, behaviour: Behaviour) -> None:
        wire: Any = bedrock_wire if asked.service == "bedrock" else openai_wire
        if isinstance(behaviour, Fail):
            self._refuse(wire.trouble(behaviour.trouble))
        elif isinstance(behaviour, Garble):
            self._send(200, behaviour.body, {"content-type": "text/html"})
        elif isinstance(behaviour, Hang) and not (behaviour.text and asked.streamed):
            self._hang()
        elif asked.streamed:
            self._stream(asked, behaviour)
        elif isinstance(behaviour, Say):
            self._send(200, wire.whole(asked, behaviour))
        elif isinstance(behaviour, FailInside):
            self._refuse(wire.trouble(behaviour.trouble))
        else:
            self._drop()

    def _stream(self, asked: Asked, behaviour: Say | FailInside | Break | Hang) -> None:
        of_bedrock = asked.service == "bedrock"
        kind = "application/vnd.amazon.eventstream" if of_bedrock else "text/event-stream; charset=utf-8"
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        pause = behaviour.pause if isinstance(behaviour, Say) else 0.0
        for data in _opened(asked, behaviour):
            if pause and self.server.model_server.closing.wait(pause):
                self._drop()
                return
            self._chunk(data)
        if isinstance(behaviour, Hang):
            self._hang()
        elif isinstance(behaviour, Break) and not behaviour.clean:
            # Half a frame more, then nothing: a connection that drops keeps to no boundary.
            self._chunk(next(_texts(asked, "lost", 1))[:11])
            self._drop()
        else:
            self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _refuse(self, refused: Refused) -> None:
        self._send(refused.status, json.dumps(refused.body).encode(), refused.headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hang(self) -> None:
        self.server.model_server.closing.wait()
        self.close_connection = True

    def _drop(self) -> None:
        self.close_connection = True


def _opened(asked: Asked, behaviour: Say | FailInside | Break | Hang) -> Iterator[bytes]:
    """Everything that is sent in order, up to where the behaviour departs from a whole reply."""
    yield from bedrock_wire.opening() if asked.service == "bedrock" else openai_wire.opening(asked)
    if isinstance(behaviour, Say):
        yield from _texts(asked, behaviour.text, behaviour.pieces)
        wire: Any = bedrock_wire if asked.service == "bedrock" else openai_wire
        yield from wire.closing(asked, behaviour)
        return
    yield from _texts(asked, halves(behaviour.text)[0], 2)
    if isinstance(behaviour, FailInside):
        yield (bedrock_wire if asked.service == "bedrock" else openai_wire).failing(behaviour.trouble)


def _texts(asked: Asked, text: str, pieces: int) -> Iterator[bytes]:
    if asked.service == "bedrock":
        return bedrock_wire.texts(text, pieces)
    return openai_wire.texts(asked, text, pieces)
