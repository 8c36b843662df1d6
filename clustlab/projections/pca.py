"""Principal components: the plane in which a frame's codes spread most; linear, exact, there at once."""

from __future__ import annotations

import numpy as np

from clustlab.projections.layout import Layout, Projection, checked, motion, turn

__all__ = ["PCA", "principal_plane", "project"]


def principal_plane(codes: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis (J, 2) of the plane of largest variance; a missing second direction is zero.

    The sign of a direction is free; here its largest coordinate is positive, so that equal codes give equal maps.
    """
    centred = codes - codes.mean(axis=0)
    size = np.abs(centred).max()
    scatter = (centred / size).T @ (centred / size) if size > 0 else np.eye(codes.shape[1])
    basis = np.linalg.eigh(scatter)[1][:, ::-1][:, :2]
    basis = basis * np.where(np.take_along_axis(basis, np.abs(basis).argmax(axis=0)[None], axis=0) < 0, -1.0, 1.0)
    return np.pad(basis, ((0, 0), (0, 2 - basis.shape[1])))


def project(codes: np.ndarray, centroids: np.ndarray, previous: Layout | None = None) -> Layout:
    """Return codes and centroids in the codes' own principal plane, turned to the previous layout.

    Each frame has its own plane: a basis kept from the first frame would show where a random encoder happened to
    spread, and later frames, whose clusters lie in other directions, would fall on top of one another. Within its
    plane the layout is rotated or reflected onto the one before, never scaled, so that axes do not flip from frame to
    frame and distances in the plane stay those of the codes. The origin is the mean of the codes.
    """
    codes, centroids = checked(codes, centroids)
    basis, mean = principal_plane(codes), codes.mean(axis=0)
    points, means = (codes - mean) @ basis, (centroids - mean) @ basis
    if previous is None or len(previous.points) != len(points):
        return Layout(points.astype(np.float32), means.astype(np.float32))
    rotation = turn(points, previous.points.astype(np.float64))
    points, means = (points @ rotation).astype(np.float32), (means @ rotation).astype(np.float32)
    return Layout(points, means, motion(previous.points, points))


PCA = Projection(
    name="pca",
    title="PCA",
    note="A linear view: what is far apart here is far apart in the codes, what is close may not be.",
    project=project,
    settings={"components": 2, "fitted": "on each frame's codes", "alignment": "rotation or reflection"},
)
