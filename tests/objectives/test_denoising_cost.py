from __future__ import annotations

import pytest
import torch

from clustlab.objectives.denoising_cost import cost_weights, denoising_cost, gram_error, restoration_errors


def test_what_is_restored_costs_nothing() -> None:
    z = [torch.randn(2, 5, width) for width in (4, 3, 2)]
    assert denoising_cost(z, z).tolist() == [[0.0] * 5] * 2


def test_the_cost_counts_each_layer_per_unit_by_its_weight() -> None:
    z = [torch.zeros(1, 2, width) for width in (4, 3, 6, 2)]
    guesses = [torch.full_like(layer, 1.0 + level) for level, layer in enumerate(z)]
    assert restoration_errors(guesses, z)[:, 0, 0].tolist() == [1, 4, 9, 16]
    assert cost_weights(3) == (1000, 10, 0.1, 0.1)
    assert denoising_cost(guesses, z)[0].tolist() == pytest.approx([1000 + 40 + 0.9 + 1.6] * 2)


def test_samples_at_right_angles_have_no_gram_error() -> None:
    assert gram_error(torch.eye(4)).tolist() == [0] * 4
    assert gram_error(torch.eye(4)[[0, 0, 1, 2]]).tolist() == [0.25, 0.25, 0, 0]


def test_equal_clusters_have_the_least_gram_error() -> None:
    def error(sizes: list[int]) -> float:
        labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
        return gram_error(torch.eye(3)[labels]).mean().item()

    assert error([4, 4, 4]) < error([6, 3, 3]) < error([10, 1, 1])
