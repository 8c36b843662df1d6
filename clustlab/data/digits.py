"""Handwritten digits of 8 × 8 pixels: small enough to train while one watches."""

from __future__ import annotations

import numpy as np

from clustlab.data.dataset import Dataset, Source

__all__ = ["SOURCE", "load_digits"]


def load_digits() -> Dataset:
    """Return the 1,797 digits that scikit-learn ships (test part of the UCI optical digits), grey values / 16."""
    from sklearn import datasets

    content = datasets.load_digits()
    return Dataset(
        name="digits",
        title="Digits 8×8",
        x=(content.images / 16).astype(np.float32),
        y=content.target.astype(np.int64),
        class_names=tuple("0123456789"),
        kind="images",
    )


SOURCE = Source(
    name="digits",
    title="Digits 8×8",
    description="Handwritten digits of 8×8 pixels: small enough to train while one watches, hard enough to be honest.",
    n=1797,
    shape=(8, 8),
    n_classes=10,
    load=load_digits,
    order=0,
)
