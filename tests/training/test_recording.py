"""Recording: within its budget, and without any influence on what is learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import clustlab
from clustlab.training.recording import FrameClock

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
