"""What adversaries see is drawn as it was recorded: the diagonal, landscapes, sorted affinities."""

from __future__ import annotations

import numpy as np
import pytest
from figure_helpers import texts, trace

from clustlab.figures.critic import CONSTANT_GUESSES, LOSS_LEVELS, critic_calibration
from clustlab.figures.curves import curves
from clustlab.figures.discriminator import discriminator_logits, jensen_shannon, landscape
from clustlab.figures.palette import cluster_colour
from clustlab.figures.subspaces import affinity, principal_angles, residuals

N, K = 60, 3


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def points(generator: np.random.Generator) -> np.ndarray:
    return generator.normal(size=(N, 2))


@pytest.fixture
def labels() -> np.ndarray:
    return (np.arange(N) % K).astype(np.int16)


# ---- the critic ------------------------------------------------------------------------------------------------------


def test_the_critic_is_drawn_against_the_diagonal() -> None:
    alpha = np.linspace(0, 0.5, 50)
    figure = critic_calibration(np.stack([alpha, alpha**2], axis=1))
    np.testing.assert_allclose(trace(figure, "mixes").y, alpha**2)
    perfect = trace(figure, "perfect critic")
    np.testing.assert_array_equal(perfect.x, perfect.y)
    mean = trace(figure, "mean guess")
    assert len(mean.x) == 10
    assert sum(mean.y) / 10 == pytest.approx(np.mean(alpha**2), rel=0.02)
    assert f"{np.square(alpha**2 - alpha).mean():.3g}" in texts(figure)
    lines = sorted(shape.y0 for shape in figure.layout.shapes)
    assert lines == [0, 1 / 8, 1 / 4]


def test_guide_levels_are_those_of_the_objective() -> None:
    from clustlab.objectives.interpolation import GUIDE_LEVELS

    recorded = {name for levels in GUIDE_LEVELS.values() for name in levels}
    assert recorded == set(LOSS_LEVELS)
    for name, drawn in LOSS_LEVELS.items():
        known = {levels[name] for levels in GUIDE_LEVELS.values() if levels.get(name)}
        assert set(drawn) == known
    constants = {levels["fool_critic"] ** 0.5 for case, levels in GUIDE_LEVELS.items() if case != "perfect critic"}
    assert set(CONSTANT_GUESSES.values()) == constants


def test_the_critics_curves_have_guide_levels_behind_them() -> None:
    steps = np.arange(1.0, 5)
    series = {"reconstruction": (steps, steps), "recover_alpha": (steps, steps / 50)}
    figure = curves(series, {}, [("autoencoder", 0, 4)], logarithmic=True)
    lines = [shape for shape in figure.layout.shapes if shape.line.dash == "dot"]
    assert sorted(shape.y0 for shape in lines) == [1 / 48, 7 / 192, 1 / 12]
    assert {shape.line.color for shape in lines} == {trace(figure, "recover alpha").line.color}
    without = curves({"reconstruction": (steps, steps)}, {})
    assert not [shape for shape in without.layout.shapes if shape.line.dash == "dot"]


def test_a_term_below_zero_leaves_a_gap_on_a_logarithmic_axis() -> None:
    series = {"entropy": (np.arange(3.0), np.array([1.0, -1.0, 2.0]))}
    figure = curves(series, {}, logarithmic=True)
    np.testing.assert_array_equal(figure.data[0].y, [1, np.nan, 2])
    assert "gaps: below zero" in texts(figure)
    linear = curves(series, {}, logarithmic=False)
    np.testing.assert_array_equal(linear.data[0].y, [1, -1, 2])
    assert not linear.layout.annotations


# ---- discriminators --------------------------------------------------------------------------------------------------


def test_the_landscape_lies_under_the_codes(points: np.ndarray, labels: np.ndarray) -> None:
    field, bounds = np.arange(12.0).reshape(3, 4) - 6, np.array([-4.0, 4, -2, 2])
    figure = landscape(field, bounds, points, labels, points[:5])
    heat = trace(figure, "logit")
    np.testing.assert_array_equal(heat.z, field)
    assert (heat.x[0], heat.x[-1], heat.y[0], heat.y[-1]) == (-4, 4, -2, 2)
    assert (heat.zmin, heat.zmax) == (-6, 6)
    np.testing.assert_allclose(trace(figure, "samples").x, points[:, 0], rtol=1e-6)
    np.testing.assert_allclose(trace(figure, "shown as real").y, points[:5, 1], rtol=1e-6)
    border = trace(figure, "undecided").contours
    assert (border.start, border.end) == (0, 0)


def test_a_discriminator_that_knows_nothing_estimates_no_divergence() -> None:
    assert jensen_shannon(np.zeros((10, 2))) == pytest.approx(0)
    assert jensen_shannon(np.tile([50.0, -50.0], (10, 1))) == pytest.approx(np.log(2))


def test_logits_are_counted_on_one_scale(generator: np.random.Generator) -> None:
    logits = generator.normal(size=(100, 2)) + [2, -2]
    figure = discriminator_logits(logits)
    real, codes = trace(figure, "real draws"), trace(figure, "codes")
    assert (sum(real.y), sum(codes.y)) == (100, 100)
    np.testing.assert_array_equal(real.x, codes.x)
    right = ((logits[:, 0] > 0).mean() + (logits[:, 1] < 0).mean()) / 2
    assert f"told right: {right:.0%}" in texts(figure)


# ---- subspaces -------------------------------------------------------------------------------------------------------


def test_affinities_are_sorted_by_cluster(generator: np.random.Generator) -> None:
    labels = np.array([1, 0, 1, 0, 2, 1, 0])
    rows = np.array([0, 1, 2, 3, 5, 6])
    matrix = (labels[rows][:, None] == labels[rows]).astype(np.float16)
    figure = affinity(matrix, rows, labels)
    order = [1, 3, 5, 0, 2, 4]  # positions in rows: clusters 0, 0, 0, 1, 1, 1
    np.testing.assert_array_equal(figure.data[0].z, matrix[np.ix_(order, order)])
    np.testing.assert_array_equal(figure.data[0].z, np.kron(np.eye(2), np.ones((3, 3))))
    assert "100% of the affinity lies within clusters; an even spread would give 50%" in texts(figure)
    beside = [shape for shape in figure.layout.shapes if shape.x1 < -0.5]
    assert [(shape.y0, shape.y1) for shape in beside] == [(-0.5, 2.5), (2.5, 5.5)]
    assert [shape.fillcolor for shape in beside] == [cluster_colour(0), cluster_colour(1)]


def test_residuals_are_two_heaps_on_one_scale(generator: np.random.Generator) -> None:
    pairs = np.stack([generator.random(80), 3 + generator.random(80)], axis=1)
    figure = residuals(pairs)
    assert [int(sum(each.y)) for each in figure.data] == [80, 80]
    assert max(np.flatnonzero(figure.data[0].y)) < min(np.flatnonzero(figure.data[1].y))
    assert f"members {np.median(pairs[:, 0]):.3g}" in texts(figure)


def test_the_closest_subspaces_are_named() -> None:
    angles = np.array([[0.0, 80, 30], [80, 0, 12], [30, 12, 0]])
    figure = principal_angles(angles)
    np.testing.assert_array_equal(figure.data[0].z, angles)
    assert "closest: clusters 1 and 2, 12°" in texts(figure)
