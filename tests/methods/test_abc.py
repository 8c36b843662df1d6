from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor
from training_helpers import Listener, small_spec, trained

from clustlab.data import Dataset
from clustlab.errors import DataError
from clustlab.methods.base import Pass, Phase
from clustlab.objectives.kmeans import nearest_centroid
from clustlab.training.loop import Batches, Training, run_phases
from clustlab.training.setup import Work, set_up


@pytest.fixture
def work(digits_small: Dataset) -> Work:
    """Set up, centroids placed on an untrained encoder's codes."""
    work = set_up(small_spec("abc", options={"cluster_epochs": 1}), digits_small, torch.device("cpu"))
    work.phases[-1].on_enter()
    return work


def test_the_term_attracts(work: Work) -> None:
    """Some prints of the paper have it with a minus sign; a step against its gradient must bring codes closer."""
    phase, model = work.phases[-1], work.model["method"]
    current = Pass(phase, work.samples.x, torch.arange(len(work.samples)))
    attraction = phase.players[0].terms[1]
    assert attraction.weight > 0
    (pull,) = torch.autograd.grad(attraction.value(current).sum(), current.z)
    closer = current.z - 0.01 * pull - model.own_centroid(current.index)
    assert (closer.norm(dim=1) < (current.z - model.own_centroid(current.index)).norm(dim=1)).all()


def test_the_weight_counts_a_sum_over_features_as_the_paper_does(work: Work) -> None:
    assert work.phases[-1].players[0].terms[1].weight == pytest.approx(0.1 / 64)


def test_centroids_stand_still_while_the_network_moves_and_are_then_the_means(work: Work) -> None:
    model, phase = work.model["method"], work.phases[-1]
    before = model.centroids.clone()
    with torch.no_grad():
        for parameter in model.autoencoder.encoder.parameters():
            parameter.mul_(1.1)
    assert torch.equal(phase.centroids(), before)
    phase.every[0].run()
    codes = model.encode_all(work.samples)
    chosen = nearest_centroid(codes, before)
    for cluster in range(10):
        torch.testing.assert_close(model.centroids[cluster], codes[chosen == cluster].mean(dim=0))


def test_a_dead_cluster_is_counted_and_begins_anew(work: Work) -> None:
    model = work.model["method"]
    model.centroids[3] = 1e4
    values = model.move_centroids(work.samples)
    assert values["dead_clusters"] == 1
    assert (model.labels == 3).any()
    assert model.move_centroids(work.samples)["dead_clusters"] == 0


def test_the_spread_of_codes_is_watched(work: Work) -> None:
    model = work.model["method"]
    values = model.move_centroids(work.samples)
    codes = model.encode_all(work.samples)
    assert values["total_variance"] == pytest.approx(codes.var(dim=0, correction=0).sum().item(), rel=1e-4)
    assert 0 < values["within_variance"] < values["total_variance"]


def test_codes_that_are_not_finite_are_refused_with_a_reason(work: Work) -> None:
    model = work.model["method"]
    with torch.no_grad():
        next(model.autoencoder.encoder.parameters()).fill_(torch.nan)
    with pytest.raises(DataError, match="diverged"):
        model.move_centroids(work.samples)


def test_the_term_contracts_clusters_against_the_spread_of_the_codes(digits_small: Dataset) -> None:
    """Within over total variance, which shrinking the codes cannot lower."""
    ratios = {}
    for weight in (0, 50):
        options = {"cluster_epochs": 20, "cluster_weight": weight}
        _, _, listener = trained(small_spec("abc", options=options), digits_small)
        seen = [values for name, values in listener.values_seen if name == "centroids"]
        assert len(seen) == 20
        ratios[weight] = seen[-1]["within_variance"] / seen[-1]["total_variance"]
    assert ratios[50] < 0.6 * ratios[0]


class Interrupts(Listener):
    """Ends training after a step, as a power cut would."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def after_step(self, training: Training, phase: Phase, terms: dict[str, Tensor]) -> None:
        if training.step == self.at:
            raise InterruptedError


@pytest.mark.parametrize("method", ["abc", "dcn", "dc-kmeans", "dc-gmm"])
def test_what_a_run_must_not_forget_is_in_the_models_state(digits_small: Dataset, method: str) -> None:
    """Interrupted in the middle of a clustering epoch and restored from its state, it ends in the same bits."""
    spec = small_spec(method, options={"cluster_epochs": 3}, training={"epochs": 2, "batch_size": 64, "threads": 1})
    whole, _, _ = trained(spec, digits_small)
    for at in (10, None):
        work = set_up(spec, digits_small, torch.device("cpu"))
        training = Training(work.model, Batches(digits_small.n, 64, spec.seed))
        if at:
            with pytest.raises(InterruptedError):
                run_phases(training, work.phases, work.samples, Interrupts(at))
            state = copy.deepcopy(training.state())
            assert state["phase_index"] == 1
            assert state["phase_step"] % 3
        else:
            training.restore(state)
            run_phases(training, work.phases, work.samples, Listener())
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, work.model.state_dict()[name]), name
