from __future__ import annotations

import numpy as np
import pytest

from clustlab.errors import ClustlabError
from clustlab.projections.layout import Layout, align, blend, checked, motion, radius, turn


def turned(points: np.ndarray, angle: float, *, mirror: bool = False) -> np.ndarray:
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = np.array([[cosine, -sine], [sine, cosine]]) @ np.diag([1, -1 if mirror else 1])
    return points @ matrix


@pytest.mark.parametrize("mirror", [False, True])
def test_align_recovers_a_layout_that_was_turned_scaled_and_moved(mirror: bool) -> None:
    reference = np.random.default_rng(0).normal(size=(50, 2)) + [3, -1]
    moved = 7.5 * turned(reference, 2.1, mirror=mirror) + [40, 8]
    np.testing.assert_allclose(align(moved, reference), reference, atol=1e-9)


def test_aligning_many_times_does_not_shrink_the_map() -> None:
    generator = np.random.default_rng(0)
    layout = first = generator.normal(size=(200, 2))
    for _ in range(50):
        layout = align(layout + generator.normal(size=layout.shape), layout)
    assert radius(layout) == pytest.approx(radius(first))


def test_a_single_point_tells_where_but_not_how_large() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 2))
    placed = align(rows, np.full((20, 2), 5.0))
    assert placed.mean(axis=0) == pytest.approx([5, 5])
    assert radius(placed) == pytest.approx(radius(rows))
    np.testing.assert_array_equal(turn(rows, np.zeros((20, 2))), np.eye(2))


def test_motion_is_a_share_of_the_radius() -> None:
    points = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    assert motion(points, points + [0.25, 0]) == pytest.approx(0.25)
    assert motion(100 * points, 100 * points + [25, 0]) == pytest.approx(0.25)
    assert motion(np.zeros((4, 2)), np.zeros((4, 2))) == 0


def test_blend_lies_between() -> None:
    before, after = Layout(np.zeros((3, 2)), np.zeros((1, 2))), Layout(np.ones((3, 2)), np.full((1, 2), 4.0))
    between = blend(before, after, 0.25)
    np.testing.assert_allclose(between.points, 0.25)
    np.testing.assert_allclose(between.centroids, 1.0)


@pytest.mark.parametrize(
    ("codes", "centroids", "says"),
    [
        (np.full((4, 3), np.nan), np.zeros((2, 3)), "4 of 4 codes are not finite"),
        (np.zeros((4, 3)), np.full((2, 3), np.inf), "a centroid is not a finite number"),
        (np.zeros((4, 3)), np.zeros((2, 2)), "cannot share a plane"),
        (np.zeros((0, 3)), np.zeros((2, 3)), "at least one sample"),
    ],
)
def test_codes_without_a_place_are_refused_in_a_sentence(codes: np.ndarray, centroids: np.ndarray, says: str) -> None:
    with pytest.raises(ClustlabError, match=says):
        checked(codes, centroids)
