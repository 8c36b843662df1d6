"""What a live map needs for a frame, and how still it stands, beside plain fits of UMAP to the same codes."""

from __future__ import annotations

import functools
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from clustlab.bench.speed.measuring import Measurement, Row, Settings, cpu_seconds, ratio_row
from clustlab.data import Dataset, load
from clustlab.projections import Layout, projection_of
from clustlab.projections.layout import align, motion
from clustlab.spec import RunSpec

if TYPE_CHECKING:
    from torch import Tensor

    from clustlab.methods.base import Phase, Values
    from clustlab.training.loop import Training

__all__ = ["compare", "frames_of_a_training", "measurements", "own_motion", "points_from"]

TARGETS = {2_000: 0.3, 10_000: 1.5}
"""Points on the map, and the CPU seconds a frame that are aimed at."""

FRAMES = 7
"""Frames of the training; the first is a cold fit, and each of the others is one measurement."""

PLAIN_FITS = 4
"""Frames that are also fitted on their own; motion is compared between these."""

STEPS_BETWEEN = 60
"""Training steps from frame to frame: a third to half a second of training on one thread."""

SPEC = {
    "method": "idec",
    "options": {"n_init": 1, "tolerance": 0.0},
    "training": {"epochs": 5, "device": "cpu"},
}


def measurements(settings: Settings) -> list[Measurement]:
    """Return a measurement for each number of points."""
    seconds = {2_000: 75.0, 10_000: 80.0}
    return [
        Measurement(f"the map: {n:,} points", seconds[n], functools.partial(_measure, n, target, settings))
        for n, target in TARGETS.items()
    ]


def _measure(n: int, target: float, settings: Settings) -> list[Row]:
    with threadpool_limits(settings.threads):
        return compare(frames_of_a_training(points_from(load("mnist-sample"), n), FRAMES, settings.threads), target)


def points_from(dataset: Dataset, n: int) -> Dataset:
    """Return n images: those of a data set, and when they are used up, copies of them shifted by a pixel."""
    shifts = [(0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)]
    copies = [np.roll(dataset.x, shift, axis=(1, 2)) for shift in shifts[: -(-n // dataset.n)]]
    x = np.concatenate(copies)[:n]
    return Dataset(dataset.name, dataset.title, x, None, (), dataset.kind)


def frames_of_a_training(dataset: Dataset, count: int, threads: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return codes (n, J) and centroids (K, J) of all samples at moments of IDEC's clustering phase."""
    import torch

    from clustlab.training.loop import Batches, Training, run_phases
    from clustlab.training.setup import set_up

    torch.set_num_threads(threads)
    spec = RunSpec.parse({**SPEC, "n_clusters": 10})
    work = set_up(spec, dataset, torch.device("cpu"))
    watcher = _Watcher(lambda phase: phase.codes_of_all(work.samples).numpy(), count)
    training = Training(work.model, Batches(dataset.n, spec.training.batch_size, spec.seed))
    phases = [replace(phase, steps=count * STEPS_BETWEEN) if phase.centroids else phase for phase in work.phases]
    run_phases(training, phases, work.samples, watcher)
    return watcher.frames


class _Watcher:
    """A recorder that keeps codes and centroids of every so many steps."""

    def __init__(self, codes: Callable[[Phase], np.ndarray], count: int) -> None:
        self.codes, self.count = codes, count
        self.frames: list[tuple[np.ndarray, np.ndarray]] = []

    def after_step(self, training: Training, phase: Phase, terms: dict[str, Tensor]) -> None:
        if phase.centroids and training.phase_step % STEPS_BETWEEN == 0 and len(self.frames) < self.count:
            self.frames.append((self.codes(phase), phase.centroids().detach().numpy().copy()))

    def enter(self, training: Training, phase: Phase) -> None: ...

    def values(self, training: Training, phase: Phase, name: str, values: Values) -> None: ...

    def leave(self, training: Training, phase: Phase) -> None: ...

    def between(self, training: Training) -> None: ...


def compare(frames: list[tuple[np.ndarray, np.ndarray]], target: float | None = None) -> list[Row]:
    """Return cost and motion of a warm map beside plain fits, for frames of codes and centroids.

    Motion is the mean displacement of a point from frame to frame after the best similarity alignment, as a share of
    the layout's radius (root mean square distance from its mean). Plain fits are ``UMAP(random_state=0)`` with all else
    as it comes, aligned in the same way; a fixed seed and one thread favour them.
    """
    umap = projection_of("umap")
    first: list[Layout] = []
    cold = cpu_seconds(lambda: first.append(umap.project(*frames[0], None)))
    layout = umap.project(*frames[0], first[0])  # compiles what only warm fits need
    seconds, motions = [], []
    for codes, centroids in frames[1:]:
        began = time.process_time()
        layout = umap.project(codes, centroids, layout)
        seconds.append(time.process_time() - began)
        motions.append(layout.stability or 0.0)
    fitted: list[np.ndarray] = []
    _plain_fit(frames[0][0][:200])  # compiles what only plain fits need
    plain = []
    for codes, _ in frames[:PLAIN_FITS]:
        began = time.process_time()
        fitted.append(_plain_fit(codes))
        plain.append(time.process_time() - began)
    jumps = [motion(before, align(after, before)) for before, after in zip(fitted, fitted[1:], strict=False)]
    still = [own_motion(before, after) for (before, _), (after, _) in zip(frames, frames[1:], strict=False)]
    return _rows(len(frames[0][0]), target, cold, seconds, plain, motions, jumps, still)


def _rows(
    n: int,
    target: float | None,
    cold: float,
    seconds: list[float],
    plain: list[float],
    motions: list[float],
    jumps: list[float],
    still: list[float],
) -> list[Row]:
    setting, fit = f"{n:,} points", statistics.median(plain)
    cost = statistics.median(seconds)
    first = Row(
        *("projector", "the first frame of a process", setting, cold, "CPU s", fit, "plain UMAP.fit", cold / fit),
        note="compilation included",
    )
    warm = Row(
        *("projector", "warm UMAP, a frame", setting, cost, "CPU s", fit, "plain UMAP.fit", cost / fit),
        low=min(seconds) / fit,
        high=max(seconds) / fit,
        repeats=len(seconds),
        target="" if target is None else f"≤ {target:g} s",
        met=None if target is None else cost <= target,
        note=f"IDEC on images, {STEPS_BETWEEN} steps from frame to frame",
    )
    moved = Row(
        *("projector", "motion from frame to frame", setting, 0.0, "share of the radius"),
        reference_is="independent fits",
        note=f"the codes themselves move by {statistics.median(still[: len(jumps)]):.3f}",
    )
    return [first, warm, ratio_row(moved, motions[: len(jumps)], jumps)]


def own_motion(before: np.ndarray, after: np.ndarray) -> float:
    """Return how far codes (n, J) move after the best rotation and shift, as a share of their radius."""
    first, second = before - before.mean(axis=0), after - after.mean(axis=0)
    left, _, right = np.linalg.svd(second.T @ first)
    radius = max(float(np.sqrt((each**2).sum(axis=1).mean())) for each in (first, second))
    return float(np.linalg.norm(second @ (left @ right) - first, axis=1).mean() / radius)


def _plain_fit(codes: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fixed seed means one thread, which is meant
        import umap

        return np.asarray(umap.UMAP(random_state=0).fit_transform(codes), np.float64)
