"""Why did a sample change its cluster? Who moved, the sample or the centroids, told in numbers and in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Change", "Moment", "change", "changes", "reason"]

MOSTLY = 0.75
"""From this share on one of two causes is named alone."""
STILL = 0.25
"""What moved less than this share of another's way is said to have stayed."""
PULL = 0.02
"""Difference of p and q from which the target is said to have pulled."""


@dataclass(frozen=True)
class Moment:
    """One sample and all centroids at one frame.

    Attributes
    ----------
    code : ndarray (J,)
    centroids : ndarray (K, J)
    q, p : ndarray (K,), optional
        Soft assignment and target of the sample.
    """

    code: np.ndarray
    centroids: np.ndarray
    q: np.ndarray | None = None
    p: np.ndarray | None = None

    def distance(self, cluster: int) -> float:
        """Return the distance of the sample to a centroid."""
        return float(np.linalg.norm(self.code.astype(np.float64) - self.centroids[cluster]))


@dataclass(frozen=True)
class Change:
    """Who moved when a sample went from one cluster to another, in the units of the codes.

    Attributes
    ----------
    moved : float
        Length of the sample's own way.
    left_moved, joined_moved : float
        Those of the centroid of the cluster that it left, and of the one that it joined.
    left, joined : tuple of float
        Its distance to each of the two, before and after.
    by_sample, by_left, by_joined : float
        By how much each of the three ways has changed the lead ‖z − μ_left‖ − ‖z − μ_joined‖; they add up to its
        change (each cause counted with the others before and after, half each: Shapley's shares).
    """

    moved: float
    left_moved: float
    joined_moved: float
    left: tuple[float, float]
    joined: tuple[float, float]
    by_sample: float
    by_left: float
    by_joined: float

    @property
    def total(self) -> float:
        """Change of the lead; not positive where distances do not explain the new cluster."""
        return self.by_sample + self.by_left + self.by_joined


def changes(labels: np.ndarray) -> np.ndarray:
    """Return the positions at which a sample has another cluster than at the frame before, int64."""
    return np.flatnonzero(np.diff(labels)) + 1


def change(before: Moment, after: Moment, left: int, joined: int) -> Change:
    """Return who moved between two frames at which a sample belonged to two clusters."""
    codes = before.code.astype(np.float64), after.code.astype(np.float64)
    far = {
        cluster: np.array([[np.linalg.norm(z - each.centroids[cluster]) for each in (before, after)] for z in codes])
        for cluster in (left, joined)
    }
    # Distances [code before or after, centroid before or after]; a cause's share is its effect, the other two fixed.
    by_sample = ((far[left][1] - far[left][0]) - (far[joined][1] - far[joined][0])).mean()
    by_left = (far[left][:, 1] - far[left][:, 0]).mean()
    by_joined = (far[joined][:, 0] - far[joined][:, 1]).mean()
    ways = [float(np.linalg.norm(after.centroids[j].astype(np.float64) - before.centroids[j])) for j in (left, joined)]
    return Change(
        moved=float(np.linalg.norm(codes[1] - codes[0])),
        left_moved=ways[0],
        joined_moved=ways[1],
        left=(before.distance(left), after.distance(left)),
        joined=(before.distance(joined), after.distance(joined)),
        by_sample=float(by_sample),
        by_left=float(by_left),
        by_joined=float(by_joined),
    )


def reason(before: Moment, after: Moment, left: int, joined: int, *, by_distance: bool = True) -> str:
    """Return why a sample went from one cluster to another, in one or two sentences.

    Parameters
    ----------
    before, after : Moment
        The last frame at which it belonged to the one, the first at which it belonged to the other.
    left, joined : int
        The two clusters.
    by_distance : bool
        Whether samples belong to the nearest centroid here; where they do not, distances explain nothing.
    """
    found = change(before, after, left, joined)
    if by_distance and found.total > 0:
        sentence = _who_moved(found, left, joined)
    elif before.q is not None and after.q is not None:
        believed = [f"q of {j} went {before.q[j]:.2f} → {after.q[j]:.2f}" for j in (joined, left)]
        sentence = f"{believed[0]}, {believed[1]}."
    else:
        sentence = "Its distances to the two centroids alone do not explain it."
    return " ".join([sentence, *_target(before, joined)])


def _who_moved(found: Change, left: int, joined: int) -> str:
    if found.by_sample >= MOSTLY * found.total:
        others = max(found.left_moved, found.joined_moved)
        return f"The sample moved ({_short(found.moved)}){_still(others, found.moved, 'the centroids')}."
    nearer = f"the centroid of {joined} came nearer ({_way(found.joined)})"
    away = f"the centroid of {left} went away ({_way(found.left)})"
    centroid, way = (nearer, found.joined_moved) if found.by_joined >= found.by_left else (away, found.left_moved)
    if found.by_sample <= (1 - MOSTLY) * found.total:
        return f"{centroid[0].upper()}{centroid[1:]}{_still(found.moved, way, 'the sample')}."
    return f"Both: the sample moved ({_short(found.moved)}), and {centroid}."


def _still(moved: float, other: float, who: str) -> str:
    """Return that somebody stayed, or, who did move, but did not bring it about."""
    if moved <= STILL * other:
        return f" while {who} stayed (moved {_short(moved)})"
    return f"; that {who} moved too ({_short(moved)}) hardly mattered"


def _way(distances: tuple[float, float]) -> str:
    return " → ".join(map(_short, distances))


def _short(length: float) -> str:
    return f"{length:.2g}" if length < 10 else f"{length:.0f}"


def _target(before: Moment, joined: int) -> list[str]:
    """Return what the target had asked for at the frame before."""
    if before.p is None or before.q is None:
        return []
    p, q = float(before.p[joined]), float(before.q[joined])
    if abs(p - q) < PULL:
        return [f"The target had not pulled (p {p:.2f}, q {q:.2f})."]
    return [f"The target had pulled it {'there' if p > q else 'elsewhere'} (p {p:.2f}, q {q:.2f})."]
