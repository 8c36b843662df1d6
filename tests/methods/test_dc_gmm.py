from __future__ import annotations

import pytest
import torch
from torch.nn import functional
from training_helpers import small_spec

from clustlab.data import Dataset
from clustlab.methods.base import ProbePass
from clustlab.methods.dc_gmm import MixtureADMM
from clustlab.objectives.gaussian_mixture import maximise
from clustlab.training.setup import Work, set_up

COVARIANCES = pytest.mark.parametrize("covariances", ["full", "diagonal"])


def placed(dataset: Dataset, **options: object) -> tuple[Work, MixtureADMM]:
    work = set_up(small_spec("dc-gmm", n_clusters=4, options=options), dataset, torch.device("cpu"))
    work.phases[-1].on_enter()
    return work, work.model["method"]


def test_penalty_and_ridge_are_in_units_of_the_codes_variance(digits_small: Dataset) -> None:
    work, model = placed(digits_small)
    variance = model.encode_all(work.samples).var(dim=0, correction=0).mean()
    torch.testing.assert_close(model.rho * variance, torch.tensor(100.0))
    with torch.no_grad():
        for parameter in list(model.autoencoder.encoder.parameters())[-2:]:
            parameter.mul_(10)
    work.phases[-1].on_enter()
    torch.testing.assert_close(model.rho * 100 * variance, torch.tensor(100.0), rtol=1e-4, atol=0)


@COVARIANCES
def test_an_iteration_is_e_step_copies_and_m_step(digits_small: Dataset, covariances: str) -> None:
    work, model = placed(digits_small, covariances=covariances, penalty=3, ridge=0.01)
    for _ in range(2):
        gamma = model.responsibility(model.auxiliary)
        model.iterate(work.samples, 0.5)
    assert torch.equal(model.labels, gamma.argmax(dim=1))
    ridge = 0.01 * model.scale.item()
    expected = maximise(model.auxiliary, gamma, full=covariances == "full", ridge=ridge)
    for ours, theirs in zip((model.weights, model.centroids, model.covariances), expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_it_begins_with_the_clusters_of_k_means_as_gaussians(digits_small: Dataset) -> None:
    work, model = placed(digits_small)
    hard = functional.one_hot(model.labels, 4).float()
    torch.testing.assert_close(model.weights, hard.mean(dim=0))
    codes = model.encode_all(work.samples)
    torch.testing.assert_close(model.covariances[2], codes[model.labels == 2].T.cov(correction=0), atol=1e-4, rtol=1e-2)


def test_a_starved_component_is_counted_and_begins_anew(digits_small: Dataset) -> None:
    work, model = placed(digits_small)
    model.centroids[1] = 1e4
    values = model.iterate(work.samples, 0.5)
    assert values["dead_clusters"] == 1
    assert model.weights[1] > 0.1
    assert model.centroids.abs().max() < 1e3
    assert model.iterate(work.samples, 0.5)["dead_clusters"] == 0


@COVARIANCES
def test_frames_show_the_components(digits_small: Dataset, covariances: str) -> None:
    work, model = placed(digits_small, covariances=covariances)
    phase, index = work.phases[-1], torch.arange(20)
    probe = ProbePass(phase, work.samples.x[index], index, torch.zeros(0, 2, dtype=torch.int64), torch.zeros(1))
    shown = {name: observation.value(probe) for name, observation in phase.observe.items()}
    assert shown["component_weights"].shape == (4,)
    spread = "component_covariances" if covariances == "full" else "component_variances"
    assert torch.equal(shown[spread], model.covariances)
    assert set(shown) == {"auxiliary", "dual", "pull", "component_weights", spread}


def test_codes_are_assigned_softly(digits_small: Dataset) -> None:
    work, _ = placed(digits_small)
    q = work.phases[-1].assign(work.phases[-1].encode(work.samples.x))
    torch.testing.assert_close(q.sum(dim=1), torch.ones(200))


def test_codes_that_have_collapsed_to_a_point_are_shown_not_a_reason_to_stop(digits_small: Dataset) -> None:
    work, model = placed(digits_small)
    with torch.no_grad():
        list(model.autoencoder.encoder.parameters())[-2].zero_()
    model.begin(work.samples, n_init=1, seed=0)
    model.iterate(work.samples, 0.5)
    assert all(tensor.isfinite().all() for tensor in model.state_dict().values())
