from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import SpectralClustering
from sklearn.datasets import make_circles
from training_helpers import Listener, small_spec, trained

from clustlab import metrics
from clustlab.data import Dataset
from clustlab.errors import DataError
from clustlab.methods.spectral import MOST, Spectral, SpectralModel
from clustlab.spec import RunSpec


def of_points(x: np.ndarray) -> Dataset:
    return Dataset("points", "Points", x.astype(np.float32), None, (), "vectors")


def fitted(data: Dataset, n_clusters: int, **options: object) -> tuple[SpectralModel, Listener]:
    work, _, listener = trained(small_spec("spectral", n_clusters=n_clusters, options=options), data)
    model = work.model["method"]  # type: ignore[index]
    assert isinstance(model, SpectralModel)
    return model, listener


def test_two_rings_are_told_apart_where_k_means_halves_them() -> None:
    x, y = make_circles(300, factor=0.4, noise=0.04, random_state=0)
    model, _ = fitted(of_points(x), 2)
    assert metrics.accuracy(y, model.kmeans.labels.numpy()) == 1
    halves = trained(small_spec("kmeans", n_clusters=2), of_points(x))[0].model["method"]  # type: ignore[index]
    assert metrics.accuracy(y, halves.labels.numpy()) < 0.7  # type: ignore[union-attr, arg-type]


def test_labels_are_those_of_scikit_learn(digits_small: Dataset) -> None:
    model, _ = fitted(digits_small, 5, n_neighbours=9)
    # scikit-learn counts a sample among its own neighbours, and its codes are not scaled to length one.
    reference = SpectralClustering(
        5, affinity="nearest_neighbors", n_neighbors=10, assign_labels="cluster_qr", random_state=0
    ).fit(digits_small.x.reshape(200, -1))
    assert metrics.scores(reference.labels_, model.kmeans.labels.numpy())["nmi"] > 0.85


def test_codes_have_length_one_and_eigenvalues_rise(digits_small: Dataset) -> None:
    model, _ = fitted(digits_small, 10)
    np.testing.assert_allclose(model.embedding.norm(dim=1), 1, atol=1e-6)
    assert model.eigenvalues.shape == (20,)
    assert (model.eigenvalues.diff() >= -1e-6).all()
    assert model.eigenvalues[0].item() == pytest.approx(0, abs=1e-6)


def test_a_graph_in_too_many_pieces_gets_more_neighbours() -> None:
    """Twenty pairs far apart: with one neighbour each they are twenty pieces, too many for two clusters."""
    corners = np.repeat(np.arange(20)[:, None] * 10.0, 2, axis=0)
    x = np.hstack([corners, np.tile([[0.0], [0.1]], (20, 1))])
    _, listener = fitted(of_points(x), 2, n_neighbours=1)
    entered = next(values for name, values in listener.values_seen if name == "enter")
    assert entered["neighbours"] > 1
    assert entered["components"] <= 2


def test_impossible_sizes_are_refused() -> None:
    method = Spectral(RunSpec(method="spectral"))
    with pytest.raises(DataError, match="at most 50,000"):
        method.build((2,), MOST + 1, 2)
    with pytest.raises(DataError, match="more samples than clusters"):
        fitted(of_points(np.eye(3)), 3)
