"""Reading clusters out of codes: k-means with every argument of the protocol written down.

A number such as ACC depends on the read-out as much as on the network (restarts, whitening), so the protocol is an
object that is recorded with the run. Nothing here trains a network; to read out in another way, write another
protocol and its function beside these.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning

from clustlab.errors import DataError
from clustlab.spec import Part, option

__all__ = ["KMeansProtocol", "ReadOut", "best_start", "fit"]

EPSILON = 1e-5
"""Added to each singular value, as in the ACAI authors' code: directions without spread are not blown up."""


class KMeansProtocol(Part):
    """How k-means is run; restarts keep the lowest inertia, never the best score."""

    n_init: int = option(20, low=1, high=1000, help="Restarts from different k-means++ seeds; the best one is kept.")
    max_iter: int = option(300, low=1, high=10_000, help="Iterations of one restart at most.", advanced=True)
    whiten: bool = option(
        False,
        help="Give all directions of the codes the same spread first, as in the ACAI paper; it changes the answer.",
    )


class ReadOut(NamedTuple):
    """What k-means found.

    Attributes
    ----------
    labels : ndarray of int64, (n,)
        Cluster of each sample.
    centroids : ndarray of float32, (K, J)
        Means of the clusters in the space of the codes; repeated where there are fewer distinct codes than clusters.
    inertia : float
        Sum of squared distances to the centroids, in whitened units if the codes were whitened.
    """

    labels: np.ndarray
    centroids: np.ndarray
    inertia: float


def fit(codes: np.ndarray, n_clusters: int, seed: int, protocol: KMeansProtocol | None = None) -> ReadOut:
    """Return labels, centroids and inertia of k-means on codes.

    Parameters
    ----------
    codes : ndarray, (n, J)
        Codes of the samples.
    n_clusters : int
        Number of clusters K, at most n.
    seed : int
        Seed of the restarts.
    protocol : KMeansProtocol, optional
        How k-means is run; without one, by its defaults.

    Raises
    ------
    DataError
        If there are fewer samples than clusters, or codes are not finite.
    """
    protocol = protocol or KMeansProtocol()
    _check(codes, n_clusters)
    codes = np.asarray(codes, dtype=np.float64)  # rounding noise of collapsed codes must stay below EPSILON
    mean, axes, spread = _whitening(codes) if protocol.whiten else (0.0, None, 1.0)
    seen = codes if axes is None else (codes - mean) @ axes.T / spread
    kmeans = _run(seen, n_clusters, "k-means++", protocol.n_init, protocol.max_iter, seed)
    found = kmeans.cluster_centers_
    centroids = found if axes is None else found * spread @ axes + mean
    return ReadOut(kmeans.labels_.astype(np.int64), centroids.astype(np.float32), float(kmeans.inertia_))


def best_start(codes: np.ndarray, n_clusters: int, seed: int, protocol: KMeansProtocol) -> np.ndarray:
    """Return the k-means++ seeding, of ``protocol.n_init``, whose run ends at the lowest inertia: (K, J) float32.

    For showing a run of k-means from its start; parameters and errors as in :func:`fit`.
    """
    _check(codes, n_clusters)
    seeds = np.random.SeedSequence(seed).generate_state(protocol.n_init)
    starts = [kmeans_plusplus(codes, n_clusters, random_state=int(each))[0] for each in seeds]
    inertia = [_run(codes, n_clusters, start, 1, protocol.max_iter, seed).inertia_ for start in starts]
    return np.asarray(starts[int(np.argmin(inertia))], dtype=np.float32)


def _check(codes: np.ndarray, n_clusters: int) -> None:
    if len(codes) < n_clusters:
        raise DataError(f"{n_clusters} clusters cannot be found in {len(codes)} samples; ask for at most as many")
    if not np.isfinite(codes).all():
        raise DataError("the codes are not finite numbers; training has diverged, try a smaller learning rate")


def _run(codes: np.ndarray, n_clusters: int, init: str | np.ndarray, n_init: int, max_iter: int, seed: int) -> KMeans:
    kmeans = KMeans(
        n_clusters, init=init, n_init=n_init, max_iter=max_iter, tol=1e-4, random_state=seed, algorithm="lloyd"
    )
    with warnings.catch_warnings():
        # Fewer distinct codes than clusters: a collapsed network is something to show, not a reason to stop.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return kmeans.fit(codes)


def _whitening(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Return mean (J,), principal axes (r, J) and spreads (r,) of codes, r = min(n, J).

    With the singular value decomposition :math:`Z - \bar z = U S V^\top` the whitened codes are
    :math:`\sqrt{n}\,(z - \bar z) V / (s + 10^{-5})` (Berthelot et al. 2019, authors' code; there without
    :math:`\sqrt n`, which no partition depends on, but the tolerance of k-means does).
    """
    mean = codes.mean(axis=0)
    _, singular, axes = np.linalg.svd(codes - mean, full_matrices=False)
    return mean, axes, (singular + EPSILON) / np.sqrt(len(codes))
