"""Four long parallel strips: clusters that one sees at once and k-means cuts across."""

from __future__ import annotations

import numpy as np

from clustlab.data.dataset import Dataset, Source

__all__ = ["SOURCE", "load_stripes"]

LONG, SHORT, SPACING = 8.0, 0.25, 2.0
"""Standard deviations along and across a strip, and the distance between neighbouring strips."""


def load_stripes() -> Dataset:
    """Return 4 × 250 samples in the plane: strips 32 times longer than wide, turned by 45°, in random order.

    The spread along the strips exceeds the distance between them, so the partition of least inertia cuts every strip
    into pieces. A mixture of Gaussians with full covariances finds the strips, given a few dozen random starts.
    """
    generator = np.random.default_rng(0)
    y = generator.permutation(np.repeat(np.arange(4), 250))
    along = generator.normal(scale=LONG, size=len(y))
    across = SPACING * (y - 1.5) + generator.normal(scale=SHORT, size=len(y))
    half = np.sqrt(0.5)
    x = np.stack([half * (along - across), half * (along + across)], axis=1)
    return Dataset(
        name="stripes",
        title="Four stripes",
        x=x.astype(np.float32),
        y=y.astype(np.int64),
        class_names=("A", "B", "C", "D"),
        kind="vectors",
    )


SOURCE = Source(
    name="stripes",
    title="Four stripes",
    description="Four long parallel strips in the plane: k-means cuts across them, since it takes clusters for round.",
    n=1000,
    shape=(2,),
    n_classes=4,
    load=load_stripes,
    order=30,
)
