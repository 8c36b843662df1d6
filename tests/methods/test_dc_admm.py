from __future__ import annotations

import pytest
import torch
from training_helpers import small_spec, trained

from clustlab.data import Dataset
from clustlab.methods.base import Pass
from clustlab.methods.dc_admm import ADMMModel
from clustlab.training.setup import Work, set_up

METHODS = pytest.mark.parametrize("method", ["dc-kmeans", "dc-gmm"])


def placed(dataset: Dataset, method: str, **options: object) -> Work:
    """Set up, the clustering model begun on an untrained encoder's codes."""
    work = set_up(small_spec(method, options=options), dataset, torch.device("cpu"))
    work.phases[-1].on_enter()
    return work


def model_of(work: Work) -> ADMMModel:
    model: ADMMModel = work.model["method"]
    return model


@METHODS
def test_copies_begin_as_the_codes_and_duals_as_nothing(digits_small: Dataset, method: str) -> None:
    work = placed(digits_small, method)
    model = model_of(work)
    assert torch.equal(model.auxiliary, model.encode_all(work.samples))
    assert not model.dual.any()


@METHODS
def test_the_dual_variable_sums_up_the_disagreement(digits_small: Dataset, method: str) -> None:
    work = placed(digits_small, method)
    model, step = model_of(work), 0.5 if method == "dc-gmm" else 1.0
    codes, expected = model.encode_all(work.samples), torch.zeros_like(model.dual)
    for _ in range(3):
        work.phases[-1].every[0].run()
        expected = expected + step * (model.auxiliary - codes)
        torch.testing.assert_close(model.dual, expected)


@METHODS
def test_the_term_keeps_codes_at_their_own_copies(digits_small: Dataset, method: str) -> None:
    work = placed(digits_small, method)
    model, term = model_of(work), work.phases[-1].players[0].terms[1]
    work.phases[-1].every[0].run()
    index = torch.tensor([5, 0, 133])
    current = Pass(work.phases[-1], work.samples.x[index], index)
    gap = model.auxiliary[index] + model.dual[index] - current.z
    torch.testing.assert_close(term.value(current), model.rho * gap.square().sum(dim=1))
    assert term.weight == pytest.approx((0.01 if method == "dc-gmm" else 1.0) / 64)
    pull = work.phases[-1].observe["pull"].value(current)
    torch.testing.assert_close(pull - current.z, gap)


def test_on_a_network_that_stands_still_copies_return_to_the_codes(digits_small: Dataset) -> None:
    work = placed(digits_small, "dc-kmeans")
    values = [work.phases[-1].every[0].run() for _ in range(200)]
    assert values[-1]["primal_residual"] < 0.05 * values[0]["primal_residual"]
    assert values[-1]["dual_residual"] < 0.05 * values[0]["dual_residual"]
    assert values[-1]["dual_size"] > 0


@METHODS
def test_labels_are_those_of_the_clustering_model_in_force(digits_small: Dataset, method: str) -> None:
    work = placed(digits_small, method)
    model, phase = model_of(work), work.phases[-1]
    phase.every[0].run()
    index = torch.tensor([3, 3, 199])
    assert torch.equal(phase.labels(index), model.labels[index])


def test_a_small_penalty_pins_copies_to_centroids_and_a_large_one_to_codes(digits_small: Dataset) -> None:
    for penalty in (1e-6, 1e6):
        work = placed(digits_small, "dc-kmeans", penalty=penalty)
        model = model_of(work)
        codes, centroids = model.encode_all(work.samples), model.centroids
        work.phases[-1].every[0].run()
        expected = centroids[model.labels] if penalty < 1 else codes
        torch.testing.assert_close(model.auxiliary, expected, atol=1e-4, rtol=1e-4)


def test_a_dead_cluster_of_k_means_is_counted_and_begins_anew(digits_small: Dataset) -> None:
    work = placed(digits_small, "dc-kmeans")
    model, hook = model_of(work), work.phases[-1].every[0]
    model.centroids[3] = 1e4
    assert hook.run()["dead_clusters"] == 1
    assert hook.run()["dead_clusters"] == 0
    assert (model.labels == 3).any()


@METHODS
def test_residuals_stay_bounded_while_the_network_trains(digits_small: Dataset, method: str) -> None:
    _, _, listener = trained(small_spec(method, options={"cluster_epochs": 20}), digits_small)
    seen = [values for name, values in listener.values_seen if name == "admm"]
    assert len(seen) == 20
    assert max(values["dual_size"] for values in seen[10:]) < 3 * max(values["dual_size"] for values in seen[:10])
