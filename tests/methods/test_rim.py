"""Linear, kernel and deep RIM: where they start, what they penalise, and what they end in."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from training_helpers import small_spec, trained

from clustlab.data import Dataset
from clustlab.methods.base import Pass, ProbePass
from clustlab.readout import KMeansProtocol, fit
from clustlab.training.probe import read_out_all
from clustlab.training.setup import Work, set_up


def linear(dataset: Dataset, n_clusters: int = 3, **options: object) -> tuple[Work, dict[str, np.ndarray]]:
    work, _, _ = trained(small_spec("rim", n_clusters=n_clusters, options={"n_init": 2, **options}), dataset)
    return work, read_out_all(work.phases[-1], work.samples)


def partition(labels: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == each).tolist()) for each in np.unique(labels)}


@pytest.mark.parametrize("method", ["rim", "kernel-rim"])
def test_the_first_clusters_are_those_of_k_means(method: str, digits_small: Dataset) -> None:
    spec = small_spec(method, n_clusters=10, options={"n_init": 2})
    work = set_up(spec, digits_small, torch.device("cpu"))
    phase = work.phases[0]
    assert phase.on_enter is not None
    phase.on_enter()
    found = read_out_all(phase, work.samples)
    expected = fit(found["codes"], 10, seed=0, protocol=KMeansProtocol(n_init=2)).labels
    np.testing.assert_array_equal(found["labels"], expected)


def test_a_random_start_looks_at_no_k_means(digits_small: Dataset) -> None:
    work = set_up(small_spec("rim", options={"start": "random"}), digits_small, torch.device("cpu"))
    head = work.model["method"].classifier.head  # type: ignore[index]
    before = head.weight.clone()
    assert work.phases[0].on_enter is not None
    work.phases[0].on_enter()
    assert torch.equal(before, head.weight)


def test_linear_rim_ends_where_the_gradient_of_its_objective_vanishes(blobs: Dataset) -> None:
    work, _ = linear(blobs, weight_penalty=0.01, cluster_epochs=300)
    phase, head = work.phases[0], work.model["method"].classifier.head  # type: ignore[index]
    current = Pass(phase, work.samples.x, torch.arange(blobs.n))
    loss = torch.stack([term.weight * term.value(current).mean() for term in phase.players[0].terms]).sum()
    gradients = torch.autograd.grad(loss, list(head.parameters()))
    assert max(gradient.abs().max().item() for gradient in gradients) < 2e-3


def test_shuffled_samples_give_the_same_clusters(digits_small: Dataset) -> None:
    """The k-means start is seeded by position, so both start from random weights, which no position has a part in."""
    order = np.random.default_rng(0).permutation(digits_small.n)
    shuffled = Dataset("shuffled", "", digits_small.x[order], None, (), digits_small.kind)
    options = {"start": "random", "weight_penalty": 0.01, "cluster_epochs": 300}
    _, one = linear(digits_small, 4, **options)
    _, other = linear(shuffled, 4, **options)
    assert partition(one["labels"][order]) == partition(other["labels"])
    np.testing.assert_allclose(one["q"][order], other["q"], atol=1e-3)


def test_a_larger_penalty_leaves_fewer_clusters(blobs: Dataset) -> None:
    used = [
        len(np.unique(linear(blobs, 12, weight_penalty=penalty, cluster_epochs=150)[1]["labels"]))
        for penalty in (0.0005, 0.005, 0.02)
    ]
    assert used[0] == 12
    assert used[0] > used[1] > used[2] >= 1


@pytest.mark.parametrize("method", ["rim", "kernel-rim", "deep-rim"])
def test_weights_are_penalised_and_biases_are_not(method: str, blobs: Dataset) -> None:
    options = {"hidden": "8-4"} if method == "deep-rim" else {}
    work = set_up(small_spec(method, n_clusters=3, options=options), blobs, torch.device("cpu"))
    phase, classifier = work.phases[0], work.model["method"].classifier  # type: ignore[index]
    penalty = next(term for term in phase.players[0].terms if term.name == "weight penalty")
    current = Pass(phase, work.samples.x[:5], torch.arange(5))
    matrices = [value for name, value in classifier.named_parameters() if value.ndim == 2]
    assert len(matrices) == (3 if method == "deep-rim" else 1)
    torch.testing.assert_close(penalty.value(current), sum(value.square().sum() for value in matrices).expand(5))
    with torch.no_grad():
        classifier.head.bias.add_(7)
    torch.testing.assert_close(penalty.value(current), sum(value.square().sum() for value in matrices).expand(5))


def test_the_kernel_penalty_is_that_of_the_kernel_function(digits_small: Dataset) -> None:
    options = {"n_features": 200, "cluster_epochs": 3, "n_init": 1}
    work, _, _ = trained(small_spec("kernel-rim", n_clusters=4, options=options), digits_small)
    phase, classifier = work.phases[0], work.model["method"].classifier  # type: ignore[index]
    body = classifier.body
    alpha = (body.coefficients.double() @ classifier.head.weight.T.double()).detach()
    kernel = torch.exp(-(torch.cdist(body.landmarks.double(), body.landmarks.double()) ** 2) / (2 * body.bandwidth**2))
    value = phase.players[0].terms[2].value(Pass(phase, work.samples.x[:1], torch.arange(1))).item()
    assert value == pytest.approx((alpha.T @ kernel @ alpha).trace().item(), rel=1e-3)


def test_kernel_codes_of_rows_are_those_of_their_samples(digits_small: Dataset) -> None:
    options = {"landmarks": 50, "n_features": 8, "cluster_epochs": 1, "n_init": 1}
    work, _, _ = trained(small_spec("kernel-rim", n_clusters=4, options=options), digits_small)
    phase, rows = work.phases[0], torch.arange(20)
    assert phase.codes is not None
    assert phase.encode is not None
    torch.testing.assert_close(phase.codes(rows), phase.encode(work.samples.x[:20]), rtol=1e-4, atol=1e-5)


def test_borders_of_a_kernel_can_bend() -> None:
    generator = np.random.default_rng(0)
    angle = generator.uniform(0, 2 * np.pi, 200)
    radius = np.repeat([0.3, 3.0], 100)[:, None]
    rings = (radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)).astype(np.float32)
    rings += generator.normal(scale=0.05, size=rings.shape).astype(np.float32)
    data = Dataset("rings", "Rings", rings, None, (), "vectors")
    options = {"bandwidth": 0.3, "start": "random", "cluster_epochs": 200, "weight_penalty": 0.001}
    work, _, _ = trained(small_spec("kernel-rim", n_clusters=2, options=options), data)
    labels = read_out_all(work.phases[-1], work.samples)["labels"]
    assert partition(labels) == {frozenset(range(100)), frozenset(range(100, 200))}


def test_weight_images_have_the_shape_of_a_sample(digits_small: Dataset) -> None:
    work, _ = linear(digits_small, 4, cluster_epochs=2)
    rows = torch.arange(10)
    view = ProbePass(work.phases[0], work.samples.x[:10], rows, torch.tensor([[0, 1]]), torch.tensor([0.5]))
    observe, head = work.phases[0].observe, work.model["method"].classifier.head  # type: ignore[index]
    images, norms = observe["cluster_weights"].value(view), observe["weight_norms"].value(view)
    assert images.shape == (4, 8, 8)
    torch.testing.assert_close(images.flatten(1).norm(dim=1), norms)
    assert torch.equal(images.flatten(1), head.weight)


def test_deep_rim_penalises_by_a_term_and_not_by_weight_decay(blobs: Dataset) -> None:
    work = set_up(small_spec("deep-rim", n_clusters=3), blobs, torch.device("cpu"))
    (player,) = work.phases[0].players
    assert player.optimiser.weight_decay == 0
    assert {term.name: term.weight for term in player.terms} == {
        "conditional entropy": 1.0,
        "marginal entropy": -1.0,
        "weight penalty": 0.005,
    }
