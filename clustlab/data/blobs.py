"""Three well separated Gaussian blobs: what every method must get right."""

from __future__ import annotations

import numpy as np

from clustlab.data.dataset import Dataset, Source

__all__ = ["SOURCE", "load_blobs"]


def load_blobs() -> Dataset:
    """Return 3 × 200 samples in 8 dimensions: unit Gaussians around centres 8 apart, in random order.

    The centres lie on three coordinate axes, so that every pair of them is equally far apart.
    """
    generator = np.random.default_rng(0)
    y = generator.permutation(np.repeat(np.arange(3), 200))
    centres = np.eye(3, 8) * (8 / np.sqrt(2))
    x = centres[y] + generator.normal(size=(len(y), 8))
    return Dataset(
        name="blobs",
        title="Three blobs",
        x=x.astype(np.float32),
        y=y.astype(np.int64),
        class_names=("A", "B", "C"),
        kind="vectors",
    )


SOURCE = Source(
    name="blobs",
    title="Three blobs",
    description="Three well separated Gaussian blobs in eight dimensions: a check that a method works at all.",
    n=600,
    shape=(8,),
    n_classes=3,
    load=load_blobs,
    order=20,
)
