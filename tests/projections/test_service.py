from __future__ import annotations

import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from clustlab.projections import ProjectionCache, ProjectionError, projection_of, service
from clustlab.runs import Run
from clustlab.runs.writer import RunWriter

Recorded = Callable[..., tuple[Run, RunWriter]]
DEADLINE = 60.0


@pytest.fixture(autouse=True)
def _children() -> Iterator[None]:
    yield
    service.shut_down()


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + DEADLINE
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def count(run: Run) -> int:
    return len(list(run.folder.projection("pca").glob("[0-9]*.npz")))


def test_requested_runs_are_projected_by_a_child_that_follows_them(recorded: Recorded) -> None:
    finished, _ = recorded(3)
    live, writer = recorded(1, state="running")
    assert service.state("pca") == "off"
    service.request(finished.folder.path, "pca")
    service.request(live.folder.path, "pca")
    assert until(lambda: count(finished) == 3 and count(live) == 1)
    assert service.state("pca") == "ready"
    arrays = {"codes": np.eye(5), "centroids": np.eye(5)[:2], "labels": np.zeros(5, np.int16)}
    record = {"step": 10, "phase": "pretrain", "phase_step": 10, "metrics": {}, "values": {}, "terms": {}}
    writer.frame(record, arrays)
    assert until(lambda: count(live) == 2)
    service.shut_down()
    assert service.state("pca") == "off"


def test_the_child_projects_the_frame_that_it_is_asked_for_first(recorded: Recorded) -> None:
    run, _ = recorded(8)
    told: list[str] = []
    at_work: dict[str, ProjectionCache] = {}
    incoming: queue.Queue[str] = queue.Queue()
    for line in (f"{run.folder.path}", f"{run.folder.path}\t2", f"{run.folder.path}\t5", f"{run.folder.path}\tx"):
        incoming.put(line)
    service._take(incoming, at_work, projection_of("pca"), told.append, wait=0.0)
    assert list(at_work) == [str(run.folder.path)]
    assert len(told) == 1  # the last line names no run
    service._advance_one(at_work, told.append)
    assert [path.name for path in run.folder.projection("pca").glob("*.npz")] == ["000050.npz"]


def test_a_request_may_name_a_frame(recorded: Recorded) -> None:
    run, _ = recorded(3)
    for frame in (1, 99, None):
        service.request(run.folder.path, "pca", frame)
    assert until(lambda: count(run) == 3)


def test_a_folder_that_is_no_run_harms_nobody(recorded: Recorded, tmp_path) -> None:
    run, _ = recorded(2)
    service.request(tmp_path, "pca")
    service.request(run.folder.path, "pca")
    assert until(lambda: count(run) == 2)


def test_a_child_that_died_is_replaced(recorded: Recorded) -> None:
    run, _ = recorded(2)
    service.prewarm("pca")
    assert until(lambda: service.state("pca") == "ready")
    service._children["pca"]._process.kill()
    assert until(lambda: service.state("pca") == "off")
    service.request(run.folder.path, "pca")
    assert until(lambda: count(run) == 2)


def test_the_child_ends_when_its_input_does() -> None:
    child = subprocess.run(
        [sys.executable, "-m", "clustlab.projections", "--serve", "pca"],
        input="",
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert child.returncode == 0


def test_unknown_projections_start_no_child(tmp_path) -> None:
    with pytest.raises(ProjectionError, match="there is no projection"):
        service.request(tmp_path, "tsne")
    assert service.state("tsne") == "off"
