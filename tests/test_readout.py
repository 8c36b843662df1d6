from __future__ import annotations

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from clustlab import metrics, readout
from clustlab.data import Dataset, load
from clustlab.errors import DataError
from clustlab.readout import GMMProtocol


def test_a_mixture_finds_the_stripes_from_any_seed() -> None:
    stripes = load("stripes")
    assert stripes.y is not None
    for seed in range(3):
        found = readout.fit_gmm(stripes.x, 4, seed)
        assert metrics.accuracy(stripes.y, found.labels) >= 0.99
        assert found.weights == pytest.approx([0.25] * 4, abs=0.01)


@pytest.mark.parametrize("covariance", ["full", "diag"])
def test_the_mixture_is_a_fixed_point_of_scikit_learn(blobs: Dataset, covariance: str) -> None:
    protocol = GMMProtocol(covariance=covariance, n_init=2, tolerance=1e-9)  # type: ignore[arg-type]
    found = readout.fit_gmm(blobs.x, 3, 0, protocol)
    precisions = np.linalg.inv(found.covariances) if covariance == "full" else 1 / found.covariances
    model = GaussianMixture(
        3,
        covariance_type=covariance,
        tol=1e-3,
        reg_covar=readout.mixture_ridge(blobs.x, protocol),
        weights_init=found.weights,
        means_init=found.means,
        precisions_init=precisions,
    ).fit(blobs.x.astype(np.float64))
    np.testing.assert_allclose(model.means_, found.means, atol=1e-5)
    np.testing.assert_allclose(model.covariances_, found.covariances, atol=1e-4)
    assert found.log_likelihood == pytest.approx(model.lower_bound_, abs=1e-6)
    assert (found.labels == model.predict(blobs.x.astype(np.float64))).all()


def test_the_mixture_does_not_depend_on_unit_and_origin(blobs: Dataset) -> None:
    x, protocol = blobs.x.astype(np.float64), GMMProtocol(n_init=2)
    here, there = readout.fit_gmm(x, 3, 0, protocol), readout.fit_gmm(x * 1e-4 + 5, 3, 0, protocol)
    assert (here.labels == there.labels).all()
    np.testing.assert_allclose(there.means, here.means * 1e-4 + 5, atol=1e-9)
    np.testing.assert_allclose(there.covariances, here.covariances * 1e-8, atol=1e-12)
    assert there.log_likelihood == pytest.approx(here.log_likelihood - 8 * np.log(1e-4))


@pytest.mark.parametrize("covariance", ["full", "diag"])
def test_collapsed_codes_have_a_mixture(covariance: str) -> None:
    protocol = GMMProtocol(covariance=covariance, n_init=3)  # type: ignore[arg-type]
    noise = 1e-7 * np.random.default_rng(0).normal(size=(30, 3))
    line = np.linspace(0, 1, 30)[:, None] * np.ones(3)
    for codes in (np.full((30, 3), 7.0), 7.0 + noise, np.repeat(np.eye(2, 3), 15, axis=0), line, np.zeros((30, 3))):
        found = readout.fit_gmm(codes, 5, 0, protocol)
        assert all(np.isfinite(part).all() for part in found)
        assert found.means.shape == (5, 3)
        assert found.covariances.shape == ((5, 3, 3) if covariance == "full" else (5, 3))
        assert found.weights.sum() == pytest.approx(1)


def test_the_same_seed_gives_the_same_mixture(blobs: Dataset) -> None:
    first, second = (readout.fit_gmm(blobs.x, 4, 3, GMMProtocol(n_init=3)) for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_more_starts_never_lower_the_likelihood_of_a_finished_race(blobs: Dataset) -> None:
    one, five = (readout.fit_gmm(blobs.x, 3, 0, GMMProtocol(n_init=n, tolerance=1e-7)) for n in (1, 5))
    assert five.log_likelihood >= one.log_likelihood - 1e-6


def test_impossible_mixtures_are_refused() -> None:
    with pytest.raises(DataError, match="cannot be found in 3 samples"):
        readout.fit_gmm(np.zeros((3, 2)), 4, 0)
    with pytest.raises(DataError, match="diverged"):
        readout.fit_gmm(np.full((9, 2), np.nan), 2, 0)
