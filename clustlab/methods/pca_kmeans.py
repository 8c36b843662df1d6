"""Principal axes of the samples, then k-means on the scores (Pearson 1901; Hotelling 1933)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor, nn

from clustlab.methods.base import Card, Method, Observation, Phase, Samples
from clustlab.methods.kmeans import KMeansModel, lloyd
from clustlab.readout import KMeansProtocol
from clustlab.spec import Part, option

__all__ = ["PCAKMeans", "PCAKMeansModel", "PrincipalAxes"]

FLAT = 1e-5
"""Spread of an axis, as a share of the first one's, below which it is rounding and is not whitened."""


class PrincipalAxes(nn.Module):
    """A linear map to the directions in which samples spread most, and back.

    Attributes
    ----------
    mean : Tensor (D,)
    axes : Tensor (J, D)
        Unit vectors, the widest direction first.
    spread : Tensor (J,)
        What scores are divided by: their standard deviations if they are whitened, else one.
    explained : Tensor (J,)
        Share of the variance along each axis.
    """

    mean: Tensor
    axes: Tensor
    spread: Tensor
    explained: Tensor

    def __init__(self, shape: tuple[int, ...], n_samples: int, n_components: int) -> None:
        super().__init__()
        self.shape = shape
        features = torch.Size(shape).numel()
        n_components = min(n_components, features, n_samples)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("axes", torch.eye(n_components, features))
        self.register_buffer("spread", torch.ones(n_components))
        self.register_buffer("explained", torch.zeros(n_components))

    def encode(self, x: Tensor) -> Tensor:
        """Samples (n, *shape) → scores (n, J)."""
        return (x.flatten(1) - self.mean) @ self.axes.T / self.spread

    def decode(self, z: Tensor) -> Tensor:
        """Scores (n, J) → the samples nearest to them in the space of the axes, (n, *shape)."""
        return (z.to(self.axes) * self.spread @ self.axes + self.mean).unflatten(1, self.shape)

    def fit(self, samples: Samples, *, whiten: bool, seed: int) -> None:
        """Find the axes in all samples."""
        x = samples.x.flatten(1).cpu().numpy().astype(np.float64)
        with np.errstate(invalid="ignore"):  # samples without any spread explain 0 of 0
            pca = PCA(len(self.axes), random_state=seed).fit(x)
        # Copied in place: a resumed run must find arrays of the same layout, for products depend on it to the last bit.
        self.mean.copy_(torch.from_numpy(pca.mean_))
        self.axes.copy_(torch.from_numpy(pca.components_))
        self.explained.copy_(torch.from_numpy(np.nan_to_num(pca.explained_variance_ratio_)))
        if whiten:
            spread = np.sqrt(pca.explained_variance_)
            self.spread.copy_(torch.from_numpy(np.where(spread > FLAT * spread[0], spread, 1.0)))

    def observations(self) -> dict[str, Observation]:
        """Return what the axes show of themselves."""
        return {
            "explained_variance": Observation(lambda probe: self.explained, dtype=torch.float32),
            "eigen_images": Observation(lambda probe: self.axes.unflatten(1, self.shape)),
        }


class PCAKMeansModel(nn.Module):
    """Principal axes, and k-means on the scores."""

    def __init__(self, principal: PrincipalAxes, n_samples: int, n_clusters: int) -> None:
        super().__init__()
        self.principal = principal
        self.kmeans = KMeansModel(n_samples, n_clusters, len(principal.axes))


class PCAKMeans(Method):
    """What a linear code of the same width brings: the baseline that an autoencoder has to beat."""

    name = "pca-kmeans"
    uses = frozenset()
    card = Card(
        title="PCA + k-means",
        paper="Pearson 1901, Hotelling 1933; k-means as in Lloyd 1982",
        idea="Keep the few directions in which the samples spread most, then let k-means cluster the scores.",
        objective=r"\min_{V^\top V = I} \frac{1}{N} \sum_i \lVert (x_i - \bar x) - V V^\top (x_i - \bar x) \rVert^2, "
        r"\quad z_{ik} = v_k^\top (x_i - \bar x) \;\text{ or }\; v_k^\top (x_i - \bar x) / \sqrt{\lambda_k}",
        symbols={
            "x_i": "sample",
            r"\bar x": "mean of the samples",
            "V = (v_1, …, v_J)": "principal axes",
            r"\lambda_k": "variance along axis k",
            "z_i": "scores: the code of sample i, whitened in the second form",
        },
        look_for="Without whitening the clusters are nearly those of k-means on the samples; whitening lets axes of "
        "little variance vote as loudly as the first, and the answer changes.",
        algorithm=(
            r"Take the eigenvectors $v_k$ of the covariance with the largest eigenvalues $\lambda_k$.",
            r"Project: $z_{ik} = v_k^\top (x_i - \bar x)$, divided by $\sqrt{\lambda_k}$ if whitened.",
            "Run k-means on the scores; every Lloyd step is a frame.",
        ),
        pitfalls=(
            "The widest directions need not be those that tell clusters apart: look at the explained variance.",
            "Whitening with many components blows up noise; axes that are no more than rounding are left as they are.",
            "k-means takes clusters for round, in whitened coordinates too.",
        ),
        deviations=(
            (
                "Ten components by default, as many as the codes of the autoencoders here, so that methods are "
                "compared at the same width."
            ),
        ),
    )

    class Options(Part):
        n_components: int = option(
            10, low=1, high=1024, symbol="J", help="Principal axes kept, at most as many as features and samples."
        )
        whiten: bool = option(False, help="Give all axes the same spread, so that each counts as much as the first.")
        n_init: int = option(20, low=1, high=1000, help="Seedings of k-means tried; the lowest inertia wins.")
        max_iter: int = option(300, low=1, high=10_000, unit="steps", help="Lloyd steps, at most.", advanced=True)

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return PCAKMeansModel(PrincipalAxes(shape, n_samples, self.options.n_components), n_samples, n_clusters)

    def phases(self, model: PCAKMeansModel, samples: Samples) -> Sequence[Phase]:
        options, seed, principal = self.options, self.spec.seed, model.principal
        phase = lloyd(
            model.kmeans,
            samples,
            principal.encode,
            protocol=KMeansProtocol(n_init=options.n_init, max_iter=options.max_iter),
            seed=seed,
            decode=principal.decode,
            prepare=lambda: principal.fit(samples, whiten=options.whiten, seed=seed),
        )
        read_out = (
            f"k-means on {'whitened ' if options.whiten else ''}scores: {options.n_init} k-means++ starts, "
            "lowest inertia, all samples"
        )
        return [replace(phase, read_out=read_out).with_observations(**principal.observations())]
