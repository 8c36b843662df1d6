from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal
from torch.nn.functional import binary_cross_entropy_with_logits

from clustlab.objectives.adversarial import (
    jensen_shannon,
    missed_fake,
    missed_real,
    pass_for_real,
    saturating,
    value,
)

Z = torch.linspace(-30, 30, 60_001, dtype=torch.float64)


def normal(mean: float, deviation: float) -> torch.Tensor:
    return Normal(*torch.tensor([mean, deviation], dtype=torch.float64)).log_prob(Z)


def integral(density: torch.Tensor, of: torch.Tensor) -> float:
    return torch.trapezoid(density * of, Z).item()


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (1.0, 1.0), (3.0, 0.5), (8.0, 2.0)])
def test_the_best_discriminator_measures_the_jensen_shannon_divergence(mean: float, deviation: float) -> None:
    """Reference check 11, by quadrature: V = 2 JSD − 2 log 2, −1.386 for equal distributions."""
    log_p, log_q = normal(0.0, 1.0), normal(mean, deviation)
    p, q = log_p.exp(), log_q.exp()
    best = log_p - log_q  # the logit of p / (p + q)
    game = -integral(p, missed_real(best)) - integral(q, missed_fake(best))
    log_middle = torch.logaddexp(log_p, log_q) - math.log(2)
    divergence = 0.5 * (integral(p, log_p - log_middle) + integral(q, log_q - log_middle))
    assert game == pytest.approx(2 * divergence - 2 * math.log(2), abs=1e-12)
    if (mean, deviation) == (0.0, 1.0):
        assert game == pytest.approx(-1.386, abs=5e-4)
    worse = -integral(p, missed_real(0.8 * best + 0.1)) - integral(q, missed_fake(0.8 * best + 0.1))
    assert worse < game


def test_losses_are_cross_entropies() -> None:
    logits = 3 * torch.randn(20, dtype=torch.float64)
    for ours, target in ((missed_real, 1.0), (missed_fake, 0.0), (pass_for_real, 1.0)):
        reference = binary_cross_entropy_with_logits(logits, torch.full_like(logits, target), reduction="none")
        torch.testing.assert_close(ours(logits), reference)
    torch.testing.assert_close(saturating(logits), torch.log(1 - logits.sigmoid()))


def test_only_the_non_saturating_loss_helps_an_encoder_that_fools_nobody() -> None:
    slopes = []
    for loss in (pass_for_real, saturating):
        logit = torch.tensor([-12.0], requires_grad=True)
        loss(logit).sum().backward()
        assert logit.grad is not None
        slopes.append(logit.grad.item())
    assert slopes[0] == pytest.approx(-1, abs=1e-4)
    assert 0 > slopes[1] > -1e-4


def test_logits_of_any_size_stay_finite() -> None:
    logits = torch.tensor([-1e4, 1e4])
    for loss in (missed_real, missed_fake, pass_for_real, saturating):
        assert loss(logits).isfinite().all()


def test_the_estimate_runs_from_zero_to_log_two() -> None:
    assert value(torch.zeros(5), torch.zeros(3)).item() == pytest.approx(-2 * math.log(2))
    assert jensen_shannon(torch.zeros(5), torch.zeros(3)).item() == pytest.approx(0, abs=1e-6)
    assert jensen_shannon(torch.full((5,), 50.0), torch.full((3,), -50.0)).item() == pytest.approx(math.log(2))
