from __future__ import annotations

import pytest
import torch
from torch import Tensor

from clustlab.objectives import admm
from clustlab.objectives.admm import disagreement, pull_to_centroid, pull_to_mixture, residuals
from clustlab.objectives.gaussian_mixture import log_density


def draws(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def mixture() -> tuple[Tensor, Tensor, Tensor]:
    """Responsibilities (6, 3), means (3, 4), covariances (3, 4, 4)."""
    root = draws(3, 4, 4, seed=1)
    return draws(6, 3, seed=2).softmax(dim=1), draws(3, 4, seed=3), root @ root.mT + torch.eye(4)


@pytest.mark.parametrize("rho", [0.1, 1.0, 30.0])
def test_the_gradient_vanishes_where_copies_are_put(rho: float) -> None:
    """Reference check 9, with the penalty as it is written: ½‖y − c‖² + ρ/2 ‖y − f(x) + u‖²."""
    code, dual, centroid = draws(5, 3), draws(5, 3, seed=1), draws(5, 3, seed=2)
    y = pull_to_centroid(code - dual, centroid, rho).requires_grad_()
    loss = 0.5 * (y - centroid).square().sum() + rho / 2 * disagreement(code, y, dual).sum()
    (gradient,) = torch.autograd.grad(loss, y)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-12, rtol=0)


def test_without_penalty_copies_are_centroids_and_with_a_huge_one_they_are_the_codes() -> None:
    v, centroid = draws(5, 3), draws(5, 3, seed=1)
    torch.testing.assert_close(pull_to_centroid(v, centroid, 0.0), centroid)
    torch.testing.assert_close(pull_to_centroid(v, centroid, 1e12), v)


@pytest.mark.parametrize("full", [True, False])
def test_the_mixtures_update_is_a_plain_solve_for_each_sample(
    mixture: tuple[Tensor, Tensor, Tensor], full: bool
) -> None:
    gamma, means, covariances = mixture
    given = covariances if full else covariances.diagonal(dim1=1, dim2=2)
    v, rho = draws(6, 4), 2.5
    ours = pull_to_mixture(v, gamma, means, given, rho)
    for i in range(6):
        left, right = rho * torch.eye(4, dtype=torch.float64), rho * v[i]
        for k in range(3):
            inverse = torch.linalg.inv(given[k] if full else given[k].diag())
            left, right = left + gamma[i, k] * inverse, right + gamma[i, k] * inverse @ means[k]
        torch.testing.assert_close(ours[i], torch.linalg.solve(left, right))


def test_large_data_are_solved_in_parts(
    mixture: tuple[Tensor, Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pull_to_mixture(draws(6, 4), *mixture, 2.5)
    monkeypatch.setattr(admm, "CHUNK", 40)
    torch.testing.assert_close(pull_to_mixture(draws(6, 4), *mixture, 2.5), whole)


def test_the_mixtures_update_is_a_fixed_point_of_the_expected_energy(mixture: tuple[Tensor, Tensor, Tensor]) -> None:
    """The gradient of −Σ γ log N(y) + ρ/2 ‖y − v‖² vanishes, with the densities of the mixture itself."""
    gamma, means, covariances = mixture
    v, rho = draws(6, 4), 0.7
    y = pull_to_mixture(v, gamma, means, covariances, rho).requires_grad_()
    energy = -(gamma * log_density(y, means, covariances)).sum() + rho / 2 * (y - v).square().sum()
    (gradient,) = torch.autograd.grad(energy, y)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-12, rtol=0)


def test_a_mixture_of_unit_gaussians_with_hard_assignments_is_k_means() -> None:
    v, means = draws(6, 4), draws(3, 4, seed=1)
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    hard = torch.nn.functional.one_hot(labels).double()
    ours = pull_to_mixture(v, hard, means, torch.eye(4, dtype=torch.float64).repeat(3, 1, 1), 1.5)
    torch.testing.assert_close(ours, pull_to_centroid(v, means[labels], 1.5))


def test_residuals_are_root_mean_squares_over_samples() -> None:
    z, y, before = torch.zeros(2, 2), torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    primal, dual = residuals(z, y, before, 10.0)
    assert primal.item() == pytest.approx((25 / 2) ** 0.5)
    assert dual.item() == pytest.approx(10 * 2**0.5)


@pytest.mark.parametrize("rho", [0.5, 1.0, 4.0])
def test_on_fixed_codes_the_iteration_settles_with_copies_on_the_codes(rho: float) -> None:
    """The dual variable ends where the penalty balances the pull: ρ u = c − z."""
    z, centroid = draws(5, 3), draws(5, 3, seed=1)
    dual = torch.zeros_like(z)
    for _ in range(200):
        y = pull_to_centroid(z - dual, centroid, rho)
        dual = dual + y - z
    torch.testing.assert_close(y, z)
    torch.testing.assert_close(rho * dual, centroid - z)
