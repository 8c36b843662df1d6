"""Stories of comparing: a run goes on in another way, and stands beside its parent; two runs move as one."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from browser.laboratory import Laboratory, settled, until
from browser.serving import Server
from playwright.sync_api import Locator, Page, expect

from clustlab.runs import Run, open_run

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("workers_end")]

GOLDEN = Path(__file__).parents[1] / "golden" / "idec-acai-digits"
NAMES = np.random.default_rng(5).permutation(10)


@pytest.fixture
def renamed(server: Server) -> Iterator[tuple[Run, Run]]:
    """A recorded run, and a copy of it whose clusters have other numbers and whose probe is in another order."""
    first, second = server.runs / "golden-one", server.runs / "golden-two"
    for path in (first, second):
        shutil.copytree(GOLDEN, path)
    shutil.rmtree(second / "cache")
    for path in (second / "frames").glob("*.npz"):
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        arrays["labels"] = NAMES[arrays["labels"]].astype(np.int16)
        arrays["centroids"] = arrays["centroids"][np.argsort(NAMES)]
        n = len(arrays["labels"])
        np.savez(path, **{name: values[::-1] if len(values) == n else values for name, values in arrays.items()})
    with np.load(second / "sample.npz", allow_pickle=False) as file:
        sample = dict(file)
    n = len(sample["index"])
    turned = {name: values[::-1] if len(values) == n else values for name, values in sample.items()}
    np.savez(second / "sample.npz", **{**turned, "pairs": n - 1 - sample["pairs"]})
    yield open_run(first), open_run(second)
    for path in (first, second):
        shutil.rmtree(path, ignore_errors=True)


def frames(maps: Locator) -> list[str | None]:
    return [maps.nth(at).get_attribute("data-frame") for at in range(maps.count())]


def test_a_run_goes_on_in_another_way_and_stands_beside_its_parent(
    server: Server, page: Page, begin: Callable[..., Run]
) -> None:
    parent = begin(options={"cluster_epochs": 30, "tolerance": 0, "n_init": 2})
    laboratory = Laboratory(page)
    laboratory.visit(f"{server.url}/?run={parent.name}")
    laboratory.wait_for_state("finished")
    laboratory.press("Fork")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("From the checkpoint")
    expect(dialog).to_contain_text("Kept as they are")
    field = dialog.locator(".st-key-option-fork-idec-cluster_weight input")
    field.fill("0.7")
    field.press("Enter")
    settled(page)
    dialog.get_by_role("button", name="Fork", exact=True).click()
    child = laboratory.wait_for_link(other_than=parent.name)
    expect(page.get_by_text(re.compile(r"Forked at step \d+ from"))).to_be_visible()
    until(lambda: open_run(server.runs / child).state == "finished")
    spec = open_run(server.runs / child).spec
    assert spec.options["cluster_weight"] == 0.7
    assert spec.parent is not None
    assert spec.parent.run == parent.name

    page.get_by_role("link", name="Compare with its parent").click()
    maps = page.get_by_test_id("latent-canvas")
    expect(maps).to_have_count(2)
    for name in (parent.name, child):
        page.locator(f"[data-testid=latent-canvas][data-run='{name}'][data-points]").wait_for()
    expect(page.locator(".clustlab-differences")).to_contain_text("cluster weight")
    expect(page.locator(".clustlab-differences")).to_contain_text(f"{parent.name} at step {spec.parent.step}")


def test_of_several_samples_some_of_which_a_probe_lacks_their_number_is_told(
    server: Server, page: Page, renamed: tuple[Run, Run]
) -> None:
    first, second = renamed
    labels = first.frames[-1].arrays["labels"]
    chosen = int(labels[0])
    lacking = first.sample["index"][labels == chosen][1:]
    with np.load(second.folder.sample, allow_pickle=False) as file:
        sample = dict(file)
    sample["index"] = np.where(np.isin(sample["index"], lacking), sample["index"] + 10_000, sample["index"])
    np.savez(second.folder.sample, **sample)
    page.goto(f"{server.url}/compare?runs={first.name},{second.name}")
    for run in renamed:
        page.locator(f"[data-testid=latent-canvas][data-run='{run.name}'][data-points]").wait_for()
    page.locator(".legend[data-kind=clusters]").nth(0).locator("button").nth(chosen).click()
    told = page.get_by_test_id("compare-selection")
    expect(told).to_contain_text(f"Of the samples selected, {len(lacking)} of them from B are missing")

    # The way back: what stands above a map leads to the run in the laboratory, which is the page without a name.
    page.get_by_test_id("compare-head").nth(1).get_by_role("link").click()
    page.wait_for_url(f"{server.url}/?run={second.name}*")
    expect(page.get_by_test_id("progress")).to_be_visible()


def test_two_runs_move_as_one_with_one_selection_and_matched_colours(
    server: Server, page: Page, renamed: tuple[Run, Run]
) -> None:
    first, second = renamed
    page.goto(f"{server.url}/compare?runs={first.name},{second.name}")
    maps = page.get_by_test_id("latent-canvas")
    for run in renamed:
        page.locator(f"[data-testid=latent-canvas][data-run='{run.name}'][data-points]").wait_for()
    expect(page.get_by_test_id("compare-bar")).to_contain_text("A cluster has the colour of its counterpart in A")

    # One time: both show the same moment, wherever it is put.
    last = str(len(first.frames) - 1)
    timeline = page.get_by_test_id("compare-timeline")
    slider = timeline.get_by_label("Moment", exact=True)
    slider.press("Home")
    for at in (0, 1):
        expect(maps.nth(at)).to_have_attribute("data-frame", "0")
    timeline.get_by_role("button", name="Play or pause").click()
    expect(timeline).to_contain_text("100 % of each run")
    for at in (0, 1):
        expect(maps.nth(at)).to_have_attribute("data-frame", last)

    # One colour: that of the counterpart, whatever its number is.
    colours = "(entry) => getComputedStyle(entry).getPropertyValue('--colour')"
    legends = page.locator(".legend[data-kind=clusters]")
    used = np.unique(first.frames[-1].arrays["labels"])
    for cluster in map(int, used):
        own = legends.nth(0).locator(".swatch").nth(cluster).evaluate(colours)
        assert legends.nth(1).locator(".swatch").nth(int(NAMES[cluster])).evaluate(colours) == own

    # One selection: the same samples, although they lie elsewhere in the other probe.
    chosen = int(used[0])
    count = int((first.frames[-1].arrays["labels"] == chosen).sum())
    legends.nth(0).locator("button").nth(chosen).click()
    for at, number in ((0, chosen), (1, int(NAMES[chosen]))):
        expect(page.locator(".under").nth(at)).to_contain_text(f"{count} samples: all of cluster {number}")
    expect(page.get_by_test_id("compare-samples")).to_contain_text("only A gets 0")
    assert json.loads(maps.nth(0).get_attribute("data-zoom") or "{}")["chosen"] is False
