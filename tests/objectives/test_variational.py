from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from clustlab.objectives.variational import draw_posterior, kl_to_standard_normal


def test_the_divergence_is_that_of_torch_distributions() -> None:
    mean, log_variance = torch.randn(7, 3, dtype=torch.float64), torch.randn(7, 3, dtype=torch.float64)
    reference = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), reference)


def test_the_divergence_is_the_integral_that_it_stands_for() -> None:
    z = torch.linspace(-40, 40, 400_001, dtype=torch.float64)
    mean, log_variance = torch.tensor(1.3, dtype=torch.float64), torch.tensor(0.7, dtype=torch.float64)
    log_q = Normal(mean, (0.5 * log_variance).exp()).log_prob(z)
    log_prior = Normal(0.0, 1.0).log_prob(z)
    integral = torch.trapezoid(log_q.exp() * (log_q - log_prior), z)
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), integral, rtol=1e-9, atol=0)


def test_the_prior_itself_costs_nothing_and_everything_else_something() -> None:
    assert kl_to_standard_normal(torch.zeros(2, 3), torch.zeros(2, 3)).abs().max() == 0
    assert (kl_to_standard_normal(torch.randn(50, 3), torch.randn(50, 3)) > 0).all()


def test_draws_have_the_moments_of_the_posterior() -> None:
    torch.manual_seed(0)
    z = draw_posterior(torch.full((200_000, 1), 2.0), torch.full((200_000, 1), math.log(9.0)))
    assert z.mean().item() == pytest.approx(2, abs=0.03)
    assert z.std().item() == pytest.approx(3, abs=0.03)


def test_gradients_pass_through_a_draw() -> None:
    mean, log_variance = torch.zeros(5, 2, requires_grad=True), torch.zeros(5, 2, requires_grad=True)
    draw_posterior(mean, log_variance).sum().backward()
    assert mean.grad is not None
    assert log_variance.grad is not None
    assert (mean.grad == 1).all()
    assert log_variance.grad.abs().min() > 0
