"""What OpenML gives, checked: pixels in their range, as many samples of each class as there must be, classes from 0.

OpenML keeps its arrays in an order of its own; nothing that is aligned by index elsewhere goes with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clustlab.errors import DataError

__all__ = ["ORIGIN", "classes_from_zero", "fetch", "grey_bytes"]

ORIGIN = "openml.org"


def fetch(data_id: int, folder: Path, dtype: str = "int16") -> tuple[np.ndarray, np.ndarray]:
    """Return samples (n, D) and labels (n,) of a data set on OpenML, as they are there.

    What arrives is held against the checksum that OpenML gives.

    Parameters
    ----------
    data_id : int
        Number of the data set; it fixes the version too.
    folder : Path
        Folder for whatever scikit-learn keeps.
    dtype : str
        Type of all values, labels too: narrow ones spare gigabytes. Without one, scikit-learn takes the labels for
        categories and trips over those that pandas 3 has made numbers of.
    """
    from sklearn import datasets

    found = datasets.fetch_openml(
        data_id=data_id,
        as_frame=False,
        parser="pandas",
        read_csv_kwargs={"dtype": dtype},
        data_home=str(folder),
        n_retries=1,
    )
    return np.asarray(found.data), np.asarray(found.target)


def grey_bytes(title: str, x: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Return pixels (n, D) as uint8 (n, *shape).

    Raises
    ------
    DataError
        If they are not whole numbers from 0 to 255 of this shape.
    """
    if x.ndim != 2 or x.shape[1] != np.prod(shape) or x.min() != 0 or x.max() != 255 or (x != np.round(x)).any():
        raise DataError(f"what came as {title} is not pixels of the form {tuple(shape)} from 0 to 255")
    return x.astype(np.uint8).reshape(-1, *shape)


def classes_from_zero(title: str, labels: np.ndarray, counts: Sequence[int]) -> np.ndarray:
    """Return labels as int64 from 0, whether they were counted from 0 or from 1.

    How many samples each class must have decides: counted from 1, the last label is either the last class, or class 0.

    Parameters
    ----------
    title : str
        For the sentence.
    labels : ndarray, shape (n,)
        Whole numbers, or texts of them.
    counts : sequence of int
        Samples of each class.

    Raises
    ------
    DataError
        If neither reading gives these counts.
    """
    given = labels.astype(np.float64)
    whole = given.astype(np.int64)
    n_classes = len(counts)
    if (whole == given).all():
        for y in (whole, whole - 1, whole % n_classes):
            if y.min() >= 0 and np.array_equal(np.bincount(y), counts):
                return y
    raise DataError(f"the classes that came with {title} are not as frequent as those of {title}, {list(counts)}")
