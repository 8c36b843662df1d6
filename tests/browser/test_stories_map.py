"""Stories of drawing: with and without WebGL, with motion and without, the map shows the points."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from browser.laboratory import Laboratory
from browser.serving import Server
from playwright.sync_api import Browser, Page, Playwright

from clustlab.runs import Run

pytestmark = pytest.mark.browser


@pytest.fixture
def plain_browser(playwright: Playwright, browser_path: str, browser_arguments: list[str]) -> Iterator[Browser]:
    """A Chromium without WebGL."""
    keep = [argument for argument in browser_arguments if "swiftshader" not in argument and "use-gl" not in argument]
    browser = playwright.chromium.launch(executable_path=browser_path, args=[*keep, "--disable-3d-apis"])
    yield browser
    browser.close()


def test_the_points_are_drawn_without_webgl(
    server: Server, open_page: Callable[..., Page], plain_browser: Browser, finished_run: Run
) -> None:
    drawn = {}
    for kind, page in {"webgl": open_page(), "canvas": open_page(plain_browser)}.items():
        laboratory = Laboratory(page)
        laboratory.visit(f"{server.url}/?run={finished_run.name}&frame=1")
        laboratory.wait_for_points(finished_run.name)
        laboratory.wait_for_projection("plane")
        assert laboratory.arrived() == 1
        assert laboratory.canvas.get_attribute("data-renderer") == kind
        drawn[kind] = laboratory.drawn_pixels()
        first = laboratory.view
        assert laboratory.zoom() != first
    assert drawn["canvas"] == pytest.approx(drawn["webgl"], rel=0.5)  # edges are smoothed in another way


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_points_move_unless_less_motion_is_asked_for(
    server: Server, open_page: Callable[..., Page], finished_run: Run, motion: str
) -> None:
    laboratory = Laboratory(open_page(reduced_motion=motion))
    laboratory.visit(f"{server.url}/?run={finished_run.name}&frame=0")
    laboratory.wait_for_points(finished_run.name)
    laboratory.arrived()
    laboratory.look_through("plane")
    laboratory.watch()
    laboratory.slider.press("ArrowRight")
    assert laboratory.arrived() == 1
    laboratory.wait_until_still()
    between = len(laboratory.seen()["pictures"]) - 2  # the first and the last picture are there either way
    assert (between > 0) == (motion == "no-preference")
    assert laboratory.seen()["blanks"] == 0
