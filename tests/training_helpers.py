"""A run without a folder: the loop with a recorder that only listens."""

from __future__ import annotations

from typing import Any

import torch

from clustlab.data import Dataset
from clustlab.methods.base import Phase, Values
from clustlab.spec import RunSpec
from clustlab.training.loop import Batches, Training, run_phases
from clustlab.training.setup import Work, set_up


class Listener:
    """Keeps what the loop says."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.terms: list[dict[str, float]] = []
        self.values_seen: list[tuple[str, dict[str, float]]] = []

    def enter(self, training: Training, phase: Phase) -> None:
        self.phases.append(phase.name)

    def values(self, training: Training, phase: Phase, name: str, values: Values) -> None:
        self.values_seen.append((name, dict(values)))

    def after_step(self, training: Training, phase: Phase, terms: dict[str, torch.Tensor]) -> None:
        self.terms.append({name: value.item() for name, value in terms.items()})

    def leave(self, training: Training, phase: Phase) -> None: ...

    def between(self, training: Training) -> None: ...


def small_spec(method: str, **more: Any) -> RunSpec:
    """A spec that trains in a blink; ``more`` overrides."""
    fields: dict[str, Any] = {
        "method": method,
        "training": {"epochs": 2, "batch_size": 64, "threads": 1, "device": "cpu"},
        "network": {"hidden": "16", "latent_dim": 4, "channels": 2},
        "seed": 0,
    }
    return RunSpec.parse({**fields, **more})


def trained(spec: RunSpec, dataset: Dataset, device: torch.device | None = None) -> tuple[Work, Training, Listener]:
    """Train a spec in memory."""
    work = set_up(spec, dataset, device or torch.device("cpu"))
    training = Training(work.model, Batches(dataset.n, spec.training.batch_size, spec.seed))
    listener = Listener()
    run_phases(training, work.phases, work.samples, listener)
    return work, training, listener
