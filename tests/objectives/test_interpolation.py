"""ACAI's losses: what they amount to when the critic knows nothing, something, everything."""

from __future__ import annotations

import pytest
import torch

from clustlab.objectives.interpolation import (
    GUIDE_LEVELS,
    draw_alpha,
    minor_share,
    mix,
    squared_guess,
    squared_miss,
)


@pytest.fixture
def alpha() -> torch.Tensor:
    torch.manual_seed(0)
    return draw_alpha(400_000, torch.zeros(1, dtype=torch.float64))


def test_alpha_is_uniform_on_the_lower_half(alpha: torch.Tensor) -> None:
    assert alpha.min().item() >= 0
    assert alpha.max().item() <= 0.5
    assert alpha.mean().item() == pytest.approx(1 / 4, abs=1e-3)
    assert alpha.square().mean().item() == pytest.approx(1 / 12, abs=1e-3)


@pytest.mark.parametrize(
    ("case", "on_mixes", "on_real"),
    [
        ("critic stuck at 0", 0.0, 0.0),
        ("critic knows only the mean of α", 0.25, None),
        ("mixes and real images look alike", 0.125, 0.125),
    ],
)
def test_guide_levels_are_what_constant_critics_pay(
    alpha: torch.Tensor, case: str, on_mixes: float, on_real: float | None
) -> None:
    guess = torch.full((len(alpha),), on_mixes, dtype=torch.float64)
    levels = GUIDE_LEVELS[case]
    assert squared_miss(guess, alpha).mean().item() == pytest.approx(levels["recover_alpha"], abs=2e-4)
    assert squared_guess(guess).mean().item() == pytest.approx(levels["fool_critic"], abs=1e-12)
    if on_real is not None:
        assert on_real**2 == pytest.approx(levels["realistic_is_zero"])


def test_a_perfect_critic_pays_nothing_and_exposes_the_autoencoder(alpha: torch.Tensor) -> None:
    levels = GUIDE_LEVELS["perfect critic"]
    assert squared_miss(alpha.flatten(), alpha).max().item() == levels["recover_alpha"]
    assert squared_guess(alpha.flatten()).mean().item() == pytest.approx(levels["fool_critic"], abs=1e-3)


def test_one_eighth_is_the_best_constant_where_mixes_look_real(alpha: torch.Tensor) -> None:
    def pays(constant: float) -> float:
        guess = torch.full((len(alpha),), constant, dtype=torch.float64)
        return (squared_miss(guess, alpha).mean() + squared_guess(guess).mean()).item()

    assert pays(0.125) < min(pays(0.115), pays(0.135))
    assert pays(0.125) == pytest.approx(0.0365 + 0.0156, abs=3e-4)


def test_the_second_sample_dominates_a_mix() -> None:
    first, second = torch.zeros(1, 3), torch.ones(1, 3)
    torch.testing.assert_close(mix(first, second, torch.tensor([[0.2]])), torch.full((1, 3), 0.8))


def test_minor_share_is_symmetric() -> None:
    alpha = torch.linspace(0, 1, 11)
    torch.testing.assert_close(minor_share(alpha), minor_share(1 - alpha))
    assert minor_share(alpha).max().item() == 0.5
