from __future__ import annotations

import numpy as np
import pytest
import torch

from clustlab.objectives.layout import attraction, repulsion


def probability(one: torch.Tensor, other: torch.Tensor, a: float, b: float) -> float:
    return 1 / (1 + a * float((one - other).square().sum()) ** b)


def test_attraction_is_the_weighted_mean_over_neighbours() -> None:
    layout = torch.randn(4, 2, dtype=torch.float64)
    edges = torch.tensor([[0, 0, 1, 2], [1, 2, 0, 0]])
    weights = torch.tensor([0.5, 1.0, 0.5, 1.0], dtype=torch.float64)
    found = attraction(layout, edges, weights, 1.6, 0.9)
    one, two = (-np.log(probability(layout[0], layout[j], 1.6, 0.9)) for j in (1, 2))
    assert found.tolist() == pytest.approx([(0.5 * one + two) / 1.5, one, two, 0])


def test_repulsion_is_the_mean_over_others_and_finite_where_they_coincide() -> None:
    layout = torch.randn(3, 2, dtype=torch.float64)
    found = repulsion(layout, torch.tensor([[1, 2], [0, 0], [2, 2]]), 1.6, 0.9)
    first = [-np.log(1 - probability(layout[0], layout[j], 1.6, 0.9)) for j in (1, 2)]
    assert found[0].item() == pytest.approx(np.mean(first))
    assert found[1].item() == pytest.approx(first[0])
    assert found[2].isfinite()
