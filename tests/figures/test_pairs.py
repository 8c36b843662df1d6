"""What pairs are taken for is drawn as it was recorded: histogram, matrix, curriculum, couples."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest
from figure_helpers import pixels, texts, trace

from clustlab.figures.pairs import Couples, new_pairs, pair_matrix
from clustlab.figures.palette import cluster_colour
from clustlab.figures.similarities import (
    KIND_COLOURS,
    curriculum,
    kinds_of,
    precision_of,
    similarity_histogram,
)

THRESHOLDS = np.array([0.8, 0.4], np.float32)


def matrix(clusters: np.ndarray) -> np.ndarray:
    """Cosines of 0.9 within clusters, 0.2 between, and 0.6 between the first sample and all others."""
    g = np.where(clusters[:, None] == clusters, 0.9, 0.2)
    g[0, 1:] = g[1:, 0] = 0.6
    return g.astype(np.float16)


# ---- what a pair is taken for ----------------------------------------------------------------------------------------


def test_a_pair_is_positive_from_the_upper_threshold_on_and_negative_below_the_lower() -> None:
    g = np.array([0, 0.39, 0.4, 0.79, 0.8, 1])
    assert kinds_of(g, np.array([0.8, 0.4])).tolist() == [0, 0, 1, 1, 2, 2]
    assert kinds_of(g, np.array([0.5, 0.5])).tolist() == [0, 0, 0, 2, 2, 2]


def test_precision_is_that_of_each_kind_and_unknown_where_there_is_none() -> None:
    kinds, same = np.array([2, 2, 2, 2, 0, 0, 1]), np.array([True, True, True, False, False, True, True])
    assert precision_of(kinds, same) == (0.75, 0.5)
    assert np.isnan(precision_of(np.array([1, 1]), same[:2])).all()


# ---- histogram -------------------------------------------------------------------------------------------------------


def test_bars_hold_every_pair_once_in_the_colour_of_its_kind() -> None:
    g = np.random.default_rng(0).random(500)
    figure = similarity_histogram(g, THRESHOLDS)
    kinds = kinds_of(g, THRESHOLDS)
    for kind, name in enumerate(("negative", "ignored", "positive")):
        bars = trace(figure, name)
        assert sum(bars.y) == (kinds == kind).sum()
        assert bars.marker.color == KIND_COLOURS[kind]
    assert figure.layout.yaxis.type == "log"
    assert "% positive" in texts(figure)
    assert "500 pairs: " in texts(figure)
    assert "classes" not in texts(figure)


def test_the_ignored_band_is_shaded_between_both_thresholds() -> None:
    figure = similarity_histogram(np.array([0.1, 0.5, 0.9]), THRESHOLDS)
    (band,) = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert (band.x0, band.x1) == pytest.approx((0.4, 0.8))
    assert sorted(shape.x0 for shape in figure.layout.shapes if shape.type == "line") == pytest.approx([0.4, 0.8])
    assert "u = 0.8" in texts(figure)
    assert "l = 0.4" in texts(figure)


def test_a_single_threshold_is_drawn_once() -> None:
    figure = similarity_histogram(np.array([0.1, 0.5, 0.9]), np.array([0.6, 0.6], np.float32))
    assert [shape.type for shape in figure.layout.shapes] == ["line"]
    assert "s = 0.6" in texts(figure)


def test_more_than_half_positive_pairs_raise_an_alarm() -> None:
    assert "⚠" in texts(similarity_histogram(np.array([0.9, 0.9, 0.1]), THRESHOLDS))
    assert "⚠" not in texts(similarity_histogram(np.array([0.9, 0.5, 0.1]), THRESHOLDS))


def test_agreement_with_the_classes_is_a_second_plot_that_says_so() -> None:
    g, same = np.array([0.95, 0.95, 0.951, 0.05]), np.array([True, True, False, False])
    figure = similarity_histogram(g, THRESHOLDS, same)
    line = trace(figure, "of one class")
    assert line.y.tolist() == pytest.approx([0, 2 / 3])
    assert line.customdata.tolist() == [1, 3]
    assert "Right are 67% of the positives and 100% of the negatives, against the classes" in texts(figure)


# ---- matrix ----------------------------------------------------------------------------------------------------------


def test_the_matrix_is_sorted_by_cluster_and_has_a_colour_for_each_kind() -> None:
    clusters = np.array([0, 1, 0, 1, 2, 0])
    figure = pair_matrix(matrix(clusters), THRESHOLDS, clusters)
    kinds, similarity = figure.data[0].z, figure.data[1].z
    order = np.argsort(clusters, kind="stable")
    told = pair_matrix(matrix(clusters), THRESHOLDS, clusters, np.arange(10, 16))
    assert [each.meta for each in told.data[:2]] == 2 * [{"rows": (order + 10).tolist()}]
    named = pair_matrix(matrix(clusters), THRESHOLDS, clusters, np.arange(10, 16), 7 * np.arange(6))
    for axis in (named.layout.xaxis, named.layout.yaxis, named.layout.xaxis2, named.layout.yaxis2):
        assert list(axis.ticktext) == [f"#{7 * each}" for each in order], "whose names a cell that is pointed at takes"
        assert list(axis.tickvals) == list(range(6))
        assert not axis.showticklabels
    np.testing.assert_array_equal(similarity, matrix(clusters)[np.ix_(order, order)].astype(np.float32))
    np.testing.assert_array_equal(kinds, kinds_of(similarity, THRESHOLDS))
    assert {name: trace(figure, name).marker.color for name in ("negative", "ignored", "positive")} == dict(
        zip(("negative", "ignored", "positive"), KIND_COLOURS, strict=True)
    )
    for subplot in ("x", "x2"):
        bands = [shape for shape in figure.layout.shapes if shape.xref == subplot]
        assert {shape.fillcolor for shape in bands} == {cluster_colour(j) for j in range(3)}
    assert "33% of the pairs within a cluster are positive" not in texts(figure)
    assert "50% of the pairs within a cluster are positive" in texts(figure)


# ---- curriculum ------------------------------------------------------------------------------------------------------


def drawn_curriculum(single: bool = False, precise: bool = True) -> go.Figure:
    thresholds = np.array([[0.9, 0.9 if single else 0.4], [0.7, 0.7 if single else 0.45]])
    shares = np.array([[0.9, 0, 0.1], [0.8, 0, 0.2]] if single else [[0.5, 0.4, 0.1], [0.6, 0.3, 0.1]])
    precision = np.array([[1.0, 0.9], [np.nan, 0.8]])
    return curriculum([0, 10], thresholds, shares, precision if precise else None, step=10)


def test_the_curriculum_holds_thresholds_shares_and_precision() -> None:
    figure = drawn_curriculum()
    assert trace(figure, "threshold u").y.tolist() == [0.9, 0.7]
    assert trace(figure, "threshold l").y.tolist() == [0.4, 0.45]
    assert trace(figure, "positive").y.tolist() == [0.1, 0.1]
    assert trace(figure, "right negatives").y.tolist() == [0.9, 0.8]
    assert "against the classes" in texts(figure)
    assert {shape.x0 for shape in figure.layout.shapes} == {10}


def test_without_classes_there_is_no_precision_and_with_one_threshold_one_line() -> None:
    names = {each.name for each in drawn_curriculum(single=True, precise=False).data}
    assert names == {"threshold s", "negative", "positive"}


# ---- couples ---------------------------------------------------------------------------------------------------------


def couples(kind: int, count: int, shape: tuple[int, ...] = (8, 8), same: np.ndarray | None = None) -> Couples:
    return Couples(
        kind=kind,
        count=10 * count,
        pictures=np.full((count, 2, *shape), 255, np.uint8),
        similarity=np.linspace(0.1, 0.9, count),
        clusters=np.tile([0, 1], (count, 1)),
        names=np.arange(2 * count).reshape(count, 2),
        same=same,
    )


def test_couples_stand_side_by_side_with_their_similarity_and_judgement() -> None:
    positives = couples(2, 2, same=np.array([True, False]))
    negatives = couples(0, 1, same=np.array([False]))
    figure = new_pairs(positives, negatives, "step 7")
    assert list(trace(figure, "positive").text) == ["+ 0.10 ✓", "+ 0.90 ✗"]
    assert list(trace(figure, "negative").text) == ["− 0.10 ✓"]
    assert list(trace(figure, "positive").x) == [0.5, 3.5]
    assert "Since step 7: 20 new positive (+) and 10 new negative pairs (−)." in texts(figure)
    assert "against the classes" in texts(figure)
    white = (pixels(figure) == 255).all(axis=2)
    assert white.sum() == 6 * 64


def test_without_classes_nothing_is_judged() -> None:
    figure = new_pairs(couples(2, 1), couples(0, 0), "the start")
    assert list(trace(figure, "positive").text) == ["+ 0.10"]
    assert "classes" not in texts(figure)


def test_vectors_are_drawn_as_bars_and_nothing_new_as_nothing() -> None:
    assert (pixels(new_pairs(couples(2, 3, (5,)), couples(0, 2, (5,)), "the start"))[..., 3] > 0).any()
    empty = new_pairs(couples(2, 0), couples(0, 0), "step 1")
    assert "0 new positive" in texts(empty)
    assert (pixels(empty)[..., 3] == 0).all()
