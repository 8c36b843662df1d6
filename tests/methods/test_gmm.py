from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture
from training_helpers import Listener, small_spec, trained

from clustlab import metrics, readout
from clustlab.data import Dataset, load
from clustlab.methods.gmm import MixtureModel
from clustlab.readout import GMMProtocol
from clustlab.training.setup import Work


def fitted(data: Dataset, **options: object) -> tuple[Work, MixtureModel, Listener]:
    work, _, listener = trained(small_spec("gmm", n_clusters=4, options=options), data)
    model = work.model["method"]  # type: ignore[index]
    assert isinstance(model, MixtureModel)
    return work, model, listener


def labels(work: Work, model: MixtureModel) -> np.ndarray:
    return model.assign(work.samples.x.flatten(1)).argmax(dim=1).numpy()


def test_full_covariances_find_the_stripes_that_k_means_cuts_across() -> None:
    """Reference check 14."""
    stripes = load("stripes")
    assert stripes.y is not None
    work, model, _ = fitted(stripes, covariance="full")
    assert metrics.accuracy(stripes.y, labels(work, model)) >= 0.99
    kmeans = trained(small_spec("kmeans"), stripes)[0].model["method"]  # type: ignore[index]
    assert metrics.accuracy(stripes.y, kmeans.labels.numpy()) < 0.5  # type: ignore[union-attr, arg-type]


@pytest.mark.parametrize("covariance", ["full", "diag"])
def test_steps_are_those_of_scikit_learn_from_the_same_start(covariance: str) -> None:
    stripes = load("stripes")
    options = {"covariance": covariance, "n_init": 3, "tolerance": 1e-5}
    _, model, listener = fitted(stripes, **options)
    x = stripes.scaled()
    protocol = GMMProtocol(**options)  # type: ignore[arg-type]
    start = readout.best_mixture_start(x, 4, seed=0, protocol=protocol)
    reference = GaussianMixture(
        4,
        covariance_type=covariance,
        tol=1e-5,
        max_iter=200,
        reg_covar=readout.mixture_ridge(x, protocol),
        weights_init=start.weights,
        means_init=start.means,
        precisions_init=np.linalg.inv(start.covariances) if covariance == "full" else 1 / start.covariances,
    ).fit(x.astype(np.float64))
    np.testing.assert_allclose(model.weights, reference.weights_, atol=1e-5)
    np.testing.assert_allclose(model.means, reference.means_, atol=1e-4)
    np.testing.assert_allclose(model.covariances, reference.covariances_, atol=1e-4)
    assert len(listener.terms) == reference.n_iter_
    assert -listener.terms[-1]["negative_log_likelihood"] == pytest.approx(reference.lower_bound_, abs=1e-6)


def test_the_likelihood_climbs_until_it_gains_less_than_the_tolerance(blobs: Dataset) -> None:
    _, _, listener = fitted(blobs, n_init=2, tolerance=1e-3)
    steps = [values for name, values in listener.values_seen if name == "step"]
    gains = [values["log_likelihood_gain"] for values in steps[1:]]
    assert all(gain >= 1e-3 for gain in gains[:-1])
    assert abs(gains[-1]) < 1e-3
    assert np.diff([values["log_likelihood"] for values in steps]) == pytest.approx(gains)


def test_constant_features_and_samples_that_coincide_give_finite_mixtures(digits_small: Dataset) -> None:
    point = Dataset("point", "One point", np.full((20, 3), 7, np.float32), None, (), "vectors")
    for data in (digits_small, point):
        for covariance in ("full", "diag"):
            work, model, _ = fitted(data, covariance=covariance, n_init=2, max_iter=5)
            assert all(value.isfinite().all() for value in model.state_dict().values())
            assert model.assign(work.samples.x.flatten(1)).isfinite().all()


def test_large_covariance_matrices_are_not_recorded() -> None:
    assert "component_covariances" in MixtureModel(2, 3, full=True).observations()
    assert "component_variances" in MixtureModel(2, 300, full=False).observations()
    assert list(MixtureModel(2, 300, full=True).observations()) == ["component_weights"]


def test_responsibilities_do_not_depend_on_the_chunks_they_are_computed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    model = MixtureModel(3, 2, full=True)
    model.means = torch.randn(3, 2)
    z = torch.randn(10, 2)
    whole = model.assign(z)
    monkeypatch.setattr("clustlab.methods.base.Samples.CHUNK", 4)
    torch.testing.assert_close(model.assign(z), whole)
