"""Stories of control: a run is paused, stopped, killed and brought back from the page; the server goes meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest
from browser.laboratory import Laboratory, until
from browser.serving import Server
from playwright.sync_api import Page, expect

from clustlab.runs import Run

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("workers_end")]


def test_pause_resume_and_stop_from_the_page(server: Server, page: Page, begin: Callable[..., Run]) -> None:
    run = begin()
    laboratory = Laboratory(page)
    laboratory.visit(f"{server.url}/?run={run.name}")
    laboratory.wait_for_points(run.name)
    laboratory.press("Pause")
    laboratory.wait_for_state("paused")
    until(lambda: run.state == "paused")
    expect(page.get_by_text("Training waits; nothing is lost")).to_be_visible()
    waiting = len(run.frames)
    laboratory.press("Resume")
    laboratory.wait_for_state("running")
    laboratory.wait_for_frame(waiting + 1)
    laboratory.press("Stop")
    laboratory.wait_for_state("stopped")
    assert run.state == "stopped"
    # It has kept all that it recorded, shows its last frame, and can be brought back.
    laboratory.wait_for_frame(len(run.frames) - 1)
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()


def test_a_press_is_obeyed_although_the_page_is_drawn_anew_meanwhile(
    server: Server, page: Page, begin: Callable[..., Run]
) -> None:
    run = begin()
    laboratory = Laboratory(page)
    laboratory.visit(f"{server.url}/?run={run.name}")
    laboratory.wait_for_state("running")
    button = page.get_by_role("button", name="Pause", exact=True)
    button.hover()
    page.mouse.down()
    laboratory.enter("form-seed", "3")  # the whole script runs while the button is held
    page.mouse.up()
    laboratory.wait_for_state("paused")
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_visible()
    # What the server refuses is said beside the buttons.
    page.route("**/control", lambda route: route.fulfill(status=400, json={"error": "the run cannot be resumed"}))
    laboratory.press("Resume")
    expect(page.get_by_test_id("run-controls")).to_contain_text("The run cannot be resumed.")
    page.unroute("**/control")
    laboratory.press("Resume")
    laboratory.wait_for_state("running")
    expect(page.get_by_test_id("run-controls")).not_to_contain_text("cannot be resumed")


def test_a_killed_worker_shows_as_lost_and_is_resumed_to_the_end(
    server: Server, page: Page, begin: Callable[..., Run]
) -> None:
    run = begin(options={"cluster_epochs": 200, "tolerance": 0, "n_init": 2}, training={"epochs": 600, "threads": 1})
    laboratory = Laboratory(page)
    laboratory.visit(f"{server.url}/?run={run.name}")
    until(lambda: any(run.folder.checkpoints.glob("*.pt")) and len(run.frames) > 1)
    os.kill(run.status["pid"], signal.SIGKILL)
    laboratory.wait_for_state("lost")
    expect(page.get_by_text("The worker is gone without a word")).to_be_visible()
    recorded, step = len(run.frames), run.status["step"]
    laboratory.press("Resume")
    laboratory.wait_for_state("finished")
    assert run.state == "finished"
    assert [event["kind"] for event in run.events].count("resumed") == 1
    assert run.status["step"] == run.status["total_steps"] > step
    assert len(run.frames) > recorded
    laboratory.wait_for_frame(len(run.frames) - 1)
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_hidden()


def test_the_server_ends_while_somebody_looks_and_the_run_goes_on(
    start_server: Callable[..., AbstractContextManager[Server]], tmp_path: Path, page: Page, begin: Callable[..., Run]
) -> None:
    run = begin()
    with start_server(tmp_path, runs=run.folder.path.parent) as server:
        laboratory = Laboratory(page)
        laboratory.visit(f"{server.url}/?run={run.name}")
        laboratory.wait_for_points(run.name)
        children = psutil.Process(server.process.pid).children(recursive=True)
        server.end()
    expect(page.get_by_text("The connection is lost; trying again…")).to_be_visible()
    assert laboratory.drawn_pixels() > 0  # what was there stays
    until(lambda: not any(child.is_running() for child in children))
    recorded = len(run.frames)
    until(lambda: len(run.frames) > recorded)
    assert run.state == "running"
