from __future__ import annotations

import numpy as np
import torch
from sklearn.preprocessing import KernelCenterer

from clustlab.objectives.kernel import gaussian_kernel, kernel_scores, some_by_cluster


def test_kernel_is_the_one_written_out() -> None:
    x, y = torch.randn(4, 3, dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64)
    kernel = gaussian_kernel(x, y, torch.tensor(0.7, dtype=torch.float64))
    for i in range(4):
        for j in range(5):
            expected = np.exp(-np.sum((x[i] - y[j]).numpy() ** 2) / (2 * 0.7**2))
            np.testing.assert_allclose(kernel[i, j], expected, rtol=1e-10)


def test_scores_are_the_centred_kernel_times_the_coefficients() -> None:
    random = np.random.default_rng(0)
    fitted, new, coefficients = random.random((6, 6)), random.random((3, 6)), random.random((6, 2))
    fitted = fitted + fitted.T
    expected = KernelCenterer().fit(fitted).transform(new) @ coefficients
    parts = (new, fitted.mean(axis=0), np.asarray(fitted.mean()), coefficients)
    np.testing.assert_allclose(kernel_scores(*(torch.from_numpy(part) for part in parts)), expected, rtol=1e-10)


def test_some_samples_of_every_cluster_are_taken() -> None:
    labels = torch.tensor([2, 0, 1, 1, 0, 2, 2, 0, 1])
    assert some_by_cluster(labels, 20).tolist() == [1, 4, 7, 2, 3, 8, 0, 5, 6]
    assert labels[some_by_cluster(labels, 4)].tolist() == [0, 1, 1, 2]
