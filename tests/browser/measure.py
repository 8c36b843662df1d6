"""How fast the page is, as a person sees it; run as ``PYTHONPATH=tests python -m browser.measure``.

Three times and a rate, each from what a real Chromium draws: from a frame's file to its pixels on the map (of a run
under way, by PCA, the projector included), from a click on a second sample to the strip between the two, and how many
pictures a second the map draws while the time line is dragged over 60 frames. Nothing here is a test.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from browser.conftest import ARGUMENTS, chromium_path
from browser.laboratory import Laboratory
from browser.serving import Server, started
from playwright.sync_api import Page, sync_playwright

from clustlab.runs.layout import RunFolder
from clustlab.runs.writer import RunWriter, write_spec

GOLDEN = Path(__file__).parents[1] / "golden" / "idec-acai-digits"
SIZES = tuple(int(size) for size in sys.argv[1:]) or (1_797, 10_000, 70_000)
FRAMES, DRAGGED, CLICKS = 25, 60, 30

WATCH_FRAMES = """
(canvas) => {
  const seen = (window.clustlabSeen = { ticks: 0, frames: {} });
  const look = (now) => {
    seen.ticks += 1;
    seen.frames[canvas.dataset.frame] ??= performance.timeOrigin + now;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
"""

WATCH_CLICKS = """
(figure) => {
  const seen = (window.clustlabSeen = { pressed: 0, words: figure.innerText, times: [] });
  addEventListener("pointerup", () => { seen.pressed = performance.now(); }, true);
  const look = (now) => {
    const words = figure.innerText;
    if (seen.pressed && words !== seen.words && words.includes("to #")) {
      Object.assign(seen, { words });
      seen.times.push(now - seen.pressed);
      seen.pressed = 0;
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
"""

INK = """
([canvas, count]) => {
  const { width, height } = canvas, gl = canvas.getContext("webgl2"), bytes = new Uint8Array(4 * width * height);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
  const inked = [];
  for (let at = 0; at < width * height; at += 1) if (bytes[4 * at + 3] > 0) inked.push(at);
  const box = canvas.getBoundingClientRect();
  return Array.from({ length: count }, (_, i) => {
    const at = inked[Math.floor(((i + 0.5) * inked.length) / count)];
    return [box.x + ((at % width) / width) * box.width, box.y + (1 - Math.floor(at / width) / height) * box.height];
  });
}
"""


class Growing:
    """A run under way whose samples wander; this process is its worker."""

    def __init__(self, runs: Path, n: int) -> None:
        self.folder = RunFolder(runs / f"growing-{n}")
        self.folder.path.mkdir(parents=True)
        self.random = np.random.default_rng(0)
        self.n, self.labels = n, np.sort(self.random.integers(0, 10, n)).astype(np.int16)
        self.centres = 4 * self.random.normal(size=(10, 10)).astype(np.float32)
        write_spec(self.folder, (GOLDEN / "spec.json").read_text(), f"{n:,} samples")
        self.writer = RunWriter(self.folder)
        self.writer.about(json.loads((GOLDEN / "about.json").read_text()))
        with np.load(GOLDEN / "sample.npz") as golden:
            rows = np.arange(n) % len(golden["index"])
            self.writer.sample({"index": np.arange(n), "y": self.labels, "thumbnails": golden["thumbnails"][rows]})
        self.writer.status(state="running", phase="pretrain", total_steps=10_000)
        self.write()

    def write(self) -> float:
        """Write a frame; return when it was there, in milliseconds since 1970."""
        step = self.writer.frame_count
        self.centres += 0.3 * self.random.normal(size=(10, 10)).astype(np.float32)
        codes = self.centres[self.labels] + self.random.normal(size=(self.n, 10)).astype(np.float32)
        arrays = {
            "codes": codes,
            "labels": self.labels,
            "centroids": self.centres,
            "model_cluster": np.arange(10, dtype=np.int16),
            "sizes": np.bincount(self.labels, minlength=10).astype(np.int32),
            "confidence": np.full(self.n, 0.5, np.float16),
        }
        record = {"step": step, "phase": "pretrain", "phase_step": step, "metrics": {}, "values": {}, "terms": {}}
        self.writer.frame(record, arrays)
        self.writer.status(step=step, phase_step=step)
        return 1000 * time.time()

    def end(self) -> None:
        self.writer.status(state="finished")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        with started(Path(folder)) as server:
            for n in SIZES:
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                frames_to_pixels(server, page, n)
                page.close()
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            tell("click on a second sample → strip", spread(clicks_to_strips(server, page)))
        browser.close()


def tell(what: str, figure: str) -> None:
    """Print a row of the table."""
    sys.stdout.write(f"| {what} | {figure} |\n")
    sys.stdout.flush()


def frames_to_pixels(server: Server, page: Page, n: int) -> None:
    """Tell how long new frames take to the map, and how the map follows the time line when it is dragged."""
    run = Growing(server.runs, n)
    laboratory = Laboratory(page)
    laboratory.visit(f"{server.url}/?run={run.folder.path.name}")
    laboratory.wait_for_points(run.folder.path.name)
    laboratory.project_by("pca")
    laboratory.canvas.evaluate(WATCH_FRAMES)
    written: dict[int, float] = {}
    while run.writer.frame_count <= FRAMES:
        frame = run.writer.frame_count
        written[frame] = run.write()
        laboratory.wait_for_frame(frame)
    frames = page.evaluate("window.clustlabSeen.frames")
    delays = [frames[str(frame)] - at for frame, at in written.items() if str(frame) in frames]
    tell(f"frame file → pixels, {n:,} samples", spread(delays))
    while run.writer.frame_count < DRAGGED:
        run.write()
    run.end()
    laboratory.wait_for_recorded(DRAGGED)
    for when in ("for the first time", "again"):
        tell(f"dragging over {DRAGGED} frames {when}, {n:,} samples", dragged(laboratory))


def dragged(laboratory: Laboratory) -> str:
    """Drag the time line from its beginning to its end; return pictures a second and run frames drawn."""
    page, box = laboratory.page, laboratory.slider.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, middle)
    page.mouse.down()
    laboratory.arrived()
    laboratory.canvas.evaluate(WATCH_FRAMES)
    began = time.monotonic()
    page.mouse.move(box["x"] + box["width"] - 8, middle, steps=2 * DRAGGED)
    page.mouse.up()
    laboratory.arrived()
    seconds = time.monotonic() - began
    seen: dict[str, Any] = page.evaluate("window.clustlabSeen")
    return f"{seen['ticks'] / seconds:.0f} pictures/s, {len(seen['frames'])} frames in {seconds:.1f} s"


def clicks_to_strips(server: Server, page: Page) -> list[float]:
    """Return milliseconds from clicks on a second sample to the strip between the two."""
    run = shutil.copytree(GOLDEN, server.runs / "golden")
    laboratory = Laboratory(page)
    laboratory.visit(f"{server.url}/?run={run.name}&select=3~41")
    laboratory.wait_for_points(run.name)
    laboratory.explain("Between two")
    figure = laboratory.figure("pair")
    figure.get_by_text("to #").first.wait_for()
    figure.evaluate(WATCH_CLICKS)
    times: list[float] = []
    places = page.evaluate(INK, [laboratory.canvas.element_handle(), CLICKS])
    for x, y in places:
        page.mouse.move(x, y)
        page.keyboard.down("Shift")
        page.mouse.click(x, y)
        page.keyboard.up("Shift")
        page.wait_for_timeout(1500)
        times = page.evaluate("window.clustlabSeen.times")
    return times


def spread(milliseconds: list[float]) -> str:
    """Return median and 95th percentile."""
    return f"{np.median(milliseconds):.0f} ms (p95 {np.percentile(milliseconds, 95):.0f}; {len(milliseconds)} times)"


if __name__ == "__main__":
    main()
