from __future__ import annotations

import itertools

import numpy as np
import pytest

from clustlab import metrics, readout
from clustlab.data import Dataset, load
from clustlab.errors import DataError
from clustlab.readout import KMeansProtocol


def brute_force_accuracy(y: np.ndarray, labels: np.ndarray, n: int) -> float:
    return max(float(np.mean(np.array(renaming)[labels] == y)) for renaming in itertools.permutations(range(n)))


@pytest.mark.parametrize(("n_classes", "n_clusters"), [(4, 4), (3, 5), (5, 2)])
def test_accuracy_is_that_of_the_best_renaming(n_classes: int, n_clusters: int) -> None:
    generator = np.random.default_rng(n_clusters)
    y, labels = generator.integers(n_classes, size=60), generator.integers(n_clusters, size=60)
    assert metrics.accuracy(y, labels) == pytest.approx(brute_force_accuracy(y, labels, max(n_classes, n_clusters)))


def test_scores_do_not_depend_on_names() -> None:
    y = np.repeat([0, 1, 2], 5)
    assert metrics.scores(y, np.array([7, 100, 3])[y]) == pytest.approx({"acc": 1, "nmi": 1, "ari": 1})
    assert metrics.scores(y, np.zeros(15, int)) == pytest.approx({"acc": 1 / 3, "nmi": 0, "ari": 0})


def test_noise_is_wrong_even_where_a_class_would_match_it() -> None:
    y = np.repeat([0, 1, 2], 2)
    assert metrics.accuracy(y, np.array([-1, -1, 0, 0, 1, 1])) == pytest.approx(4 / 6)
    assert metrics.accuracy(y, np.full(6, -1)) == 0


def test_match_undoes_a_renaming() -> None:
    after = np.random.default_rng(0).integers(6, size=300)
    renaming = np.array([3, 1, 0, 5, 2, 4])
    permutation = metrics.match(np.argsort(renaming)[after], after, 6)
    assert permutation.tolist() == renaming.tolist()


def test_match_keeps_what_overlap_does_not_decide() -> None:
    assert metrics.match(np.array([0, 1, 1]), np.array([1, 0, 0]), 5).tolist() == [1, 0, 2, 3, 4]


def test_match_lets_one_sample_outweigh_every_kept_name() -> None:
    # Keeping all four names would collect four bonuses and lose one sample.
    before, after = np.array([0, 0, 1, 2, 3]), np.array([1, 1, 0, 2, 3])
    assert metrics.match(before, after, 4).tolist() == [1, 0, 2, 3]
    assert metrics.match(np.array([0]), np.array([3]), 4)[0] == 3


def test_silhouette_is_none_where_undefined(blobs: Dataset) -> None:
    assert metrics.silhouette(blobs.x, np.zeros(blobs.n, int)) is None
    assert metrics.silhouette(blobs.x, np.arange(blobs.n)) is None
    assert metrics.silhouette(np.full((4, 2), np.nan), np.array([0, 0, 1, 1])) is None


def test_silhouette_of_a_sample_is_repeatable(blobs: Dataset) -> None:
    assert blobs.y is not None
    small = metrics.silhouette(blobs.x, blobs.y, limit=100)
    assert small == metrics.silhouette(blobs.x, blobs.y, limit=100)
    assert small == pytest.approx(metrics.silhouette(blobs.x, blobs.y), abs=0.05)


def test_centroids_are_the_means_of_the_clusters_in_code_space() -> None:
    codes = load("stripes").x + np.float32(5)
    for whiten in (False, True):
        found = readout.fit(codes, 4, 0, KMeansProtocol(whiten=whiten))
        means = np.stack([codes[found.labels == cluster].mean(axis=0) for cluster in range(4)])
        assert found.centroids.dtype == np.float32
        assert found.labels.dtype == np.int64
        np.testing.assert_allclose(found.centroids, means, atol=1e-4)


def test_whitening_gives_every_direction_the_same_spread() -> None:
    codes = load("stripes").x.astype(np.float64)
    mean, axes, spread = readout.whitening(codes)
    np.testing.assert_allclose(np.cov(((codes - mean) @ axes.T / spread).T, bias=True), np.eye(2), atol=1e-5)


@pytest.mark.parametrize("whiten", [False, True])
def test_collapsed_codes_keep_all_centroids(whiten: bool) -> None:
    found = readout.fit(np.repeat(np.eye(2, 3), 10, axis=0), 5, 0, KMeansProtocol(whiten=whiten))
    assert found.centroids.shape == (5, 3)
    assert len(np.unique(found.labels)) == 2
    assert found.inertia == pytest.approx(0)
    point = readout.fit(np.full((10, 3), 7.0), 4, 0, KMeansProtocol(whiten=whiten))
    np.testing.assert_allclose(point.centroids, 7, atol=1e-4)


def test_the_same_seed_gives_the_same_clusters(blobs: Dataset) -> None:
    first, second = (readout.fit(blobs.x, 5, 3) for _ in range(2))
    assert np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.centroids, second.centroids)


def test_impossible_readouts_are_refused() -> None:
    with pytest.raises(DataError, match="cannot be found in 3 samples"):
        readout.fit(np.zeros((3, 2)), 4, 0)
    with pytest.raises(DataError, match="diverged"):
        readout.fit(np.full((9, 2), np.nan), 2, 0)


def test_vital_signs_tell_a_healthy_code_space_from_a_collapsed_one() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 50)
    healthy = np.eye(4)[labels] * 10 + random.normal(size=(200, 4))
    signs = metrics.vital_signs(healthy, labels, 4)
    assert signs["active_clusters"] == pytest.approx(4)
    assert signs["within_share"] < 0.1
    assert signs["effective_rank"] > 2.5
    shrunk = metrics.vital_signs(healthy * 1e-3, labels, 4)
    assert shrunk["within_share"] == pytest.approx(signs["within_share"]), "shrinking the codes must not look better"
    line = metrics.vital_signs(np.outer(random.normal(size=200), [1, 2, 3, 4]), np.zeros(200, int), 4)
    assert line["effective_rank"] == pytest.approx(1, abs=1e-6)
    assert line["active_clusters"] == pytest.approx(1)
    assert line["within_share"] == pytest.approx(1)
