"""What a projection gives, and how one layout is laid over another so that motion on screen means something."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clustlab.errors import ClustlabError

__all__ = ["Layout", "Projection", "ProjectionError", "align", "blend", "checked", "motion", "radius", "turn"]


class ProjectionError(ClustlabError, ValueError):
    """Codes that cannot be put on a plane, or a projection that does not exist."""


@dataclass(frozen=True)
class Layout:
    """Coordinates of one frame on the map.

    Attributes
    ----------
    points : ndarray of float32, shape (n, 2)
        The probe's samples.
    centroids : ndarray of float32, shape (K, 2)
        The centroids, in the same plane.
    stability : float or None
        Mean displacement of the points since the layout before, as a share of the layout's radius; None for a
        layout without a predecessor.
    """

    points: np.ndarray
    centroids: np.ndarray
    stability: float | None = None

    @property
    def rows(self) -> np.ndarray:
        """Points and centroids one below the other, float64, shape (n + K, 2)."""
        return np.concatenate([self.points, self.centroids]).astype(np.float64)


@dataclass(frozen=True)
class Projection:
    """One way onto the plane.

    Attributes
    ----------
    name : str
        What it is called in paths, links and on the command line.
    title : str
        What a person reads.
    note : str
        One sentence printed beside the map: how far distances in it may be trusted.
    project : callable
        ``project(codes, centroids, previous)`` with codes (n, J), centroids (K, J) and the layout to stay close to
        (or None) returns a :class:`Layout`. It keeps no state: what it needs to know of the past is ``previous``, so
        that a projector can be stopped and resumed anywhere.
    settings : mapping
        Everything that decides the coordinates, written beside them.
    seed : int or None
        Seed of whatever is random in it.
    """

    name: str
    title: str
    note: str
    project: Callable[[np.ndarray, np.ndarray, Layout | None], Layout]
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None


def checked(codes: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return codes (n, J) and centroids (K, J) as float64.

    Raises
    ------
    ProjectionError
        If their shapes do not fit together, there is no sample, or a value is not finite.
    """
    codes, centroids = np.asarray(codes, np.float64), np.asarray(centroids, np.float64)
    if codes.ndim != 2 or centroids.ndim != 2 or codes.shape[1] != centroids.shape[1] or 0 in codes.shape:
        raise ProjectionError(
            f"codes of shape {codes.shape} and centroids of shape {centroids.shape} cannot share a plane; "
            "they must be (n, J) and (K, J) with at least one sample"
        )
    broken = int((~np.isfinite(codes).all(axis=1)).sum())
    if broken:
        raise ProjectionError(f"{broken} of {len(codes)} codes are not finite numbers; training has diverged here")
    if not np.isfinite(centroids).all():
        raise ProjectionError("a centroid is not a finite number; training has diverged here")
    return codes, centroids


def radius(points: np.ndarray) -> float:
    """Return the root mean square distance of points (n, 2) from their mean: the radius of a layout."""
    return float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean()))


def turn(rows: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the rotation or reflection (2, 2) that brings rows (m, 2) closest to a reference (m, 2): Procrustes.

    Both are taken about their means. Where one of them is a single point, nothing says which way round: no turn.
    """
    if radius(rows) == 0 or radius(reference) == 0:
        return np.eye(2)
    left, _, right = np.linalg.svd((rows - rows.mean(axis=0)).T @ (reference - reference.mean(axis=0)))
    return np.asarray(left @ right)


def align(rows: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return rows (m, 2) turned, scaled and moved onto a reference (m, 2).

    The scale gives the rows the radius of the reference. The least-squares scale is smaller than that by the
    correlation of the two: a map aligned a hundred times would shrink to a dot.
    """
    mean, target = rows.mean(axis=0), reference.mean(axis=0)
    turned = (rows - mean) @ turn(rows, reference)
    if radius(rows) > 0 and radius(reference) > 0:
        turned *= radius(reference) / radius(rows)
    return np.asarray(turned + target)


def motion(before: np.ndarray, after: np.ndarray) -> float:
    """Return the mean displacement between two layouts' points (n, 2) as a share of the larger radius."""
    size = max(radius(before), radius(after))
    return float(np.linalg.norm(after - before, axis=1).mean() / size) if size > 0 else 0.0


def blend(before: Layout, after: Layout, share: float) -> Layout:
    """Return the layout that lies at a share (0 … 1) of the way between two."""
    return Layout(
        before.points + np.float32(share) * (after.points - before.points),
        before.centroids + np.float32(share) * (after.centroids - before.centroids),
    )
