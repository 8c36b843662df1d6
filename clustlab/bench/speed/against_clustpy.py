"""How long ClustPy takes for codes as good: an autoencoder at its defaults, beside ours at ours, on the same data."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import statistics
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from clustlab.bench.speed.measuring import Measurement, Row, Settings, ratio_row
from clustlab.data import Dataset, load
from clustlab.errors import DataError
from clustlab.metrics import scores
from clustlab.readout import KMeansProtocol, fit
from clustlab.spec import RunSpec

if TYPE_CHECKING:
    from torch import Tensor

    from clustlab.methods.base import Phase, Values
    from clustlab.training.loop import Training

__all__ = ["Journey", "installed", "measurements", "ours", "rows", "theirs"]

EPOCHS, BATCH = 100, 256
"""What ClustPy's deep clustering methods pretrain with by default."""

LOOK_EVERY = 10
"""Epochs between two looks at our codes; looking is not timed."""

SEEDS = 3

SECONDS_A_SAMPLE = 0.05
"""About how long both take for a sample and a seed."""


class Journey(NamedTuple):
    """CPU seconds of training so far and accuracy of k-means on the codes, look by look."""

    seconds: list[float]
    accuracy: list[float]

    def until(self, accuracy: float) -> float | None:
        """Return the seconds after which an accuracy is first reached; None if it never is."""
        pairs = zip(self.seconds, self.accuracy, strict=True)
        return next((seconds for seconds, reached in pairs if reached >= accuracy), None)


def installed() -> bool:
    """Whether ClustPy is there."""
    return importlib.util.find_spec("clustpy") is not None


def measurements(settings: Settings) -> list[Measurement]:
    """Return one measurement a set of data; none where ClustPy is not installed.

    Raises
    ------
    DataError
        If data cannot be read, or have no classes.
    """
    if not installed():
        return []
    return [_measurement(load(source), settings) for source in settings.data]


def _measurement(dataset: Dataset, settings: Settings) -> Measurement:
    if dataset.y is None:
        raise DataError(f"{dataset.title} has no classes, so that nobody can tell how good codes of it are")
    title = f"AE + k-means: ClustPy and clustlab on {dataset.title}"
    return Measurement(title, dataset.n * SECONDS_A_SAMPLE * SEEDS, lambda: _measure(dataset, settings))


def _measure(dataset: Dataset, settings: Settings) -> list[Row]:
    import torch

    torch.set_num_threads(settings.threads)
    with threadpool_limits(settings.threads):
        theirs(dataset, 0, epochs=1)  # imports, and whatever is made when first used
        pairs = [(ours(dataset, seed, settings.threads), theirs(dataset, seed)) for seed in range(SEEDS)]
    return rows(pairs, dataset.title)


def rows(pairs: list[tuple[Journey, Journey]], title: str) -> list[Row]:
    """Return the rows for journeys of ours and of ClustPy's, a pair a seed, on data of a title."""
    setting = f"{title}, seeds 0–{len(pairs) - 1}"
    reached = [mine.until(other.accuracy[-1]) for mine, other in pairs]
    arrived = [(mine, other.seconds[-1]) for mine, (_, other) in zip(reached, pairs, strict=True) if mine is not None]
    accuracy = [statistics.fmean(journey.accuracy[-1] for journey in each) for each in zip(*pairs, strict=True)]
    total = Row(
        *("clustpy", "AE + k-means, all of the training", setting, 0.0, "CPU s"),
        reference_is="ClustPy's defaults",
        note=f"accuracy {accuracy[0]:.3f} against {accuracy[1]:.3f}, means over seeds",
    )
    found = [ratio_row(total, [mine.seconds[-1] for mine, _ in pairs], [other.seconds[-1] for _, other in pairs])]
    to_quality = Row(
        *("clustpy", "AE + k-means, until ours is as accurate", setting, float("nan"), "CPU s"),
        reference_is="ClustPy's defaults",
        repeats=len(arrived),
        note=f"reached in {len(arrived)} of {len(pairs)} seeds; a look every {LOOK_EVERY} epochs",
    )
    if not arrived:
        return [*found, to_quality]
    return [*found, ratio_row(to_quality, [mine for mine, _ in arrived], [other for _, other in arrived])]


def ours(dataset: Dataset, seed: int, threads: int, **training: Any) -> Journey:
    """Train the autoencoder of AE + k-means at our defaults; read its codes out every ten epochs."""
    import torch

    from clustlab.training.loop import Batches, Training, run_phases
    from clustlab.training.setup import set_up

    fields = {"threads": threads, "device": "cpu", **training}
    spec = RunSpec.parse({"method": "ae-kmeans", "seed": seed, "training": fields})
    began = time.process_time()
    work = set_up(spec, dataset, torch.device("cpu"))
    per_epoch = max(1, dataset.n // spec.training.batch_size)
    watcher = _Watcher(functools.partial(_looked, work.samples, dataset, seed), LOOK_EVERY * per_epoch, began)
    state = Training(work.model, Batches(dataset.n, spec.training.batch_size, seed))
    run_phases(state, work.phases[:1], work.samples, watcher)
    return Journey(watcher.seconds, watcher.accuracy)


def theirs(dataset: Dataset, seed: int, epochs: int = EPOCHS) -> Journey:
    """Train ClustPy's autoencoder at its defaults on the same numbers; read its codes out in the same way."""
    import torch
    from clustpy.deep._train_utils import get_trained_network  # type: ignore[import-not-found]

    x = dataset.scaled().reshape(dataset.n, -1)
    began = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        network = get_trained_network(data=x, n_epochs=epochs, batch_size=BATCH, random_state=seed)
    seconds = time.process_time() - began
    with torch.no_grad():
        codes = network.eval().encode(torch.from_numpy(x)).numpy()
    return Journey([seconds], [_accuracy(codes, dataset, seed)])


def _looked(samples: Any, dataset: Dataset, seed: int, phase: Phase) -> float:
    return _accuracy(phase.codes_of_all(samples).flatten(1).numpy(), dataset, seed)


def _accuracy(codes: np.ndarray, dataset: Dataset, seed: int) -> float:
    assert dataset.y is not None
    found = fit(codes, dataset.n_classes, seed, KMeansProtocol())
    return scores(dataset.y, found.labels)["acc"]


class _Watcher:
    """A recorder that looks at the codes every so many steps, off the clock."""

    def __init__(self, look: Any, interval: int, began: float) -> None:
        self.look, self.interval, self.began = look, interval, began
        self.seconds: list[float] = []
        self.accuracy: list[float] = []

    def after_step(self, training: Training, phase: Phase, terms: dict[str, Tensor]) -> None:
        if training.phase_step % self.interval == 0:
            now = time.process_time()
            self.seconds.append(now - self.began)
            self.accuracy.append(self.look(phase))
            self.began += time.process_time() - now

    def enter(self, training: Training, phase: Phase) -> None: ...

    def values(self, training: Training, phase: Phase, name: str, values: Values) -> None: ...

    def leave(self, training: Training, phase: Phase) -> None: ...

    def between(self, training: Training) -> None: ...
