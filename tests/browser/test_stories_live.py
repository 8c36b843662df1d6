"""Stories of a run that lives: it is started, watched, gone back into, reloaded, shown in two windows."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from browser.laboratory import PROJECTION_SECONDS, Laboratory
from browser.serving import Server
from playwright.sync_api import Page, expect

from clustlab.runs import Run, open_run

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("workers_end")]

LIVE_FRAMES = 20


@pytest.mark.timeout(4 * PROJECTION_SECONDS)
def test_train_watch_go_back_and_follow_again(server: Server, page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    laboratory = Laboratory(page)
    laboratory.visit(server.url)
    run, seconds = train_idec_with_critic(laboratory)
    laboratory.watch()
    assert open_run(server.runs / run).spec.extensions == {"acai": {}}

    # Watching: twenty frames on the screen, and nothing jumps, blinks or is rebuilt.
    laboratory.wait_for_projection("umap")
    plot = laboratory.figure("p-and-q").locator(".cl-plot")
    laboratory.mark(laboratory.canvas, plot, laboratory.equation, laboratory.slider)
    zoomed = laboratory.zoom()
    start = len(laboratory.seen()["frames"])
    page.wait_for_function(
        "([canvas, count]) => canvas.clustlabWatch.frames.length >= count",
        arg=[laboratory.canvas.element_handle(), start + LIVE_FRAMES],
        timeout=2000 * PROJECTION_SECONDS,
    )
    laboratory.enter("form-seed", "5")  # the page's script runs once more, as with any other widget
    seen = laboratory.seen()
    gap = max(after - before for before, after in zip(seen["times"], seen["times"][1:], strict=False)) / 1000
    same = [laboratory.bears_mark(node) for node in (laboratory.canvas, plot, laboratory.equation, laboratory.slider)]
    figures = {
        "seconds from Train to the first points": round(seconds, 1),
        "frames on the screen": len(seen["frames"]),
        "longest time between two of them, s": round(gap, 1),
        "looks at the pixels": seen["looks"],
        "blank pictures": seen["blanks"],
        "fewest pixels drawn": seen["fewest"],
        "same nodes": all(same),
        "zoom kept": laboratory.view == zoomed,
    }
    with capsys.disabled():
        print("", *(f"{name}: {value}" for name, value in figures.items()), sep="\n  ")  # noqa: T201
    assert all(same)
    assert laboratory.view == zoomed
    assert seen["blanks"] == 0
    assert sorted(map(int, seen["frames"])) == list(map(int, seen["frames"]))  # never back while it is followed

    # Going back: every panel shows the same moment, and two moments differ.
    wait_for_clustering_frames(laboratory, open_run(server.runs / run), 12)
    count = laboratory.recorded
    first = clustering_begins(open_run(server.runs / run))
    laboratory.scrub((first + 2.5) / (count - 1))
    early = laboratory.moment("p-and-q")
    assert first <= int(early["frame"]) < count - 6
    record = open_run(server.runs / run).frames[int(early["frame"])].record
    assert early["step"] == str(record["step"])
    assert f"{record['metrics']['acc']:.3f}" in early["metrics"]
    assert early["place"].startswith(f"frame {record['frame'] + 1}/")
    for _ in range(5):
        laboratory.slider.press("ArrowRight")
    assert laboratory.arrived() == int(early["frame"]) + 5
    later = laboratory.moment("p-and-q")
    assert [part for part in early if early[part] == later[part]] == []
    assert laboratory.bears_mark(plot)
    assert laboratory.view == zoomed

    # The run goes on meanwhile, and the page stays where it was put, until it is asked to follow again.
    laboratory.wait_for_recorded(laboratory.recorded + 2)
    assert laboratory.frame == int(later["frame"])
    laboratory.timeline.get_by_role("button", name="Follow the newest frame (L)").click()
    newest = laboratory.wait_for_frame(count)
    laboratory.wait_for_frame(newest + 1)
    assert laboratory.seen()["blanks"] == 0


def train_idec_with_critic(laboratory: Laboratory) -> tuple[str, float]:
    """Choose and train IDEC + ACAI on digits, small but long; return the run's name and seconds to its first points."""
    laboratory.choose("form-data", "Digits 8×8")
    laboratory.choose("form-method", "IDEC")
    laboratory.unfold("Options", "Network, training, recording")
    for key, value in {
        "option-network-hidden": "64-32",
        "option-training-epochs": "15",
        "option-idec-cluster_epochs": "6000",
        "option-idec-tolerance": "0",
        "option-idec-n_init": "2",
        "option-recording-budget": "0.9",
    }.items():
        laboratory.enter(key, value)
    before, pressed = laboratory.wait_for_link(), time.monotonic()
    laboratory.train()
    run = laboratory.wait_for_link(other_than=before)
    laboratory.wait_for_points(run)
    return run, time.monotonic() - pressed


def clustering_begins(run: Run) -> int:
    """Number of the first frame of the clustering phase that has a target."""
    return next(frame.number for frame in run.frames if frame.phase != "pretrain" and "p" in frame)


def wait_for_clustering_frames(laboratory: Laboratory, run: Run, count: int) -> None:
    while sum(frame.phase != "pretrain" for frame in run.frames) < count:
        laboratory.wait_for_recorded(laboratory.recorded + 1)
    laboratory.wait_for_recorded(len(run.frames))


def test_a_reload_leads_back_to_the_same_run_still_live(server: Server, page: Page, begin: Callable[..., Run]) -> None:
    run = begin()
    laboratory = Laboratory(page)
    laboratory.visit(f"{server.url}/?run={run.name}")
    laboratory.wait_for_points(run.name)
    before = laboratory.wait_for_frame(2)
    page.reload()
    laboratory.wait_for_points(run.name)
    assert laboratory.run == run.name
    assert laboratory.wait_for_frame(before) >= before
    laboratory.wait_for_frame(laboratory.frame + 2)
    expect(laboratory.state).to_have_text("running")
    assert laboratory.drawn_pixels() > 0


def test_two_windows_show_one_run_each_at_its_own_frame(
    server: Server, open_page: Callable[..., Page], begin: Callable[..., Run]
) -> None:
    run = begin()
    first, second = (Laboratory(open_page()) for _ in range(2))
    for laboratory in (first, second):
        laboratory.visit(f"{server.url}/?run={run.name}")
        laboratory.wait_for_points(run.name)
    for laboratory in (first, second):
        laboratory.wait_for_frame(laboratory.frame + 2)
    first.wait_for_recorded(6)
    back = first.scrub(0)
    assert back == 0
    follows = second.wait_for_frame(second.frame + 2)
    first.wait_for_recorded(follows + 1)
    assert first.frame == 0
    assert second.frame > 0


def test_a_new_run_begins_on_an_empty_map(server: Server, page: Page, begin: Callable[..., Run]) -> None:
    first = begin()
    laboratory = Laboratory(page)
    laboratory.visit(f"{server.url}/?run={first.name}")
    laboratory.wait_for_points(first.name)
    laboratory.explain("Confidence")
    laboratory.scrub(0)
    laboratory.moment("confidence")
    laboratory.choose("form-data", "Three blobs")
    laboratory.train()
    laboratory.wait_for_link(other_than=first.name)
    expect(page.get_by_text("The first frame is on its way…")).to_be_visible()
    assert laboratory.drawn_pixels() == 0
    expect(laboratory.figure("confidence").locator(".cl-plot")).to_be_hidden()
