"""Whether a file still holds the data that a run was begun with: what goes on must not mix two sets of data."""

from __future__ import annotations

from clustlab.data import Dataset
from clustlab.data.files import is_path
from clustlab.errors import DataError
from clustlab.runs.reader import Run

__all__ = ["check_unchanged", "unchanged"]


def unchanged(run: Run, dataset: Dataset) -> bool:
    """Return whether data are those of a run, as far as it has described them.

    Only files are compared. Sources change with clustlab's version alone, and what they compute may differ in its
    last bit from one machine to the next.
    """
    described = run.about.get("dataset")
    if not described or not is_path(run.spec.data):
        return True
    if "digests" in described:
        return bool(described["digests"] == dataset.digests)
    # a run of an early clustlab, which recorded none
    shape, names = tuple(described["shape"]), tuple(described["class_names"])
    return (described["n"], shape, names) == (dataset.n, dataset.shape, dataset.class_names)


def check_unchanged(run: Run, dataset: Dataset) -> None:
    """Refuse data that are not those of a run.

    Raises
    ------
    DataError
        If the file was written anew since the run was begun.
    """
    if not unchanged(run, dataset):
        raise DataError(
            f"{run.spec.data} has changed since {run.name} was begun, and that run goes on with the same data only; "
            "put the old file back, or train anew"
        )
