"""A run's data and clusters, as far as they are known."""

from __future__ import annotations

from typing import Any

from clustlab.errors import RunError
from clustlab.runs.arrays import opened_arrays
from clustlab.runs.reader import Run

__all__ = ["dataset_of", "n_clusters_of"]


def dataset_of(run: Run) -> dict[str, Any]:
    """Return the description of the data; empty before a run's worker has loaded them."""
    return dict(run.about.get("dataset") or {})


def n_clusters_of(run: Run) -> int:
    """Return the number of clusters K of a run; before it is described, that of its latest frame."""
    known = run.about.get("n_clusters")
    if not known and len(run.frames):
        try:
            with opened_arrays(run.frames[-1].path) as file:
                known = len(file["centroids"])
        except (OSError, RunError, KeyError):  # of a folder that is being deleted
            known = None
    return int(known or 1)
