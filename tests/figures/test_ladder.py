"""Costs, combinators and predictions of ladder networks are drawn as recorded."""

from __future__ import annotations

import numpy as np
import torch
from figure_helpers import texts, trace

from clustlab.figures.ladder import clean_and_corrupted, combinators, combined, layer_costs
from clustlab.networks.ladder import combine


def test_layers_share_the_cost_by_their_weights() -> None:
    figure = layer_costs(np.array([[0.01, 10.0], [0.5, 5.0], [0.8, 0.08], [2.0, 0.2]], np.float32))
    names = ["samples", "layer 1", "layer 2", "top"]
    assert list(figure.data[0].x) == names
    np.testing.assert_allclose(figure.data[0].y, [0.01, 0.5, 0.8, 2], rtol=1e-6)
    np.testing.assert_allclose(figure.data[1].y, np.array([10, 5, 0.08, 0.2]) / 15.28, rtol=1e-6)
    assert "denoising cost: 15.3" in texts(figure)
    assert figure.layout.xaxis2.title.text == "layer, from the samples up"


def test_curves_are_those_of_the_network() -> None:
    a, u = np.random.default_rng(0).normal(size=(2, 10)), np.linspace(-2, 2, 5)
    mean, trust = combined(a, u)
    for unit in range(2):
        coefficients = torch.from_numpy(a[unit])[:, None]
        z = torch.full((5,), 0.7, dtype=torch.float64)
        restored = combine(z, torch.from_numpy(u), coefficients)
        np.testing.assert_allclose((0.7 - mean[unit]) * trust[unit] + mean[unit], restored.numpy())


def test_every_layer_has_a_row_with_both_curves_of_its_units() -> None:
    a = np.random.default_rng(0).normal(size=(3, 2, 10))
    figure = combinators(a, np.array([[4, 9], [1, 2], [0, 1]]))
    assert len(figure.data) == 3 * 2 * 2
    assert [note.text for note in figure.layout.annotations][::2] == ["μ(u), samples", "μ(u), layer 1", "μ(u), top"]
    assert figure.data[0].name == "unit 4"
    axes = [figure.layout[f"yaxis{number}"].title.text for number in ("", 2, 3, 4, 5, 6)]
    assert axes == 3 * ["μ(u)", "v(u)"]
    np.testing.assert_allclose(figure.data[1].y, combined(a[0, 1], np.asarray(figure.data[1].x))[0], atol=1e-4)


def test_the_sample_that_noise_changes_most_is_shown_unless_another_is_chosen() -> None:
    q = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4]], np.float16)
    corrupted = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]], np.float16)
    figure = clean_and_corrupted(q, corrupted, rows=np.array([7, 8, 9]))
    bars = [each for each in figure.data if each.type == "bar"]
    np.testing.assert_array_equal([bar.y for bar in bars], [q[1], corrupted[1]])
    assert "sample #8 (changed most): KL = 0.83" in texts(figure)
    assert "changes the cluster of 33.3%" in texts(figure)
    assert "sample #7: KL = 0 nats" in texts(clean_and_corrupted(q, corrupted, selected=0, rows=np.array([7, 8, 9])))
    counts = [each for each in figure.data if each.type == "scatter"]
    assert [sum(each.y) for each in counts] == [3, 3]
    assert trace(figure, "clean") is bars[0]
