"""What lies between two codes: the way from one to the other, decoded, assigned, judged and encoded again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clustlab.errors import ClustlabError
from clustlab.inspection.model import Inspection

__all__ = ["Between", "Clusters", "between"]

FINE = 201
"""Places on the way at which clusters are asked for, so that borders are found to half a hundredth."""


@dataclass(frozen=True)
class Clusters:
    """What a run recorded of its clusters near the step of a checkpoint.

    Attributes
    ----------
    centroids : ndarray (K, J)
        Recorded centroids; the nearest one decides where the model itself has no cluster for a code.
    model_cluster : ndarray of int (K,)
        The model's own index of each recorded cluster.
    """

    centroids: np.ndarray
    model_cluster: np.ndarray


@dataclass(frozen=True)
class Between:
    """Answers along the way (1 − α) z₁ + α z₂; what the model cannot tell is None.

    Attributes
    ----------
    shares : ndarray (s,)
        α of each picture.
    pictures : ndarray (s, …) or None
        Decoded mixed codes, in the data's own units.
    clusters : ndarray of int64 (s,)
        Recorded cluster of each mixed code.
    again : ndarray of int64 (s,) or None
        The same of each decoded picture, once it has been encoded again.
    guesses : ndarray (s,) or None
        The critic's guess of min(α, 1 − α), for each picture.
    fine : ndarray (f,)
        Closer places α.
    fine_clusters : ndarray of int64 (f,)
        Recorded cluster there.
    beliefs : ndarray (f, K) or None
        Soft assignments there.
    """

    shares: np.ndarray
    pictures: np.ndarray | None
    clusters: np.ndarray
    again: np.ndarray | None
    guesses: np.ndarray | None
    fine: np.ndarray
    fine_clusters: np.ndarray
    beliefs: np.ndarray | None


def between(model: Inspection, ends: np.ndarray, shares: np.ndarray, recorded: Clusters) -> Between:
    """Return what a model makes of the way between two codes.

    Parameters
    ----------
    model : Inspection
    ends : ndarray (2, J)
        The two codes.
    shares : ndarray (s,)
        Where pictures are wanted, 0 … 1.
    recorded : Clusters
        Ties the model's clusters to the recorded ones, and so to their colours.

    Raises
    ------
    DataError
        If these are no codes of the model.
    """
    fine = np.linspace(0, 1, FINE, dtype=np.float32)
    mixed, closely = _mixed(ends, shares), _mixed(ends, fine)
    pictures = model.decode(mixed) if "decode" in model.answers else None
    again = model.encode(pictures) if pictures is not None and "encode" in model.answers else None
    return Between(
        shares=np.asarray(shares),
        pictures=pictures,
        clusters=_assigned(model, mixed, recorded),
        again=None if again is None else _assigned(model, again, recorded),
        guesses=model.critic_of_codes(mixed) if {"decode", "critic"} <= model.answers else None,
        fine=fine,
        fine_clusters=_assigned(model, closely, recorded),
        beliefs=_believed(model, closely, recorded),
    )


def _mixed(ends: np.ndarray, shares: np.ndarray) -> np.ndarray:
    alpha = np.asarray(shares, np.float32)[:, None]
    return (1 - alpha) * ends[0].astype(np.float32) + alpha * ends[1].astype(np.float32)


def _assigned(model: Inspection, codes: np.ndarray, recorded: Clusters) -> np.ndarray:
    """Return recorded clusters of codes."""
    try:
        own = model.assign_codes(codes)
    except ClustlabError:  # a phase without clusters, or a method that labels only the samples it was trained on
        return _nearest(codes, recorded.centroids)
    return np.asarray(np.argsort(recorded.model_cluster)[own])


def _believed(model: Inspection, codes: np.ndarray, recorded: Clusters) -> np.ndarray | None:
    try:
        return np.asarray(model.soft_assign_codes(codes)[:, recorded.model_cluster])
    except ClustlabError:  # it does not assign softly
        return None


def _nearest(codes: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Return the nearest centroid of each code, (n, J) and (K, J) → (n,) int64."""
    squares = ((codes[:, None].astype(np.float64) - centroids[None]) ** 2).sum(axis=2)
    return np.asarray(squares.argmin(axis=1))
