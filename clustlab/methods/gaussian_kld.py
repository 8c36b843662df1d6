"""Clustering by the divergence between Gaussians (Lim, Jiang, Yi, IEEE Signal Processing Letters 2020)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from clustlab.methods.base import (
    Card,
    Every,
    Method,
    Observation,
    Optimiser,
    Pass,
    Phase,
    Player,
    ProbePass,
    Samples,
    Term,
    Values,
)
from clustlab.methods.pretraining import pretrain, reconstruction, steps_per_epoch
from clustlab.methods.vade import with_narrow_posteriors
from clustlab.objectives.centroid_updates import reseed_components
from clustlab.objectives.gaussian_kld import DivergenceParts, divergence_parts
from clustlab.objectives.gaussian_mixture import maximise, responsibility
from clustlab.objectives.variational import draw_posterior
from clustlab.readout import KMeansProtocol, fit
from clustlab.spec import Network, Part, option

__all__ = ["GaussianKLD", "GaussianKLDModel"]

LEAST_VARIANCE = 1e-3
"""Variances of components end here: towards a point the divergence grows without bound."""

LEAST_SHARE = 0.1
"""A component with a smaller share of the samples than this times 1/K takes half of the heaviest one."""


class GaussianKLDModel(nn.Module):
    """A variational autoencoder, the Gaussians of the clusters, and the cluster of each sample.

    Attributes
    ----------
    unit_variance : bool
        Whether all variances, those of the posteriors and those of the components, are one.
    means, variances : Tensor (K, J)
        Of the components.
    labels : Tensor (n,), int64
        Component of each sample; −1 before the first assignment.
    """

    means: Tensor
    variances: Tensor
    labels: Tensor

    def __init__(
        self, shape: tuple[int, ...], network: Network, n_samples: int, n_clusters: int, unit_variance: bool
    ) -> None:
        super().__init__()
        self.unit_variance = unit_variance
        self.autoencoder = with_narrow_posteriors(shape, network)
        self.register_buffer("means", torch.zeros(n_clusters, network.latent_dim))
        self.register_buffer("variances", torch.ones(n_clusters, network.latent_dim))
        self.register_buffer("labels", torch.full((n_samples,), -1))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and log-variances of the posteriors, (n, J) each; the latter are zero under unit variance."""
        mean, log_variance = self.autoencoder.encoder.posterior(x)
        return mean, torch.zeros_like(log_variance) if self.unit_variance else log_variance

    def posterior(self, current: Pass) -> tuple[Tensor, Tensor]:
        """Return the posteriors of a pass."""
        posterior: tuple[Tensor, Tensor] = current.once("posterior", lambda each: self.encode(each.x))
        return posterior

    def assign(self, z: Tensor) -> Tensor:
        """Codes (n, J) → belief in each component (n, K), all components being equally likely beforehand."""
        return responsibility(z, z.new_zeros(len(self.means)), self.means, self.variances)

    def parts(self, current: Pass, labels: Tensor) -> DivergenceParts:
        """Return the divergence of each posterior from the component of its label, in three parts of (b, J)."""
        return divergence_parts(*self.posterior(current), self.means[labels], self.variances[labels].log())

    def place_components(self, samples: Samples, n_init: int, seed: int) -> None:
        """Put a component on each cluster that k-means finds in the codes."""
        mean, log_variance = self._all_posteriors(samples)
        found = fit(mean.cpu().numpy(), len(self.means), seed=seed, protocol=KMeansProtocol(n_init=n_init))
        self.means = torch.from_numpy(found.centroids).to(mean)
        self.labels.fill_(-1)  # there are others in a checkpoint of another method
        self._estimate(mean, log_variance, torch.from_numpy(found.labels).to(mean.device))

    @torch.no_grad()
    def renew_components(self, samples: Samples) -> Values:
        """Assign all samples anew, then estimate the components from them; return the share that changed component."""
        mean, log_variance = self._all_posteriors(samples)
        before, labels = self.labels, self.assign(mean).argmax(dim=1)
        shares = torch.bincount(labels, minlength=len(self.means)) / len(labels)
        _, self.means, self.variances, starved = reseed_components(shares, self.means, self.variances, LEAST_SHARE)
        self.labels = self.assign(mean).argmax(dim=1) if starved.any() else labels
        self._estimate(mean, log_variance, self.labels)
        values = {"dead_clusters": starved.sum().item()}
        return values if before[0] < 0 else {**values, "label_change": (self.labels != before).float().mean().item()}

    def _all_posteriors(self, samples: Samples) -> tuple[Tensor, Tensor]:
        mean, log_variance = samples.map(lambda x: torch.cat(self.encode(x), dim=1)).chunk(2, dim=1)
        return mean, log_variance

    def _estimate(self, mean: Tensor, log_variance: Tensor, labels: Tensor) -> None:
        """Put each component where its samples' divergence is least: the moments of draws from their posteriors."""
        hard = nn.functional.one_hot(labels, len(self.means)).to(mean)
        _, means, variances = maximise(mean, hard, full=False, ridge=0.0)
        own = hard.T @ log_variance.exp() / hard.sum(dim=0).clamp_min(1)[:, None]
        there = (hard.sum(dim=0) > 0)[:, None]
        self.means = torch.where(there, means, self.means)
        if self.unit_variance:
            self.variances = torch.ones_like(self.variances)
        else:
            self.variances = torch.where(there, variances + own, self.variances).clamp_min(LEAST_VARIANCE)


def divergence_term(model: GaussianKLDModel, weight: float) -> Term:
    """Return the divergence of each posterior from the component in force for its sample."""
    return Term(
        "divergence",
        lambda current: torch.stack(model.parts(current, model.labels[current.index])).sum(dim=(0, 2)),
        weight=weight,
        weight_symbol="λ/d",
        symbol="KL(N(μ̃, σ̃²)‖N(μ_k, σ_k²))",
        latex=r"\mathrm{KL}(\mathcal{N}(\tilde\mu, \tilde\sigma^2) \,\Vert\, \mathcal{N}(\mu_k, \sigma_k^2))",
        help="How far a sample's Gaussian is from that of its cluster, in nats, sum over coordinates.",
    )


def observations(model: GaussianKLDModel) -> dict[str, Observation]:
    """Return what a frame shows of components and posteriors; every sample belongs where its code is likeliest."""

    def own(probe: ProbePass) -> Tensor:
        labels: Tensor = probe.once("own component", lambda each: each.q.argmax(dim=1))
        return labels

    def parts(probe: ProbePass) -> Tensor:
        return torch.stack(model.parts(probe, own(probe)), dim=1).sum(dim=2)

    return {
        "component_variances": Observation(lambda probe: model.variances, cluster_axes=(0,), dtype=torch.float32),
        "posterior_variances": Observation(lambda probe: model.posterior(probe)[1].exp()),
        "kld_parts": Observation(parts),
        "pull": Observation(lambda probe: model.means[own(probe)]),
    }


class GaussianKLD(Method):
    """Every sample is a Gaussian; draw it towards the Gaussian of its cluster."""

    name = "gaussian-kld"
    card = Card(
        title="Gaussian KLD",
        paper="Lim, Jiang and Yi, “Deep clustering with variational autoencoder”, IEEE Signal Processing Letters 27, "
        "2020, pages 231–235",
        idea="A variational autoencoder draws the Gaussian of each sample towards that of its own cluster, and of no "
        "other.",
        objective=r"\begin{aligned}&\min_{f, g} \lVert x - \hat{x} \rVert^2 + \frac{\lambda}{d} \, "
        r"\mathrm{KL}\big(\mathcal{N}(\tilde\mu, \tilde\sigma^2) \,\Vert\, \mathcal{N}(\mu_k, \sigma_k^2)\big) \\ "
        r"&\mathrm{KL} = \tfrac12 \sum_j \Big[\frac{(\tilde\mu_j - \mu_{kj})^2}{\sigma_{kj}^2} + "
        r"\frac{\tilde\sigma_j^2}{\sigma_{kj}^2} - 1 + \log \frac{\sigma_{kj}^2}{\tilde\sigma_j^2}\Big]\end{aligned}",
        symbols={
            r"x, \hat{x}": "sample, and what a code drawn from its Gaussian decodes to",
            "f, g": "encoder, decoder",
            r"\lambda": "weight of the divergence against the squared error summed over features",
            "d": "features of a sample",
            r"\tilde\mu, \tilde\sigma^2": "mean and variances that the encoder gives for a sample",
            "k": "component under which the sample's mean is most likely",
            r"\mu_k, \sigma_k^2": "mean and variances of that component",
            "j": "coordinate of the codes",
        },
        look_for="The divergence in its three parts: that of the log-variances falls first, while the samples' narrow "
        "Gaussians widen towards their cluster's; then the means close in. With unit variances only these are left.",
        algorithm=(
            "Pretrain a plain autoencoder; its code layer is the head of the means.",
            "Place the components by k-means on the codes.",
            (
                r"Once an epoch assign every sample to the component under which its $\tilde\mu$ is most likely, and "
                r"give each component the mean of its samples and the variance of draws from them, "
                r"$\sigma_k^2 = \overline{\tilde\sigma^2 + (\tilde\mu - \mu_k)^2}$: there the divergence is least."
            ),
            "In between move encoder and decoder by Adam on the reconstruction of drawn codes plus the divergence.",
        ),
        pitfalls=(
            r"As $\sigma_k$ goes to zero the quadratic part explodes; variances of components end at $10^{-3}$.",
            (
                r"If the decoder saw only means, $\tilde\sigma$ and $\sigma_k$ could shrink together at no cost; it "
                "sees draws, so that the scale of the codes means something."
            ),
            (
                "The divergence is low wherever a posterior covers its component, also where it says nothing about "
                "the sample any more: a large λ leaves K codes and blurred reconstructions."
            ),
            "A component without samples would never move again; below a tenth of 1/K it takes half of the heaviest.",
        ),
        deviations=(
            "The paper's settings were not available to us: λ, learning rate and number of epochs are ours.",
            (
                "A squared error summed over features goes with λ; we take its mean, so λ is divided by d. "
                "λ = 1 expects noise of variance ½ on every feature, as VaDE's released code does."
            ),
            (
                "Components are placed by k-means and estimated anew once an epoch; the head of the log-variances "
                "begins at −3."
            ),
        ),
    )

    class Options(Part):
        cluster_epochs: int = option(
            150, low=1, high=100_000, unit="epochs", help="Length of the clustering phase, after pretraining."
        )
        cluster_weight: float = option(
            1.0, low=0, high=1000, symbol=r"\lambda", help="Weight of the divergence; 0.1 to 1 keep reconstructions."
        )
        unit_variance: bool = option(
            False,
            help="Hold all variances at one, those of samples and those of clusters: what is left of the divergence "
            "is half the squared distance to the cluster's mean.",
        )
        learning_rate: float = option(1e-3, above=0, high=1, help="Adam's step size while clustering.")
        n_init: int = option(20, low=1, high=1000, help="Seedings of the k-means that places the components.")

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return GaussianKLDModel(shape, self.spec.network, n_samples, n_clusters, self.options.unit_variance)

    def phases(self, model: GaussianKLDModel, samples: Samples) -> Sequence[Phase]:
        options, autoencoder = self.options, model.autoencoder
        per_epoch = steps_per_epoch(samples, self.spec.training)
        player = Player(
            "autoencoder",
            tuple(autoencoder.parameters()),
            (reconstruction, divergence_term(model, options.cluster_weight / math.prod(samples.shape))),
            Optimiser("adam", options.learning_rate),
        )
        return [
            *pretrain(autoencoder, samples, self.spec.training),
            Phase(
                name="cluster",
                title="clustering",
                steps=options.cluster_epochs * per_epoch,
                players=(player,),
                encode=autoencoder.encoder,
                decode=autoencoder.decoder,
                assign=model.assign,
                draw=lambda current: draw_posterior(*model.posterior(current)),
                centroids=lambda: model.means,
                on_enter=lambda: model.place_components(samples, options.n_init, self.spec.seed),
                every=(Every(per_epoch, "components", lambda: model.renew_components(samples)),),
                observe=observations(model),
            ),
        ]
