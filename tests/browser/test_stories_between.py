"""Stories of one and of two samples: how one came to be where it is, and what a model puts between two."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.laboratory import Laboratory
from browser.serving import Server
from playwright.sync_api import Page, Route, expect

from clustlab.runs import Run

pytestmark = pytest.mark.browser


@pytest.fixture
def kept_run(server: Server) -> Iterator[Run]:
    """A run with a model at its last frame only."""
    golden = Path(__file__).parents[1] / "golden" / "idec-acai-digits"
    folder = shutil.copytree(golden, server.runs / "kept-0001")
    yield Run(folder)
    shutil.rmtree(folder)


def test_a_sample_tells_its_story_and_two_what_lies_between(server: Server, page: Page, kept_run: Run) -> None:
    laboratory, rows = Laboratory(page), kept_run.sample["index"]
    laboratory.visit(f"{server.url}/?run={kept_run.name}&frame=20")
    laboratory.wait_for_points(kept_run.name)

    # Nobody has chosen a sample: an example stands there, and its neighbours can be clicked.
    laboratory.explain("Story")
    story = laboratory.figure("story")
    laboratory.wait_for_figure("story", 20)
    expect(story).to_contain_text("click a point for another")
    neighbours = story.locator(".subplot.x4y4 .points path")
    expect(neighbours).to_have_count(16)
    neighbours.first.hover(force=True)
    expect(story.locator(".hovertext")).to_be_visible()  # plotly takes a press only where it has seen the mouse
    neighbours.first.click(force=True)
    expect(story).not_to_contain_text("click a point for another")
    page.wait_for_url(lambda url: "select=" in url)
    chosen = int(laboratory.selected)
    expect(story).to_contain_text(f"#{rows[chosen]} ")
    laboratory.project_by("pca")
    expect(story).to_contain_text("PCA")  # it is told on the map that one sees

    # Between it and the nearest of another cluster, until there is a second one; no model was kept before.
    laboratory.explain("Between two")
    between = laboratory.figure("pair")
    expect(between).to_contain_text(f"#{rows[chosen]} ")
    expect(between).to_contain_text("by the model of step 560")
    laboratory.slider.press("ArrowLeft")
    expect(between).to_contain_text("No model was kept before step 560")

    # Two samples joined on the map, whatever is looked at: what lies between them, and nothing is built anew.
    laboratory.slider.press("ArrowRight")
    laboratory.explain("Story")
    laboratory.wait_for_figure("story", 20)
    laboratory.mark(laboratory.canvas, story)
    laboratory.canvas.focus()
    for key in ("Escape", "n", "Enter", "n"):
        page.keyboard.press(key)
    page.keyboard.press("Shift+Enter")
    expect(between).to_contain_text("by the model of step 560")
    page.wait_for_url(lambda url: "~" in url)
    first, second = map(int, laboratory.selected.split("~"))
    expect(between).to_contain_text(f"#{rows[first]} ")
    expect(between).to_contain_text(f"to #{rows[second]} ")
    assert laboratory.bears_mark(laboratory.canvas)
    assert laboratory.bears_mark(between)

    # A link to two samples leads to what lies between them.
    laboratory.visit(f"{server.url}/?run={kept_run.name}&frame=20&select=3~41")
    laboratory.explain("Between two")
    expect(between).to_contain_text(f"#{rows[3]} ")
    expect(between).to_contain_text(f"to #{rows[41]} ")


def test_what_is_asked_for_while_the_page_loads_is_shown_in_the_end(server: Server, page: Page, kept_run: Run) -> None:
    wanted = {"Curves": "curves", "Centroids": "centroids", "Confusion": "confusion", "Story": "story"}
    laboratory = Laboratory(page)
    held: list[Route] = []  # a module that another one imports: the calls of that one wait, all of them
    page.route("**/figure_table.js", lambda route: held.append(route))
    laboratory.visit(f"{server.url}/?run={kept_run.name}&frame=20")
    for title in wanted:
        laboratory.explain(title)
    (route,) = held
    route.continue_()
    laboratory.wait_for_figure(wanted[title], 20)
