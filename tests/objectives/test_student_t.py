"""methods of the DEC family: formulas against plain loops, and the facts that follow from the algebra."""

from __future__ import annotations

import math

import pytest
import torch

from clustlab.objectives.student_t import kl_divergence, soft_assignment, squared_distances, target_distribution


@pytest.fixture
def z() -> torch.Tensor:
    return torch.randn(12, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def centroids() -> torch.Tensor:
    return torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("alpha", [1.0, 2.5])
def test_soft_assignment_is_equation_1_written_out(z: torch.Tensor, centroids: torch.Tensor, alpha: float) -> None:
    q = soft_assignment(z, centroids, alpha)
    for i in range(len(z)):
        kernels = [
            (1 + sum((z[i, d] - centroid[d]).item() ** 2 for d in range(3)) / alpha) ** (-(alpha + 1) / 2)
            for centroid in centroids
        ]
        for j, kernel in enumerate(kernels):
            assert q[i, j].item() == pytest.approx(kernel / sum(kernels), rel=1e-12)


def test_target_distribution_is_equation_3_written_out(z: torch.Tensor, centroids: torch.Tensor) -> None:
    q = soft_assignment(z, centroids)
    p = target_distribution(q)
    frequency = [sum(q[i, j].item() for i in range(len(q))) for j in range(4)]
    for i in range(len(q)):
        weights = [q[i, j].item() ** 2 / frequency[j] for j in range(4)]
        for j, weight in enumerate(weights):
            assert p[i, j].item() == pytest.approx(weight / sum(weights), rel=1e-12)


def test_rows_of_q_and_p_sum_to_one(z: torch.Tensor, centroids: torch.Tensor) -> None:
    q = soft_assignment(z, centroids)
    for rows in (q, target_distribution(q)):
        torch.testing.assert_close(rows.sum(dim=1), torch.ones(len(rows), dtype=rows.dtype))


def test_far_codes_are_assigned_without_nan() -> None:
    q = soft_assignment(torch.full((1, 2), 1e18), torch.tensor([[0.0, 0.0], [1.0, 1.0]]))
    assert torch.isfinite(q).all()
    assert q.sum().item() == pytest.approx(1)


def test_equal_rows_are_a_fixed_point_although_nothing_is_clustered() -> None:
    q = torch.tensor([[0.2, 0.5, 0.3]], dtype=torch.float64).repeat(7, 1)
    p = target_distribution(q)
    torch.testing.assert_close(p, q)
    assert kl_divergence(p, q).abs().max().item() < 1e-15


def test_one_hot_rows_are_a_fixed_point() -> None:
    q = torch.eye(3, dtype=torch.float64)[torch.tensor([0, 1, 1, 2])]
    torch.testing.assert_close(target_distribution(q), q)


def test_a_cluster_nobody_believes_in_keeps_no_target() -> None:
    q = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    torch.testing.assert_close(target_distribution(q), q)


def test_kl_divergence_written_out(z: torch.Tensor, centroids: torch.Tensor) -> None:
    q = soft_assignment(z, centroids)
    p = target_distribution(q)
    for i in range(len(q)):
        expected = sum(p[i, j].item() * math.log(p[i, j].item() / q[i, j].item()) for j in range(4))
        assert kl_divergence(p, q)[i].item() == pytest.approx(expected, rel=1e-12)


def test_mean_over_the_batch_is_what_batchmean_means_in_torch(z: torch.Tensor, centroids: torch.Tensor) -> None:
    q = soft_assignment(z, centroids)
    p = target_distribution(q)
    theirs = torch.nn.functional.kl_div(q.log(), p, reduction="batchmean")
    torch.testing.assert_close(kl_divergence(p, q).mean(), theirs)
    torch.testing.assert_close(kl_divergence(p, q).sum(), theirs * len(q))


@pytest.mark.parametrize("alpha", [1.0, 3.0])
def test_gradients_of_the_kl_are_the_papers(z: torch.Tensor, centroids: torch.Tensor, alpha: float) -> None:
    """DEC, eq. 4 and 5, with the factor (α + 1)/α that is 2 for α = 1."""
    z, centroids = z.requires_grad_(), centroids.requires_grad_()
    p = target_distribution(soft_assignment(z, centroids, alpha)).detach()
    q = soft_assignment(z, centroids, alpha)
    kl_divergence(p, q).sum().backward()
    with torch.no_grad():
        pull = (p - q) / (1 + squared_distances(z, centroids) / alpha)
        per_pair = (alpha + 1) / alpha * pull.unsqueeze(2) * (z.unsqueeze(1) - centroids)
    torch.testing.assert_close(z.grad, per_pair.sum(dim=1))
    torch.testing.assert_close(centroids.grad, -per_pair.sum(dim=0))


def test_gradient_agrees_with_finite_differences(z: torch.Tensor, centroids: torch.Tensor) -> None:
    p = target_distribution(soft_assignment(z, centroids)).detach()
    inputs = (z.requires_grad_(), centroids.requires_grad_())
    assert torch.autograd.gradcheck(lambda z, mu: kl_divergence(p, soft_assignment(z, mu)), inputs)
