"""Batch normalisation that can forget, first weights, and features whose inner products are a kernel's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist
from torch import nn

from clustlab.networks.classifier import (
    BatchNorm1d,
    BatchNorm2d,
    Centring,
    Classifier,
    SoftmaxClassifier,
    batch_statistics,
)
from clustlab.networks.kernel_features import KernelFeatures
from clustlab.objectives.kernel import gaussian_kernel
from clustlab.objectives.kmeans import nearest_centroid


def buffers(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.named_buffers()}


def test_running_statistics_are_untouched_inside_batch_statistics() -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 3), BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 4), BatchNorm1d(4))
    x = torch.randn(8, 1, 4, 4)
    network(x)
    before = buffers(network)
    with batch_statistics(network):
        inside = network(x * 3 + 1)
    for name, value in network.named_buffers():
        assert torch.equal(value, before[name]), name
    torch.testing.assert_close(inside, network(x * 3 + 1))  # the same answer as training gives, which does remember
    assert not torch.equal(network[1].running_mean, before["1.running_mean"])


def test_batch_statistics_hold_in_evaluation_too() -> None:
    norm = BatchNorm1d(2).eval()
    x = torch.randn(50, 2) * 7 + 3
    with batch_statistics(norm):
        assert norm(x).mean(dim=0).abs().max() < 1e-5
    assert norm(x).mean() > 1


def test_batch_statistics_end_with_an_error() -> None:
    norm = BatchNorm1d(2).eval()
    with pytest.raises(RuntimeError), batch_statistics(norm):
        norm(torch.randn(5, 3))
    assert norm(torch.full((1, 2), 4.0)).mean().item() == pytest.approx(4, abs=1e-3)


def test_a_new_classifier_favours_no_cluster() -> None:
    torch.manual_seed(0)
    network = Classifier((8, 8), (32, 16), 5)
    p = network(torch.randn(100, 8, 8))
    assert (p - 0.2).abs().max() < 1e-3
    assert network.represent(torch.randn(3, 8, 8)).shape == (3, 16)


def test_without_hidden_layers_a_classifier_is_linear_in_the_sample() -> None:
    network = Classifier((4,), (), 3, scale=1.0)
    x = torch.randn(10, 4)
    torch.testing.assert_close(network.represent(x), x)
    torch.testing.assert_close(network(x), (x @ network.head.weight.T).softmax(dim=1))


def test_weights_from_centroids_assign_to_the_nearest() -> None:
    z, centroids = torch.randn(200, 5, dtype=torch.float64), torch.randn(6, 5, dtype=torch.float64)
    network = SoftmaxClassifier(nn.Identity(), 5, 6).double()
    network.start_from(centroids)
    assert torch.equal(network.assign(z).argmax(dim=1), nearest_centroid(z, centroids))


def test_centring_takes_the_mean_away() -> None:
    centring = Centring((2, 3))
    x = torch.randn(40, 2, 3) + 5
    centring.fit(x)
    torch.testing.assert_close(centring(x), x.flatten(1) - x.flatten(1).mean(dim=0))


# ---- kernel features -------------------------------------------------------------------------------------------------


def fitted(n_features: int, n_landmarks: int = 40) -> tuple[KernelFeatures, torch.Tensor]:
    x = torch.randn(40, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    features = KernelFeatures((6,), n_landmarks, n_features).double()
    features.fit(x, bandwidth=1.0, seed=0)
    return features, x


def test_a_linear_function_of_all_features_is_a_kernel_function_with_its_norm() -> None:
    features, x = fitted(40)
    w = torch.randn(40, dtype=torch.float64)
    alpha = features.coefficients @ w
    kernel = gaussian_kernel(features.landmarks, features.landmarks, features.bandwidth)
    torch.testing.assert_close(features(x) @ w, kernel @ alpha, rtol=0, atol=1e-9)
    assert alpha @ kernel @ alpha == pytest.approx((w @ w).item(), abs=1e-9)


def test_inner_products_of_all_features_are_the_kernel_at_the_median_distance() -> None:
    features, x = fitted(40)
    assert features.bandwidth.item() == pytest.approx(np.quantile(pdist(x.numpy()), 0.5, method="lower"))
    torch.testing.assert_close(features(x) @ features(x).T, gaussian_kernel(x, x, features.bandwidth))


def test_the_features_kept_are_the_leading_ones() -> None:
    few, x = fitted(3)
    many, _ = fitted(40)
    torch.testing.assert_close(few(x).abs(), many(x)[:, :3].abs())
    assert (many(x).square().sum(dim=0).diff() <= 1e-9).all()


def test_coinciding_samples_have_finite_features() -> None:
    features = KernelFeatures((2,), 10, 4)
    features.fit(torch.ones(10, 2), bandwidth=1.0, seed=0)
    expected = torch.zeros(3, 4)
    expected[:, 0] = 1
    torch.testing.assert_close(features(torch.ones(3, 2)).abs(), expected)
