from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from clustlab.projections import ProjectionError, available, pca, plane, projection_of
from clustlab.projections.layout import Layout

Drifting = Callable[..., tuple[np.ndarray, np.ndarray]]


def test_importing_projections_loads_neither_umap_nor_torch() -> None:
    code = "import sys, clustlab.projections; print({'umap', 'numba', 'torch', 'streamlit'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


def test_pca_keeps_distances_in_the_plane_of_largest_variance() -> None:
    flat = np.random.default_rng(0).normal(size=(40, 2)) * [5, 2]
    basis = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 2)))[0]
    layout = pca.project(flat @ basis.T, flat[:3] @ basis.T)
    pairwise = np.linalg.norm(layout.points[:, None] - layout.points[None], axis=2)
    np.testing.assert_allclose(pairwise, np.linalg.norm(flat[:, None] - flat[None], axis=2), atol=1e-4)
    np.testing.assert_allclose(layout.centroids, layout.points[:3], atol=1e-5)


def test_pca_keeps_axes_and_signs_over_frames(drifting: Drifting) -> None:
    codes, centroids = drifting(0)
    layout = pca.project(codes, centroids)
    for flip in (np.diag([-1.0, 1, -1, 1]), np.diag([1.0, -1, -1, -1]), np.eye(4)[[1, 0, 3, 2]]):
        again = pca.project(codes @ flip, centroids @ flip, layout)
        np.testing.assert_allclose(again.points, layout.points, atol=1e-4)
        np.testing.assert_allclose(again.centroids, layout.centroids, atol=1e-4)
        assert again.stability == pytest.approx(0, abs=1e-4)


def test_pca_does_not_rescale(drifting: Drifting) -> None:
    codes, centroids = drifting(0)
    layout = pca.project(codes, centroids)
    np.testing.assert_allclose(pca.project(3 * codes, 3 * centroids, layout).points, 3 * layout.points, atol=1e-3)


def test_collapsed_codes_are_one_point_and_the_next_frame_recovers(drifting: Drifting) -> None:
    codes, centroids = drifting(0)
    collapsed = pca.project(np.ones_like(codes), np.ones_like(centroids), pca.project(codes, centroids))
    assert np.ptp(collapsed.points, axis=0).max() == 0
    assert np.isfinite(collapsed.centroids).all()
    recovered = pca.project(codes, centroids, collapsed)
    assert np.ptp(recovered.points, axis=0).min() > 1


@pytest.mark.parametrize("project", [pca.project, plane.project])
def test_codes_with_one_coordinate_lie_on_a_line(project: Callable[..., Layout]) -> None:
    layout = project(np.arange(5.0)[:, None], np.array([[2.0]]))
    np.testing.assert_allclose(layout.points[:, 1], 0)
    assert np.ptp(layout.points[:, 0]) == pytest.approx(4)


def test_plane_shows_codes_as_they_are() -> None:
    codes = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    layout = plane.project(codes, codes[:2], Layout(codes + 1, codes[:2]))
    np.testing.assert_array_equal(layout.points, codes)
    assert layout.stability is not None
    assert layout.stability > 0
    with pytest.raises(ProjectionError, match="3 coordinates"):
        plane.project(np.zeros((6, 3)), np.zeros((2, 3)))


def test_available_prefers_the_plane_where_there_is_one() -> None:
    assert available(2, 100) == ["plane", "umap", "pca"]
    assert available(10, 100) == ["umap", "pca"]
    assert available(10, 2) == ["pca"]
    with pytest.raises(ProjectionError, match="plane, umap, pca"):
        projection_of("tsne")
