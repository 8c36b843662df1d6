"""Perturbations are drawn as they were recorded: steps, flips, lengths, and who finds more."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from figure_helpers import texts, trace
from PIL import Image
from scipy.stats import spearmanr

from clustlab.figures.perturbation import FRAME, Cards, flips, perturbation_cards
from clustlab.figures.radius import divergence_by_length, entropies, power_iteration, radii, rank_correlation

M, K = 4, 3
MULTIPLES = np.array([0, 0.5, 1, 2], np.float16)


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def cards(generator: np.random.Generator) -> Cards:
    """Sample 1 flips at one radius, sample 3 at two."""
    q = np.tile(np.array([0.7, 0.2, 0.1]), (M, len(MULTIPLES), 1))
    q[1, 2:] = [0.3, 0.6, 0.1]
    q[3, 3] = [0.1, 0.2, 0.7]
    samples = generator.integers(0, 256, (M, 8, 8)).astype(np.uint8)
    return Cards(samples, generator.normal(size=(M, 8, 8)).astype(np.float16), MULTIPLES, q, np.array([5, 6, 7, 9]))


def shown(figure: go.Figure, step: int) -> list[go.Bar | go.Scatter]:
    """Return the traces that a step of the slider shows."""
    visible = figure.layout.sliders[0].steps[step].args[0]["visible"]
    return [each for each, there in zip(figure.data, visible, strict=True) if there]


def opened(image: go.Image) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(image.source.partition(",")[2]))))


def test_flips_are_counted_against_the_sample_itself(cards: Cards) -> None:
    expected = np.zeros((M, len(MULTIPLES)), bool)
    expected[1, 2:] = expected[3, 3] = True
    np.testing.assert_array_equal(flips(cards.q, MULTIPLES), expected)
    assert "At one radius 1 of 4 samples change cluster." in texts(perturbation_cards(cards))


def test_the_slider_starts_at_one_radius_and_shows_one_length_at_a_time(cards: Cards) -> None:
    figure = perturbation_cards(cards)
    slider = figure.layout.sliders[0]
    assert [step.label for step in slider.steps] == ["0", "0.5", "1", "2"]
    assert slider.active == 2
    assert [id(each) for each in shown(figure, 2)] == [id(each) for each in figure.data if each.visible is not False]
    layers = [{id(each) for each in shown(figure, step)} for step in range(4)]
    heads = set.intersection(*layers)
    assert len(heads) == 1
    assert sum(len(layer) - 1 for layer in layers) == len(figure.data) - 1


def test_exactly_the_pictures_that_flip_are_framed(cards: Cards) -> None:
    figure = perturbation_cards(cards)
    for step, flipped in enumerate(flips(cards.q, MULTIPLES).T):
        image = next(each for each in shown(figure, step) if each.type == "image")
        pixels = opened(image)
        rows, columns = np.split(pixels, M), slice(2 * pixels.shape[1] // 3, None)
        # The upper left corner of a cell is its frame.
        corners = [tuple(row[0, columns][0]) for row in rows]
        assert [corner == FRAME for corner in corners] == flipped.tolist()


def test_bars_hold_the_two_likeliest_clusters_before_and_after(cards: Cards) -> None:
    figure = perturbation_cards(cards)
    bars = next(each for each in shown(figure, 2) if each.type == "bar")
    lengths = np.array(bars.x).reshape(M, 2, 3)
    np.testing.assert_allclose(lengths[1, 0] / lengths[1, 0].sum(), [0.7, 0.2, 0.1])
    np.testing.assert_allclose(lengths[1, 1] / lengths[1, 1].sum(), [0.6, 0.3, 0.1])
    numbers = next(each.text for each in shown(figure, 2) if each.type == "scatter")
    assert numbers[2:4] == ("0: 70%", "1: 60% ⚑")


def test_of_vectors_the_features_that_change_most_are_named(cards: Cards, generator: np.random.Generator) -> None:
    steps = np.zeros((M, 20), np.float32)
    steps[:, 17], steps[:, 4] = -0.5, 0.25
    vectors = replace(cards, samples=np.ones((M, 20), np.float32), perturbations=steps)
    figure = perturbation_cards(vectors)
    said = next(each.text for each in shown(figure, 3) if each.type == "scatter")
    assert said[:2] == ("17: 1.00 → 0.00", "4: 1.00 → 1.50")
    change = next(each for each in shown(figure, 3) if each.name == "change")
    assert change.x[0] == pytest.approx(-2 * change.x[1])
    assert not [each for each in figure.data if each.type == "image"]


def test_adversary_and_chance_are_compared_at_the_same_length() -> None:
    divergence = np.array([[0, 1, 4, 9.0], [0, 0.1, 0.2, 0.3], [0, 0.3, 0.6, 0.5]])
    figure = divergence_by_length(divergence, MULTIPLES, of="mean of 12 samples")
    np.testing.assert_array_equal(trace(figure, "adversarial").y, divergence[0])
    np.testing.assert_allclose(trace(figure, "mean of chance").y, divergence[1:].mean(axis=0))
    assert "the adversary changes 4 nats, chance 0.4: 10 times as much" in texts(figure)


def test_chance_that_changes_nothing_is_divided_by_nothing() -> None:
    text = texts(divergence_by_length(np.zeros((3, 4)), MULTIPLES, of="sample #3"))
    assert "sample #3" in text
    assert "times" not in text


def test_radii_are_drawn_beside_the_entropies(generator: np.random.Generator) -> None:
    radius, q = generator.random(50), generator.dirichlet(np.ones(K), size=50)
    figure = radii(radius, q, q.argmax(axis=1), names=np.arange(50), selected=4)
    assert sum(trace(figure, "radii").y) == 50
    np.testing.assert_allclose(trace(figure, "samples").x, radius)
    np.testing.assert_allclose(trace(figure, "samples").y, -(q * np.log(q)).sum(axis=1))
    assert (trace(figure, "selected").x[0], trace(figure, "selected").y[0]) == (radius[4], entropies(q)[4])


def test_the_rank_correlation_is_spearmans(generator: np.random.Generator) -> None:
    first = generator.integers(0, 9, 60).astype(float)  # with ties
    second = first**3 + 40 * generator.normal(size=60)
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert rank_correlation(first, np.ones(60)) == 0


def test_the_angle_named_is_that_of_one_more_iteration() -> None:
    figure = power_iteration(np.array([[0.5, 1.0], [0.5, 0.8]], np.float16))
    np.testing.assert_allclose(trace(figure, "mean").y, [0.5, 0.9], atol=1e-3)
    assert "by 60° on average" in texts(figure)
    assert figure.layout.xaxis.ticktext == ("1 → 2", "2 → 3")
