"""The plane in which codes are drawn beside the map: their own if they have two coordinates, else the principal one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clustlab.projections import read_layout
from clustlab.projections.layout import checked, turn
from clustlab.projections.pca import principal_plane
from clustlab.views.moment import View

__all__ = ["CodePlane", "plane_of"]


@dataclass(frozen=True)
class CodePlane:
    """A plane in the space of the codes.

    Attributes
    ----------
    origin : ndarray, shape (J,)
        The code at the plane's zero.
    basis : ndarray, shape (J, 2)
        Two orthonormal directions; a missing second one is zero.
    titles : tuple of str
        What its two axes are.
    """

    origin: np.ndarray
    basis: np.ndarray
    titles: tuple[str, str]

    def points(self, codes: np.ndarray) -> np.ndarray:
        """Return codes (…, J) in the plane, (…, 2)."""
        return np.asarray((codes.astype(np.float64) - self.origin) @ self.basis)

    def steps(self, displacements: np.ndarray) -> np.ndarray:
        """Return displacements of codes (…, J) in the plane, (…, 2)."""
        return np.asarray(displacements.astype(np.float64) @ self.basis)

    def covariances(self, spread: np.ndarray) -> np.ndarray:
        """Return what variances (K, J) or covariances (K, J, J) are in the plane, (K, 2, 2)."""
        if spread.ndim == 2:
            return np.asarray(np.einsum("ja,kj,jb->kab", self.basis, spread.astype(np.float64), self.basis))
        return np.asarray(np.einsum("ia,kij,jb->kab", self.basis, spread.astype(np.float64), self.basis))

    def deviations(self, variances: np.ndarray) -> np.ndarray:
        """Return the standard deviations along the plane's axes, (n, 2), of variances (n, J)."""
        return np.asarray(np.sqrt((variances.astype(np.float64) @ self.basis**2).clip(min=0)))


def plane_of(view: View) -> CodePlane:
    """Return the plane of a view, turned as the map is where the map shows the principal plane.

    Raises
    ------
    ProjectionError
        If a code or centroid is not finite.
    """
    codes, _ = checked(view.arrays["codes"], view.arrays["centroids"])
    width = codes.shape[1]
    if width <= 2:
        return CodePlane(np.zeros(width), np.eye(2)[:width], ("z₁", "z₂") if width == 2 else ("z₁", ""))
    origin, basis = codes.mean(axis=0), principal_plane(codes)
    layout = read_layout(view.run.folder, "pca", view.frame.path.name)
    if layout is not None and len(layout.points) == len(codes):
        basis = basis @ turn((codes - origin) @ basis, layout.points.astype(np.float64))
    return CodePlane(origin, basis, ("principal plane, across", "principal plane, upwards"))
