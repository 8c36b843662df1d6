"""Label features, similarities, thresholds and the loss of pairs are the paper's."""

from __future__ import annotations

import math

import pytest
import torch

from clustlab.objectives.pairs import (
    Pairs,
    closing_thresholds,
    falling_threshold,
    label_features,
    pair_cross_entropy,
    pair_squared_error,
    select,
    similarities,
)


@pytest.fixture
def logits() -> torch.Tensor:
    return 3 * torch.randn(40, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def features(logits: torch.Tensor) -> torch.Tensor:
    return label_features(logits.softmax(dim=1))


def test_label_features_have_unit_length_and_are_not_negative(logits: torch.Tensor) -> None:
    found = features(logits)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(40, dtype=torch.float64))
    assert (found >= 0).all()


def test_label_features_are_those_of_the_constraint_layer(logits: torch.Tensor) -> None:
    o = (logits - logits.amax(dim=1, keepdim=True)).exp()
    torch.testing.assert_close(features(logits), o / o.norm(dim=1, keepdim=True))


def test_argmax_is_that_of_the_softmax(logits: torch.Tensor) -> None:
    assert torch.equal(features(logits).argmax(dim=1), logits.softmax(dim=1).argmax(dim=1))


def test_similarities_are_symmetric_and_between_zero_and_one(logits: torch.Tensor) -> None:
    g = similarities(features(logits))
    torch.testing.assert_close(g, g.T)
    assert g.min() >= 0
    assert g.max() <= 1
    hard = similarities(torch.eye(3))
    assert torch.isfinite(hard.log()).all()
    assert torch.isfinite((1 - hard).log()).all()


def test_the_thresholds_leave_a_band_in_46_outer_steps_and_never_cross() -> None:
    pairs = [closing_thresholds(step) for step in range(60)]
    assert [upper > lower for upper, lower in pairs] == [True] * 46 + [False] * 14
    assert all(upper >= lower for upper, lower in pairs)
    assert pairs[0] == (0.95, 0.455)
    assert pairs[46] == pytest.approx((0.5, 0.5))
    for step in range(46):
        curriculum = step * 1.1 * 0.009
        assert pairs[step] == pytest.approx((0.95 - curriculum, 0.455 + 0.1 * curriculum))


def test_the_single_threshold_falls_from_nine_tenths_to_a_half_in_a_straight_line() -> None:
    found = [falling_threshold(step, 5)[0] for step in range(7)]
    assert found == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, 0.5, 0.5])
    assert all(upper == lower for upper, lower in (falling_threshold(step, 5) for step in range(7)))
    assert falling_threshold(0, 1) == (0.9, 0.9)


def test_no_pair_is_positive_and_negative_at_any_step(logits: torch.Tensor) -> None:
    g = similarities(features(logits))
    for step in range(60):
        _, positive, negative = select(g, *closing_thresholds(step))
        assert not (positive & negative).any()
    others = ~torch.eye(40, dtype=torch.bool)
    assert torch.equal(positive | negative, others), "at the end all pairs take part"


def test_a_sample_paired_with_itself_never_counts(logits: torch.Tensor) -> None:
    _, positive, negative = select(similarities(features(logits)), 0.0, 0.0)
    assert not positive.diagonal().any()
    assert not negative.diagonal().any()
    assert positive.sum() == 40 * 39


def test_selection_passes_no_gradient_but_the_loss_does(logits: torch.Tensor) -> None:
    logits.requires_grad_()
    pairs = select(similarities(features(logits)), 0.9, 0.5)
    assert pairs.similarity.requires_grad
    pair_cross_entropy(pairs).mean().backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert logits.grad.abs().sum() > 0


@pytest.mark.parametrize("loss", [pair_cross_entropy, pair_squared_error])
def test_the_mean_over_the_batch_is_that_over_selected_pairs_by_a_slow_double_loop(
    logits: torch.Tensor, loss: object
) -> None:
    l_features = features(logits).tolist()
    upper, lower = 0.8, 0.4
    total, count = 0.0, 0
    for i, first in enumerate(l_features):
        for j, second in enumerate(l_features):
            g = min(max(sum(a * b for a, b in zip(first, second, strict=True)), 1e-10), 1 - 1e-7)
            if i == j or lower <= g < upper:
                continue
            r = 1 if g >= upper else 0
            entropy = -(r * math.log(g) + (1 - r) * math.log(1 - g))
            total += entropy if loss is pair_cross_entropy else (g - r) ** 2
            count += 1
    assert 0 < count < 40 * 39
    values = loss(select(similarities(features(logits)), upper, lower))  # type: ignore[operator]
    assert values.shape == (40,)
    assert values.mean().item() == pytest.approx(total / count)


def test_a_batch_without_selected_pairs_costs_nothing() -> None:
    g = torch.full((4, 4), 0.7, requires_grad=True)
    pairs = Pairs(g, torch.zeros(4, 4, dtype=torch.bool), torch.zeros(4, 4, dtype=torch.bool))
    loss = pair_cross_entropy(pairs)
    assert loss.tolist() == [0, 0, 0, 0]
    loss.mean().backward()
    assert g.grad is not None
    assert g.grad.abs().sum() == 0
