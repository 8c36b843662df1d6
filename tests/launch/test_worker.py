"""Runs that are interrupted: killed, paused, stopped, queued; and the same run by every engine."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from threadpoolctl import threadpool_info

import clustlab
from clustlab import launch
from clustlab.errors import LaunchError, RunError, SpecError
from clustlab.launch.worker import execute
from clustlab.runs import Run
from clustlab.spec import RunSpec, with_settings

SPEC = with_settings(
    RunSpec(method="idec", data="digits", extensions={"acai": {}}),
    [
        "training.epochs=60",
        "training.threads=1",
        "network.hidden=32",
        "cluster_epochs=30",
        "tolerance=0",
        "recording.checkpoint_interval=0.3",
        "recording.probe=200",
    ],
)
LONG = with_settings(SPEC, ["training.epochs=20000"])


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return launch.launch(SPEC, tmp_path_factory.mktemp("uninterrupted"), "inline")


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("after_step", [30, 500])  # while pretraining, while clustering
def test_a_killed_run_is_lost_and_resumes_to_the_same_bits(runs: Path, uninterrupted: Run, after_step: int) -> None:
    run = launch.launch(SPEC, runs, "process")
    wait_for(lambda: run.status["step"] >= after_step)
    psutil.Process(run.status["pid"]).send_signal(signal.SIGKILL)
    wait_for(lambda: run.state == "lost")
    seen = [(frame.number, frame.step, frame.codes.tobytes()) for frame in run.frames]
    execute(run.folder.path)
    assert run.state == "finished"
    assert run.folder.result.read_bytes() == uninterrupted.folder.result.read_bytes()
    kept = [(frame.number, frame.step, frame.codes.tobytes()) for frame in run.frames[: len(seen)]]
    assert kept == seen
    moments = [(frame.step, frame.phase == "cluster") for frame in run.frames]
    assert moments == sorted(set(moments))  # none twice, none out of order


@pytest.mark.slow
def test_pause_and_resume_change_no_bit(runs: Path, uninterrupted: Run) -> None:
    run = launch.launch(SPEC, runs, "process")
    wait_for(lambda: run.state == "running" and run.status["step"] >= 20)
    launch.pause(run)
    wait_for(lambda: run.state == "paused")
    step, wall = run.status["step"], run.status["wall_s"]
    time.sleep(0.7)
    assert run.status["step"] == step
    assert run.status["wall_s"] - wall < 0.3  # a pause does not count
    with pytest.raises(LaunchError, match="is paused"):
        launch.pause(run)
    launch.resume(run)
    wait_for(lambda: run.state == "finished")
    assert run.folder.result.read_bytes() == uninterrupted.folder.result.read_bytes()


@pytest.mark.slow
def test_stop_and_resume_change_no_bit(runs: Path, uninterrupted: Run) -> None:
    run = launch.launch(SPEC, runs, "process")
    wait_for(lambda: run.state == "running" and run.status["step"] >= 20)
    launch.stop(run)
    wait_for(lambda: run.state == "stopped")
    with pytest.raises(RunError, match="has no result"):
        run.result  # noqa: B018
    launch.resume(run)
    wait_for(lambda: run.state == "finished")
    assert run.folder.result.read_bytes() == uninterrupted.folder.result.read_bytes()
    with pytest.raises(LaunchError, match="is finished and cannot be resumed"):
        launch.resume(run)


@pytest.mark.slow
@pytest.mark.parametrize("engine", launch.ENGINES)
def test_every_engine_records_the_same_scalars(runs: Path, uninterrupted: Run, engine: str) -> None:
    run = launch.launch(SPEC, runs, engine)
    wait_for(lambda: run.state == "finished", seconds=240)  # a cluster has to be started first

    def without_time(run: Run) -> list[dict[str, object]]:
        return [{key: value for key, value in record.items() if key != "time"} for record in run.scalar_records]

    assert without_time(run) == without_time(uninterrupted)


@pytest.mark.slow
def test_runs_queue_for_a_slot_in_the_order_they_came(
    runs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLUSTLAB_SLOTS", "1")
    monkeypatch.setenv("CLUSTLAB_SLOT_FOLDER", str(tmp_path / "slots"))
    first = launch.launch(LONG, runs, "process")
    wait_for(lambda: first.state == "running")
    second = launch.launch(LONG, runs, "process")
    wait_for(lambda: second.status.get("pid") is not None and second.state == "queued")
    third = launch.launch(LONG, runs, "process")
    wait_for(lambda: "ahead" in third.status.get("message", ""))
    launch.pause(first)  # a paused run lets the next one go first
    wait_for(lambda: second.state == "running")
    assert third.state == "queued"
    for run in (third, second, first):
        launch.stop(run)
    wait_for(lambda: all(run.state == "stopped" for run in (first, second, third)))


@pytest.mark.slow
def test_a_terminated_worker_stops_in_good_order(runs: Path) -> None:
    run = launch.launch(LONG, runs, "process")
    wait_for(lambda: run.state == "running" and run.status["step"] >= 20)
    psutil.Process(run.status["pid"]).terminate()
    wait_for(lambda: run.state == "stopped")
    assert run.frames[-1].step >= 20


def test_an_interrupted_notebook_leaves_a_stopped_run(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from clustlab.runs.writer import RunWriter

    def interrupt(self: RunWriter) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(RunWriter, "request", interrupt)
    with pytest.raises(KeyboardInterrupt):
        launch.launch(SPEC, runs, "inline")
    assert [run.state for run in clustlab.list_runs(runs)] == ["stopped"]


def test_a_file_of_samples_is_found_again_from_elsewhere(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "mine.npz", X=np.random.default_rng(0).normal(size=(30, 4)))
    run = launch.submit(RunSpec(method="kmeans", data="mine.npz", n_clusters=2), runs)
    assert run.name.startswith("kmeans-mine-")
    pd.DataFrame({"a": range(9), "b/c": 0}).to_csv(tmp_path / "mine.csv", index=False)
    of_table = launch.submit(RunSpec(method="kmeans", data="mine.csv?without=b%2Fc", n_clusters=2), runs)
    assert of_table.name.startswith("kmeans-mine-")
    assert of_table.spec.data == f"{tmp_path}/mine.csv?without=b%2Fc"
    monkeypatch.chdir("/")
    assert execute(run.folder.path) == "finished"


@pytest.mark.slow
def test_one_folder_has_one_worker(runs: Path) -> None:
    run = launch.launch(LONG, runs, "process")
    wait_for(lambda: run.state == "running")
    with pytest.raises(LaunchError, match="another worker"):
        execute(run.folder.path)
    launch.stop(run)
    wait_for(lambda: run.state == "stopped")


@pytest.mark.slow
def test_who_waits_for_another_worker_goes_on_where_that_one_stopped(runs: Path) -> None:
    run = launch.launch(LONG, runs, "process")
    wait_for(lambda: run.state == "running")
    states: list[str] = []
    patient = threading.Thread(target=lambda: states.append(execute(run.folder.path, patience=-1)))
    patient.start()
    other = run.status["pid"]
    launch.stop(run)
    wait_for(lambda: run.state == "running" and run.status["pid"] == os.getpid() != other)
    launch.stop(run)
    patient.join()
    assert states == ["stopped"]
    assert [event["kind"] for event in run.events if event["kind"] in ("stopped", "resumed")] == [
        "stopped",
        "resumed",
        "stopped",
    ]


def test_a_run_that_diverges_fails_in_one_sentence(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr("clustlab.methods.pretraining.squared_error", lambda x_hat, x: torch.full((len(x),), torch.nan))
    run = launch.launch(SPEC, runs, "inline")
    assert run.state == "failed"
    assert "the term “reconstruction” is not finite at step" in run.status["error"]


def test_a_failed_write_fails_in_one_sentence_and_keeps_what_is_there(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clustlab.runs.writer import RunWriter

    frame = RunWriter.frame

    def full(self: RunWriter, record: dict[str, object], arrays: dict[str, object]) -> None:
        if self.frame_count == 3:
            raise OSError(28, "No space left on device")
        frame(self, record, arrays)  # type: ignore[arg-type]

    monkeypatch.setattr(RunWriter, "frame", full)
    run = launch.launch(SPEC, runs, "inline")
    assert (run.state, run.status["error"]) == ("failed", "the disk is full; make room and resume the run")
    assert [frame.codes.shape for frame in run.frames] == [(200, 10)] * 3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"method": "idek"}, "there is no method “idek”; there are"),
        ({"options": {"cluster_wait": 1}}, "there is no option “cluster_wait”"),
        ({"options": {"cluster_weight": 1000}}, "cluster_weight = 1000 is too large; it may be at most 100"),
        ({"extensions": ["acay"]}, "there is no extension “acay”; there are acai"),
        ({"n_clusters": 999}, "999 is too large: Blobs|n_clusters = 999 is too large"),
        ({"data": "digts"}, "there is no data source “digts”"),
        ({"method": "kmeans", "options": {}}, "nothing for an extension to join"),
        ({"network": {"kind": "convolutional"}}, "needs images"),
        ({"recording": {"probe": 2}}, "too small to show 3 clusters"),
    ],
)
def test_what_cannot_run_is_refused_before_a_folder_is_made(
    runs: Path, change: dict[str, object], sentence: str
) -> None:
    fields = {"method": "idec", "data": "blobs", "extensions": ["acai"], **change}
    with pytest.raises((SpecError, clustlab.errors.DataError), match=sentence):
        launch.submit(RunSpec.parse(fields), runs)
    assert list(runs.iterdir()) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_is_refused_in_one_sentence(
    runs: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(RunError, match=f"cannot be written .{os.strerror(number)}"):
        launch.submit(SPEC, runs)


def test_a_runs_folder_that_is_a_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("not a folder")
    with pytest.raises(RunError, match="cannot be written"):
        launch.submit(SPEC, tmp_path / "runs")


def test_all_libraries_keep_to_the_number_of_threads(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """K-means too: its sums depend on the number of threads, and the spec says how many."""
    seen: dict[str, int] = {}
    monkeypatch.setattr(
        "clustlab.launch.worker._train",
        lambda *_: seen.update({pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}),
    )
    execute(launch.submit(SPEC, runs).folder.path)
    assert seen
    assert set(seen.values()) == {SPEC.training.threads}
