"""`bunmyaku ui`: serve the chat."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from app import settings as configuration
from app.chat import page
from app.commands.opening import require_home
from app.errors import SettingsError


def command(
    port: Annotated[int, typer.Option("--port", help="Port to serve on.")] = 8501,
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
        *("-m", "streamlit", "run", str(Path(page.__file__))),
        f"--server.port={port}",
        f"--server.address={host}",
        f"--server.headless={str(not open_browser).lower()}",
        "--server.fileWatcherType=none",
        "--browser.gatherUsageStats=false",
        "--client.toolbarMode=minimal",
        "--client.showErrorDetails=none",
    ]
    child = subprocess.Popen([sys.executable, *arguments])  # noqa: S603 - our own interpreter, fixed arguments
    try:
        return child.wait()
    except KeyboardInterrupt:
        return child.wait()


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
