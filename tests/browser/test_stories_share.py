"""Stories of taking a run home: a replay opens from the disk without a network, and everything in it moves."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.laboratory import Laboratory
from playwright.sync_api import Browser, Page, expect

from clustlab.runs import Run
from clustlab.sharing import drawings
from clustlab.sharing.replay import export_replay

pytestmark = pytest.mark.browser

GOLDEN = Path(__file__).parents[1] / "golden" / "idec-acai-digits"
EVIL = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden run as a file, with classes of hostile names; its figures are drawn at four moments."""
    folder = tmp_path_factory.mktemp("share") / "golden"
    shutil.copytree(GOLDEN, folder)
    about = json.loads((folder / "about.json").read_text())
    about["dataset"]["class_names"] = [f"{number} {EVIL}" for number in range(10)]
    (folder / "about.json").write_text(json.dumps(about))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawings, "MOMENTS", 4)
        export_replay(Run(folder), folder.parent / "replay.html")
    shutil.rmtree(folder)  # the file needs nothing of it
    return folder.parent / "replay.html"


@pytest.fixture
def offline(browser: Browser, open_page: Callable[..., Page]) -> Iterator[Page]:
    """A window without a network; whatever it asks for beside the file itself fails the test."""
    asked: list[str] = []
    page = open_page(offline=True)
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    yield page
    assert [url for url in asked if not url.startswith(("blob:", "data:"))] == [page.url]


def test_a_replay_plays_from_the_disk_without_a_network(offline: Page, replay: Path) -> None:
    laboratory = Laboratory(offline)
    offline.goto(replay.as_uri())
    offline.locator("html[data-state=open]").wait_for()
    laboratory.wait_for_points("golden")
    assert laboratory.recorded == 21
    assert laboratory.drawn_pixels() > 200

    laboratory.slider.press("Home")
    assert laboratory.arrived() == 0
    expect(offline.get_by_test_id("p-and-q")).to_contain_text("Nothing is believed softly in this phase")
    equation = laboratory.equation.inner_text()
    offline.get_by_role("button", name="Play or pause (space)").click()
    laboratory.wait_for_frame(20)
    assert laboratory.equation.inner_text() != equation
    believes = offline.get_by_test_id("p-and-q")
    expect(believes).to_have_attribute("data-frame", "20")
    expect(believes).to_contain_text("KL(P‖Q)")
    assert believes.locator(".pair .q").count() == 10

    # a click on the map selects, here and in P and Q
    box = laboratory.canvas.bounding_box()
    assert box is not None
    before = believes.get_attribute("data-position")
    for share in (0.3, 0.4, 0.5, 0.6, 0.7):
        for other in (0.3, 0.4, 0.5, 0.6, 0.7):
            laboratory.canvas.click(position={"x": share * box["width"], "y": other * box["height"]})
            if "least certain" not in believes.inner_text():
                break
    assert "least certain" not in believes.inner_text()
    assert believes.get_attribute("data-position") != before or EVIL in believes.inner_text()
    assert EVIL in believes.inner_text(), "the name of a class is a text, whatever is in it"


def test_every_panel_of_a_replay_is_drawn_and_follows_the_moment(offline: Page, replay: Path) -> None:
    laboratory = Laboratory(offline)
    offline.goto(replay.as_uri())
    offline.locator("html[data-state=open]").wait_for()
    tabs = offline.locator(".tabs button")
    assert tabs.count() >= 10
    for tab in tabs.all()[1:]:
        name = tab.get_attribute("data-name") or ""
        tab.click()
        figure = laboratory.figure(name)
        expect(figure).to_have_attribute("data-state", "drawn")
        expect(figure).to_have_attribute("data-frame", str(laboratory.frame))
        laboratory.slider.press("ArrowLeft")
        laboratory.wait_for_figure(name, laboratory.arrived())
        laboratory.slider.press("End")
        laboratory.wait_for_figure(name, laboratory.arrived())

    tabs.filter(has_text="Confusion").click()
    for _ in range(3):
        laboratory.slider.press("ArrowLeft")
    expect(offline.locator(".moment")).to_contain_text("the nearest of 4 at which it was drawn")
    tabs.filter(has_text="Curves").click()
    line = "(figure) => figure.querySelector('.cl-plot').layout.shapes.filter((each) => each.x0 === each.x1).at(-1).x0"
    laboratory.slider.press("Home")
    laboratory.wait_for_figure("curves", laboratory.arrived())
    assert laboratory.figure("curves").evaluate(line) == 0
    laboratory.slider.press("End")
    laboratory.wait_for_figure("curves", laboratory.arrived())
    assert laboratory.figure("curves").evaluate(line) == 560
    offline.locator("#protocol summary").click()
    expect(offline.locator("#protocol")).to_contain_text("cl.train(")


def test_the_map_and_every_figure_can_be_saved_as_files(offline: Page, replay: Path) -> None:
    laboratory = Laboratory(offline)
    offline.goto(replay.as_uri())
    offline.locator("html[data-state=open]").wait_for()
    laboratory.wait_for_points("golden")
    name, picture = saved(offline, "Save the map as PNG")
    assert name == "golden-map-pca-frame-20.png"
    size = struct.unpack(">II", picture[16:24])
    canvas = laboratory.canvas.evaluate("(canvas) => [canvas.width, canvas.height]")
    assert picture.startswith(b"\x89PNG")
    assert size[0] == canvas[0]
    assert size[1] > canvas[1], "title and legend have a place of their own"

    name, table = saved(offline, "Save the map as CSV")
    lines = table.decode().splitlines()
    assert lines[0] == "row,x,y,cluster,class,confidence"
    assert len(lines) == 61
    assert EVIL in lines[1]

    offline.locator(".tabs button[data-name=confusion]").click()
    laboratory.wait_for_figure("confusion", laboratory.frame)
    starts = {"PNG": b"\x89PNG", "SVG": b"<svg", "CSV": b"trace,"}
    for kind, start in starts.items():
        name, content = saved(offline, f"Save the figure as {kind}", by_key=True)
        assert name == f"golden-confusion-frame-20.{kind.lower()}"
        assert content.startswith(start)


def saved(page: Page, label: str, *, by_key: bool = False) -> tuple[str, bytes]:
    """Press a button, and return the name and the content of the file that comes."""
    button = page.get_by_role("button", name=label, exact=True)
    with page.expect_download() as download:
        if by_key:
            button.press("Enter")
        else:
            button.click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()
