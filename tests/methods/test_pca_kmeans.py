from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from training_helpers import small_spec, trained

from clustlab.data import Dataset, load


@pytest.mark.parametrize("whiten", [False, True])
def test_scores_are_those_of_scikit_learn(digits_small: Dataset, whiten: bool) -> None:
    options = {"n_components": 5, "whiten": whiten, "n_init": 1}
    work, _, _ = trained(small_spec("pca-kmeans", options=options), digits_small)
    x = digits_small.scaled().reshape(200, -1)
    reference = PCA(5, whiten=whiten).fit(x)
    new = torch.from_numpy(load("digits").x[200:300] / np.float32(digits_small.scale))
    encode = work.phases[-1].encode
    assert encode is not None
    np.testing.assert_allclose(encode(work.samples.x), reference.transform(x), atol=1e-4)
    np.testing.assert_allclose(encode(new), reference.transform(new.flatten(1).numpy()), atol=1e-4)
    np.testing.assert_allclose(
        work.phases[-1].any_decoder(encode(new)).flatten(1),  # type: ignore[misc]
        reference.inverse_transform(reference.transform(new.flatten(1).numpy())),
        atol=1e-4,
    )


def test_shown_are_the_axes_and_how_much_each_explains(digits_small: Dataset) -> None:
    work, _, _ = trained(small_spec("pca-kmeans", options={"n_components": 5, "n_init": 1}), digits_small)
    observe = work.phases[-1].observe
    explained, axes = (observe[name].value(None) for name in ("explained_variance", "eigen_images"))  # type: ignore[arg-type]
    reference = PCA(5).fit(digits_small.x.reshape(200, -1))
    np.testing.assert_allclose(explained, reference.explained_variance_ratio_, rtol=1e-4)
    assert axes.shape == (5, 8, 8)
    np.testing.assert_allclose(axes.flatten(1) @ axes.flatten(1).T, np.eye(5), atol=1e-5)


def test_whitening_leaves_axes_that_are_rounding_alone() -> None:
    x = np.random.default_rng(0).normal(size=(60, 2)) @ np.random.default_rng(1).normal(size=(2, 6))
    flat = Dataset("flat", "A plane in six dimensions", x.astype(np.float32), None, (), "vectors")
    spec = small_spec("pca-kmeans", n_clusters=2, options={"whiten": True, "n_init": 1})
    work, _, _ = trained(spec, flat)
    codes = work.phases[-1].encode(work.samples.x)  # type: ignore[misc]
    np.testing.assert_allclose(codes.std(dim=0)[:2], 1, atol=1e-3)
    assert codes[:, 2:].abs().max() < 1e-4


def test_samples_without_any_spread_are_no_reason_to_stop() -> None:
    point = Dataset("point", "One point", np.ones((20, 4), np.float32), None, (), "vectors")
    work, training, _ = trained(small_spec("pca-kmeans", n_clusters=2, options={"whiten": True}), point)
    assert all(value.isfinite().all() for value in training.model.state_dict().values())
