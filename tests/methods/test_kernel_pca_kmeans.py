from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist
from sklearn.decomposition import KernelPCA
from training_helpers import small_spec, trained

from clustlab.data import Dataset, load
from clustlab.methods.base import ProbePass
from clustlab.methods.kernel_pca_kmeans import KernelPCAKMeansModel
from clustlab.training.setup import Work


def fitted(data: Dataset, **options: object) -> tuple[Work, KernelPCAKMeansModel]:
    work, _, _ = trained(small_spec("kernel-pca-kmeans", n_clusters=3, options={"n_init": 1, **options}), data)
    model = work.model["method"]  # type: ignore[index]
    assert isinstance(model, KernelPCAKMeansModel)
    return work, model


def up_to_sign(scores: np.ndarray, reference: np.ndarray) -> np.ndarray:
    return scores * np.sign((scores * reference).sum(axis=0))


def probe_pass(work: Work) -> ProbePass:
    rows = torch.arange(len(work.samples))
    return ProbePass(work.phases[-1], work.samples.x, rows, torch.tensor([[0, 1]]), torch.tensor([0.5]))


@pytest.mark.parametrize("bandwidth", [0.5, 1.0])
def test_scores_are_those_of_scikit_learn_for_new_samples_too(digits_small: Dataset, bandwidth: float) -> None:
    work, model = fitted(digits_small, n_components=4, bandwidth=bandwidth)
    x = digits_small.scaled().reshape(200, -1)
    sigma = bandwidth * np.median(pdist(x))
    reference = KernelPCA(4, kernel="rbf", gamma=1 / (2 * sigma**2), eigen_solver="dense").fit(x)
    new = load("digits").x[200:300].reshape(100, -1) / np.float32(digits_small.scale)
    for samples in (x, new):
        expected = reference.transform(samples)
        ours = model.encode(torch.from_numpy(samples).unflatten(1, (8, 8))).numpy()
        np.testing.assert_allclose(up_to_sign(ours, expected), expected, atol=2e-5)
    np.testing.assert_allclose(work.phases[-1].codes(torch.arange(5)), model.scores[:5])  # type: ignore[misc]


def test_explained_is_the_share_of_all_eigenvalues(digits_small: Dataset) -> None:
    _, model = fitted(digits_small, n_components=200)
    assert model.explained.sum().item() == pytest.approx(1, abs=1e-4)
    assert (model.explained.diff() <= 1e-7).all()


def test_arpack_and_the_dense_solver_agree(blobs: Dataset) -> None:
    _, few = fitted(blobs, n_components=3)
    _, many = fitted(blobs, n_components=200)
    ours, dense = few.scores.numpy(), many.scores[:, :3].numpy()
    np.testing.assert_allclose(up_to_sign(ours, dense), dense, atol=1e-4)


def test_samples_beyond_the_landmarks_are_projected(blobs: Dataset) -> None:
    _, model = fitted(blobs, landmarks=50, n_components=3)
    assert model.landmarks.shape == (50, 8)
    reference = KernelPCA(3, kernel="rbf", gamma=1 / (2 * model.bandwidth.item() ** 2), eigen_solver="dense")
    expected = reference.fit((model.landmarks + model.centre).double().numpy()).transform(blobs.scaled())
    np.testing.assert_allclose(up_to_sign(model.scores.numpy(), expected), expected, atol=2e-5)


def test_the_affinity_is_the_kernel_of_some_samples_by_cluster(blobs: Dataset) -> None:
    work, model = fitted(blobs)
    view, observe = probe_pass(work), work.phases[-1].observe
    rows, affinity = observe["affinity_rows"].value(view), observe["affinity"].value(view)
    assert affinity.shape == (150, 150)
    assert len(rows.unique()) == 150
    assert (model.kmeans.labels[rows.long()].diff() >= 0).all()
    distance = (work.samples.x[rows[3]] - work.samples.x[rows[70]]).square().sum()
    assert affinity[3, 70].item() == pytest.approx(float(torch.exp(-distance / (2 * model.bandwidth**2))), abs=1e-5)


def test_samples_that_all_coincide_have_codes(blobs: Dataset) -> None:
    point = Dataset("point", "One point", np.ones((20, 4), np.float32), None, (), "vectors")
    _, model = fitted(point)
    assert model.scores.abs().max() < 1e-4
