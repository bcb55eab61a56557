"""A served chat over a small demo company, and a real Chromium to look at it with."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def bunmyaku(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in a home."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        env={**os.environ, "BUNMYAKU_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a small demo company, built by the command a person would use."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (make chromium, as root)")
    folder = tmp_path_factory.mktemp("company")
    home = folder / "home"
    done = bunmyaku(home, "demo", "--customers", "300", "--no-serve")
    assert (home / "warehouse.duckdb").is_file(), done.stderr + done.stdout
    yield home
    bunmyaku(home, "stop")


@pytest.fixture(scope="session")
def served(company: Path) -> Iterator[str]:
    """The chat's address."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "app", "ui", "--port", str(port)],
        env={**os.environ, "BUNMYAKU_HOME": str(company)},
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            assert server.poll() is None, "the chat ended by itself"
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.25)
        else:
            pytest.fail("the chat did not come up within a minute")
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)
    with socket.socket() as probe:  # the server goes with the command that started it
        assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (make chromium, as root)")
    opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Shared for its cache of scripts; each page in it is a session of its own to the chat."""
    opened = browser.new_context(viewport={"width": 1280, "height": 1400}, locale="en-US")
    opened.set_default_timeout(60_000)
    yield opened
    opened.close()


def _outside(url: str, address: str) -> bool:
    return not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))


@pytest.fixture
def page(context: BrowserContext, served: str) -> Iterator[Page]:
    """A new session on the chat, which reaches nothing but the chat."""
    opened = context.new_page()
    strayed: list[str] = []
    opened.on("request", lambda r: strayed.append(r.url) if _outside(r.url, served) else None)
    opened.goto(served)
    opened.get_by_test_id("stChatInputTextArea").wait_for()
    yield opened
    opened.close()
    assert strayed == []
