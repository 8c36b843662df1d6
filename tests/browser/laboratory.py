"""The laboratory as a person meets it: what stands on the page, and what can be done there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

__all__ = ["PROJECTION_SECONDS", "SECONDS", "Laboratory", "settled", "until"]

SECONDS = 60
"""How long a story waits for something before it is taken not to happen; nothing here is timed."""

PROJECTION_SECONDS = 300
"""How long it waits for the map: on a busy machine UMAP compiles and projects for minutes."""

DRAWN_PIXELS = """
(canvas) => {
  const { width, height } = canvas;
  const gl = canvas.dataset.renderer === "webgl" && canvas.getContext("webgl2");
  let bytes;
  if (gl) gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, (bytes = new Uint8Array(4 * width * height)));
  else bytes = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  let drawn = 0;
  for (let at = 3; at < bytes.length; at += 4) drawn += bytes[at] > 0;
  return drawn;
}
"""

WATCH = """
(canvas) => {
  const drawn = (DRAWN_PIXELS);
  const watch = canvas.clustlabWatch = { looks: 0, blanks: 0, fewest: Infinity, pictures: [], frames: [], times: [] };
  const look = (now) => {
    const pixels = drawn(canvas);
    watch.looks += 1;
    watch.blanks += pixels === 0;
    watch.fewest = Math.min(watch.fewest, pixels);
    if (watch.pictures.at(-1) !== pixels) watch.pictures.push(pixels);
    if (watch.frames.at(-1) !== canvas.dataset.frame) {
      watch.frames.push(canvas.dataset.frame);
      watch.times.push(now);
    }
    requestAnimationFrame(look);
  };
  look(performance.now());
}
""".replace("DRAWN_PIXELS", DRAWN_PIXELS)

BARS = """
(figure) => {
  const bars = [...figure.querySelectorAll(".bars .point path")].map((path) => path.getAttribute("d"));
  return JSON.stringify([bars, figure.querySelector(".annotation")?.textContent]);
}
"""


def settled(page: Page) -> None:
    """Wait until the page's script has nothing left to do."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def until(condition: Callable[[], object], seconds: float = SECONDS) -> None:
    """Wait until a condition outside the page holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what the story waits for did not happen"
        time.sleep(0.05)


class Laboratory:
    """The first page, in one window."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.canvas = page.get_by_test_id("latent-canvas")
        self.timeline = page.get_by_test_id("timeline")
        self.slider = self.timeline.get_by_label("Frame", exact=True)
        self.progress = page.get_by_test_id("progress")
        self.equation = page.get_by_test_id("equation")
        self.state = self.progress.locator(".state")
        self.map_message = page.locator(".stage .message")

    def visit(self, address: str) -> None:
        """Open an address and wait until the page is there."""
        self.page.goto(address)
        self.page.get_by_role("button", name="Train", exact=True).wait_for()
        settled(self.page)

    # ---- the form ---------------------------------------------------------------------------------------------------

    def enter(self, key: str, value: str) -> Locator:
        """Enter a value into the field of an option and let the page take it."""
        field = self.page.locator(f".st-key-{key} input")
        field.fill(value)
        field.press("Enter")
        settled(self.page)
        return field

    def choose(self, key: str, title: str) -> None:
        """Choose an entry of a drop-down list."""
        field = self.page.locator(f".st-key-{key} input")
        field.click()
        field.fill(title)  # a long list scrolls under the pointer; what is typed leaves few entries
        self.page.get_by_role("option", name=title, exact=True).click()
        expect(field).to_have_value(title)
        settled(self.page)

    def unfold(self, *titles: str) -> None:
        """Unfold groups of options."""
        for title in titles:
            self.page.get_by_test_id("stSidebar").locator("summary").filter(has_text=title).click()

    def train(self) -> None:
        self.press("Train")

    def press(self, label: str) -> None:
        """Press one of the page's buttons, once it is there and the page has come to rest.

        Streamlit puts new elements in the place of old ones until its script has ended, also under the pointer.
        """
        button = self.page.get_by_role("button", name=label, exact=True)
        button.wait_for()
        self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        button.click()

    # ---- what is shown ----------------------------------------------------------------------------------------------

    @property
    def run(self) -> str:
        """Name of the run in the link."""
        return parse_qs(urlsplit(self.page.url).query).get("run", [""])[0]

    def wait_for_link(self, other_than: str = "") -> str:
        """Wait until the link names a run, and return its name."""
        self.page.wait_for_url(lambda url: self._named(url) not in ("", other_than))
        return self.run

    def wait_for_points(self, run: str) -> None:
        """Wait until the map has drawn points of a run."""
        self.page.locator(f"[data-testid=latent-canvas][data-run='{run}'][data-points]").wait_for()

    def wait_for_state(self, *states: str) -> None:
        places = ", ".join(f"[data-testid=progress] .state[data-state={state}]" for state in states)
        self.page.locator(places).wait_for()

    def wait_for_frame(self, at_least: int) -> int:
        """Wait until the map shows a frame of at least this number; return the number."""
        self._until("(canvas, frame) => Number(canvas.dataset.frame) >= frame", at_least)
        return self.frame

    def wait_for_recorded(self, at_least: int) -> int:
        """Wait until the time line has at least so many frames; return their number."""
        handle = self.slider.element_handle()
        self.page.wait_for_function("([slider, count]) => Number(slider.max) + 1 >= count", arg=[handle, at_least])
        return self.recorded

    def wait_for_projection(self, name: str) -> None:
        self._until("(canvas, name) => canvas.dataset.projection === name", name)

    def project_by(self, name: str) -> None:
        """Choose a projection beside the map, and wait until the map shows it."""
        self.page.get_by_role("group", name="Projection").locator(f"[data-name={name}]").click()
        self.wait_for_projection(name)

    def wait_for_figure(self, panel: str, frame: int) -> None:
        """Wait until a figure has been drawn for a frame."""
        expect(self.figure(panel)).to_have_attribute("data-frame", str(frame))

    def figure(self, panel: str) -> Locator:
        return self.page.get_by_test_id(f"figure-{panel}")

    def explain(self, title: str) -> None:
        """Choose an explanation by the words on its tab."""
        self.page.get_by_role("radio", name=title, exact=True).click()
        settled(self.page)

    @property
    def selection(self) -> Locator:
        """The line under the map that says what is selected."""
        return self.page.get_by_test_id("selection").locator(".words")

    @property
    def selected(self) -> str:
        """What the link says of the selection."""
        return parse_qs(urlsplit(self.page.url).query).get("select", [""])[0]

    @property
    def frame(self) -> int:
        """Number of the frame on the map."""
        return int(self.canvas.get_attribute("data-frame") or -1)

    @property
    def recorded(self) -> int:
        """Number of frames that the time line knows."""
        return int(self.slider.get_attribute("max") or -1) + 1

    @property
    def view(self) -> str:
        """Centre and scale of the map."""
        return self.canvas.get_attribute("data-zoom") or ""

    def moment(self, panel: str) -> dict[str, str]:
        """All that the page says of the frame shown, once the figure has followed."""
        frame = self.frame
        self.wait_for_figure(panel, frame)
        return {
            "frame": str(frame),
            "step": self.canvas.get_attribute("data-step") or "",
            "place": self.slider.get_attribute("aria-valuetext") or "",
            "equation": self.equation.inner_text(),
            "metrics": self.progress.locator(".metrics").inner_text(),
            "bars": str(self.figure(panel).evaluate(BARS)),
        }

    # ---- what is noticed --------------------------------------------------------------------------------------------

    def drawn_pixels(self) -> int:
        """Number of pixels of the map that are not empty."""
        return int(self.canvas.evaluate(DRAWN_PIXELS))

    def mark(self, *places: Locator) -> None:
        """Put a mark on nodes that a rebuilt node would not bear."""
        for place in places:
            place.evaluate("(node) => { node.clustlabMark = true; }")

    def bears_mark(self, place: Locator) -> bool:
        return bool(place.evaluate("(node) => node.clustlabMark === true"))

    def watch(self) -> None:
        """Look at the pixels of the map at every animation frame from now on."""
        self.canvas.evaluate(WATCH)

    def seen(self) -> dict[str, Any]:
        """What has been seen: looks, blanks, fewest pixels, pictures in a row, frames and their times in ms."""
        return dict(self.canvas.evaluate("(canvas) => canvas.clustlabWatch"))

    # ---- the time line ----------------------------------------------------------------------------------------------

    def scrub(self, share: float) -> int:
        """Press the time line at a share of its length, and return the frame that it went to."""
        box = self.slider.bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        return self.arrived()

    def arrived(self) -> int:
        """Wait until the map has followed the time line; return the frame."""
        frame = int(self.slider.input_value())
        expect(self.canvas).to_have_attribute("data-frame", str(frame), timeout=1000 * PROJECTION_SECONDS)
        return frame

    def look_through(self, projection: str) -> None:
        """Go to the first frame, through all to the last and back, so that the page holds the points of all."""
        last = self.recorded - 1
        for key, count in (("ArrowLeft", last), ("ArrowRight", last), ("ArrowLeft", last)):
            for _ in range(count):
                self.slider.press(key)
                self.arrived()
                self.wait_for_projection(projection)

    def wait_until_still(self) -> None:
        """Wait until nothing moves on the map: its pixels have not changed for a while."""
        self._until(
            """(canvas) => {
              const { looks, pictures } = canvas.clustlabWatch, still = canvas.clustlabStill ?? {};
              if (still.pictures !== pictures.length) canvas.clustlabStill = { pictures: pictures.length, looks };
              return looks > (canvas.clustlabStill.looks ?? looks) + 30;
            }""",
            None,
        )

    def zoom(self, pixels: int = 100) -> str:
        """Turn the mouse wheel over the map, and return the view that it leads to; it stays from then on.

        A positive number leads out, so that what is on the map stays there; a negative one leads in.
        """
        before = self.view
        self.canvas.hover()
        self.page.mouse.wheel(0, pixels)
        self._until("(canvas, before) => canvas.dataset.zoom !== before", before)
        return self.view

    def lasso(self, *corners: tuple[float, float]) -> int:
        """Draw a lasso through corners, shares of the map's width and height; return the number of samples selected."""
        box = self.canvas.bounding_box()
        assert box is not None
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
        self.page.keyboard.down("Shift")
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=5)
        self.page.mouse.up()
        self.page.keyboard.up("Shift")
        self._until("(canvas) => Number(canvas.dataset.selected) > 0", None)
        return int(self.canvas.get_attribute("data-selected") or 0)

    def _until(self, condition: str, argument: Any) -> None:
        """Wait until a condition ``(canvas, argument) => boolean`` holds."""
        handle = self.canvas.element_handle()
        self.page.wait_for_function(
            f"([canvas, argument]) => ({condition})(canvas, argument)",
            arg=[handle, argument],
            timeout=1000 * PROJECTION_SECONDS,
        )

    @staticmethod
    def _named(url: str) -> str:
        return parse_qs(urlsplit(url).query).get("run", [""])[0]
