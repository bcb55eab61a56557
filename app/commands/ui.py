"""`bunmyaku ui`: serve the chat."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from typing import Annotated

import typer

from app import chat
from app import settings as configuration
from app.commands.opening import require_home
from app.errors import SettingsError

SERVER = f"{chat.__name__}.server"
ACCENT = "#2f5d8a"
FONT = (
    '"Source Sans", "Noto Sans JP", "Hiragino Sans", "Yu Gothic UI", Meiryo, "Noto Sans CJK JP", sans-serif'
)
"""Japanese fonts by name: a page that says it is English would be given Chinese forms of the characters."""


def command(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to serve on.")] = 8501,
    host: Annotated[
        str, typer.Option("--host", help="Address to serve on; anyone who reaches it can choose a user.")
    ] = "127.0.0.1",
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open a browser.")] = False,
) -> None:
    """Serve the chat until interrupted."""
    require_home(configuration.load())
    raise typer.Exit(serve(host, port, open_browser=open_browser))


def serve(host: str, port: int, *, open_browser: bool = False) -> int:
    """Run Streamlit in a child process; returns its exit code. Raises `SettingsError` when the port is taken."""
    _require_free(host, port)
    arguments = [
        *("-m", SERVER),
        f"--server.port={port}",
        f"--server.address={host}",
        f"--server.headless={str(not open_browser).lower()}",
        "--server.fileWatcherType=none",
        "--browser.gatherUsageStats=false",
        "--client.toolbarMode=minimal",
        "--client.showErrorDetails=none",
        "--client.showSidebarNavigation=false",
        "--server.showEmailPrompt=false",
        "--runner.magicEnabled=false",
        f"--theme.primaryColor={ACCENT}",
        f"--theme.font={FONT}",
    ]
    child = subprocess.Popen([sys.executable, *arguments])  # noqa: S603 - our own interpreter, fixed arguments
    before = signal.signal(signal.SIGTERM, lambda *_: child.terminate())  # else it would outlive us
    try:
        return child.wait()
    except KeyboardInterrupt:  # it had the same signal from the terminal
        return child.wait()
    finally:
        signal.signal(signal.SIGTERM, before)


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"Port {port} cannot be used: {error.strerror}",
                where=host,
                todo=f"Choose another: `bunmyaku ui --port {port + 1}`.",
            ) from error
