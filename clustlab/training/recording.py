"""When something is written down: frames within a time budget, scalars every few steps, checkpoints; pause and stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from clustlab.data import Dataset
from clustlab.errors import ClustlabError
from clustlab.methods.base import Phase, Values
from clustlab.runs.reader import Frames
from clustlab.runs.writer import RunWriter
from clustlab.spec import Recording
from clustlab.training import checkpoints
from clustlab.training.loop import Training
from clustlab.training.probe import Clusters, Probe, frame_arrays

__all__ = ["Diverged", "FrameClock", "RunRecorder", "Stopped"]

SCALAR_RECORDS = 2000
"""Records of scalars in a run, about; decided from the spec alone, so that the same run records the same steps."""

CONTROL_SECONDS = 0.05
STATUS_SECONDS = 0.5


class Stopped(Exception):
    """Somebody asked the run to stop; a checkpoint has been written."""


class Diverged(ClustlabError):
    """A term is no longer a finite number."""

    def __init__(self, term: str, step: int) -> None:
        super().__init__(
            f"training diverged: the term “{term}” is not finite at step {step}; try a smaller learning rate"
        )


class FrameClock:
    """Says when the next frame is due: within the budget, and ever more rarely in a long run.

    The gap grows from a quarter of a second to 2.5 s within the first 130 frames and stays there until the 300th;
    then it doubles every 20 frames, so that a run of a day has little more than 400. What else is written down comes
    out of the same budget, but a quarter of it is left to frames.
    """

    SHORTEST, LONGEST, MANY = 0.25, 2.5, 300
    LEAST = 0.25

    def __init__(self, budget: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.budget, self.clock = budget, clock
        self.due = clock()

    def recorded(self, count: int, cost: float, besides: float = 0.0) -> None:
        """A frame, the ``count``-th, has just been recorded and took ``cost`` seconds.

        ``besides`` is the share of the time that everything else takes: scalars, status, checkpoints.
        """
        gap = min(self.SHORTEST * 2 ** (count / 40), self.LONGEST)
        if count > self.MANY:
            gap *= 2 ** min((count - self.MANY) / 20, 30)
        left = max(self.budget - besides, self.LEAST * self.budget)
        self.due = self.clock() + max(gap, cost * (1 / left - 1))

    def is_due(self) -> bool:
        """Whether it is time."""
        return self.clock() >= self.due


class RunRecorder:
    """Writes a run while it trains; obeys ``control``. Changes nothing that is learned.

    Parameters
    ----------
    writer : RunWriter
    recording : Recording
        Budget and checkpoint interval.
    phases : sequence of Phase
        All of them, for totals.
    probe : Probe
    dataset : Dataset
        For units.
    n_clusters, seed : int
        For the read-out of frames.
    wait : callable
        Called again and again while paused, with a function that says whether the pause is over.
    """

    def __init__(
        self,
        writer: RunWriter,
        recording: Recording,
        phases: Sequence[Phase],
        probe: Probe,
        dataset: Dataset,
        n_clusters: int,
        seed: int,
        wait: Callable[[Callable[[], bool]], None],
    ) -> None:
        self.writer, self.recording, self.probe, self.dataset = writer, recording, probe, dataset
        self.n_clusters, self.seed, self.wait = n_clusters, seed, wait
        self.total_steps = sum(phase.steps for phase in phases)
        self.scalar_interval = max(5, self.total_steps // SCALAR_RECORDS)
        self.frames = FrameClock(recording.budget)
        self.clusters = self._clusters_before()
        self.sums: dict[str, Tensor] = {}
        self.summed = 0
        self.latest_terms: dict[str, dict[str, float]] = {}
        self.latest_values: dict[str, float] = {}
        now = time.monotonic()
        self.began, self.earlier_seconds, self.paused_seconds = now, writer.wall_seconds, 0.0
        self.next_control = self.next_status = now
        self.busy_since, self.busy_seconds = now, 0.0
        self.next_checkpoint = now + recording.checkpoint_interval

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint must hold so that the next scalars are whole."""
        return {"sums": dict(self.sums), "summed": self.summed}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a :meth:`state`."""
        self.sums, self.summed = dict(state["sums"]), state["summed"]

    @property
    def wall_seconds(self) -> float:
        """Seconds of training, pauses excluded."""
        return self.earlier_seconds + time.monotonic() - self.began - self.paused_seconds

    @property
    def besides(self) -> float:
        """Share of the time that everything but frames has taken; half the budget is assumed of a second before."""
        return (self.busy_seconds + self.recording.budget / 2) / (1 + self.wall_seconds - self.earlier_seconds)

    def enter(self, training: Training, phase: Phase) -> None:
        self.busy_since = time.monotonic()
        if training.phase_step == 0:
            self.latest_terms = {}
            self.writer.event("phase", training.step, phase.name)
        self._report(training, phase, "running", message="")
        if training.phase_step == 0 and not phase.every:  # phases with targets are shown once P is there
            self._frame(training, phase)
        self._at_work()

    def values(self, training: Training, phase: Phase, name: str, values: Values) -> None:
        self.busy_since = time.monotonic()
        self.latest_values |= values
        if values:
            self.writer.scalars({"step": training.step, "phase": phase.name, "values": dict(values)})
        if name not in ("enter", "step", "leave"):
            self.writer.event(name, training.step)
            if training.phase_step == 0:
                self._frame(training, phase)
        self._at_work()

    def after_step(self, training: Training, phase: Phase, terms: dict[str, Tensor]) -> None:
        self.busy_since = time.monotonic()
        for name, value in terms.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value
        self.summed += 1
        if self.summed >= self.scalar_interval or phase.record_each_step:
            self._scalars(training, phase)
        if phase.record_each_step or self.frames.is_due():
            self._frame(training, phase)
        now = time.monotonic()
        if now >= self.next_control:
            self.next_control = now + CONTROL_SECONDS
            self._obey(training, phase)
        if now >= self.next_status:
            self.next_status = now + STATUS_SECONDS
            self._report(training, phase, "running")
        if now >= self.next_checkpoint:
            self.checkpoint(training)
        self._at_work()

    def leave(self, training: Training, phase: Phase) -> None:
        self.busy_since = time.monotonic()
        self._scalars(training, phase)
        self._frame(training, phase)
        self._report(training, phase, "running")

    def between(self, training: Training) -> None:
        self.checkpoint(training, keep=True)

    def checkpoint(self, training: Training, *, keep: bool = False) -> None:
        """Write a checkpoint now."""
        checkpoints.save(self.writer.folder, {**training.state(), "recorder": self.state()}, keep=keep)
        self.writer.event("checkpoint", training.step)
        self.next_checkpoint = time.monotonic() + self.recording.checkpoint_interval

    def _scalars(self, training: Training, phase: Phase) -> None:
        if not self.summed:
            return
        # The one synchronisation with the device: all terms are read at once.
        means = (torch.stack(list(self.sums.values())) / self.summed).tolist()
        at = max(0, training.phase_step - 1)
        weights = {term.name: term.weight_at(at) for player in phase.players for term in player.terms}
        self.latest_terms = {
            name: {"raw": mean, "weight": weights[name], "weighted": weights[name] * mean}
            for name, mean in zip(self.sums, means, strict=True)
        }
        if not all(np.isfinite(means)):
            worst = [name for name, mean in zip(self.sums, means, strict=True) if not np.isfinite(mean)]
            raise Diverged(worst[0], training.step)
        self.writer.scalars({"step": training.step, "phase": phase.name, "terms": self.latest_terms})
        self.sums, self.summed = {}, 0

    def _at_work(self) -> None:
        """Count the time since the recorder was called, or since the frame or pause within that call."""
        now = time.monotonic()
        self.busy_seconds += now - self.busy_since
        self.busy_since = now

    def _frame(self, training: Training, phase: Phase) -> None:
        self._at_work()
        began = self.busy_since
        with torch.random.fork_rng(devices=[]):  # whatever an observation draws, training does not notice
            arrays, metrics, self.clusters = frame_arrays(
                phase, self.probe, self.n_clusters, self.seed, self.dataset, self.clusters
            )
        record = {
            "step": training.step,
            "phase": phase.name,
            "phase_step": training.phase_step,
            "metrics": metrics,
            "values": dict(self.latest_values),
            "terms": self.latest_terms,
        }
        self.writer.frame(record, arrays)
        self.busy_since = time.monotonic()
        self.frames.recorded(self.writer.frame_count, self.busy_since - began, self.besides)

    def _obey(self, training: Training, phase: Phase) -> None:
        match self.writer.request():
            case "stop":
                self._stop(training, phase)
            case "checkpoint":
                self.checkpoint(training)
            case "pause":
                self._pause(training, phase)

    def _stop(self, training: Training, phase: Phase) -> None:
        self._frame(training, phase)
        self.checkpoint(training)
        self.writer.event("stopped", training.step)
        raise Stopped

    def _pause(self, training: Training, phase: Phase) -> None:
        self._frame(training, phase)
        self.checkpoint(training)
        self.writer.event("paused", training.step)
        began, earlier = time.monotonic(), self.paused_seconds
        request = ""

        def is_over() -> bool:
            nonlocal request
            self.paused_seconds = earlier + time.monotonic() - began
            self._report(training, phase, "paused")
            request = self.writer.request()
            return request in ("resume", "stop")

        self.wait(is_over)
        self.busy_since = time.monotonic()
        self.paused_seconds = earlier + self.busy_since - began
        self.writer.event("resumed", training.step)
        if request == "stop":
            self._stop(training, phase)

    def _report(self, training: Training, phase: Phase, state: str, **more: Any) -> None:
        self.writer.status(
            state=state,
            phase=phase.name,
            step=training.step,
            phase_step=training.phase_step,
            phase_steps=phase.steps,
            total_steps=self.total_steps,
            wall_s=round(self.wall_seconds, 3),
            **more,
        )

    def _clusters_before(self) -> Clusters:
        """Return what the last recorded frame said, for a run that goes on."""
        frames = Frames(self.writer.folder)
        if not len(frames):
            return Clusters()
        last = frames[-1]
        return Clusters(last.phase, last.labels, last.centroids, last.model_cluster.astype(np.int64))
