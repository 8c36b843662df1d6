"""Kernel PCA with a Gaussian kernel, then k-means on the scores (Schölkopf, Smola, Müller 1998)."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.spatial.distance import pdist
from sklearn.decomposition import KernelPCA
from torch import Tensor, nn

from clustlab.methods.base import Card, Method, Observation, Phase, ProbePass, Samples
from clustlab.methods.kmeans import KMeansModel, lloyd
from clustlab.objectives.kernel import gaussian_kernel, kernel_scores, some_by_cluster
from clustlab.readout import KMeansProtocol
from clustlab.spec import Part, option

__all__ = ["KernelPCAKMeans", "KernelPCAKMeansModel"]

SHOWN = 150
"""Samples whose affinity is shown, at most."""

COMPARED = 1000
"""Landmarks between which the median distance is taken, at most."""

DENSE = 200
"""Landmarks up to which all eigenvectors are computed; above, ARPACK finds the few that are asked for."""

VANISHING = 1e-7
"""Eigenvalues below this share of the first are rounding in single precision; their axes are left out."""


class KernelPCAKMeansModel(nn.Module):
    """Kernel principal axes on landmarks, the scores of all samples, and k-means on them.

    Attributes
    ----------
    centre : Tensor (D,)
        Mean of the landmarks; distances are computed about it.
    landmarks : Tensor (m, D)
        Samples that the axes were fitted on, less the centre.
    bandwidth : Tensor ()
        σ of the kernel.
    row_means, mean, coefficients : Tensor (m,), (), (m, J)
        See :func:`clustlab.objectives.kernel.kernel_scores`.
    explained : Tensor (J,)
        Share of the landmarks' variance in the kernel's feature space along each axis.
    scores : Tensor (n, J)
        Codes of the samples, kept because k-means asks for all of them at every step.
    """

    centre: Tensor
    landmarks: Tensor
    bandwidth: Tensor
    row_means: Tensor
    mean: Tensor
    coefficients: Tensor
    explained: Tensor
    scores: Tensor

    def __init__(
        self, shape: tuple[int, ...], n_samples: int, n_clusters: int, n_components: int, n_landmarks: int
    ) -> None:
        super().__init__()
        features, n_landmarks = torch.Size(shape).numel(), min(n_landmarks, n_samples)
        n_components = min(n_components, n_landmarks)
        self.kmeans = KMeansModel(n_samples, n_clusters, n_components)
        self.register_buffer("centre", torch.zeros(features))
        self.register_buffer("landmarks", torch.zeros(n_landmarks, features))
        self.register_buffer("bandwidth", torch.tensor(1.0))
        self.register_buffer("row_means", torch.ones(n_landmarks))
        self.register_buffer("mean", torch.tensor(1.0))
        self.register_buffer("coefficients", torch.zeros(n_landmarks, n_components))
        self.register_buffer("explained", torch.zeros(n_components))
        self.register_buffer("scores", torch.zeros(n_samples, n_components))

    def kernel(self, x: Tensor, y: Tensor) -> Tensor:
        """Kernel between samples (n, *shape) and (m, *shape): (n, m)."""
        return gaussian_kernel(x.flatten(1) - self.centre, y.flatten(1) - self.centre, self.bandwidth)

    def encode(self, x: Tensor) -> Tensor:
        """Samples (n, *shape), fitted on or not → scores (n, J)."""
        kernel = gaussian_kernel(x.flatten(1) - self.centre, self.landmarks, self.bandwidth)
        return kernel_scores(kernel, self.row_means, self.mean, self.coefficients)

    def fit(self, samples: Samples, *, bandwidth: float, seed: int) -> dict[str, float]:
        """Find the axes on random landmarks and the scores of all samples; return the bandwidth.

        Parameters
        ----------
        bandwidth : float
            σ as a multiple of the median distance between landmarks.
        """
        n_landmarks = len(self.landmarks)
        chosen = np.sort(np.random.default_rng(seed).permutation(len(samples))[:n_landmarks])
        x = samples.rows(torch.from_numpy(chosen).to(samples.device)).flatten(1).cpu().numpy().astype(np.float64)
        centre = x.mean(axis=0)
        landmarks = x - centre
        sigma = bandwidth * _median_distance(landmarks, seed)
        exact = torch.from_numpy(landmarks)
        kernel = gaussian_kernel(exact, exact, torch.tensor(sigma, dtype=torch.float64)).numpy()
        eigenvalues, eigenvectors = _principal_axes(kernel, self.coefficients.shape[1], seed)
        there = eigenvalues > VANISHING * eigenvalues[0]
        roots = np.sqrt(np.where(there, eigenvalues, 1.0))
        variance = n_landmarks * (1 - kernel.mean())  # the trace of the centred kernel
        self._keep(
            centre=centre,
            landmarks=landmarks,
            bandwidth=np.asarray(sigma),
            row_means=kernel.mean(axis=0),
            mean=kernel.mean(),
            coefficients=np.where(there, eigenvectors / roots, 0.0),
            explained=np.where(there, eigenvalues, 0.0) / max(variance, np.finfo(np.float64).tiny),
        )
        self.scores.copy_(samples.map(self.encode))
        return {"bandwidth": float(sigma)}

    def _keep(self, **found: np.ndarray) -> None:
        # Copied in place: a resumed run must find arrays of the same layout, for products depend on it to the last bit.
        for name, array in found.items():
            getattr(self, name).copy_(torch.from_numpy(np.asarray(array)))


class KernelPCAKMeans(Method):
    """PCA of the samples as a kernel sees them: curved clusters can become round ones."""

    name = "kernel-pca-kmeans"
    uses = frozenset()
    card = Card(
        title="Kernel PCA + k-means",
        paper="Schölkopf, Smola and Müller, “Nonlinear component analysis as a kernel eigenvalue problem”, 1998",
        idea="Find principal axes where the inner product is a kernel: near samples alike, all far ones unlike.",
        objective=r"k(x, x') = e^{-\lVert x - x' \rVert^2 / 2 \sigma^2}, \quad H K H \, a_k = \lambda_k a_k, \quad "
        r"z_{ik} = \sqrt{\lambda_k}\, a_{ik}",
        symbols={
            "x": "sample",
            "k": "Gaussian kernel",
            r"\sigma": "bandwidth: the distance over which samples count as close",
            "K": "matrix of the kernel between all landmarks",
            r"H = I - \frac{1}{m} \mathbf{1} \mathbf{1}^\top": "centring, with m landmarks",
            r"a_k, \lambda_k": "eigenvector of unit length and its eigenvalue",
            "z_i": "scores: the code of sample i",
        },
        look_for="Blocks in the affinity where clusters are denser inside than between; with a small bandwidth nearly "
        "nothing is alike, with a large one kernel PCA turns into PCA.",
        algorithm=(
            r"Set $\sigma$ to a multiple of the median distance between landmarks.",
            "Compute the kernel between the landmarks, centre it, and take its largest eigenvectors.",
            "Project every sample through its kernel with the landmarks.",
            "Run k-means on the scores; every Lloyd step is a frame.",
        ),
        pitfalls=(
            r"Everything hangs on $\sigma$, and no label may choose it: it is set from the median distance.",
            (
                "Memory grows with the square of the number of landmarks; above the limit random samples stand for "
                "all, and the others are projected onto their axes (Nyström)."
            ),
            "Scores cannot be decoded: the feature space has no way back to samples.",
        ),
        deviations=(
            "The paper fits all samples; beyond the landmarks' number we fit a random subset.",
            "The paper leaves the kernel open; the median distance for its bandwidth is a common rule.",
        ),
    )

    class Options(Part):
        n_components: int = option(
            10, low=1, high=1024, symbol="J", help="Kernel principal axes kept, at most as many as landmarks."
        )
        bandwidth: float = option(
            1.0,
            above=0,
            high=100,
            symbol=r"\sigma",
            unit="median distances",
            help="Width of the kernel, as a multiple of the median distance between samples.",
        )
        landmarks: int = option(
            2000,
            low=10,
            high=10_000,
            unit="samples",
            help="Random samples that the axes are fitted on, at most; memory grows with their square.",
            advanced=True,
        )
        n_init: int = option(20, low=1, high=1000, help="Seedings of k-means tried; the lowest inertia wins.")
        max_iter: int = option(300, low=1, high=10_000, unit="steps", help="Lloyd steps, at most.", advanced=True)

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return KernelPCAKMeansModel(shape, n_samples, n_clusters, self.options.n_components, self.options.landmarks)

    def phases(self, model: KernelPCAKMeansModel, samples: Samples) -> Sequence[Phase]:
        options, seed = self.options, self.spec.seed
        phase = lloyd(
            model.kmeans,
            samples,
            model.encode,
            protocol=KMeansProtocol(n_init=options.n_init, max_iter=options.max_iter),
            seed=seed,
            codes_of=lambda index: model.scores[index],
            prepare=lambda: model.fit(samples, bandwidth=options.bandwidth, seed=seed),
        )

        def shown(probe: ProbePass) -> Tensor:
            return some_by_cluster(model.kmeans.labels[probe.index], SHOWN)

        def affinity(probe: ProbePass) -> Tensor:
            x = probe.x[shown(probe)]
            return model.kernel(x, x)

        return [
            phase.with_observations(
                explained_variance=Observation(lambda probe: model.explained, dtype=torch.float32),
                affinity=Observation(affinity),
                affinity_rows=Observation(lambda probe: shown(probe).int()),
            )
        ]


def _median_distance(x: np.ndarray, seed: int) -> float:
    """Return the median distance between rows (m, D); one where more than half of them coincide."""
    rows = np.random.default_rng(seed).permutation(len(x))[:COMPARED]
    distances = pdist(x[rows])
    return float(np.median(distances)) or 1.0 if len(distances) else 1.0


def _principal_axes(kernel: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest eigenvalues (r,) of the centred kernel (m, m), falling, and its eigenvectors (m, r)."""
    few = len(kernel) > DENSE and count < len(kernel) // 4
    kernel_pca = KernelPCA(
        count, kernel="precomputed", eigen_solver="arpack" if few else "dense", random_state=seed
    ).fit(kernel)
    return kernel_pca.eigenvalues_, kernel_pca.eigenvectors_
