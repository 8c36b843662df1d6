"""What is claimed of mutual information, entropies and divergences."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from clustlab.objectives.information import (
    divergence,
    entropy,
    marginal_divergence,
    marginal_surprise,
    mutual_information,
)

N, K = 50, 7

UNIFORM = torch.full((K,), 1 / K, dtype=torch.float64)


@pytest.fixture
def p() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(N, K, generator=generator, dtype=torch.float64).mul(2).softmax(dim=1)


def one_hot(labels: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(labels, K).double()


def test_the_gradient_of_information_is_the_formula() -> None:
    """∂I/∂z_ik = p_ik (L_ik − Σ_c p_ic L_ic) / N with L_ik = log(p_ik / p̂_k)."""
    z = torch.randn(N, K, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)
    p = z.softmax(dim=1)
    (gradient,) = torch.autograd.grad(marginal_surprise(p).mean() - entropy(p).mean(), z)
    logs = (p / p.mean(dim=0)).log()
    expected = p * (logs - (p * logs).sum(dim=1, keepdim=True)) / N
    torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-9)


def test_information_is_marginal_minus_conditional_entropy_and_a_mean_divergence(p: Tensor) -> None:
    marginal = p.mean(dim=0)
    information = marginal_surprise(p).mean() - entropy(p).mean()
    assert information.item() == pytest.approx(mutual_information(p).item(), abs=1e-12)
    assert information.item() == pytest.approx((p * (p / marginal).log()).sum(dim=1).mean().item(), abs=1e-12)


def test_marginal_entropy_is_log_k_less_the_divergence_from_uniform(p: Tensor) -> None:
    marginal = p.mean(dim=0)
    expected = -(marginal * marginal.log()).sum()
    assert marginal_surprise(p).mean().item() == pytest.approx(expected.item(), abs=1e-12)
    assert math.log(K) - marginal_divergence(p, UNIFORM).item() == pytest.approx(expected.item(), abs=1e-12)


def test_information_lies_between_nothing_and_log_k(p: Tensor) -> None:
    assert 0 < mutual_information(p) < math.log(K)
    assert mutual_information(p.mean(dim=0).expand(N, K)).item() == pytest.approx(0, abs=1e-12)


def test_every_balanced_certain_partition_has_all_the_information() -> None:
    sorted_, dealt = torch.arange(70) // 10, torch.arange(70) % 7
    for labels in (sorted_, dealt):
        assert mutual_information(one_hot(labels)).item() == pytest.approx(math.log(K), abs=1e-12)
    assert mutual_information(one_hot(torch.zeros(70, dtype=torch.int64))).item() == 0


def test_certainty_has_no_entropy_and_finite_gradients() -> None:
    logits = torch.tensor([[0.0, 200.0, 0.0]], requires_grad=True)
    total = entropy(logits.softmax(dim=1)).sum() + marginal_surprise(logits.softmax(dim=1)).sum()
    total.backward()
    assert total.item() == 0
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_divergence_is_zero_between_equals_and_that_of_torch_elsewhere(p: Tensor) -> None:
    other = p.roll(1, dims=0)
    assert divergence(p, p).abs().max() == 0
    expected = torch.nn.functional.kl_div(other.log(), p, reduction="none").sum(dim=1)
    torch.testing.assert_close(divergence(p, other), expected, rtol=0, atol=1e-12)


def test_a_marginal_equal_to_its_prior_is_not_penalised(p: Tensor) -> None:
    assert marginal_divergence(p, p.mean(dim=0)).item() == pytest.approx(0, abs=1e-12)
    assert marginal_divergence(p, UNIFORM) > 0
