"""A run's data and clusters, known before its worker has described them: its parent's, or what has been recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clustlab.errors import RunError
from clustlab.runs.arrays import opened_arrays
from clustlab.runs.reader import Run

__all__ = ["dataset_of", "n_clusters_of"]


def dataset_of(run: Run) -> dict[str, Any]:
    """Return the description of the data: a fork has the data of its parent, whose description is there at once."""
    return dict(_about(run).get("dataset") or {})


def n_clusters_of(run: Run) -> int:
    """Return the number of clusters K of a run; before it is described, that of its parent or of its latest frame."""
    known = _about(run).get("n_clusters")
    if not known and len(run.frames):
        try:
            with opened_arrays(run.frames[-1].path) as file:
                known = len(file["centroids"])
        except (OSError, RunError, KeyError):  # of a folder that is being deleted
            known = None
    return int(known or 1)


def _about(run: Run) -> dict[str, Any]:
    """Return a run's own description, else its parent's: a fork keeps data, clusters and network."""
    about, parent = run.about, run.spec.parent
    if about or parent is None:
        return about
    try:
        return Run(run.folder.path.parent / Path(parent.run).name).about
    except RunError:  # it is no longer here
        return {}
