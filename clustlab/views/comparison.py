"""What two or more runs have in common and in what they differ: arrays in, plain numbers out; no run is read here."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from clustlab.projections.layout import radius, turn

__all__ = ["alignment", "classes_of", "common_rows", "counterparts", "differences", "disagreement", "overlap"]

FEWEST = 3
"""Fewer points say nothing about how a plane is turned."""


def common_rows(indices: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the rows of the data set that all probes hold, and where they are in each.

    Parameters
    ----------
    indices : sequence of ndarray of int, (n_r,)
        The rows of each run's probe.

    Returns
    -------
    rows : ndarray of int64, (m,)
        Rising.
    positions : list of ndarray of int64, (m,)
        For each run: ``indices[r][positions[r]]`` are the rows.
    """
    rows = functools.reduce(np.intersect1d, [np.asarray(index, np.int64) for index in indices])
    orders = [np.argsort(index, kind="stable") for index in indices]
    found = [
        order[np.searchsorted(np.asarray(index), rows, sorter=order)]
        for index, order in zip(indices, orders, strict=True)
    ]
    return rows, found


def overlap(labels: np.ndarray, reference: np.ndarray, n_clusters: int, n_reference: int) -> np.ndarray:
    """Return how many samples lie in each cluster of a run and each of a reference: int64, (K, K_ref).

    Parameters
    ----------
    labels, reference : ndarray of int, (m,)
        Clusters of the same samples in both; samples without one (below zero) count nowhere.
    n_clusters, n_reference : int
        Number of clusters of each.
    """
    counts = np.zeros((n_clusters, n_reference), np.int64)
    both = (labels >= 0) & (labels < n_clusters) & (reference >= 0) & (reference < n_reference)
    np.add.at(counts, (np.asarray(labels, np.int64)[both], np.asarray(reference, np.int64)[both]), 1)
    return counts


def counterparts(counts: np.ndarray) -> np.ndarray:
    """Return the cluster of the reference that each cluster of a run corresponds to (Hungarian method), (K,) int64.

    No two get the same one. A cluster that is left over, or shares no sample with the one left for it, gets a number
    behind those of the reference, so that it is told apart from all of them; an empty one keeps its own where the
    reference has nothing there either.

    Parameters
    ----------
    counts : ndarray of int, (K, K_ref)
        As :func:`overlap` returns them.
    """
    n_clusters, n_reference = counts.shape
    clusters, matched = linear_sum_assignment(counts, maximize=True)
    found = np.full(n_clusters, -1, np.int64)
    shared = counts[clusters, matched] > 0
    found[clusters[shared]] = matched[shared]
    for j in np.flatnonzero(found < 0):
        if j < n_reference and j not in found and not counts[j].any() and not counts[:, j].any():
            found[j] = j
    found[found < 0] = n_reference + np.arange((found < 0).sum())
    return found


def alignment(points: np.ndarray, reference: np.ndarray) -> dict[str, list[Any]] | None:
    """Return the turn, scale and shift that lays points over a reference (Procrustes), or None where nothing says how.

    The scale gives the points the radius of the reference; the least-squares one would shrink what agrees little.

    Parameters
    ----------
    points, reference : ndarray, (m, 2)
        The same samples on both planes; those that have no finite place on one of them are passed over.

    Returns
    -------
    dict or None
        ``matrix`` (2, 2) and ``shift`` (2,) as lists: ``points @ matrix + shift`` lies over the reference.
    """
    there = np.isfinite(points).all(axis=1) & np.isfinite(reference).all(axis=1)
    points, reference = points[there].astype(np.float64), reference[there].astype(np.float64)
    if len(points) < FEWEST or radius(points) == 0 or radius(reference) == 0:
        return None
    matrix = turn(points, reference) * (radius(reference) / radius(points))
    return {"matrix": matrix.tolist(), "shift": (reference.mean(axis=0) - points.mean(axis=0) @ matrix).tolist()}


def classes_of(labels: np.ndarray, y: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return the class that each cluster stands for after one-to-one matching, as accuracy counts it, (K,) int64.

    Clusters that are left over stand for none, -1.

    Parameters
    ----------
    labels, y : ndarray of int, (n,)
        Cluster and class of each sample.
    n_clusters : int
        Number of clusters K.
    """
    clusters, classes = linear_sum_assignment(overlap(labels, y, n_clusters, int(y.max()) + 1), maximize=True)
    found = np.full(n_clusters, -1, np.int64)
    found[clusters] = classes
    return found


def disagreement(answers: Sequence[np.ndarray], truth: np.ndarray | None = None) -> dict[str, Any]:
    """Return on which samples runs disagree.

    Parameters
    ----------
    answers : sequence of ndarray of int, (m,)
        For each run the class that it takes each common sample for; without a truth, the matched cluster.
    truth : ndarray of int, (m,), optional
        The classes.

    Returns
    -------
    dict
        With a truth: ``right`` (how many each run gets), ``all`` and ``none`` (how many all or none of them get), and
        ``only``: for each run the samples that it alone gets. Without: ``all`` (how many they agree on) and
        ``differ``: the others. Samples are positions in the answers, rising, int64.
    """
    stacked = np.stack([np.asarray(each, np.int64) for each in answers])
    if truth is None:
        same = (stacked == stacked[0]).all(axis=0)
        return {"all": int(same.sum()), "differ": np.flatnonzero(~same)}
    right = stacked == truth
    count = right.sum(axis=0)
    return {
        "right": [int(each.sum()) for each in right],
        "all": int((count == len(right)).sum()),
        "none": int((count == 0).sum()),
        "only": [np.flatnonzero(each & (count == 1)) for each in right],
    }


def differences(settings: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Any]]]:
    """Return the settings that are not the same in all runs: name and one value a run, None where a run has none.

    Parameters
    ----------
    settings : sequence of mapping
        Names and values of each run.
    """
    names = dict.fromkeys(name for each in settings for name in each)
    rows = [(name, [each.get(name) for each in settings]) for name in names]
    return [(name, values) for name, values in rows if any(value != values[0] for value in values)]
