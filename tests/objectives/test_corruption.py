from __future__ import annotations

import pytest
import torch

from clustlab.objectives.corruption import add_noise, drop


def test_dropping_keeps_the_mean_and_empties_the_share_it_is_told() -> None:
    torch.manual_seed(0)
    x = torch.ones(500, 400)
    damaged = drop(x, 0.2)
    assert (damaged == 0).float().mean().item() == pytest.approx(0.2, abs=0.005)
    assert damaged.mean().item() == pytest.approx(1, abs=0.01)
    assert torch.equal(drop(x, 0.0), x)


def test_noise_has_the_strength_it_is_told() -> None:
    torch.manual_seed(0)
    x = torch.randn(500, 400)
    assert (add_noise(x, 0.5) - x).std().item() == pytest.approx(0.5, abs=0.005)
