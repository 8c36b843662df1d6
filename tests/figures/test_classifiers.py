"""What classifiers say is drawn as it was recorded: entropies, degenerate optima in words, corners, weights."""

from __future__ import annotations

import numpy as np
import pytest
from figure_helpers import pixels, texts, trace, trace_of_texts

from clustlab.figures.information import information, information_alarms, information_note
from clustlab.figures.palette import cluster_colour, rgb
from clustlab.figures.simplex import corners, largest, polygon, simplex
from clustlab.figures.vital_signs import alarms
from clustlab.figures.weights import pruning, weight_images

N, K = 60, 3
LOG_K = float(np.log(10))


def measured(balance: list[float], doubt: list[float], **more: list[float]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    steps = 10.0 * np.arange(len(balance))
    series = {"marginal_entropy": balance, "conditional_entropy": doubt, **more}
    return {name: (steps, np.array(values)) for name, values in series.items()}


# ---- entropies -------------------------------------------------------------------------------------------------------


def test_the_gap_between_the_entropies_is_the_information() -> None:
    figure = information(measured([2.3, 2.2, 2.1], [2.3, 1.0, 0.5]), step=10, n_clusters=10)
    np.testing.assert_allclose(trace(figure, "H(Y)").y, [2.3, 2.2, 2.1])
    np.testing.assert_allclose(trace(figure, "H(Y|X)").y, [2.3, 1.0, 0.5])
    assert trace(figure, "H(Y)").fill == "tonexty"
    np.testing.assert_allclose(trace(figure, "I(X;Y), the gap").customdata, [0, 1.2, 1.6])
    ceiling, moment = figure.layout.shapes
    assert ceiling.y0 == pytest.approx(LOG_K)
    assert moment.x0 == 10


def test_the_path_ends_at_the_moment_shown() -> None:
    figure = information(measured([2.3, 2.2, 2.1], [2.3, 1.0, 0.5]), step=14, n_clusters=10)
    now, past, later = (trace(figure, name) for name in ("now", "path until now", "path afterwards"))
    assert (now.x[0], now.y[0]) == (1.0, 2.2)
    assert (list(past.x), list(later.x)) == ([2.3, 1.0], [0.5])
    assert all(corner in texts(figure) for corner in ("all in one cluster", "all undecided", "sure and balanced"))


@pytest.mark.parametrize(
    ("signs", "says"),
    [
        ({"marginal_entropy": 0.1, "conditional_entropy": 0.0}, "All in one cluster: H(Y) is 0.10 of at most 2.30"),
        ({"marginal_entropy": LOG_K, "conditional_entropy": 2.2}, "All undecided: H(Y|X) is 2.20 of at most 2.30"),
        ({"marginal_entropy": 2.2, "conditional_entropy": 0.1, "used_clusters": 7}, "Dead clusters: 3 of 10 win no"),
    ],
)
def test_degenerate_optima_are_named(signs: dict[str, float], says: str) -> None:
    (sentence,) = information_alarms(signs, 10)
    assert sentence.startswith(says)
    series = {name: (np.array([0.0]), np.array([value])) for name, value in signs.items()}
    assert says in texts(information(series, step=0, n_clusters=10))


def test_a_healthy_run_raises_no_alarm_but_much_information_proves_nothing() -> None:
    healthy = {"marginal_entropy": 2.29, "conditional_entropy": 0.5, "mutual_information": 1.79, "used_clusters": 10}
    assert information_alarms(healthy, 10) == []
    assert information_note(healthy, 10) == ""
    assert "proves nothing" in information_note(healthy | {"mutual_information": 2.25}, 10)
    assert "No alarm at this moment" in texts(information(measured([2.29], [0.5]), step=0, n_clusters=10))


def test_vital_signs_sound_the_same_alarms_and_count_dead_clusters_once() -> None:
    signs = {"marginal_entropy": 0.1, "conditional_entropy": 0.05, "used_clusters": 9, "active_clusters": 9.0}
    assert sum("All in one cluster" in each for each in alarms(signs, 10, 5, empty=1)) == 1
    assert sum("Dead clusters" in each for each in alarms(signs, 10, 5, empty=1)) == 1


def test_one_cluster_has_no_information_to_miss() -> None:
    assert information_alarms({"marginal_entropy": 0.0, "conditional_entropy": 0.0}, 1) == []
    assert len(information(measured([0.0], [0.0]), step=0, n_clusters=1).data) > 0


# ---- the simplex -----------------------------------------------------------------------------------------------------


@pytest.fixture
def q() -> np.ndarray:
    return np.random.default_rng(0).dirichlet(np.ones(K), size=N).astype(np.float16)


def test_corners_are_sure_and_the_middle_is_undecided() -> None:
    certain = np.concatenate([np.eye(K), np.full((1, K), 1 / K)])
    dots = trace(simplex(certain, certain.argmax(axis=1)), "samples")
    np.testing.assert_allclose(np.stack([dots.x, dots.y], axis=1)[:K], corners(K), atol=1e-6)
    np.testing.assert_allclose([dots.x[K], dots.y[K]], 0, atol=1e-6)


def test_three_clusters_have_the_same_triangle_as_a_polygon(q: np.ndarray) -> None:
    labels = q.argmax(axis=1)
    one, other = (trace(draw(q, labels), "samples") for draw in (simplex, polygon))
    np.testing.assert_allclose(one.x, other.x, atol=2e-3)
    np.testing.assert_allclose(one.y, other.y, atol=2e-3)


def test_of_many_clusters_the_three_largest_are_shown_with_their_samples() -> None:
    labels = np.repeat([0, 1, 2, 3, 4], [5, 20, 8, 30, 25])
    q = 0.9 * np.eye(5)[labels] + 0.02
    assert largest(q).tolist() == [1, 3, 4]
    figure = simplex(q, labels)
    assert set(trace(figure, "samples").customdata) == set(np.flatnonzero(np.isin(labels, [1, 3, 4])))
    assert trace(figure, "corners").marker.color == tuple(cluster_colour(j) for j in (1, 3, 4))
    assert "13 of 88 samples belong for the most part to others" in texts(figure)
    assert set(trace(polygon(q, labels), "samples").customdata) == set(range(88))


def test_two_clusters_lie_on_a_line() -> None:
    q = np.array([[1, 0], [0.5, 0.5], [0, 1]])
    assert list(trace(simplex(q, q.argmax(axis=1)), "samples").x) == pytest.approx([-1, 0, 1], abs=1e-6)
    assert len(simplex(np.ones((4, 1)), np.zeros(4, np.int16)).data) > 0


def test_the_selected_sample_is_ringed_where_it_is_shown(q: np.ndarray) -> None:
    figure = simplex(q, q.argmax(axis=1), selected=7)
    row = list(trace(figure, "samples").customdata).index(7)
    assert trace(figure, "selected").x[0] == pytest.approx(trace(figure, "samples").x[row], abs=1e-6)
    away = simplex(np.eye(5)[np.arange(60) % 5], np.arange(60) % 5, selected=4)
    assert not [each for each in away.data if each.name == "selected"]


# ---- weights ---------------------------------------------------------------------------------------------------------


def test_weights_are_vermilion_for_and_blue_against() -> None:
    weights = np.stack([np.full((4, 4), 1.0), np.full((4, 4), -1.0), np.zeros((4, 4))])
    figure = weight_images(weights, np.array([0, 0, 0, 1]))
    assert trace_of_texts(figure) == ("0: 75%", "1: 25%", "2: 0%")
    raster = pixels(figure)
    middles = raster[3, [3, raster.shape[1] // 2, raster.shape[1] - 4]]
    assert middles[0].tolist() == [213, 94, 0, 255]
    assert middles[1].tolist() == [0, 114, 178, 255]
    assert middles[2, 3] == 0
    assert {rgb(cluster_colour(j)) for j in range(3)} <= {tuple(pixel[:3]) for row in raster for pixel in row}


def test_weights_of_vectors_are_bars_and_many_clusters_are_cut() -> None:
    figure = weight_images(np.random.default_rng(0).normal(size=(60, 8)), np.arange(60))
    assert "A bar upwards speaks for the cluster" in texts(figure)
    assert "The first 50 of 60 clusters" in texts(figure)


def test_pruned_clusters_are_named() -> None:
    norms, labels = np.array([2.0, 0.01, 1.5]), np.array([0, 0, 2, 0])
    q = np.eye(3)[labels]
    figure = pruning(norms, labels, q)
    np.testing.assert_allclose(trace(figure, "‖w‖").y, norms)
    np.testing.assert_allclose(trace(figure, "share").y, [0.75, 0, 0.25])
    np.testing.assert_allclose(trace(figure, "soft share, mean of p(y|x)").y, [0.75, 0, 0.25])
    assert "2 of 3 clusters win samples; none has 1" in texts(figure)
    assert "All 2 clusters win samples" in texts(pruning(np.ones(2), np.array([0, 1])))
