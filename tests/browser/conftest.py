"""Fixtures of the tests in a real browser: a server, Chromium, and a page that notices what goes wrong.

A test asks for ``server`` (its address, its folder of runs) and ``page``, and opens ``server.url`` itself.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser.laboratory import SECONDS, until
from browser.serving import Server, begun, end_workers, started
from playwright.sync_api import Browser, Page, Playwright, Route, expect, sync_playwright

from clustlab.runs import Run

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


def chromium_path() -> str | None:
    """Return the browser named by ``$CLUSTLAB_CHROMIUM``, else the first one on the path."""
    named = os.environ.get("CLUSTLAB_CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=1000 * SECONDS)
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def browser_path() -> str:
    path = chromium_path()
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("no Chromium here; `make browser` tells how to get one")
    if path is None:
        pytest.skip("no Chromium here; `make browser` tells how to get one")
    assert path is not None
    return path


@pytest.fixture(scope="session")
def browser_arguments() -> list[str]:
    return ARGUMENTS


@pytest.fixture(scope="session")
def browser(playwright: Playwright, browser_path: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def plain_browser(playwright: Playwright, browser_path: str, browser_arguments: list[str]) -> Iterator[Browser]:
    """A Chromium without WebGL."""
    keep = [argument for argument in browser_arguments if "swiftshader" not in argument and "use-gl" not in argument]
    browser = playwright.chromium.launch(executable_path=browser_path, args=[*keep, "--disable-3d-apis"])
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A clustlab of its own with an empty folder of runs; it must end by itself when asked to."""
    with started(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def start_server() -> Callable[..., AbstractContextManager[Server]]:
    """A function that starts one more server, for a test that ends it; see :func:`started`."""
    return started


@pytest.fixture
def workers_end(server: Server) -> Iterator[None]:
    """No worker of a test is left to the next one."""
    yield
    end_workers(server.runs)


@pytest.fixture
def begin(server: Server, workers_end: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """A function that starts a run whose codes are a plane: small, and too long to end by itself unless told so."""
    return lambda **more: begun(server, monkeypatch, **more)


@pytest.fixture(scope="session")
def finished_run(server: Server) -> Run:
    """A run of several frames that has ended; not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        options = {"cluster_epochs": 400, "tolerance": 0, "n_init": 2}
        training = {"epochs": 400, "threads": 1}
        run = begun(server, patch, options=options, training=training, recording={"budget": 1})
        until(lambda: not run.lives)
    assert run.state == "finished"
    assert len(run.frames) > 4
    return run


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """A function that opens one more window, each with a browser context of its own.

    The pages let nothing out, and fail the test on foreign requests and on errors in their scripts.
    """
    foreign: list[str] = []
    errors: list[str] = []
    contexts = []

    def let_local_through(route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.scheme in ("http", "https") and address.hostname not in LOCAL:
            foreign.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    def opened(chromium: Browser = browser, **options: Any) -> Page:
        size = {"width": 1440, "height": 900}
        context = chromium.new_context(**{"viewport": size, "reduced_motion": "reduce", **options})
        contexts.append(context)
        context.set_default_timeout(1000 * SECONDS)
        context.route("**/*", let_local_through)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "websocket",
            lambda socket: foreign.append(socket.url) if urlsplit(socket.url).hostname not in LOCAL else None,
        )
        return page

    yield opened
    for context in contexts:
        if context.browser is None or not context.browser.is_connected():
            continue  # a browser of the test's own
        context.unroute_all(behavior="ignoreErrors")
        context.close()
    assert foreign == [], "requests to other computers"
    assert errors == [], "errors in the page's scripts"


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A page of 1440 × 900; see :func:`open_page`."""
    return open_page()
