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
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a small demo company, built by the command a person would use."""
    home = tmp_path_factory.mktemp("company") / "home"
    environment = {**os.environ, "BUNMYAKU_HOME": str(home)}
    command = [sys.executable, "-m", "app", "demo", "--customers", "300", "--no-serve"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    yield home
    subprocess.run([sys.executable, "-m", "app", "stop"], env=environment, capture_output=True, timeout=60, check=False)


@pytest.fixture(scope="session")
def served(company: Path) -> Iterator[str]:
    """The chat's address."""
    port = free_port()
    environment = {**os.environ, "BUNMYAKU_HOME": str(company)}
    server = subprocess.Popen([sys.executable, "-m", "app", "ui", "--port", str(port)], env=environment)
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (make chromium, as root)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, served: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1400}, locale="en-US")
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    opened.goto(served)
    opened.get_by_test_id("stChatInputTextArea").wait_for()
    yield opened
    context.close()
