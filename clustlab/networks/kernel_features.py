"""Features whose inner products are a kernel's: landmarks and their leading eigenvectors (Williams, Seeger 2000)."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.linalg import eigh
from torch import Tensor, nn

from clustlab.objectives.kernel import gaussian_kernel

__all__ = ["KernelFeatures"]

COMPARED = 1000
"""Landmarks between which the median distance is taken, at most."""

VANISHING = 1e-7
"""Eigenvalues below this share of the first are rounding in single precision; their features are left at zero."""


class KernelFeatures(nn.Module):
    r"""Samples (n, *shape) → features :math:`\phi(x) = \Lambda^{-1/2} U^\top \kappa(x)`, (n, J).

    :math:`\kappa(x)` are the m values of a Gaussian kernel with the landmarks; :math:`K = U \Lambda U^\top` is the
    kernel between them, cut to its J largest eigenvalues. A function :math:`w^\top \phi(x)` is then the function
    :math:`\sum_j \alpha_j \kappa(x_j, x)` with :math:`\alpha = U \Lambda^{-1/2} w`, and
    :math:`|w|^2 = \alpha^\top K \alpha`.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample.
    n_landmarks, n_features : int
        m and J.

    Attributes
    ----------
    centre : Tensor (D,)
        Mean of the landmarks; distances are computed about it.
    landmarks : Tensor (m, D)
        Less the centre.
    bandwidth : Tensor ()
        Width σ of the kernel.
    coefficients : Tensor (m, J)
        :math:`U \Lambda^{-1/2}`.
    """

    centre: Tensor
    landmarks: Tensor
    bandwidth: Tensor
    coefficients: Tensor

    def __init__(self, shape: tuple[int, ...], n_landmarks: int, n_features: int) -> None:
        super().__init__()
        width = math.prod(shape)
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("landmarks", torch.zeros(n_landmarks, width))
        self.register_buffer("bandwidth", torch.tensor(1.0))
        self.register_buffer("coefficients", torch.zeros(n_landmarks, n_features))

    def fit(self, x: Tensor, *, bandwidth: float, seed: int) -> None:
        """Choose landmarks among samples (n, *shape) and find their eigenvectors.

        Parameters
        ----------
        x : Tensor (n, *shape)
        bandwidth : float
            σ as a multiple of the median distance between landmarks.
        seed : int
            Decides which samples become landmarks, where there are more than landmarks.
        """
        m, width = self.coefficients.shape
        chosen = np.sort(np.random.default_rng(seed).permutation(len(x))[:m])
        rows = x[torch.from_numpy(chosen).to(x.device)].flatten(1).cpu().double()
        centre = rows.mean(dim=0)
        rows -= centre
        compared = rows[torch.linspace(0, m - 1, min(m, COMPARED)).long()]
        median = torch.pdist(compared).median().item() if m > 1 else 0.0
        sigma = torch.tensor(bandwidth * (median or 1.0), dtype=torch.float64)
        kernel = gaussian_kernel(rows, rows, sigma).numpy()
        values, vectors = eigh(kernel, subset_by_index=[m - width, m - 1])
        values, vectors = values[::-1], vectors[:, ::-1]
        there = values > VANISHING * values[0]
        roots = np.sqrt(np.where(there, values, 1.0))
        # Copied in place: a resumed run must find arrays of the same layout, down to the last bit of every product.
        self.centre.copy_(centre)
        self.landmarks.copy_(rows)
        self.bandwidth.copy_(sigma)
        self.coefficients.copy_(torch.from_numpy(np.where(there, vectors / roots, 0.0)))

    def forward(self, x: Tensor) -> Tensor:
        return gaussian_kernel(x.flatten(1) - self.centre, self.landmarks, self.bandwidth) @ self.coefficients
