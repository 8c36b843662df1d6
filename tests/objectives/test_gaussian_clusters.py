from __future__ import annotations

import numpy as np
import pytest
import torch

from clustlab.objectives.adversarial import value
from clustlab.objectives.gaussian_clusters import draw, refit

MEANS = torch.tensor([[0.0, 0.0], [10.0, 0.0], [90.0, 90.0]])


def test_a_refit_is_one_lloyd_step_with_the_spread_of_each_cluster() -> None:
    random = np.random.default_rng(0)
    z = np.concatenate([random.normal(size=(50, 2)), random.normal(size=(70, 2)) * 0.5 + [9, 1]]).astype(np.float32)
    means, variances, shares = refit(torch.from_numpy(z), MEANS, torch.full((3, 2), 7.0), floor=1e-3)
    for cluster, members in enumerate((z[:50], z[50:])):
        np.testing.assert_allclose(means[cluster], members.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(variances[cluster], members.var(axis=0), rtol=1e-4)
    assert shares.tolist() == pytest.approx([50 / 120, 70 / 120, 0])


def test_a_cluster_that_few_codes_chose_keeps_its_gaussian() -> None:
    means, variances, _ = refit(torch.tensor([[0.0, 1.0], [0.0, -1.0], [11.0, 0.0]]), MEANS, torch.ones(3, 2), 1e-3)
    assert torch.equal(means[1:], MEANS[1:])
    assert torch.equal(variances[1:], torch.ones(2, 2))


def test_variances_end_at_the_floor() -> None:
    _, variances, _ = refit(torch.zeros(5, 2), MEANS, torch.ones(3, 2), 1e-3)
    assert variances[0].tolist() == pytest.approx([1e-3, 1e-3])


def test_draws_have_the_mean_and_the_scaled_spread_of_their_cluster() -> None:
    labels = torch.arange(3).repeat(20_000)
    variances = torch.tensor([[1.0, 4.0], [0.25, 1.0], [9.0, 9.0]])
    drawn = draw(labels, MEANS, variances, 0.5, torch.Generator().manual_seed(0))
    for cluster in range(3):
        mine = drawn[labels == cluster]
        assert (mine.mean(dim=0) - MEANS[cluster]).abs().max() < 0.05
        assert mine.std(dim=0).tolist() == pytest.approx((0.5 * variances[cluster].sqrt()).tolist(), rel=0.03)
    assert torch.equal(draw(labels, MEANS, variances, 0.0), MEANS[labels])


def test_the_best_discriminator_of_two_equal_distributions_values_them_at_minus_two_log_two() -> None:
    """Reference check 11, on a known pair too: the log ratio of the densities is the best logit."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.zeros(200_000, dtype=torch.int64)
    real, fake = (draw(labels, torch.zeros(1, 1), torch.ones(1, 1), 1.0, generator) for _ in range(2))

    def best(z: torch.Tensor, shift: float) -> torch.Tensor:
        return (-0.5 * z.square() + 0.5 * (z - shift).square()).flatten()

    equal = value(best(real, 0.0), best(fake, 0.0)).item()
    assert equal == pytest.approx(-2 * np.log(2), abs=1e-6)
    grid = np.linspace(-20, 20, 40_001)
    p, r = (np.exp(-0.5 * (grid - mean) ** 2) / np.sqrt(2 * np.pi) for mean in (0, 1.5))
    middle = 0.5 * (p + r)
    divergence = 0.5 * sum(np.trapezoid(np.where(d > 0, d * np.log((d + 1e-300) / middle), 0), grid) for d in (p, r))
    apart = value(best(real, 1.5), best(fake + 1.5, 1.5)).item()
    assert apart == pytest.approx(2 * divergence - 2 * np.log(2), abs=0.01)
