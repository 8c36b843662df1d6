"""Stories of the selection: samples chosen in one place stand out in all, at every frame, and in the link."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from browser.laboratory import Laboratory, until
from browser.serving import Server
from playwright.sync_api import Browser, Page, WebSocket, expect

from clustlab.runs import Run

pytestmark = pytest.mark.browser

EVERYTHING = [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98)]
LEFT = [(0.02, 0.02), (0.5, 0.02), (0.5, 0.98), (0.02, 0.98)]


@pytest.mark.parametrize("kind", ["webgl", "canvas"])
def test_a_lasso_holds_the_same_samples_at_every_frame(
    server: Server, open_page: Callable[..., Page], plain_browser: Browser, finished_run: Run, kind: str
) -> None:
    laboratory = Laboratory(open_page(plain_browser) if kind == "canvas" else open_page())
    laboratory.visit(f"{server.url}/?run={finished_run.name}&frame=1")
    laboratory.wait_for_points(finished_run.name)
    laboratory.wait_for_projection("plane")
    assert laboratory.canvas.get_attribute("data-renderer") == kind
    view, before = laboratory.zoom(), laboratory.drawn_pixels()
    n = len(finished_run.sample["index"])
    assert laboratory.lasso(*EVERYTHING) == n
    some = laboratory.lasso(*LEFT)
    assert 1 < some < n
    expect(laboratory.selection).to_contain_text(f"{some} samples: ")
    assert laboratory.view == view  # a lasso moves nothing
    assert laboratory.drawn_pixels() == pytest.approx(before, rel=0.2)  # put back, not hidden
    for frame in (2, 3):
        laboratory.slider.press("ArrowRight")
        assert laboratory.arrived() == frame
        assert laboratory.canvas.get_attribute("data-selected") == str(some)
    laboratory.canvas.press("Escape")
    expect(laboratory.selection).to_be_hidden()


def test_the_link_says_what_is_looked_at_and_brings_it_back(server: Server, page: Page, finished_run: Run) -> None:
    reruns: list[str] = []
    sockets: list[WebSocket] = []

    def listen(socket: WebSocket) -> None:
        if socket.url.endswith("/_stcore/stream"):
            sockets.append(socket)
            socket.on("framesent", lambda frame: reruns.append(socket.url))

    page.on("websocket", listen)
    laboratory = Laboratory(page)
    laboratory.visit(f"{server.url}/?run={finished_run.name}&frame=3")
    laboratory.wait_for_points(finished_run.name)
    asked = len(reruns)

    # A cluster is that of the frame at which it was chosen, also when one looks at another.
    page.get_by_role("group", name="Colours").get_by_role("button").first.click()
    page.wait_for_url(lambda url: url.endswith("frame=3&select=c0"))
    laboratory.slider.press("ArrowLeft")
    page.wait_for_url(lambda url: url.endswith("frame=2&select=c0f3"))
    assert len(reruns) == asked
    said = laboratory.selection.inner_text()
    with sockets[-1].expect_event("framesent"):
        laboratory.explain("Curves")
    assert page.url.endswith("frame=2&select=c0f3")
    page.reload()
    expect(laboratory.selection).to_have_text(said)
    assert laboratory.arrived() == 2

    # Two samples, found with keys alone: the figures are told of both.
    laboratory.canvas.focus()
    for key in ("Escape", "n", "Enter", "Shift+ArrowRight"):
        page.keyboard.press(key)
    with page.expect_request(lambda request: "/figures/" in request.url and "other=" in request.url) as figure:
        page.keyboard.press("Shift+Enter")
    page.wait_for_url(lambda url: "~" in url)
    told = parse_qs(urlsplit(figure.value.url).query)
    assert laboratory.selected == f"{told['selected'][0]}~{told['other'][0]}"
    said = laboratory.selection.inner_text()
    assert said.startswith("path from ")
    expect(page.get_by_test_id("map-voice")).to_have_text(said)
    page.reload()
    expect(laboratory.selection).to_have_text(said)
    laboratory.canvas.press("Escape")
    page.wait_for_url(lambda url: url.endswith("frame=2"))


def test_a_cell_of_the_confusion_stands_out_in_every_figure(server: Server, page: Page, finished_run: Run) -> None:
    laboratory = Laboratory(page)
    laboratory.visit(f"{server.url}/?run={finished_run.name}&frame=3")
    laboratory.wait_for_points(finished_run.name)
    laboratory.explain("Confusion")
    laboratory.wait_for_figure("confusion", 3)
    labels, classes = finished_run.frames[3].labels, finished_run.sample["y"]
    laboratory.figure("confusion").locator(".nsewdrag").first.click(
        position={"x": 8, "y": 8}
    )  # the first cell, which lies on the diagonal
    expect(laboratory.selection).to_contain_text("classes: all ")
    page.wait_for_url(lambda url: "select=c" in url)
    cluster, number = (int(part) for part in laboratory.selected.removeprefix("c").split("y"))
    chosen = set(((labels == cluster) & (classes == number)).nonzero()[0].tolist())
    assert laboratory.canvas.get_attribute("data-selected") == str(len(chosen))
    marks = """(figure) => figure.querySelector(".js-plotly-plot").layout.shapes.map(({ path }) => path)"""
    until(lambda: laboratory.figure("confusion").evaluate(marks) == ["M-0.5,-0.5H0.5V0.5H-0.5Z"])  # around that cell
    laboratory.explain("Reconstructions")
    laboratory.wait_for_figure("reconstructions", 3)
    put_forward = laboratory.figure("reconstructions").evaluate(
        """(figure) => figure.querySelector(".js-plotly-plot").calcdata.flatMap((points) => {
          const { selectedpoints, customdata } = points[0].trace;
          return selectedpoints ? [[Array.from(customdata), selectedpoints]] : [];
        })"""
    )
    assert put_forward
    for positions, points in put_forward:
        assert points == [at for at, position in enumerate(positions) if position in chosen]
    page.get_by_role("button", name="Select nothing (Escape)").click()
    expect(laboratory.selection).to_be_hidden()


def test_a_band_of_the_flows_stands_out_in_the_rows_of_heat_maps(server: Server, page: Page, finished_run: Run) -> None:
    laboratory = Laboratory(page)
    last = len(finished_run.frames) - 1
    laboratory.visit(f"{server.url}/?run={finished_run.name}&frame={last}")
    laboratory.wait_for_points(finished_run.name)
    laboratory.explain("Flows")
    laboratory.wait_for_figure("flows", last)
    bands = laboratory.figure("flows").locator(".sankey-link")
    band = bands.first
    band.hover(force=True)
    expect(laboratory.figure("flows").locator(".hovertext")).to_be_visible()
    band.click(force=True)
    page.wait_for_url(lambda url: "select=c" in url)
    found = re.fullmatch(r"c(\d+)f(\d+)c(\d+)", laboratory.selected)
    assert found is not None
    old, since, new = map(int, found.groups())
    labels = finished_run.frames[last].labels
    chosen = ((finished_run.frames[since].labels == old) & (labels == new)).nonzero()[0]
    assert laboratory.canvas.get_attribute("data-selected") == str(len(chosen))
    strengths = "(bands) => bands.map((band) => Number(getComputedStyle(band).fillOpacity))"
    until(lambda: bands.evaluate_all(strengths) == [0.9] + [0.15] * (bands.count() - 1))  # the others turn pale

    # Rows of other samples are put back; the link brings all of it back.
    page.reload()
    expect(laboratory.canvas).to_have_attribute("data-selected", str(len(chosen)))
    laboratory.explain("P and Q of all")
    laboratory.wait_for_figure("p-and-q-all", last)
    veils = """(figure) => {
      const { data, layout } = figure.querySelector(".js-plotly-plot");
      return [data[0].meta.rows, layout.shapes.filter(({ name }) => name?.startsWith("mark")).map(({ path }) => path)];
    }"""
    rows, paths = laboratory.figure("p-and-q-all").evaluate(veils)
    assert len(set(paths)) == 1
    veiled = [
        at
        for a, b in re.findall(r"M-0.5,(\S+?)H\S+?V(\S+?)H", paths[0])
        for at in range(round(float(a) + 0.5), round(float(b) + 0.5))
    ]
    assert veiled == [at for at, sample in enumerate(rows) if sample not in set(chosen.tolist())]
    page.get_by_role("button", name="Select nothing (Escape)").click()
    until(lambda: not laboratory.figure("p-and-q-all").evaluate(veils)[1])


def test_a_selection_stays_while_a_live_run_goes_on(server: Server, page: Page, begin: Callable[..., Run]) -> None:
    run = begin()
    laboratory = Laboratory(page)
    laboratory.visit(f"{server.url}/?run={run.name}")
    laboratory.wait_for_points(run.name)
    laboratory.wait_for_frame(1)
    laboratory.mark(laboratory.canvas)
    view = laboratory.zoom(2000)  # far out: codes spread while they are learned, and this view shall hold them all
    some = laboratory.lasso(*EVERYTHING)
    laboratory.wait_for_frame(laboratory.frame + 2)
    assert laboratory.canvas.get_attribute("data-selected") == str(some)
    assert laboratory.view == view
    assert laboratory.bears_mark(laboratory.canvas)
    assert "frame=" not in page.url  # who follows has no frame of their own
