"""Recording: within its budget, and without any influence on what is learned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from training_helpers import small_spec

import clustlab
from clustlab.data import Dataset
from clustlab.runs import create_run_folder
from clustlab.runs.writer import RunWriter, write_spec
from clustlab.training.loop import Batches, Training
from clustlab.training.probe import choose_probe
from clustlab.training.recording import FrameClock, RunRecorder
from clustlab.training.setup import set_up

SMALL = ["training.epochs=6", "training.threads=1", "network.hidden=16", "network.latent_dim=3", "cluster_epochs=4"]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def frames_in(seconds: float, cost: float, budget: float = 0.05) -> int:
    """How many frames a clock asks for in a stretch of training, each at a given cost."""
    clock = Clock()
    frames = FrameClock(budget, clock)
    count = 0
    while clock.now < seconds:
        if frames.is_due():
            clock.now += cost
            count += 1
            frames.recorded(count, cost)
        clock.now += 0.01
    return count


@pytest.mark.parametrize("cost", [0.001, 0.03, 0.5])
def test_frames_cost_at_most_their_budget(cost: float) -> None:
    seconds = 300
    assert frames_in(seconds, cost) * cost <= 0.05 * seconds + cost


@pytest.mark.parametrize("besides", [0.0, 0.02, 0.2])
def test_what_else_is_written_comes_out_of_the_same_budget(besides: float) -> None:
    clock = Clock()
    frames = FrameClock(0.05, clock)
    frames.recorded(1, 1.0, besides)
    share = 1.0 / (1.0 + frames.due - clock.now)
    assert share == pytest.approx(max(0.05 - besides, 0.05 / 4))


def test_the_recorder_knows_what_all_but_frames_has_cost(
    runs: Path, blobs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scalars and the like count; frames, pauses and the training between two calls do not."""
    clock, spec = Clock(), small_spec("idec")
    monkeypatch.setattr("clustlab.training.recording.time", SimpleNamespace(monotonic=clock))
    work = set_up(spec, blobs, torch.device("cpu"))
    phase, training = work.phases[0], Training(work.model, Batches(blobs.n, 64, 0))
    probe, _ = choose_probe(blobs, work.samples, 50, 0)
    folder = create_run_folder(runs, "recorded")
    write_spec(folder, spec.to_json())
    writer = RunWriter(folder)

    def taking(name: str, seconds: float) -> None:
        write = getattr(writer, name)

        def slowly(*arguments: Any) -> None:
            clock.now += seconds
            write(*arguments)

        monkeypatch.setattr(writer, name, slowly)

    def paused(is_over: Callable[[], bool]) -> None:
        clock.now += 1000
        writer.folder.ask("resume")
        assert is_over()

    taking("frame", 100)
    taking("scalars", 1)
    recorder = RunRecorder(writer, spec.recording, work.phases, probe, blobs, 3, 0, paused)
    recorder.frames = FrameClock(spec.recording.budget, clock)
    recorder.summed = recorder.scalar_interval
    writer.folder.ask("pause")
    recorder.after_step(training, phase, {"reconstruction": torch.tensor(1.0)})
    assert clock.now == 1 + 100 + 100 + 1000, "scalars, a frame, another one before the pause"
    assert recorder.busy_seconds == 1
    clock.now += 50  # a step
    recorder.values(training, phase, "step", {"label_change": 0.1})
    assert recorder.busy_seconds == 2
    assert recorder.besides == pytest.approx((2 + spec.recording.budget / 2) / (1 + 1 + 200 + 50 + 1))


def test_a_short_run_has_frames_to_watch() -> None:
    assert frames_in(20, 0.005) >= 40


def test_a_frame_comes_at_least_every_three_seconds_in_the_first_ten_minutes() -> None:
    clock = Clock()
    frames = FrameClock(0.05, clock)
    for count in range(1, 240):
        frames.recorded(count, 0.02)
        assert frames.due - clock.now <= 3
        clock.now = frames.due


def test_a_run_of_a_day_has_some_four_hundred_frames() -> None:
    clock = Clock()
    frames = FrameClock(0.05, clock)
    count = 0
    while clock.now < 86_400:
        count += 1
        frames.recorded(count, 0.02)
        clock.now = frames.due
    assert 300 < count < 550


def test_how_much_is_recorded_does_not_change_what_is_learned(runs: Path) -> None:
    """No recorder touches the random numbers, the weights or the batches of training."""

    def codes(*settings: str) -> np.ndarray:
        run = clustlab.train("idec", data="blobs", extensions=["acai"], settings=[*SMALL, *settings])
        return run.result["codes"]

    much = codes("recording.budget=1", "recording.checkpoint_interval=0")
    little = codes("recording.budget=0.001", "recording.probe=7")
    assert np.array_equal(much, little)
