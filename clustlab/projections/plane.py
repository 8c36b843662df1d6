"""Codes that already have two coordinates: drawn as they are."""

from __future__ import annotations

import numpy as np

from clustlab.projections.layout import Layout, Projection, ProjectionError, checked, motion

__all__ = ["PLANE", "project"]


def project(codes: np.ndarray, centroids: np.ndarray, previous: Layout | None = None) -> Layout:
    """Return the codes themselves; codes with one coordinate lie on a line (the second is 0).

    Raises
    ------
    ProjectionError
        If the codes have more than two coordinates.
    """
    codes, centroids = checked(codes, centroids)
    width = codes.shape[1]
    if width > 2:
        raise ProjectionError(f"codes with {width} coordinates are not a plane; choose the projection umap or pca")
    points, means = (np.pad(rows, ((0, 0), (0, 2 - width))).astype(np.float32) for rows in (codes, centroids))
    same = previous is not None and len(previous.points) == len(points)
    return Layout(points, means, motion(previous.points, points) if previous is not None and same else None)


PLANE = Projection(
    name="plane",
    title="Plane",
    note="The codes have two coordinates and are drawn as they are: distances are true.",
    project=project,
)
