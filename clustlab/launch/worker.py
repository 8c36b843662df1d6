"""The worker: the only function that trains a run folder.

``python -m clustlab.launch.worker FOLDER`` is what the ``process`` engine starts.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from clustlab.errors import ClustlabError, LaunchError, RunError, SpecError
from clustlab.launch.slots import Slot, take_slot
from clustlab.launch.unchanged import check_unchanged
from clustlab.runs.layout import RunFolder
from clustlab.runs.reader import Run
from clustlab.runs.writer import RunWriter, write_failure

__all__ = ["execute"]

PAUSE_POLL_SECONDS = 0.2

LOCK_SECONDS = 3.0
"""A worker that was killed holds its lock until its last thread is gone."""


def execute(path: Path, patience: float = LOCK_SECONDS) -> str:
    """Train the run in a folder, from its last checkpoint if it has one, and return the state it ended in.

    Parameters
    ----------
    path : Path
        Folder with ``spec.json``.
    patience : float
        Seconds to wait for another worker to leave the folder; negative to wait until it does.

    Returns
    -------
    str
        ``finished``, ``stopped`` or ``failed``; a failure is one sentence in ``status.json``, its traceback is in
        ``log.txt``.

    Raises
    ------
    RunError
        If the folder is no run.
    LaunchError
        If another worker is still at work on it.
    """
    run = Run(path)
    try:
        with FileLock(run.folder.lock, timeout=patience):
            return _execute_alone(run)
    except Timeout:
        raise LaunchError(f"another worker is at work on {run.name}") from None


def _execute_alone(run: Run) -> str:
    try:
        if run.has_result:
            return "finished"
        run.folder.result.unlink(missing_ok=True)  # a damaged one; the run goes on from its checkpoint
        writer = RunWriter(run.folder)
    except (RunError, OSError) as error:
        write_failure(run.folder, _sentence(error))
        return "failed"
    try:
        state = _wait_and_train(run, writer)
    except Exception as error:
        _write_failure(run.folder, writer, error)
        return "failed"
    except KeyboardInterrupt:  # this process may live on, in a notebook, and must not be taken for a worker
        writer.status(state="stopped", message="")
        raise
    writer.status(state=state, message="")
    return state


def _wait_and_train(run: Run, writer: RunWriter) -> str:
    """Wait for a slot, train, write the result; return ``finished`` or ``stopped``."""
    writer.status(state="starting", message="loading PyTorch", error="")
    from clustlab.training.recording import Stopped

    def waiting(ahead: int) -> None:
        writer.status(state="queued", message=f"waiting for a free slot, {ahead} ahead" if ahead else "next in line")
        if writer.asked_to_stop():
            raise Stopped

    try:
        # scikit-learn's k-means too: its sums depend on the number of threads, and on a busy machine threads that wait
        # for each other take it twenty times as long.
        with take_slot(waiting) as slot, threadpool_limits(run.spec.training.threads):
            writer.status(state="starting", message="loading the data", versions=_versions())
            _train(run, writer, slot)
    except Stopped:
        return "stopped"
    return "finished"


def _train(run: Run, writer: RunWriter, slot: Slot) -> None:
    import torch

    from clustlab.data import load
    from clustlab.training import checkpoints
    from clustlab.training.loop import Batches, Training, run_phases
    from clustlab.training.probe import choose_probe
    from clustlab.training.recording import RunRecorder, Stopped
    from clustlab.training.setup import choose_device, set_up

    spec = run.spec
    torch.set_num_threads(spec.training.threads)
    device = choose_device(spec.training.device)

    def fetching(message: str) -> None:
        writer.status(message=message)
        if writer.asked_to_stop():
            raise Stopped

    dataset = load(spec.data, fetching)
    fetching("looking through the samples")
    check_unchanged(run, dataset)
    writer.status(message="building the networks")
    work = set_up(spec, dataset, device)
    probe, arrays = choose_probe(dataset, work.samples, spec.recording.probe, spec.seed)

    def paused(is_over: Callable[[], bool]) -> None:
        slot.release()
        while not is_over():
            time.sleep(PAUSE_POLL_SECONDS)
        slot.acquire()

    recorder = RunRecorder(writer, spec.recording, work.phases, probe, dataset, work.n_clusters, spec.seed, paused)
    training = Training(work.model, Batches(dataset.n, spec.training.batch_size, spec.seed))
    checkpoint = checkpoints.load_latest(run.folder)
    if spec.parent and not checkpoint:
        raise RunError(f"the checkpoint that this run shares with {spec.parent.run} is not there; fork that run again")
    if checkpoint:
        _check_history(run, work.phases, checkpoint)
        training.restore(checkpoint, fork=spec.parent is not None)
        recorder.restore(checkpoint["recorder"])
        writer.event("resumed", training.step)
    writer.about(work.about())  # not before all that may refuse to go on: it says which data the checkpoint has seen
    writer.sample(arrays)
    run_phases(training, work.phases, work.samples, recorder)
    writer.status(message="reading out the clusters of the whole data set")
    run.folder.cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="result-", dir=run.folder.cache, ignore_cleanup_errors=True) as scratch:
        writer.result(_result(work.phases, work, dataset, Path(scratch)))
    writer.event("finished", training.step)


def _check_history(run: Run, phases: Sequence[Any], checkpoint: dict[str, Any]) -> None:
    """Refuse to go on from a checkpoint of a parent that has gone through other phases than this run would have."""
    parent = run.spec.parent
    if parent is None or checkpoint["step"] != parent.step:
        return
    been_through = list(dict.fromkeys(record["phase"] for record in run.frames.records()))
    ahead = [phase.name for phase in phases][: len(been_through)]
    if been_through != ahead:
        raise SpecError(
            f"{run.spec.method} cannot go on from step {parent.step} of {parent.run}: that run had been through "
            f"{', '.join(been_through)}, and this one would have been through {', '.join(ahead)}"
        )


def _result(phases: Sequence[Any], work: Any, dataset: Any, scratch: Path) -> dict[str, np.ndarray]:
    """Return the arrays of ``result.npz``; see ``runs/FORMAT.md``."""
    from clustlab.metrics import scores, silhouette
    from clustlab.training.probe import read_out_all

    arrays = read_out_all(phases[-1], work.samples, scratch)
    metrics = {} if dataset.y is None else scores(dataset.y, arrays["labels"])
    width = silhouette(arrays["codes"], arrays["labels"])
    if width is not None:
        metrics["silhouette"] = width
    return {**arrays, "metrics": np.array(json.dumps(metrics)), "protocol": np.array(phases[-1].protocol)}


def _write_failure(folder: RunFolder, writer: RunWriter, error: Exception) -> None:
    """Put one sentence into the status and the traceback into the log, as far as the disk still takes them."""
    try:
        with folder.log.open("a") as log:
            log.write(traceback.format_exc())
    except OSError:
        traceback.print_exc()
    writer.status(state="failed", error=_sentence(error), message="")


def _sentence(error: Exception) -> str:
    if isinstance(error, ClustlabError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full; make room and resume the run"
    if isinstance(error, OSError):
        return f"a file could not be read or written: {error}"
    if isinstance(error, MemoryError):
        return "there is not enough memory for this run; a smaller network or batch needs less"
    return f"an unexpected error ended the run ({type(error).__name__}: {error}); details are in the log"


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("clustlab", "torch", "numpy", "scikit-learn")}
    return {"python": platform.python_version(), **packages, "machine": platform.machine(), "system": platform.system()}


def main() -> None:
    """Train one folder at low priority, so that whoever looks at it is served first."""
    path = Path(sys.argv[1])
    if hasattr(os, "nice"):
        os.nice(5)
    # A machine that shuts down, or a scheduler that takes its node back, asks like this: stop in good order.
    signal.signal(signal.SIGTERM, lambda *_: RunFolder(path).ask("stop"))
    state = execute(path)
    raise SystemExit(0 if state in ("finished", "stopped") else 1)


if __name__ == "__main__":
    main()
