"""The bound of a variational autoencoder with a mixture as prior: plain loops, simulation, limits, extremes."""

from __future__ import annotations

import math
from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from clustlab.objectives.mixture_prior import (
    assignment_divergence,
    cross_entropy,
    effective_components,
    log_responsibility,
    posterior_entropy,
)
from clustlab.objectives.variational import draw_posterior, kl_to_standard_normal


class Case(NamedTuple):
    """Posteriors of seven samples in three coordinates, and a prior of four components."""

    mean: Tensor
    log_variance: Tensor
    logits: Tensor
    means: Tensor
    log_variances: Tensor


@pytest.fixture
def case() -> Case:
    torch.manual_seed(0)
    shapes = ((7, 3), (7, 3), (4,), (4, 3), (4, 3))
    return Case(*(torch.randn(shape, dtype=torch.float64) for shape in shapes))


def prior_cost(case: Case, z: Tensor) -> Tensor:
    """What the prior asks of each posterior, with γ at z: the three parts together."""
    log_weights = case.logits.log_softmax(dim=0)
    log_gamma = log_responsibility(z, log_weights, case.means, case.log_variances)
    return (
        cross_entropy(log_gamma.exp(), case.mean, case.log_variance, case.means, case.log_variances)
        + assignment_divergence(log_gamma, log_weights)
        - posterior_entropy(case.log_variance)
    )


def test_the_parts_are_the_papers_formula_written_out(case: Case) -> None:
    """With plain floats: ½ Σγ Σ(log σ² + σ̃²/σ² + (μ̃−μ)²/σ²) − Σγ log(π/γ) − ½ Σ(1 + log σ̃²)."""
    z = draw_posterior(case.mean, case.log_variance)
    cost = prior_cost(case, z)
    pi = [math.exp(logit) / case.logits.exp().sum().item() for logit in case.logits.tolist()]
    mu, variance = case.means.tolist(), case.log_variances.exp().tolist()
    for i in range(len(z)):
        own_mean, own_variance = case.mean[i].tolist(), case.log_variance[i].exp().tolist()
        joint = [
            pi[c]
            * math.prod(
                math.exp(-((z[i, j].item() - mu[c][j]) ** 2) / (2 * variance[c][j]))
                / math.sqrt(2 * math.pi * variance[c][j])
                for j in range(3)
            )
            for c in range(4)
        ]
        gamma = [each / sum(joint) for each in joint]
        expected = -0.5 * sum(1 + math.log(each) for each in own_variance)
        for c in range(4):
            expected -= gamma[c] * math.log(pi[c] / gamma[c])
            for j in range(3):
                spread = own_variance[j] + (own_mean[j] - mu[c][j]) ** 2
                expected += 0.5 * gamma[c] * (math.log(variance[c][j]) + spread / variance[c][j])
        assert cost[i].item() == pytest.approx(expected, rel=1e-10)


def test_it_bounds_the_divergence_from_the_mixture_and_is_tight_where_one_component_answers(case: Case) -> None:
    """Simulated: E_q[log q(z) − log p(z)] is never above the cost at any γ, and equals it without overlap."""
    draws = 40_000
    apart = case._replace(means=100 * torch.eye(4, 3, dtype=torch.float64), log_variance=case.log_variance - 2)
    apart = apart._replace(mean=apart.means[[0, 1, 2, 3, 0, 1, 2]] + 0.3 * case.mean)
    for each in (case, apart):
        posterior = Independent(Normal(each.mean, (each.log_variance / 2).exp()), 1)
        components = Independent(Normal(each.means, (each.log_variances / 2).exp()), 1)
        prior = MixtureSameFamily(Categorical(logits=each.logits), components)
        z = posterior.sample((draws,))
        samples = posterior.log_prob(z) - prior.log_prob(z)
        simulated, error = samples.mean(dim=0), 5 * samples.std(dim=0) / math.sqrt(draws)
        excess = prior_cost(each, each.mean) - simulated
        assert (excess > -error).all()
        assert excess.lt(error).all() == (each is apart)


def test_one_standard_normal_component_is_a_variational_autoencoder(case: Case) -> None:
    """Reference check 7: K = 1, π = 1, N(0, I)."""
    one = case._replace(
        logits=torch.zeros(1, dtype=torch.float64),
        means=torch.zeros(1, 3, dtype=torch.float64),
        log_variances=torch.zeros(1, 3, dtype=torch.float64),
    )
    expected = kl_to_standard_normal(case.mean, case.log_variance).sum(dim=1)
    torch.testing.assert_close(prior_cost(one, case.mean), expected)


def test_a_constant_on_all_logits_changes_nothing(case: Case) -> None:
    """Reference check 7; the released script, with weights that nothing normalises, does not keep this."""
    torch.testing.assert_close(
        prior_cost(case, case.mean), prior_cost(case._replace(logits=case.logits + 5), case.mean)
    )


def test_weights_count_once_and_not_once_a_coordinate() -> None:
    """The released script puts log π inside the sum over coordinates; equal components tell."""
    weights = torch.tensor([0.8, 0.2]).log()
    gamma = log_responsibility(torch.randn(3, 10), weights, torch.zeros(2, 10), torch.zeros(2, 10)).exp()
    torch.testing.assert_close(gamma, torch.tensor([[0.8, 0.2]]).expand(3, 2))


@pytest.mark.parametrize("distance", [0.0, 1e3])
@pytest.mark.parametrize("log_variance", [-8.0, 8.0])
def test_values_and_gradients_stay_numbers_in_extremes(distance: float, log_variance: float) -> None:
    """Reference check 7: far codes, and variances at their bounds."""
    mean, means = torch.full((2, 10), distance, requires_grad=True), torch.randn(3, 10, requires_grad=True)
    own, theirs = torch.full((2, 10), -log_variance), torch.full((3, 10), log_variance, requires_grad=True)
    logits = torch.tensor([50.0, 0.0, -50.0], requires_grad=True)
    cost = prior_cost(Case(mean, own, logits, means, theirs), mean)
    assert cost.isfinite().all()
    cost.sum().backward()
    for leaf in (mean, means, theirs, logits):
        assert leaf.grad is not None
        assert leaf.grad.isfinite().all()


def test_gradient_agrees_with_finite_differences(case: Case) -> None:
    leaves = tuple(part.requires_grad_() for part in case)
    assert torch.autograd.gradcheck(lambda *parts: prior_cost(Case(*parts), parts[0]), leaves)


def test_effective_components_count_those_in_use() -> None:
    assert effective_components(torch.full((5,), 0.2)).item() == pytest.approx(5)
    assert effective_components(torch.tensor([0.5, 0.5, 0.0])).item() == pytest.approx(2)
    assert effective_components(torch.tensor([0.0, 1.0])).item() == pytest.approx(1)
