"""UMAP, warm: each frame starts from the last layout, so that motion on screen is motion of the model.

Fits made independently of one another move by half the map from frame to frame even with a fixed seed. What keeps a
map still, in the order of what it brings: starting from the last layout, few epochs at a small learning rate, exact
neighbours, and laying the result over the last layout. Measured on the digits over a DEC phase: 0.11 of the radius
a frame, where the codes themselves move by 0.10 and independent fits by 0.51.
"""

from __future__ import annotations

import warnings

import numpy as np

from clustlab.projections import pca
from clustlab.projections.layout import Layout, Projection, align, checked, motion, radius

__all__ = ["UMAP", "project"]

NEIGHBOURS = 15
MIN_DIST = 0.1
SEED = 0
WARM_EPOCHS = 30
WARM_LEARNING_RATE = 0.25
BRUTE_FORCE_UP_TO = 4000
"""Rows up to which all distances are computed; above, approximate neighbours are faster and as good."""
FEWEST = 4
"""With fewer distinct rows there are no neighbourhoods to keep."""


def project(codes: np.ndarray, centroids: np.ndarray, previous: Layout | None = None) -> Layout:
    """Return a UMAP layout of codes and centroids together, close to the previous one.

    Where there are no neighbourhoods to keep (hardly any sample, or codes that have collapsed onto a few points) the
    principal plane is returned instead, about the previous layout's middle.
    """
    codes, centroids = checked(codes, centroids)
    rows = np.concatenate([codes, centroids])
    rows = rows - codes.mean(axis=0)
    rows /= np.abs(rows).max() or 1.0  # UMAP looks at ratios of distances; float32 must not lose small ones
    if previous is not None and len(previous.points) != len(codes):
        previous = None
    warm = previous is not None and radius(previous.points) > 0
    if len(np.unique(rows.astype(np.float32), axis=0)) < FEWEST:
        flat = pca.project(codes, centroids, previous).rows
        plane = flat if previous is None else flat + previous.points.mean(axis=0, dtype=np.float64)
    else:
        reference = _reference(rows, len(codes), previous)
        plane = _fit(rows, reference, warm=warm)
        if warm:
            plane = align(plane, reference)
    points, means = np.split(plane.astype(np.float32), [len(codes)])
    return Layout(points, means, None if previous is None else motion(previous.points, points))


def _reference(rows: np.ndarray, n: int, previous: Layout | None) -> np.ndarray:
    """Return where the rows (n + K, J) start on the plane: at their last places, or in their principal plane."""
    if previous is None or radius(previous.points) == 0:
        return np.asarray((rows - rows.mean(axis=0)) @ pca.principal_plane(rows))
    if len(previous.rows) == len(rows):
        return previous.rows
    # The number of centroids changed: each starts at the place of the sample that is nearest to it.
    nearest = [int(((rows[:n] - centroid) ** 2).sum(axis=1).argmin()) for centroid in rows[n:]]
    return np.concatenate([previous.points, previous.points[nearest]]).astype(np.float64)


def _fit(rows: np.ndarray, start: np.ndarray, *, warm: bool) -> np.ndarray:
    with warnings.catch_warnings():
        # umap tells that a fixed seed means one thread, that precomputed neighbours cannot transform (both are meant),
        # and on import that Tensorflow is not there.
        warnings.simplefilter("ignore")
        import umap

        reducer = umap.UMAP(
            n_neighbors=min(NEIGHBOURS, len(rows) - 1),
            min_dist=MIN_DIST,
            n_epochs=WARM_EPOCHS if warm else None,
            learning_rate=WARM_LEARNING_RATE if warm else 1.0,
            init=_spread(start),
            precomputed_knn=_neighbours(rows, min(NEIGHBOURS, len(rows) - 1)),
            force_approximation_algorithm=True,
            random_state=SEED,
            n_jobs=1,
        )
        return np.asarray(reducer.fit_transform(rows.astype(np.float32)), np.float64)


def _spread(start: np.ndarray) -> np.ndarray:
    """Return the start (m, 2), float32, spread over a box of 10 with a little noise.

    umap stretches each axis of a start to the same length and divides by zero where one has none (codes with one
    coordinate, a collapse in the frame before); rows on the very same spot could never part.
    """
    centred = start - start.mean(axis=0)
    size = np.abs(centred).max()
    noise = np.random.default_rng(SEED).normal(scale=1e-3, size=start.shape)
    return np.asarray(10 * (centred / size if size > 0 else centred) + noise, np.float32)


def _neighbours(rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return indices and distances (m, count) of each row's nearest rows, itself first.

    umap would find them through a Python callable, 1.6 million calls at 1,800 rows; here they cost 0.03 s.
    """
    if len(rows) > BRUTE_FORCE_UP_TO:
        import pynndescent

        index = pynndescent.NNDescent(rows.astype(np.float32), n_neighbors=count, random_state=SEED, n_jobs=1)
        indices, distances = index.neighbor_graph
        return np.asarray(indices), np.asarray(distances)
    from sklearn.neighbors import NearestNeighbors

    # Asked without rows, a row is not its own neighbour; put first by hand it is so among equal rows, too.
    distances, indices = NearestNeighbors(n_neighbors=count - 1, algorithm="brute").fit(rows).kneighbors()
    own = np.arange(len(rows))[:, None]
    return np.hstack([own, indices]), np.hstack([np.zeros_like(own, dtype=np.float64), distances])


UMAP = Projection(
    name="umap",
    title="UMAP",
    note="Neighbourhoods are kept, distances between clusters and their sizes mean little.",
    project=project,
    settings={
        "n_neighbors": NEIGHBOURS,
        "min_dist": MIN_DIST,
        "first": {"init": "principal plane", "learning_rate": 1.0, "epochs": "umap's default"},
        "then": {"init": "last layout", "learning_rate": WARM_LEARNING_RATE, "epochs": WARM_EPOCHS},
        "alignment": "rotation or reflection, translation, one scale",
    },
    seed=SEED,
)
