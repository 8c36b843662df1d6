from __future__ import annotations

import pytest
import torch
from torch import Tensor

from clustlab.objectives.centroid_updates import (
    cluster_sums,
    distance_to_means,
    reseed_components,
    reseed_empty,
    running_mean,
    variances,
)
from clustlab.objectives.kmeans import lloyd_step, nearest_centroid


@pytest.fixture
def batch() -> tuple[Tensor, Tensor, Tensor]:
    """Codes (40, 3), labels of which cluster 2 has none, centroids (5, 3)."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(40, 3, dtype=torch.float64, generator=generator)
    labels = torch.tensor([0, 1, 3, 4])[torch.randint(4, (40,), generator=generator)]
    return z, labels, torch.randn(5, 3, dtype=torch.float64, generator=generator)


def one_by_one(centroids: Tensor, counts: Tensor, z: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """DCN as printed: count the sample, then go 1/c of the way to it."""
    centroids, counts = centroids.clone(), counts.clone()
    for code, cluster in zip(z, labels.tolist(), strict=True):
        counts[cluster] += 1
        centroids[cluster] -= (centroids[cluster] - code) / counts[cluster]
    return centroids, counts


@pytest.mark.parametrize("counted", [0.0, 1.0, 100.0])
def test_a_batch_at_once_is_the_samples_one_by_one(batch: tuple[Tensor, Tensor, Tensor], counted: float) -> None:
    z, labels, centroids = batch
    counts = torch.full((5,), counted, dtype=torch.float64)
    together = running_mean(centroids, counts, z, labels)
    for ours, theirs in zip(together, one_by_one(centroids, counts, z, labels), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_from_counts_of_zero_batches_give_the_mean_of_all_that_came(batch: tuple[Tensor, Tensor, Tensor]) -> None:
    """Reference check 10: the online update reproduces the running mean exactly."""
    z, labels, centroids = batch
    moved, counts = centroids, torch.zeros(5, dtype=torch.float64)
    for part in torch.arange(40).split(7):
        moved, counts = running_mean(moved, counts, z[part], labels[part])
    for cluster in (0, 1, 3, 4):
        torch.testing.assert_close(moved[cluster], z[labels == cluster].mean(dim=0), rtol=1e-12, atol=1e-12)
    assert torch.equal(moved[2], centroids[2])
    assert counts.tolist() == torch.bincount(labels, minlength=5).tolist()


def test_sums_and_sizes_are_those_of_a_loop(batch: tuple[Tensor, Tensor, Tensor]) -> None:
    z, labels, _ = batch
    sums, sizes = cluster_sums(z, labels, 5)
    for cluster in range(5):
        torch.testing.assert_close(sums[cluster], z[labels == cluster].sum(dim=0))
        assert sizes[cluster].item() == (labels == cluster).sum().item()


def test_a_dead_cluster_begins_anew_at_the_sample_that_is_worst_off() -> None:
    z = torch.tensor([[0.0], [1.0], [10.0]])
    centroids, labels, dead = reseed_empty(z, torch.zeros(3, dtype=torch.int64), torch.tensor([[0.0], [99.0]]))
    assert dead.tolist() == [False, True]
    assert centroids.flatten().tolist() == [0.0, 10.0]
    assert labels.tolist() == [0, 0, 1]


def test_living_clusters_are_left_alone(batch: tuple[Tensor, Tensor, Tensor]) -> None:
    z, _, centroids = batch
    labels = torch.arange(40) % 5
    moved, same, dead = reseed_empty(z, labels, centroids)
    assert torch.equal(moved, centroids)
    assert torch.equal(same, labels)
    assert not dead.any()


@pytest.mark.parametrize("full", [True, False])
def test_a_starved_component_takes_one_half_of_the_heaviest(full: bool) -> None:
    variances = torch.tensor([[1.0, 9.0], [4.0, 1.0], [1.0, 1.0]])
    covariances = variances.diag_embed() if full else variances
    weights, means = torch.tensor([0.6, 0.399, 0.001]), torch.tensor([[5.0, 5.0], [0.0, 0.0], [99.0, 99.0]])
    found = reseed_components(weights, means, covariances, share=0.1)
    assert found[3].tolist() == [False, False, True]
    assert found[1][1].tolist() == [0, 0]
    assert sorted(found[1][[0, 2], 1].tolist()) == [2, 8]  # one standard deviation either way, on the longest axis
    torch.testing.assert_close(found[0], torch.tensor([0.3, 0.399, 0.3]) / 0.999)
    assert torch.equal(found[2][2], covariances[0])
    untouched = reseed_components(weights, means, covariances, share=0.001)
    for ours, given in zip(untouched, (weights, means, covariances), strict=False):
        torch.testing.assert_close(ours, given)


def test_several_starved_components_each_take_a_half() -> None:
    weights = torch.tensor([0.5, 0.5, 0.0, 0.0])
    found = reseed_components(weights, torch.zeros(4, 2), torch.ones(4, 2), share=0.1)
    torch.testing.assert_close(found[0], torch.full((4,), 0.25))


def test_variances_split_the_total_where_centroids_are_means(batch: tuple[Tensor, Tensor, Tensor]) -> None:
    z, _, centroids = batch
    labels = nearest_centroid(z, centroids)
    means, _ = lloyd_step(z, labels, centroids)
    within, total = variances(z, labels, means)
    between = (means[labels] - z.mean(dim=0)).square().sum(dim=1).mean()
    torch.testing.assert_close(within + between, total)
    shrunk = variances(0.1 * z, labels, 0.1 * means)
    torch.testing.assert_close(shrunk[0] / shrunk[1], within / total)


def test_distance_to_means_is_zero_on_them_and_in_standard_deviations_elsewhere() -> None:
    z = torch.tensor([[-1.0, 0.0], [1.0, 0.0]])
    labels = torch.tensor([0, 0])
    centroids = torch.tensor([[0.0, 2.0], [5.0, 5.0]])
    torch.testing.assert_close(distance_to_means(z, labels, centroids), torch.tensor([2.0, 0.0]))
    torch.testing.assert_close(distance_to_means(z, labels, 0 * centroids), torch.zeros(2))
    assert distance_to_means(torch.ones(2, 2), labels, centroids).isfinite().all()
