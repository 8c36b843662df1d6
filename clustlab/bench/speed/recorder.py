"""What recording takes from training: the share of the time that the recorder has, and turns with it and without it.

The share is counted within each turn and hardly depends on what else the machine does. That turns take longer by as
much is the cross-check: it includes what a frame leaves behind in the caches, and it is as noisy as the machine.
"""

from __future__ import annotations

import functools
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from clustlab.bench.speed.loop import NETWORKS, PRETRAINING
from clustlab.bench.speed.measuring import Measurement, Row, Settings, ratio_row, take_turns
from clustlab.data import load
from clustlab.runs import create_run_folder
from clustlab.runs.writer import RunWriter, write_spec
from clustlab.spec import RunSpec

if TYPE_CHECKING:
    from torch import Tensor

    from clustlab.methods.base import Phase, Values
    from clustlab.training.loop import Recorder, Training
    from clustlab.training.recording import RunRecorder
    from clustlab.training.setup import Work

__all__ = ["RATES", "Metered", "SteadyClock", "Turn", "measurements", "turn"]

RATES: Mapping[str, float | None] = {"1 frame/s": 1.0, "2 frames/s": 2.0, "5 frames/s": 5.0, "default budget": None}
"""Frames a CPU second; None for what the recorder does on its own."""

LIMIT = 0.05
"""Share of the time that recording may take with the default budget."""

MOST_REPEATS = 5
LONGER = 25
"""A turn of recording, in turns of the loop."""

PHASES = {"AE": "pretrain", "IDEC": "cluster"}
"""Phases of IDEC's run that are measured: frames of the first read clusters out by k-means, those of the second have
centroids, Q and P."""


class SteadyClock:
    """Says that a frame is due at a fixed rate, whatever frames cost; counts CPU seconds as the measurements do."""

    def __init__(self, rate: float) -> None:
        self.gap = 1 / rate
        self.due = time.process_time() + self.gap

    def recorded(self, count: int, cost: float, besides: float = 0.0) -> None:
        """A frame has been recorded."""
        self.due = max(self.due + self.gap, time.process_time())

    def is_due(self) -> bool:
        """Whether it is time."""
        return time.process_time() >= self.due


class Metered:
    """A recorder in front of another: measures from the first step of a phase to its last.

    The frames with which a phase begins and ends are left out: a run has a handful of them, the turns measured here
    last a few seconds.
    """

    def __init__(self, inner: Recorder | None, started: Callable[[], None] = lambda: None) -> None:
        self.inner, self.started = inner, started
        self.began = self.ended = self.inside = 0.0
        self.first = True

    def enter(self, training: Training, phase: Phase) -> None:
        if self.inner:
            self.inner.enter(training, phase)

    def values(self, training: Training, phase: Phase, name: str, values: Values) -> None:
        if self.inner:
            began = time.process_time()
            self.inner.values(training, phase, name, values)
            self.inside += time.process_time() - began

    def after_step(self, training: Training, phase: Phase, terms: dict[str, Tensor]) -> None:
        if self.first:
            self.first, self.inside = False, 0.0
            self.started()
            self.began = time.process_time()
        elif self.inner:
            began = time.process_time()
            self.inner.after_step(training, phase, terms)
            self.inside += time.process_time() - began

    def leave(self, training: Training, phase: Phase) -> None:
        self.ended = time.process_time()

    def between(self, training: Training) -> None: ...


class Turn(NamedTuple):
    """CPU seconds between the first and the last step, those within the recorder, frames in that time."""

    seconds: float
    inside: float
    frames: int


def measurements(settings: Settings) -> list[Measurement]:
    """Return a measurement for each phase of IDEC on each network."""
    return [
        Measurement(
            f"recording: {title}, {network}",
            10 + (len(RATES) + 1) * min(MOST_REPEATS, settings.repeats) * LONGER * settings.seconds,
            functools.partial(_measure, title, network, settings),
        )
        for network in NETWORKS
        for title in PHASES
    ]


def _measure(title: str, network: str, settings: Settings) -> list[Row]:
    import torch

    hidden, data = NETWORKS[network]
    torch.set_num_threads(settings.threads)
    with threadpool_limits(settings.threads), tempfile.TemporaryDirectory() as folder:
        work, phase = _ready(PHASES[title], hidden, data, settings.threads)
        start = {name: value.clone() for name, value in work.model.state_dict().items()}
        steps = _steps(work, phase, start, LONGER * settings.seconds)
        kept: dict[str, list[Turn]] = {name: [] for name in RATES}

        def with_recorder(name: str) -> float:
            work.model.load_state_dict(start)
            kept[name].append(turn(work, phase, steps, Path(folder), RATES[name]))
            return kept[name][-1].seconds

        def without() -> float:
            work.model.load_state_dict(start)
            return turn(work, phase, steps, None).seconds

        contestants: dict[str, Callable[[], float]] = {
            "none": without,
            **{name: functools.partial(with_recorder, name) for name in RATES},
        }
        times = take_turns(contestants, min(MOST_REPEATS, settings.repeats))
        checkpoint = _checkpoint_row(work, title, f"{network} on {data}", Path(folder))
    setting = f"{network} on {data}"
    return [_row(title, setting, name, times[name], times["none"], kept[name]) for name in RATES] + [checkpoint]


def turn(work: Work, phase: Phase, steps: int, folder: Path | None, rate: float | None = None) -> Turn:
    """Train a phase for some steps, recorded into a new run in ``folder`` at a rate (None: as the recorder will).

    Without a folder nothing is recorded. Checkpoints are left out, they have a row of their own.
    """
    from clustlab.training.loop import Batches, Training, run_phases

    recorder = None if folder is None else _recorder(work, phase, folder)

    def steady() -> None:
        if recorder is not None and rate is not None:
            recorder.frames = SteadyClock(rate)  # type: ignore[assignment]
        before[0] = recorder.writer.frame_count if recorder else 0

    before = [0]
    metered = Metered(recorder, steady)
    training = Training(work.model, Batches(work.dataset.n, work.spec.training.batch_size, work.spec.seed))
    run_phases(training, [replace(phase, steps=steps, on_enter=None, until=None)], work.samples, metered)
    frames = recorder.writer.frame_count - before[0] if recorder else 0
    return Turn(metered.ended - metered.began, metered.inside, frames)


def _recorder(work: Work, phase: Phase, folder: Path) -> RunRecorder:
    from clustlab.training.probe import choose_probe
    from clustlab.training.recording import RunRecorder

    run = create_run_folder(folder, "recording")
    write_spec(run, work.spec.to_json())
    writer = RunWriter(run)
    probe, arrays = choose_probe(work.dataset, work.samples, work.spec.recording.probe, work.spec.seed)
    writer.sample(arrays)
    recording = work.spec.recording.model_copy(update={"checkpoint_interval": 86_400.0})
    return RunRecorder(
        writer, recording, work.phases, probe, work.dataset, work.n_clusters, work.spec.seed, lambda _: None
    )


def _ready(name: str, hidden: str, data: str, threads: int) -> tuple[Work, Phase]:
    """Return IDEC and one of its phases, ready to begin."""
    import torch

    from clustlab.training.setup import set_up

    spec = RunSpec.parse(
        {
            "method": "idec",
            "data": data,
            "options": {"n_init": 1},
            "network": {"hidden": hidden},
            "training": {"threads": threads, "device": "cpu"},
        }
    )
    work = set_up(spec, load(data), torch.device("cpu"))
    turn(work, work.phases[0], PRETRAINING, None)
    phase = next(each for each in work.phases if each.name == name)
    if phase.on_enter:
        phase.on_enter()
    return work, phase


def _steps(work: Work, phase: Phase, start: dict[str, Any], seconds: float) -> int:
    epoch = max(2, work.dataset.n // work.spec.training.batch_size)
    found = turn(work, phase, epoch, None).seconds / (epoch - 1)
    work.model.load_state_dict(start)
    return max(epoch, round(seconds / found))


def _row(title: str, setting: str, name: str, times: list[float], alone: list[float], turns: list[Turn]) -> Row:
    """Return the share of a turn's CPU time that the recorder has, and beside it how much longer turns take with it."""
    share = statistics.median(each.inside / each.seconds for each in turns)
    rate = statistics.median(each.frames / each.seconds for each in turns)
    default = RATES[name] is None
    row = Row(
        *("recorder", f"{title}, {name}", setting, 0.0, "CPU s"),
        reference_is="training unrecorded",
        note=f"{rate:.2f} frames a second",
    )
    return replace(
        ratio_row(row, times, alone),
        value=100 * share,
        unit="% of the time",
        reference=None,
        target=f"≤ {LIMIT:.0%}" if default else "",
        met=share <= LIMIT if default else None,
    )


def _checkpoint_row(work: Work, title: str, setting: str, folder: Path) -> Row:
    """Return what writing a checkpoint costs, as a share of the time between two."""
    from clustlab.training.loop import Batches, Training

    phase = next(each for each in work.phases if each.name == PHASES[title])
    training = Training(work.model, Batches(work.dataset.n, work.spec.training.batch_size, work.spec.seed))
    training.begin(phase)
    for optimiser in training.optimisers.values():
        for group in optimiser.param_groups:
            for parameter in group["params"]:
                parameter.grad = parameter.detach().clone().zero_()
        optimiser.step()  # the optimiser's memory is two thirds of a checkpoint
    recorder = _recorder(work, phase, folder)
    seconds = []
    for _ in range(3):
        began = time.process_time()
        recorder.checkpoint(training)
        seconds.append(time.process_time() - began)
    interval = work.spec.recording.checkpoint_interval
    return Row(
        *("recorder", f"{title}, checkpoints", setting, 100 * statistics.median(seconds) / interval, "% of the time"),
        repeats=len(seconds),
        note=f"{1e3 * statistics.median(seconds):.0f} ms each, one in {interval:g} s",
    )
