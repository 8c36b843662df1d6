"""The only tests that load umap: it compiles for many seconds once a process."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from clustlab.projections import ProjectionError, umap
from clustlab.projections.layout import Layout, align, motion, radius

Drifting = Callable[..., tuple[np.ndarray, np.ndarray]]


def group(t: float) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(1)
    middles = generator.normal(size=(4, 6)) * 4
    codes = middles[np.arange(120) % 4] + generator.normal(size=(120, 6))
    return codes * (1 + 0.02 * t), middles * (1 + 0.02 * t)


@pytest.fixture(scope="module")
def first() -> Layout:
    """An ordinary first fit; everything else starts from it."""
    return umap.project(*group(0))


def test_groups_and_their_centroids_stay_together(first: Layout) -> None:
    assert first.points.shape == (120, 2)
    assert first.stability is None
    distances = np.linalg.norm(first.points[:, None] - first.centroids[None], axis=2)
    assert (distances.argmin(axis=1) == np.arange(120) % 4).mean() > 0.95


def test_a_warm_refit_moves_less_than_an_independent_one(first: Layout) -> None:
    generator = np.random.default_rng(2)
    codes, centroids = group(1)
    codes = codes + generator.normal(size=codes.shape) * 0.1
    warm = umap.project(codes, centroids, first)
    independent = umap.project(codes, centroids)
    aligned = align(independent.rows, first.rows)[: len(codes)]
    assert warm.stability == pytest.approx(motion(first.points, warm.points))
    assert warm.stability < 0.5 * motion(first.points, aligned)


def test_the_map_keeps_its_size(first: Layout) -> None:
    layout = first
    for t in range(1, 6):
        layout = umap.project(*group(t), layout)
    assert radius(layout.rows) == pytest.approx(radius(first.rows), rel=1e-3)


def test_the_same_codes_give_the_same_map(first: Layout) -> None:
    again = umap.project(*group(1), first)
    np.testing.assert_array_equal(again.points, umap.project(*group(1), first).points)


def test_a_collapse_is_one_point_in_place_and_the_next_frame_recovers(first: Layout) -> None:
    codes, centroids = group(0)
    collapsed = umap.project(np.ones_like(codes), np.ones_like(centroids), first)
    assert np.ptp(collapsed.points, axis=0).max() == 0
    np.testing.assert_allclose(collapsed.points[0], first.points.mean(axis=0), atol=1e-4)
    recovered = umap.project(codes, centroids, collapsed)
    assert np.isfinite(recovered.rows).all()
    assert radius(recovered.points) > 1


def test_codes_on_a_few_spots_do_not_crash(first: Layout) -> None:
    codes, centroids = group(0)
    spots = codes[np.arange(len(codes)) % 6]
    layout = umap.project(spots, centroids, first)
    assert np.isfinite(layout.rows).all()


@pytest.mark.parametrize("n", [1, 2, 3, 5, 17])
def test_tiny_samples_have_a_map(n: int, first: Layout) -> None:
    codes, centroids = group(0)
    layout = umap.project(codes[:n], centroids[:2], umap.project(codes[:n], centroids[:2]))
    assert layout.points.shape == (n, 2)
    assert np.isfinite(layout.rows).all()


def test_codes_with_one_coordinate_have_a_map(first: Layout) -> None:
    codes, centroids = group(0)
    layout = umap.project(codes[:40, :1], centroids[:, :1])
    assert np.isfinite(umap.project(codes[:40, :1], centroids[:, :1], layout).rows).all()


def test_the_number_of_centroids_may_change(first: Layout) -> None:
    codes, centroids = group(0)
    layout = umap.project(codes, centroids[:2], first)
    assert layout.centroids.shape == (2, 2)
    assert layout.stability is not None
    assert layout.stability < 0.5


def test_very_large_and_very_small_codes_have_a_map(first: Layout) -> None:
    for size in (1e30, 1e-30):
        codes, centroids = (size * rows for rows in group(0))
        assert np.isfinite(umap.project(codes, centroids, first).rows).all()


def test_codes_that_are_not_numbers_are_refused() -> None:
    codes, centroids = group(0)
    codes[3, 1] = np.nan
    with pytest.raises(ProjectionError, match="1 of 120 codes"):
        umap.project(codes, centroids)
