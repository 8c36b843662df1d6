"""Tables that a Dask cluster fills: processes that die, tasks that are taken back, schedulers that are not there."""

from __future__ import annotations

import concurrent.futures
import csv
import functools
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clustlab import launch
from clustlab.bench import campaign, cluster
from clustlab.bench.campaign import fill
from clustlab.bench.cluster import ClusterPool, answer_from, answer_here
from clustlab.bench.grid import Grid
from clustlab.bench.table import Row
from clustlab.errors import LaunchError
from clustlab.launch import store as storing
from clustlab.launch.store import Store
from clustlab.runs import Run, list_runs, open_run
from clustlab.spec import RunSpec

TINY = ("training.epochs=3", "cluster_epochs=2", "network.hidden=8", "network.latent_dim=3", "training.batch_size=100")


@pytest.fixture(autouse=True)
def _as_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process do what one of a cluster may: set its number of slots, and look at stores more often."""
    monkeypatch.setenv("CLUSTLAB_SLOTS", "1")
    monkeypatch.setattr(storing, "RENEW_SECONDS", 0.02)


def scalars(run: Run) -> list[dict[str, Any]]:
    return [{name: value for name, value in record.items() if name != "time"} for record in run.scalar_records]


@pytest.mark.slow
@pytest.mark.timeout(900)  # five processes load PyTorch
def test_a_worker_that_is_killed_costs_no_cell_and_changes_no_bit(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve runs on three processes; the first run pauses in the midst of its training, and its process is killed."""
    grid = Grid(("dec", "idec"), ("blobs",), ((), ("acai",)), (0, 1, 2), settings=TINY)
    killed: dict[str, int] = {}
    submit = campaign.submit

    def submit_and_pause(spec: RunSpec, folder: Path) -> Run:
        run = submit(spec, folder)
        if len(list_runs(folder)) == 1:
            run.folder.ask("pause")  # obeyed after the first step
        return run

    def kill_once(working: Sequence[Row], *_: float) -> None:
        for row in working:
            run = open_run(runs / row.run)
            if run.state == "paused" and not killed:
                assert run.folder.checkpoint_files()
                assert not run.folder.result.exists()
                killed[run.name] = run.status["pid"]
                os.kill(run.status["pid"], signal.SIGKILL)

    monkeypatch.setattr(campaign, "submit", submit_and_pause)
    rows = fill(grid, runs, runs.parent / "table.csv", 3, kill_once, ClusterPool)

    assert [row.state for row in rows] == ["finished"] * 12, [row.note for row in rows]
    assert len({row.run for row in rows}) == len(list_runs(runs)) == 12
    ((lost, pid),) = killed.items()
    assert [event["kind"] for event in open_run(runs / lost).events].count("resumed") == 1
    processes = {open_run(runs / row.run).status["pid"] for row in rows}
    assert pid not in processes
    assert len(processes | {pid}) >= 3
    for row in rows:
        assert row.cell.spec is not None
        alone = launch.launch(row.cell.spec, runs.parent / "alone", "inline")
        run = open_run(runs / row.run)
        assert scalars(run) == scalars(alone)
        assert run.folder.result.read_bytes() == alone.folder.result.read_bytes()


class Cluster:
    """Stands for a Dask cluster of one process, this one; what ``held_back`` names waits for ever."""

    status, scheduler = "running", SimpleNamespace(address="tcp://host:8786")

    def __init__(self, held_back: str = "nothing") -> None:
        self.held_back = held_back

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None: ...

    def nthreads(self) -> dict[str, int]:
        return {"only": 1}

    def processing(self) -> dict[str, list[str]]:
        return {"only": []}

    def submit(self, function: Callable[..., Any], *arguments: Any, key: str, pure: bool) -> Future:
        future = Future(key)
        if self.held_back not in key:
            future.set_result(function(*arguments))
        return future


class Future(concurrent.futures.Future[Any]):
    """One that knows its key, as those of Dask do."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


def test_cells_travel_through_a_store_and_end_in_the_runs_folder(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "connected", lambda *_: Cluster())
    store = Store(f"file://{tmp_path / 'store'}", lease_seconds=0.5)
    grid = Grid(("kmeans", "pca-kmeans"), ("blobs",))
    workers = functools.partial(ClusterPool, store=store)
    rows = fill(grid, runs, tmp_path / "table.csv", 0, lambda *_: None, workers)
    assert [row.state for row in rows] == ["finished"] * 2, [row.note for row in rows]
    for row in rows:
        assert row.cell.spec is not None
        alone = launch.launch(row.cell.spec, runs.parent / "alone", "inline")
        assert open_run(runs / row.run).folder.result.read_bytes() == alone.folder.result.read_bytes()
    assert {path.name for path in (tmp_path / "store").iterdir()} == {row.run for row in rows}


def test_an_interrupt_takes_back_what_no_process_has_begun_with(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "connected", lambda *_: Cluster(held_back="pca"))
    grid = Grid(("kmeans", "pca-kmeans"), ("blobs",))

    def interrupt(working: Sequence[Row], *_: float) -> None:
        if [row.cell.method for row in working] == ["pca-kmeans"]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(grid, runs, tmp_path / "table.csv", 0, interrupt, ClusterPool)
    with (tmp_path / "table.csv").open(newline="") as stream:
        assert [record["state"] for record in csv.DictReader(stream)] == ["finished", "waiting"]

    monkeypatch.setattr(cluster, "connected", lambda *_: Cluster())
    rows = fill(grid, runs, tmp_path / "table.csv", 0, lambda *_: None, ClusterPool)
    assert [row.state for row in rows] == ["finished", "finished"], "what asked it to stop is forgotten"
    assert len(list_runs(runs)) == 2


def test_a_scheduler_that_goes_leaves_lost_cells_in_the_table(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Cluster(held_back="pca")
    monkeypatch.setattr(cluster, "connected", lambda *_: gone)

    def go(working: Sequence[Row], *_: float) -> None:
        if [row.cell.method for row in working] == ["pca-kmeans"]:
            gone.status = "closed"

    with pytest.raises(LaunchError, match="the Dask scheduler at tcp://host:8786 is gone; the same command goes on"):
        fill(Grid(("kmeans", "pca-kmeans"), ("blobs",)), runs, tmp_path / "table.csv", 0, go, ClusterPool)
    with (tmp_path / "table.csv").open(newline="") as stream:
        assert [record["state"] for record in csv.DictReader(stream)] == ["finished", "lost"]


def test_a_folder_that_a_machine_does_not_see_is_named(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="does not see the folder .*; the runs folder must be one that all machines"):
        answer_here(str(tmp_path / "elsewhere"), 1)


def test_a_run_that_is_not_in_the_store_is_named(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="there is no run nobody in file://"):
        answer_from(Store(f"file://{tmp_path / 'store'}", lease_seconds=0.2), "nobody", 1)
