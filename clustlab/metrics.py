"""How good a clustering is: thin calls of scikit-learn and SciPy, and the matching of clusters to each other.

Scores that need the classes (ACC, NMI, ARI) are for reporting only; what training or stopping may look at is
label-free (:func:`silhouette`). To add a score, write a function here and name it in :func:`scores`.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn import metrics as sklearn_metrics
from sklearn.metrics.cluster import contingency_matrix

__all__ = ["accuracy", "match", "scores", "silhouette", "vital_signs"]

WIDE = 256
"""Codes with more coordinates than this are raw features; their rank is not asked for."""


def accuracy(y: np.ndarray, labels: np.ndarray) -> float:
    r"""Return the clustering accuracy: the share of samples that the best one-to-one matching gets right.

    .. math:: \mathrm{ACC} = \max_m \frac{1}{n} \sum_i \mathbf{1}\{y_i = m(s_i)\}

    The matching of clusters to classes is found by the Hungarian method. Where there are more clusters than classes,
    the samples of clusters left over count as wrong, and the other way round.

    Parameters
    ----------
    y, labels : ndarray of int, (n,)
        Class and cluster of each sample. Negative clusters are noise, as of scikit-learn's DBSCAN: always wrong.
    """
    clustered = np.asarray(labels) >= 0
    if not clustered.any():
        return 0.0
    counts = contingency_matrix(np.asarray(y)[clustered], np.asarray(labels)[clustered])
    rows, columns = linear_sum_assignment(counts, maximize=True)
    return float(counts[rows, columns].sum() / len(y))


def scores(y: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return ``acc``, ``nmi`` (arithmetic mean) and ``ari`` of a clustering against the classes, each at most 1.

    Parameters
    ----------
    y, labels : ndarray of int, (n,)
        Class and cluster of each sample.
    """
    return {
        "acc": accuracy(y, labels),
        "nmi": float(sklearn_metrics.normalized_mutual_info_score(y, labels, average_method="arithmetic")),
        "ari": float(sklearn_metrics.adjusted_rand_score(y, labels)),
    }


def match(from_labels: np.ndarray, to_labels: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return the renaming of clusters that agrees best with another clustering of the same samples.

    ``permutation[from_labels]`` uses the cluster ids of ``to_labels``. Where the overlap decides nothing, as between
    two empty clusters, a cluster keeps its own id if it can.

    Parameters
    ----------
    from_labels, to_labels : ndarray of int, (n,)
        Cluster ids 0 … ``n_clusters`` − 1.
    n_clusters : int
        Number of clusters K of both.

    Returns
    -------
    ndarray of int64, (K,)
    """
    pairs = np.asarray(from_labels, dtype=np.int64) * n_clusters + np.asarray(to_labels, dtype=np.int64)
    overlap = np.bincount(pairs, minlength=n_clusters**2).reshape(n_clusters, n_clusters)
    # One shared sample outweighs all the bonuses for keeping an id that a permutation can collect.
    _, permutation = linear_sum_assignment(
        overlap * (n_clusters + 1) + np.eye(n_clusters, dtype=np.int64), maximize=True
    )
    return np.asarray(permutation, dtype=np.int64)


def silhouette(codes: np.ndarray, labels: np.ndarray, limit: int = 1000) -> float | None:
    """Return the mean silhouette width, −1 … 1, or None where it is not defined. It needs no classes.

    Not defined are clusterings with fewer than two clusters or without a cluster of two samples, and codes that are not
    finite.

    Parameters
    ----------
    codes : ndarray, (n, J)
        Where the samples lie.
    labels : ndarray of int, (n,)
        Cluster of each sample.
    limit : int
        At most so many samples are looked at, always the same ones; time and memory grow with its square.
    """
    if len(codes) > limit:
        chosen = np.sort(np.random.default_rng(0).choice(len(codes), size=limit, replace=False))
        codes, labels = codes[chosen], labels[chosen]
    if not 2 <= len(np.unique(labels)) < len(labels) or not np.isfinite(codes).all():
        return None
    return float(sklearn_metrics.silhouette_score(codes, labels))


def vital_signs(codes: np.ndarray, labels: np.ndarray, n_clusters: int) -> dict[str, float]:
    r"""Return signs of a healthy or collapsing code space that need no classes.

    ``within_share``: variance within clusters over total variance, 0 … 1; unlike a clustering loss it cannot be lowered
    by shrinking the codes. ``effective_rank``: :math:`\exp H(\lambda / \sum \lambda)` of the eigenvalues λ of the
    covariance (Roy and Vetterli 2007), 1 … J. ``active_clusters``: :math:`\exp H` of the cluster sizes, 1 … K.

    Parameters
    ----------
    codes : ndarray (n, J)
    labels : ndarray of int (n,)
    n_clusters : int
    """
    if not np.isfinite(codes).all():
        return {}
    codes = np.asarray(codes, dtype=np.float64)
    centred = codes - codes.mean(axis=0)
    total = float(np.square(centred).sum())
    sizes = np.bincount(labels, minlength=n_clusters)
    sums = np.stack([np.bincount(labels, column, minlength=n_clusters) for column in centred.T], axis=1)
    between = float((np.square(sums).sum(axis=1) / np.maximum(sizes, 1)).sum())
    eigenvalues = np.linalg.eigvalsh(centred.T @ centred).clip(min=0) if codes.shape[1] <= WIDE else np.zeros(0)
    signs = {"active_clusters": _perplexity(sizes)}
    if total > 0:
        signs["within_share"] = min(1.0, max(0.0, 1 - between / total))
        if eigenvalues.sum() > 0:
            signs["effective_rank"] = _perplexity(eigenvalues)
    return signs


def _perplexity(amounts: np.ndarray) -> float:
    shares = amounts[amounts > 0] / amounts.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))
