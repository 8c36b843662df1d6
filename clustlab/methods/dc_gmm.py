"""DC-GMM: ADMM between a network and a mixture of Gaussians (Tian, Zhou, Guan, “DeepCluster”, ECML PKDD 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from clustlab.methods.abc import HardClusteringOptions
from clustlab.methods.base import Card, Method, Observation, Phase, Samples
from clustlab.methods.dc_admm import DEVIATIONS, PITFALLS, SYMBOLS, ADMMModel, splitting
from clustlab.methods.pretraining import pretrain
from clustlab.objectives.admm import pull_to_mixture
from clustlab.objectives.centroid_updates import reseed_components
from clustlab.objectives.gaussian_mixture import maximise, responsibility
from clustlab.spec import Network, option

__all__ = ["DCGMM", "MixtureADMM"]

STARVED = 0.1
"""A component below this share of its fair weight begins anew."""


class MixtureADMM(ADMMModel):
    """A mixture of Gaussians on the copies; its means are the centroids.

    Attributes
    ----------
    weights : Tensor (K,)
    covariances : Tensor (K, J, J) or (K, J)
    scale : Tensor ()
        Mean variance of a coordinate of the codes when clustering began: the unit of penalty and ridge.
    """

    weights: Tensor
    covariances: Tensor
    scale: Tensor

    def __init__(
        self,
        shape: tuple[int, ...],
        network: Network,
        n_samples: int,
        n_clusters: int,
        *,
        penalty: float,
        ridge: float,
        full: bool,
    ) -> None:
        super().__init__(shape, network, n_samples, n_clusters, penalty)
        self.ridge, self.full = ridge, full
        unit = torch.eye(network.latent_dim) if full else torch.ones(network.latent_dim)
        self.register_buffer("weights", torch.full((n_clusters,), 1 / n_clusters))
        self.register_buffer("covariances", unit.repeat(n_clusters, *[1] * unit.dim()))
        self.register_buffer("scale", torch.ones(()))

    def start(self, codes: Tensor) -> None:
        """Make the clusters of k-means Gaussians, and fix the unit of the penalty."""
        self.scale = codes.var(dim=0, correction=0).mean().clamp_min(torch.finfo(codes.dtype).eps)
        self._maximise(functional.one_hot(self.labels, len(self.centroids)).to(codes))

    def penalty_in_units(self) -> Tensor:
        return self.penalty / self.scale

    def responsibility(self, y: Tensor) -> Tensor:
        """Copies or codes (n, J) → posterior of the components (n, K)."""
        return responsibility(y, self.weights.log(), self.centroids, self.covariances)

    def update(self, v: Tensor) -> Tensor:
        gamma = self.responsibility(self.auxiliary)
        self.labels = gamma.argmax(dim=1)
        self.auxiliary = pull_to_mixture(v, gamma, self.centroids, self.covariances, self.rho)
        return self._maximise(gamma)

    def _maximise(self, gamma: Tensor) -> Tensor:
        """The M step on the copies; starved components take one half of the heaviest."""
        y = self.auxiliary
        found = maximise(y, gamma, full=self.full, ridge=self.ridge * self.scale.item())
        self.weights, self.centroids, self.covariances, starved = reseed_components(*found, STARVED)
        return starved.sum()


class DCGMM(Method):
    """A mixture of Gaussians on copies of the codes."""

    name = "dc-gmm"
    card = Card(
        title="DC-GMM",
        paper="Tian, Zhou and Guan, “DeepCluster: a general clustering framework based on deep learning”, "
        "ECML PKDD 2017 (not the DC-GMM of Manduchi et al. 2021)",
        idea="Give a mixture of Gaussians copies of the codes, and let network and copies negotiate.",
        objective=r"\min_{f, g, y, \pi, \mu, \Sigma} \sum_i \tfrac{1}{2} \lVert x_i - g(f(x_i)) \rVert^2 "
        r"- \log \sum_k \pi_k \mathcal{N}(y_i; \mu_k, \Sigma_k) "
        r"+ \tfrac{\rho}{2} \lVert y_i - f(x_i) + u_i \rVert^2",
        symbols={**SYMBOLS, r"\pi_k, \mu_k, \Sigma_k": "weight, mean and covariance of component k"},
        look_for="Clusters may be long and leaning, which k-means would cut; the ellipses follow the copies.",
        algorithm=(
            "Pretrain the autoencoder; clusters of k-means on the codes become Gaussians; $y = f(x)$, $u = 0$.",
            (
                r"Responsibilities $\gamma_{ik}$ of the components for the copies; then "
                r"$y_i = (\sum_k \gamma_{ik} \Sigma_k^{-1} + \rho I)^{-1} "
                r"(\sum_k \gamma_{ik} \Sigma_k^{-1} \mu_k + \rho (f(x_i) - u_i))$."
            ),
            "Weights, means and covariances by the M step of EM on the copies, with a ridge.",
            r"$u_i \leftarrow u_i + \tfrac{1}{2} (y_i - f(x_i))$.",
            (
                r"Train $f$ and $g$ for an epoch on $\tfrac{1}{2} \lVert x - \hat{x} \rVert^2 + R \tfrac{\rho}{2} "
                r"\lVert y - z + u \rVert^2$. Repeat."
            ),
        ),
        pitfalls=(
            *PITFALLS,
            (
                "Components starve or shrink to a point. The ridge keeps variances up; a component with less than a "
                "tenth of its fair weight is counted as dead and takes one half of the heaviest."
            ),
            "Labels are argmax γ of the copies, Q is the posterior of the codes; while the two disagree they differ.",
        ),
        deviations=(
            *DEVIATIONS,
            (
                "Penalty and ridge are in units of the codes' variance when clustering begins, so that they do not "
                "depend on the scale of linear codes: ρ = 100 and 10⁻⁴ in place of 1000 and 10⁻⁵ for sigmoid codes, "
                "whose variances we take to be of the order of 0.1."
            ),
        ),
    )

    class Options(HardClusteringOptions):
        cluster_epochs: int = option(
            300, low=1, high=100_000, unit="epochs", help="Length of the clustering phase; an epoch is an iteration."
        )
        penalty: float = option(
            100.0,
            above=0,
            high=1e8,
            symbol=r"\rho",
            help="How much copies mind being away from the codes, in units of one over the codes' variance.",
        )
        cluster_weight: float = option(
            0.01, low=0, high=1e6, symbol="R", help="Weight of the penalty in the network's loss; 10⁻⁵ for Reuters."
        )
        covariances: Literal["full", "diagonal"] = option(
            "full", help="Whether components may lean, or lie along the coordinates."
        )
        ridge: float = option(
            1e-4, above=0, high=1, help="Added to every variance, as a share of the codes' variance.", advanced=True
        )
        dual_step: float = option(
            0.5, above=0, high=2, help="Step size of the dual variables; the released code halves it.", advanced=True
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        options = self.options
        return MixtureADMM(
            shape,
            self.spec.network,
            n_samples,
            n_clusters,
            penalty=options.penalty,
            ridge=options.ridge,
            full=options.covariances == "full",
        )

    def phases(self, model: MixtureADMM, samples: Samples) -> Sequence[Phase]:
        weights = Observation(lambda _: model.weights, cluster_axes=(0,), dtype=torch.float32)
        spread = Observation(lambda _: model.covariances, cluster_axes=(0,), dtype=torch.float32)
        return [
            *pretrain(model.autoencoder, samples, self.spec.training),
            splitting(
                self,
                model,
                samples,
                dual_step=self.options.dual_step,
                assign=model.responsibility,
                observe={
                    "component_weights": weights,
                    "component_covariances" if model.full else "component_variances": spread,
                },
            ),
        ]
