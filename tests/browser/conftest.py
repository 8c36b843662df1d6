"""Fixtures of the tests in a real browser: a server, Chromium, and a page that notices what goes wrong.

A test asks for ``server`` (its address, its folder of runs) and ``page``, and opens ``server.url`` itself.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright, Route, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LOCAL = {"localhost", "127.0.0.1", "::1"}

ARGUMENTS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",  # WebGL without a graphics card
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass(frozen=True)
class Server:
    """A running clustlab: its address and the folder that it shows."""

    url: str
    runs: Path


def chromium_path() -> str | None:
    """Return the browser named by ``$CLUSTLAB_CHROMIUM``, else the first one on the path."""
    named = os.environ.get("CLUSTLAB_CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    path = chromium_path()
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("no Chromium here; `make browser` tells how to get one")
    if path is None:
        pytest.skip("no Chromium here; `make browser` tells how to get one")
    browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A clustlab of its own with an empty folder of runs; it must end by itself when asked to."""
    folder = tmp_path_factory.mktemp("server")
    port = _free_port()
    environment = {
        **os.environ,
        "CLUSTLAB_RUNS": str(folder / "runs"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)]
    log = folder / "log.txt"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=stream, stderr=subprocess.STDOUT)
    try:
        _wait_until_healthy(process, port, log)
        yield Server(f"http://localhost:{port}", folder / "runs")
        process.terminate()
        code = process.wait(timeout=20)
        text = log.read_text()
        assert code in (0, -15), f"the server ended with {code}:\n{text}"
        assert "Traceback" not in text, text
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of 1440 × 900 that lets nothing out, and fails the test on foreign requests and script errors."""
    foreign: list[str] = []
    errors: list[str] = []

    def let_local_through(route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.scheme in ("http", "https") and address.hostname not in LOCAL:
            foreign.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.route("**/*", let_local_through)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "websocket", lambda socket: foreign.append(socket.url) if urlsplit(socket.url).hostname not in LOCAL else None
    )
    yield page
    context.unroute_all(behavior="ignoreErrors")
    context.close()
    assert foreign == [], "requests to other computers"
    assert errors == [], "errors in the page's scripts"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return int(listener.getsockname()[1])


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the server ended with {process.returncode}:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"the server did not answer within {seconds:.0f} s:\n{log.read_text()}")
