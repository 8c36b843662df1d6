"""What a fork is told counts, whatever the checkpoint that it begins from remembers."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from training_helpers import Listener, small_spec

from clustlab.data import Dataset
from clustlab.methods.base import Phase
from clustlab.spec import RunSpec
from clustlab.training.loop import Batches, Training, run_phases
from clustlab.training.setup import Work, set_up


class Interrupted(Exception):
    pass


class Interrupter(Listener):
    """Ends training in the midst of a phase, once that has taken as many steps."""

    def __init__(self, phase: str, steps: int) -> None:
        super().__init__()
        self.phase, self.steps = phase, steps

    def after_step(self, training: Training, phase: Phase, terms: dict[str, torch.Tensor]) -> None:
        if phase.name == self.phase and training.phase_step == self.steps:
            raise Interrupted

    def between(self, training: Training) -> None:
        if not self.steps:
            raise Interrupted


def spec(method: str, **options: Any) -> RunSpec:
    return small_spec(method, n_clusters=3, options={"cluster_epochs": 2, **options})


def state(spec: RunSpec, dataset: Dataset, phase: str = "cluster", steps: int = 0) -> dict[str, Any]:
    """Return the state in the midst of a phase, or that between the first two phases."""
    work = set_up(spec, dataset, torch.device("cpu"))
    training = Training(work.model, Batches(dataset.n, spec.training.batch_size, spec.seed))
    with pytest.raises(Interrupted):
        run_phases(training, work.phases, work.samples, Interrupter(phase, steps))
    return copy.deepcopy(training.state())


def forked(spec: RunSpec, dataset: Dataset, past: dict[str, Any]) -> tuple[Work, Listener]:
    work, listener = set_up(spec, dataset, torch.device("cpu")), Listener()
    training = Training(work.model, Batches(dataset.n, spec.training.batch_size, spec.seed))
    training.restore(past, fork=True)
    run_phases(training, work.phases, work.samples, listener)
    return work, listener


def test_the_penalty_is_the_forks_own(blobs: Dataset) -> None:
    pretrained = state(spec("dc-gmm"), blobs)
    assert forked(spec("dc-kmeans"), blobs, pretrained)[0].model["method"].rho == 1
    halfway = state(spec("dc-kmeans"), blobs, steps=3)
    assert forked(spec("dc-kmeans", penalty=30.0), blobs, halfway)[0].model["method"].rho == 30


def test_centroids_count_from_where_the_fork_says(blobs: Dataset) -> None:
    pretrained = state(spec("dcn"), blobs)
    work, _ = forked(spec("dcn", initial_count=0), blobs, pretrained)
    steps = 2 * (blobs.n // 64)
    assert work.model["method"].counts.sum() == steps * 64


def test_labels_of_another_method_are_no_labels_before(blobs: Dataset) -> None:
    _, listener = forked(spec("dec"), blobs, state(spec("abc"), blobs))
    targets = [values for name, values in listener.values_seen if name == "target"]
    assert "label_change" not in targets[0]
    assert "label_change" in targets[1]


def test_variances_are_held_at_one_from_the_fork_on(blobs: Dataset) -> None:
    halfway = state(spec("gaussian-kld"), blobs, steps=3)
    assert (halfway["model"]["method.variances"] != 1).any()
    work, _ = forked(spec("gaussian-kld", unit_variance=True), blobs, halfway)
    assert (work.model["method"].variances == 1).all()


@pytest.mark.parametrize(
    ("method", "phase", "option"),
    [("vade", "cluster", {"mixture_learning_rate": 2e-5}), ("dcan", "cluster", {"optimiser": "adam"})],
)
def test_a_fork_may_step_otherwise(method: str, phase: str, option: dict[str, Any], blobs: Dataset) -> None:
    halfway = state(spec(method), blobs, phase, steps=3)
    _, listener = forked(spec(method, **option), blobs, halfway)
    assert all(torch.tensor(list(terms.values())).isfinite().all() for terms in listener.terms)
    assert listener.terms
