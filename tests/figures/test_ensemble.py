"""What networks agree on is counted as it is: buckets, pairs, shares that are right."""

from __future__ import annotations

import numpy as np
import pytest
from figure_helpers import texts, trace, trace_of_texts

from clustlab.figures.ensemble import buckets, models_agree, pair_agreement, pairs_together, precision_and_coverage
from clustlab.figures.palette import cluster_colour


@pytest.fixture
def signatures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 3, (40, 4)).astype(np.int16)


def test_buckets_are_stacked_by_round_in_their_clusters_colours() -> None:
    figure = buckets(np.array([[10, 20], [30, 0], [25, 40]]), 100)
    assert trace(figure, "cluster 1").y.tolist() == [20, 0, 40]
    assert trace(figure, "cluster 1").marker.color == cluster_colour(1)
    assert [note.text for note in figure.layout.annotations][:3] == ["30%", "30% ⚠", "65%"]
    assert "65 of 100 samples are in buckets: 25 in the smallest, 40 in the largest" in texts(figure)
    assert "stayed empty after round 2:" in texts(figure)


def test_networks_that_cut_alike_share_everything_whatever_they_call_it(signatures: np.ndarray) -> None:
    first = signatures[:, 0]
    figure = models_agree(np.stack([first, (first + 1) % 3, signatures[:, 1]], axis=1), first)
    values = figure.data[0].z
    np.testing.assert_allclose(values, values.T)
    np.testing.assert_allclose(values[[0, 0, 0], [0, 1, 3]], 1)
    assert values[0, 2] < 0.2
    assert "two networks share" in texts(figure)
    assert len(trace_of_texts(figure)) == 12


def test_pairs_are_counted_as_one_by_one(signatures: np.ndarray) -> None:
    y = np.random.default_rng(1).integers(0, 3, 40)
    pairs, alike = np.zeros(5, int), np.zeros(5, int)
    for i in range(40):
        for j in range(i):
            together = int((signatures[i] == signatures[j]).sum())
            pairs[together] += 1
            alike[together] += y[i] == y[j]
    found = pairs_together(signatures, y)
    assert found[0].tolist() == pairs_together(signatures)[0].tolist() == pairs.tolist()
    assert found[1].tolist() == alike.tolist()


def test_edges_are_negative_positive_or_left_out_by_the_thresholds(signatures: np.ndarray) -> None:
    figure = pair_agreement(signatures, np.array([1, 3]))
    (bars,) = figure.data
    assert list(bars.customdata) == ["negative", "negative", "left out", "left out", "positive"]
    assert sum(bars.y) == pytest.approx(1)
    assert [shape.x0 for shape in figure.layout.shapes] == [1.5, 3.5]
    assert "classes" not in texts(figure)


def test_what_only_classes_can_tell_is_marked(signatures: np.ndarray) -> None:
    y = signatures[:, 0].astype(np.int64)
    assert "known from the classes" in texts(pair_agreement(signatures, None, y))
    assert pair_agreement(signatures, None, y).data[1].y[-1] == 1  # together in all, so in the first, which is y
    assert "known from the classes" in texts(precision_and_coverage(y, np.linspace(0, 1, 40), y, 3))


def test_precision_is_counted_among_the_surest_and_among_the_taught() -> None:
    y = np.repeat([0, 1], 10)
    labels = 1 - y  # clusters have other names than classes
    labels[[0, 1, 10, 11]] = y[[0, 1, 10, 11]]
    confidence = np.where(labels == y, 0.2, 0.9)
    taught = np.full(20, -1)
    taught[[2, 3, 12, 13]] = labels[[2, 3, 12, 13]]
    wrong = taught.copy()
    wrong[0] = labels[0]
    none = np.full(20, -1)
    figure = precision_and_coverage(labels, confidence, y, 2, [("step 1", none), ("step 2", wrong), ("step 3", taught)])
    line, dots = trace(figure, "the surest samples"), trace(figure, "pseudo-labels")
    assert line.y[line.x.tolist().index(0.8)] == 1
    assert line.y[-1] == pytest.approx(0.8)
    assert dots.x == pytest.approx((0.25, 0.2))
    assert dots.y == pytest.approx((0.8, 1.0))
    assert list(dots.text) == ["step 2", "step 3"]
    assert "there are no pseudo-labels yet" in texts(precision_and_coverage(labels, confidence, y, 2, [("0", none)]))
