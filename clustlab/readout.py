"""Reading clusters out of codes: k-means or a mixture of Gaussians, every argument of the protocol written down.

A number such as ACC depends on the read-out as much as on the network (restarts, whitening), so the protocol is an
object that is recorded with the run. Nothing here trains a network; to read out in another way, write another
protocol and its function beside these.
"""

from __future__ import annotations

import warnings
from typing import Literal, NamedTuple

import numpy as np
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from clustlab.errors import DataError
from clustlab.spec import Part, option

__all__ = [
    "GMMProtocol",
    "KMeansProtocol",
    "Mixture",
    "MixtureReadOut",
    "ReadOut",
    "best_mixture_start",
    "best_start",
    "fit",
    "fit_gmm",
    "mixture_ridge",
    "whitening",
]

EPSILON = 1e-5
"""Added to each singular value, as in the ACAI authors' code: directions without spread are not blown up."""

ROUNDING = 1e-6
"""Spread of codes, as a share of their magnitude, that may be no more than rounding in single precision."""

FIRST_ROUND = 20
"""EM steps after which half of the starts of a mixture are given up."""


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


class GMMProtocol(Part):
    """How a mixture of Gaussians is fitted by EM; restarts keep the highest likelihood, never the best score."""

    covariance: Literal["full", "diag"] = option(
        "full", help="Components of any direction and shape, or with axes along the coordinates."
    )
    n_init: int = option(
        10,
        low=1,
        high=1000,
        help="Starts, the first from k-means, the others from random samples; the highest likelihood wins.",
    )
    max_iter: int = option(200, low=1, high=10_000, help="EM steps of one start at most.", advanced=True)
    tolerance: float = option(
        1e-4,
        low=0,
        high=1,
        unit="nats",
        help="EM ends when the mean log-likelihood gains less than this in a step.",
        advanced=True,
    )
    ridge: float = option(
        1e-4,
        low=1e-8,
        high=1,
        help="Added to each variance, as a share of the codes' mean variance: no component shrinks to a point.",
        advanced=True,
    )


class Mixture(NamedTuple):
    """Parameters of a mixture of Gaussians, float64, in units of the codes.

    Attributes
    ----------
    weights : ndarray, (K,)
    means : ndarray, (K, J)
    covariances : ndarray, (K, J, J) or (K, J)
        Matrices, or variances under the covariance ``diag``.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray


class MixtureReadOut(NamedTuple):
    """What EM found.

    Attributes
    ----------
    labels : ndarray of int64, (n,)
        The most probable component of each sample.
    means, covariances, weights : ndarray
        As in :class:`Mixture`.
    log_likelihood : float
        Mean over the samples, in nats.
    """

    labels: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    weights: np.ndarray
    log_likelihood: float


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
    mean, axes, spread = whitening(codes) if protocol.whiten else (0.0, None, 1.0)
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


def fit_gmm(codes: np.ndarray, n_clusters: int, seed: int, protocol: GMMProtocol | None = None) -> MixtureReadOut:
    """Return labels and parameters of a mixture of Gaussians fitted to codes by EM.

    Parameters
    ----------
    codes : ndarray, (n, J)
        Codes of the samples.
    n_clusters : int
        Number of components K, at most n.
    seed : int
        Seed of the starts.
    protocol : GMMProtocol, optional
        How EM is run; without one, by its defaults.

    Raises
    ------
    DataError
        If there are fewer samples than clusters, or codes are not finite.

    Notes
    -----
    Codes are shifted to mean zero and divided by one number before they are fitted, and the answer is given in their
    own units, so that it depends neither on their scale nor on where they lie. Codes that have collapsed onto a point
    give components that differ in nothing.
    """
    protocol = protocol or GMMProtocol()
    _check(codes, n_clusters)
    unit, middle, scale = _to_unit_spread(codes)
    _, found = _best_mixture(unit, n_clusters, seed, protocol)
    mixture = _in_units_of_codes(Mixture(found.weights_, found.means_, found.covariances_), middle, scale)
    return MixtureReadOut(
        labels=found.predict(unit).astype(np.int64),
        means=mixture.means,
        covariances=mixture.covariances,
        weights=mixture.weights,
        log_likelihood=float(found.score(unit) - unit.shape[1] * np.log(scale)),
    )


def best_mixture_start(codes: np.ndarray, n_clusters: int, seed: int, protocol: GMMProtocol) -> Mixture:
    """Return the start, of ``protocol.n_init``, from which EM reaches the highest likelihood.

    For showing a run of EM from its start; parameters and errors as in :func:`fit_gmm`.
    """
    _check(codes, n_clusters)
    unit, middle, scale = _to_unit_spread(codes)
    start, _ = _best_mixture(unit, n_clusters, seed, protocol)
    return _in_units_of_codes(start, middle, scale)


def mixture_ridge(codes: np.ndarray, protocol: GMMProtocol) -> float:
    """Return what the protocol adds to each variance, in squared units of the codes (n, J)."""
    return protocol.ridge * float(_to_unit_spread(codes)[2]) ** 2


def _best_mixture(
    codes: np.ndarray, n_clusters: int, seed: int, protocol: GMMProtocol
) -> tuple[Mixture, GaussianMixture]:
    """Return the best start and what EM makes of it, for codes of unit spread (n, J).

    All starts run for a few steps, the better half of them twice as long, and so on; the last one runs to its end.
    """
    seeds = np.random.SeedSequence(seed).generate_state(protocol.n_init).tolist()
    starts = [_start_from_kmeans(codes, n_clusters, seeds[0], protocol)]
    starts += [_start_from_samples(codes, n_clusters, each, protocol) for each in seeds[1:]]
    racing = [(start, _mixture_model(start, protocol)) for start in starts]
    done, steps = 0, FIRST_ROUND
    while done < protocol.max_iter:
        steps = min(steps if len(racing) > 1 else protocol.max_iter, protocol.max_iter - done)
        for _, model in racing:
            _go_on(model, codes, steps)
        racing.sort(key=lambda each: -each[1].lower_bound_)
        if len(racing) == 1:
            break
        racing = racing[: (len(racing) + 1) // 2]
        done, steps = done + steps, 2 * steps
    return racing[0]


def _start_from_kmeans(codes: np.ndarray, n_clusters: int, seed: int, protocol: GMMProtocol) -> Mixture:
    """Return the mixture that the clusters of k-means are."""
    kmeans = _run(codes, n_clusters, "k-means++", 1, 300, seed)
    members = [codes[kmeans.labels_ == cluster] for cluster in range(n_clusters)]
    sizes = np.array([len(own) for own in members])
    everything = _covariance(codes, protocol)
    covariances = [_covariance(own, protocol) if len(own) else everything for own in members]
    # A cluster without samples, as among codes that coincide, starts with the weight of a single one.
    weights = np.maximum(sizes, 1) / np.maximum(sizes, 1).sum()
    return Mixture(weights, kmeans.cluster_centers_, np.stack(covariances))


def _start_from_samples(codes: np.ndarray, n_clusters: int, seed: int, protocol: GMMProtocol) -> Mixture:
    """Return equal components with the covariance of all codes, around samples chosen by k-means++.

    Long parallel clusters are found from here and not from k-means, which has already cut across them.
    """
    means = kmeans_plusplus(codes, n_clusters, random_state=seed)[0]
    covariances = np.stack([_covariance(codes, protocol)] * n_clusters)
    return Mixture(np.full(n_clusters, 1 / n_clusters), means, covariances)


def _covariance(codes: np.ndarray, protocol: GMMProtocol) -> np.ndarray:
    """Return the covariance of codes with its ridge: (J, J), or the variances (J,)."""
    if protocol.covariance == "diag":
        return np.asarray(codes.var(axis=0) + protocol.ridge)
    away = codes - codes.mean(axis=0)
    return np.asarray(away.T @ away / len(codes) + protocol.ridge * np.eye(codes.shape[1]))


def _mixture_model(start: Mixture, protocol: GMMProtocol) -> GaussianMixture:
    precisions = np.linalg.inv(start.covariances) if protocol.covariance == "full" else 1 / start.covariances
    return GaussianMixture(
        len(start.weights),
        covariance_type=protocol.covariance,
        tol=protocol.tolerance,
        reg_covar=protocol.ridge,
        weights_init=start.weights,
        means_init=start.means,
        precisions_init=precisions,
        warm_start=True,
    )


def _go_on(model: GaussianMixture, codes: np.ndarray, steps: int) -> None:
    """Run EM for some steps more, unless it has already come to its end."""
    if getattr(model, "converged_", False):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # what so many steps have found is taken as it is
        model.set_params(max_iter=steps).fit(codes)


def _to_unit_spread(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return codes (n, J) with mean zero and mean variance one, their mean (J,) and the factor taken out."""
    codes = np.asarray(codes, dtype=np.float64)
    middle = codes.mean(axis=0)
    spread = float(np.sqrt(codes.var(axis=0).mean()))
    # The spread of collapsed codes is rounding noise, which must not be blown up to clusters.
    scale = max(spread, ROUNDING * float(np.abs(codes).max())) or 1.0
    return (codes - middle) / scale, middle, scale


def _in_units_of_codes(mixture: Mixture, middle: np.ndarray, scale: float) -> Mixture:
    return Mixture(mixture.weights, mixture.means * scale + middle, mixture.covariances * scale**2)


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


def whitening(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Return mean (J,), principal axes (r, J) and spreads (r,) of codes, r = min(n, J).

    With the singular value decomposition :math:`Z - \bar z = U S V^\top` the whitened codes are
    :math:`\sqrt{n}\,(z - \bar z) V / (s + 10^{-5})` (Berthelot et al. 2019, authors' code; there without
    :math:`\sqrt n`, which no partition depends on, but the tolerance of k-means does).
    """
    mean = codes.mean(axis=0)
    _, singular, axes = np.linalg.svd(codes - mean, full_matrices=False)
    return mean, axes, (singular + EPSILON) / np.sqrt(len(codes))
