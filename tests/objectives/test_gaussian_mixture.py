from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from clustlab.objectives.gaussian_mixture import log_density, maximise, responsibility


@pytest.fixture
def mixture() -> tuple[np.ndarray, GaussianMixture]:
    z = np.random.default_rng(0).normal(size=(200, 3)) + np.repeat([[0, 0, 0], [3, 1, 0]], 100, axis=0)
    return z, GaussianMixture(2, random_state=0).fit(z)


@pytest.mark.parametrize("full", [True, False])
def test_density_is_that_of_scipy(full: bool) -> None:
    random = np.random.default_rng(1)
    z, means, root = random.normal(size=(5, 3)), random.normal(size=(2, 3)), random.normal(size=(2, 3, 3))
    covariances = root @ root.transpose(0, 2, 1) + np.eye(3) if full else random.uniform(0.5, 2, size=(2, 3))
    reference = [
        multivariate_normal(mean, covariance if full else np.diag(covariance)).logpdf(z)
        for mean, covariance in zip(means, covariances, strict=True)
    ]
    ours = log_density(*(torch.from_numpy(array) for array in (z, means, covariances)))
    np.testing.assert_allclose(ours.numpy(), np.stack(reference, axis=1), rtol=1e-10)


def test_responsibilities_are_those_of_scikit_learn(mixture: tuple[np.ndarray, GaussianMixture]) -> None:
    z, model = mixture
    parts = (np.log(model.weights_), model.means_, model.covariances_)
    ours = responsibility(torch.from_numpy(z), *(torch.from_numpy(part) for part in parts))
    np.testing.assert_allclose(ours.numpy(), model.predict_proba(z), atol=1e-10)


def test_responsibilities_are_finite_far_from_every_component() -> None:
    """Reference check 7: z at a distance of a thousand, where every density is zero in floating point."""
    gamma = responsibility(torch.full((1, 10), 1e3), torch.zeros(3), torch.randn(3, 10), torch.ones(3, 10))
    assert gamma.isfinite().all()
    assert gamma.sum().item() == pytest.approx(1)


@pytest.mark.parametrize("kind", ["full", "diag"])
def test_the_fixed_point_of_scikit_learn_is_ours(mixture: tuple[np.ndarray, GaussianMixture], kind: str) -> None:
    z, _ = mixture
    model = GaussianMixture(2, covariance_type=kind, random_state=0, tol=1e-12, max_iter=5000, reg_covar=1e-6).fit(z)
    gamma = torch.from_numpy(model.predict_proba(z))
    weights, means, covariances = maximise(torch.from_numpy(z), gamma, full=kind == "full", ridge=1e-6)
    np.testing.assert_allclose(weights.numpy(), model.weights_, atol=1e-5)
    np.testing.assert_allclose(means.numpy(), model.means_, atol=1e-5)
    np.testing.assert_allclose(covariances.numpy(), model.covariances_, atol=1e-4)
