"""Stories of drawing: with and without WebGL, with motion and without, the map shows the points and keeps its place."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from browser.laboratory import Laboratory
from browser.serving import Server, projector_stopped
from playwright.sync_api import Browser, Page, expect

from clustlab.projections import project
from clustlab.runs import Run

GOLDEN = Path(__file__).parents[1] / "golden" / "idec-acai-digits"

pytestmark = pytest.mark.browser


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


def test_the_time_line_says_what_its_marks_are_and_is_dragged_over_them(
    server: Server, page: Page, finished_run: Run
) -> None:
    laboratory = Laboratory(page)
    laboratory.visit(f"{server.url}/?run={finished_run.name}&frame=1")
    laboratory.wait_for_points(finished_run.name)
    mark = laboratory.timeline.locator(".mark.checkpoint").last
    mark.wait_for(state="attached")
    box, whole = mark.bounding_box(), laboratory.slider.bounding_box()
    assert box is not None
    assert whole is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(laboratory.slider).to_have_attribute("title", re.compile("checkpoint"))
    page.mouse.down()
    page.mouse.move(whole["x"] + 1, box["y"])
    page.mouse.up()
    laboratory.wait_for_frame(0)
    expect(laboratory.slider).to_have_attribute("title", "")


@pytest.fixture
def gappy_run(server: Server, finished_run: Run) -> Iterator[Run]:
    """A run that has ended; UMAP has coordinates of all its frames but the third and the fourth.

    They are those of PCA, half as large: a map that falls back to PCA shows itself.
    """
    folder = shutil.copytree(finished_run.folder.path, server.runs / "gappy-0001")
    shutil.rmtree(folder / "cache", ignore_errors=True)
    run = Run(folder)
    source, target = project(folder, "pca").folder, run.folder.projection("umap")
    target.mkdir()
    for frame in run.frames:
        if frame.number in (2, 3):
            continue
        with np.load(source / frame.path.name) as arrays:
            np.savez(target / frame.path.name, **{name: 0.5 * array for name, array in arrays.items()})
    yield run
    shutil.rmtree(folder)


def test_the_map_holds_still_until_a_frame_has_been_projected(server: Server, page: Page, gappy_run: Run) -> None:
    laboratory = Laboratory(page)
    laboratory.visit(server.url)
    with projector_stopped(server, "umap"):
        laboratory.visit(f"{server.url}/?run={gappy_run.name}&frame=0")
        laboratory.project_by("umap")
        zoomed = laboratory.zoom()
        laboratory.watch()
        for _ in range(3):
            laboratory.slider.press("ArrowRight")
        expect(laboratory.map_message).to_have_text("UMAP of frame 4 is on its way; the map still shows frame 2")
        assert laboratory.canvas.get_attribute("data-projection") == "umap"
        assert laboratory.view == zoomed
        assert laboratory.frame == 1
    assert laboratory.arrived() == 3
    expect(laboratory.map_message).to_be_hidden()
    assert laboratory.canvas.get_attribute("data-projection") == "umap"
    assert laboratory.view == zoomed
    assert laboratory.seen()["frames"] == ["0", "1", "3"]
    assert laboratory.seen()["blanks"] == 0


def test_the_map_says_which_frame_cannot_be_projected(server: Server, page: Page, gappy_run: Run) -> None:
    problems = {gappy_run.frames[number].path.name: "training has diverged here" for number in (2, 3)}
    (gappy_run.folder.projection("umap") / "projection.json").write_text(json.dumps({"problems": problems}))
    laboratory = Laboratory(page)
    laboratory.visit(f"{server.url}/?run={gappy_run.name}&frame=1")
    laboratory.project_by("umap")
    zoomed = laboratory.zoom()
    laboratory.slider.press("ArrowRight")
    expect(laboratory.map_message).to_have_text(
        "UMAP of frame 3 cannot be computed: training has diverged here; the map still shows frame 2"
    )
    assert laboratory.view == zoomed
    laboratory.slider.press("ArrowLeft")
    expect(laboratory.map_message).to_be_hidden()
    assert laboratory.arrived() == 1


def test_the_map_says_that_no_sample_is_in_view(server: Server, page: Page, finished_run: Run) -> None:
    laboratory = Laboratory(page)
    laboratory.visit(f"{server.url}/?run={finished_run.name}&frame=1")
    laboratory.look_through("plane")
    expect(laboratory.map_message).to_be_hidden()
    laboratory.zoom(-8000)
    expect(laboratory.map_message).to_have_text("No sample is in this view; a double click shows all.")
    laboratory.canvas.dblclick()
    expect(laboratory.map_message).to_be_hidden()


@pytest.fixture
def pictured_run(server: Server) -> Iterator[Run]:
    """A run whose samples are pictures, so few that there is room for all of them on the map."""
    folder = shutil.copytree(GOLDEN, server.runs / "pictured-0001")
    yield Run(folder)
    shutil.rmtree(folder)


def test_few_samples_are_drawn_as_their_pictures(server: Server, page: Page, pictured_run: Run) -> None:
    laboratory = Laboratory(page)
    laboratory.visit(f"{server.url}/?run={pictured_run.name}&frame=2")
    laboratory.project_by("pca")
    expect(laboratory.canvas).to_have_attribute("data-pictures", str(len(pictured_run.sample["index"])))
    laboratory.zoom(-250)
    laboratory.zoom(-250)
    expect(laboratory.canvas).not_to_have_attribute("data-pictures", "0")
