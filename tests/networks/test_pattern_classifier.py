"""DAC's network has the layout that was released, keeps the margin between clusters, and knows its first averages."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from clustlab.errors import SpecError
from clustlab.networks.pattern_classifier import PatternClassifier
from clustlab.objectives.pairs import label_features, similarities


def convolutions(network: PatternClassifier) -> list[tuple[int, int]]:
    """Channels and width of the kernel of each convolution."""
    found = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert all(layer.padding == (0, 0) for layer in found)
    return [(layer.out_channels, layer.kernel_size[0]) for layer in found]


def test_images_of_28_pixels_have_the_released_layout_for_mnist() -> None:
    network = PatternClassifier((28, 28), 10, channels=64, dense_layers=2)
    assert convolutions(network) == [(64, 3)] * 3 + [(128, 3)] * 3 + [(10, 1)]
    assert sum(isinstance(layer, nn.MaxPool2d) for layer in network.modules()) == 2
    assert sum(isinstance(layer, nn.Linear) for layer in network.modules()) == 2


def test_images_of_eight_pixels_have_two_convolutions_that_double_their_channels() -> None:
    assert convolutions(PatternClassifier((8, 8), 3)) == [(16, 3), (32, 3), (3, 1)]


def test_large_images_have_three_blocks_as_for_stl() -> None:
    network = PatternClassifier((96, 96, 3), 10, channels=2)
    assert convolutions(network) == [(2, 3)] * 3 + [(4, 3)] * 3 + [(8, 3)] * 3 + [(10, 1)]


@pytest.mark.parametrize("shape", [(8,), (8, 8), (5, 9), (28, 28), (12, 12, 3)])
def test_any_sample_gets_a_distribution_over_clusters(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    network = PatternClassifier(shape, 4, channels=2, widths=(8,))
    z = network.represent(torch.randn(6, *shape))
    assert z.shape == (6, 4)
    assert (z >= 0).all()
    p = network.assign(z)
    torch.testing.assert_close(p.sum(dim=1), torch.ones(6))
    network.eval()
    assert torch.equal(network(torch.ones(2, *shape)), network.assign(network.represent(torch.ones(2, *shape))))


def test_images_that_convolutions_would_use_up_are_refused_in_a_sentence() -> None:
    with pytest.raises(SpecError, match="need images of at least 5 pixels a side; these have 4"):
        PatternClassifier((4, 9), 3)


def test_dense_layers_begin_as_the_identity() -> None:
    network = PatternClassifier((6,), 3, dense_layers=2)
    dense = [layer for layer in network.body if isinstance(layer, nn.Linear)][-2:]
    for layer in dense:
        assert torch.equal(layer.weight, torch.eye(3))


@pytest.mark.parametrize("n_clusters", [2, 3, 10, 30])
def test_clusters_that_are_told_apart_perfectly_are_unlike_whatever_their_number(n_clusters: int) -> None:
    """Normalised logits of equal, perfectly separated clusters: their cosines stay far below both thresholds."""
    network = PatternClassifier((6,), n_clusters)
    hard = torch.eye(n_clusters).repeat(20, 1)
    normalised = nn.functional.batch_norm(hard, None, None, training=True)
    g = similarities(label_features(network.assign(network.scale * normalised.relu())))
    assert g[0, 1] < 0.2
    assert g[0, n_clusters] > 0.99
    assert PatternClassifier((6,), 10).scale == 1


def test_the_first_averages_are_those_of_the_data_and_later_ones_move_on() -> None:
    torch.manual_seed(0)
    network = PatternClassifier((8, 8), 3, channels=2).eval()
    x = torch.randn(50, 8, 8)
    network.calibrate(x)
    assert not network.training
    # Running variances are unbiased, those of a batch are not: 50 and 49 in the last layers.
    torch.testing.assert_close(network(x), network.train()(x), atol=0.02, rtol=0.05)
    last = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm1d)][-1]
    assert last.momentum == 0.1


def test_normalisation_has_neither_scale_nor_offset() -> None:
    network = PatternClassifier((8, 8), 3, channels=2)
    assert all(parameter.dim() > 1 for parameter in network.parameters())
