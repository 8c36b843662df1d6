"""Take pictures of what a person sees; run as ``PYTHONPATH=tests python -m browser.pictures OUT RUN_FOLDER…``.

Every page, and every explanation that one of the runs offers (each once, by the first run that has it), at 1440 and
1024 pixels, light and dark; of each run what tells most of it, small, as the pages of the methods show it; and what
was measured of the critic.
Nothing here is a test: somebody has to look.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from browser.conftest import ARGUMENTS, chromium_path
from browser.laboratory import Laboratory, settled
from browser.serving import Server, started
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from clustlab import views
from clustlab.lessons import lessons
from clustlab.runs import Run

PAGES = {
    "runs": "Runs",
    "compare": "Compare",
    **{f"lessons?lesson={lesson.name}": lesson.title for lesson in lessons()},
    "methods": "Methods",
    "data": "Data",
    "benchmarks": "Benchmarks",
}
INTO_VIEW = "node => { node.style.scrollMargin = '70px'; node.scrollIntoView({block: 'nearest'}); }"
"""Above the time line, which floats."""

TABS = 44
"""Height of the row that leads from page to page, in pixels."""

SMALL = 900
"""Width of the small pictures, in pixels."""


def main() -> None:
    out, *given = [Path(argument) for argument in sys.argv[1:]]
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        runs = [Run(shutil.copytree(run, Path(folder, "runs", run.name))) for run in given]
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        with started(Path(folder)) as server:
            for width in (1440, 1024):
                for scheme in ("light", "dark"):
                    take(server, browser, runs, out, width, scheme)
            for run in runs:
                for scheme in ("light", "dark"):
                    with opened(browser, 1440, scheme) as page:
                        picture = portrait(server, page, run, rarest(run, runs))
                        picture.save(out / f"{(run.spec.method, *run.spec.extensions)[-1]}-{scheme}.webp", quality=75)
            for scheme in ("light", "dark"):
                with opened(browser, 1440, scheme) as page:
                    changes(server, page).save(out / f"changes-{scheme}.webp", quality=75)
        browser.close()


def opened(browser: Browser, width: int, scheme: Literal["light", "dark"]) -> Page:
    return browser.new_page(viewport={"width": width, "height": 960 if width > 1100 else 820}, color_scheme=scheme)


def take(
    server: Server, browser: Browser, runs: list[Run], out: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    """Take all pictures of one width and scheme."""
    with opened(browser, width, scheme) as page:
        laboratory, seen = Laboratory(page), set()
        for run in runs:
            for name in offered(run).keys() - seen:
                explain(server, laboratory, run, name)
                laboratory.figure(name).evaluate(INTO_VIEW)
                page.wait_for_timeout(300)
                page.screenshot(path=out / f"panel-{name}-{width}-{scheme}.png")
                seen.add(name)
        for name, title in PAGES.items():
            page.goto(f"{server.url}/{name}")
            page.get_by_role("heading", name=title).first.wait_for()
            settled(page)
            page.wait_for_timeout(1500)
            file = f"page-{name.replace('?lesson=', '-')}-{width}-{scheme}.png"
            page.screenshot(path=out / file, full_page=True)


def portrait(server: Server, page: Page, run: Run, panel: str) -> Image.Image:
    """Return a run beside one of its explanations, without the form, small."""
    explain(server, Laboratory(page), run, panel, select="")
    left = page.get_by_test_id("stSidebar").bounding_box()["width"]  # type: ignore[index]
    width, height = page.viewport_size["width"], page.viewport_size["height"]  # type: ignore[index]
    whole = page.screenshot(clip={"x": left, "y": TABS, "width": width - left, "height": height - TABS})
    picture = Image.open(io.BytesIO(whole))
    return picture.resize((SMALL, round(picture.height * SMALL / picture.width)), Image.Resampling.LANCZOS)


def changes(server: Server, page: Page) -> Image.Image:
    """Return the figure of what the critic changes, method by method, on all data that was measured."""
    page.set_viewport_size({"width": 1440, "height": 1600})  # the figure is taller than other pictures
    page.goto(f"{server.url}/benchmarks")
    page.get_by_text("on all data").click()
    figure = page.locator(".st-key-bench-changes-everywhere")
    figure.locator(".legend").wait_for()
    settled(page)
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)
    return Image.open(io.BytesIO(figure.screenshot()))


def rarest(run: Run, runs: list[Run]) -> str:
    """Return the explanation that tells most of a run: the one that the fewest runs offer."""
    return min(offered(run), key=lambda name: sum(name in offered(other) for other in runs))


def offered(run: Run) -> dict[str, dict[str, Any]]:
    """Return what is known of each explanation that a run offers, by name."""
    return {panel["name"]: panel for panel in views.panels(run) if panel["name"] != "latent" and panel["from_phase"]}


def moment(run: Run, name: str) -> int:
    """Return the last frame at which an explanation has something to show."""
    for frame in reversed(range(len(run.frames))):
        if any(panel["name"] == name and panel["available"] for panel in views.panels(run, frame)):
            return frame
    raise LookupError(f"{name} is never available in {run.name}")


def explain(server: Server, laboratory: Laboratory, run: Run, name: str, select: str = "3~41") -> None:
    """Open a run at the last frame at which an explanation has something to show, and wait until it is drawn."""
    panel, frame = offered(run)[name], moment(run, name)
    laboratory.visit(f"{server.url}/?run={run.name}&frame={frame}&select={select}")
    laboratory.wait_for_points(run.name)
    chosen = laboratory.page.get_by_role("group", name="Projection").locator("[aria-pressed=true]")
    if chosen.count():
        drawn = f"[data-testid=latent-canvas][data-projection={chosen.get_attribute('data-name')}]"
        laboratory.page.locator(drawn).or_(laboratory.map_message).first.wait_for()  # codes of a phase may be no plane
    if panel["inside"]:
        laboratory.explain("Inside")
    laboratory.explain(panel["title"])
    laboratory.wait_for_figure(name, frame)
    laboratory.page.wait_for_timeout(700)


if __name__ == "__main__":
    main()
