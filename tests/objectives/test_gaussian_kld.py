"""The divergence of two Gaussians: against torch's own, and its three parts."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from clustlab.objectives.gaussian_kld import divergence, divergence_parts


@pytest.fixture
def gaussians() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Means and log-variances of six Gaussians in four coordinates, and of six others."""
    mean, log_variance, to_mean, to_log_variance = torch.randn(
        4, 6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    return mean, log_variance, to_mean, to_log_variance


def test_divergence_is_that_of_torch(gaussians: tuple[Tensor, Tensor, Tensor, Tensor]) -> None:
    mean, log_variance, to_mean, to_log_variance = gaussians
    theirs = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(to_mean, (to_log_variance / 2).exp()))
    torch.testing.assert_close(divergence(*gaussians), theirs)


def test_with_unit_variances_it_is_half_the_squared_distance() -> None:
    """Reference check 8: the lemma that leads back to auto-encoder based clustering."""
    mean, to_mean = torch.randn(2, 50, 3, dtype=torch.float64)
    unit = torch.zeros(50, 3, dtype=torch.float64)
    total = divergence(mean, unit, to_mean, unit).sum(dim=1)
    torch.testing.assert_close(total, 0.5 * (mean - to_mean).square().sum(dim=1))


def test_a_gaussian_does_not_diverge_from_itself_and_does_from_every_other(
    gaussians: tuple[Tensor, Tensor, Tensor, Tensor],
) -> None:
    mean, log_variance, to_mean, to_log_variance = gaussians
    assert divergence(mean, log_variance, mean, log_variance).eq(0).all()
    assert divergence(mean, log_variance, mean, to_log_variance).gt(0).all()
    assert divergence(mean, log_variance, to_mean, log_variance).gt(0).all()


def test_parts_tell_apart_what_differs(gaussians: tuple[Tensor, Tensor, Tensor, Tensor]) -> None:
    mean, log_variance, to_mean, to_log_variance = gaussians
    parts = divergence_parts(*gaussians)
    torch.testing.assert_close(torch.stack(parts).sum(dim=0), divergence(*gaussians))
    moved = divergence_parts(mean, log_variance, to_mean, log_variance)
    assert moved.means.gt(0).all()
    assert torch.stack(moved[1:]).eq(0).all()
    wider = divergence_parts(mean, log_variance + 1, mean, log_variance)
    assert wider.means.eq(0).all()
    assert wider.variances.gt(0).all()
    assert wider.log_variances.lt(0).all()


def test_shapes_are_broadcast() -> None:
    parts = divergence_parts(torch.zeros(5, 1, 3), torch.zeros(5, 1, 3), torch.zeros(4, 3), torch.zeros(4, 3))
    assert {part.shape for part in parts} == {torch.Size([5, 4, 3])}


def test_it_stays_a_number_at_the_bounds_of_the_variances() -> None:
    far, near = torch.full((1, 3), 1e3), torch.zeros(1, 3)
    wide, narrow = torch.full((1, 3), 8.0), torch.full((1, 3), -8.0)
    for log_variance, to_log_variance in ((wide, narrow), (narrow, wide)):
        assert divergence(far, log_variance, near, to_log_variance).isfinite().all()
