"""Variational autoencoder, then k-means on the means of its posteriors (Kingma and Welling, ICLR 2014)."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from clustlab.methods.ae_kmeans import AEKMeansModel, KMeansOptions, cluster_codes
from clustlab.methods.base import Card, Method, Observation, Pass, Phase, Published, Samples, Term
from clustlab.methods.pretraining import BENCHMARK_SETTINGS, pretrain
from clustlab.networks import VariationalAutoencoder
from clustlab.objectives.variational import draw_posterior, kl_to_standard_normal
from clustlab.spec import Network, option

__all__ = ["VAEKMeans", "VAEKMeansModel"]

PRIOR_DRAWS = 20
"""Draws from the prior whose decoding is shown; the same ones in every frame."""


class VAEKMeansModel(AEKMeansModel):
    """A variational autoencoder, k-means on its means, and the draws from the prior that frames show.

    Attributes
    ----------
    prior_draws : Tensor (m, J)
    """

    autoencoder: VariationalAutoencoder
    prior_draws: Tensor

    def __init__(self, shape: tuple[int, ...], network: Network, n_samples: int, n_clusters: int) -> None:
        super().__init__(VariationalAutoencoder(shape, network), n_samples, n_clusters, network.latent_dim)
        self.register_buffer("prior_draws", torch.randn(PRIOR_DRAWS, network.latent_dim))

    def posterior(self, current: Pass) -> tuple[Tensor, Tensor]:
        """Return means and log-variances of a pass, (b, J) each, computed once."""
        return current.once("posterior", lambda current: self.autoencoder.encoder.posterior(current.x))

    def kl(self, current: Pass) -> Tensor:
        """Return the divergence of each posterior from the prior by coordinate, in nats: (b, J)."""
        return kl_to_standard_normal(*self.posterior(current))


class VAEKMeans(Method):
    """Learn posteriors that stay close to a standard normal, then cluster their means."""

    name = "vae-kmeans"
    card = Card(
        title="VAE + k-means",
        paper="Kingma and Welling, “Auto-encoding variational Bayes”, ICLR 2014; with k-means in Berthelot et al. 2019",
        idea="Every sample becomes a small cloud in code space, and all clouds together must look like one Gaussian.",
        objective=r"\min_{f, g} \frac{1}{d} \left( \mathbb{E}_{z \sim \mathcal{N}(\tilde\mu, \tilde\sigma^2)} "
        r"\lVert x - g(z) \rVert^2 + \beta\, \mathrm{KL}(\mathcal{N}(\tilde\mu, \tilde\sigma^2) \,\Vert\, "
        r"\mathcal{N}(0, I)) \right)",
        symbols={
            "x": "sample",
            "d": "number of its features",
            "f": "encoder: mean and variance of the posterior",
            "g": "decoder",
            "z": "code, drawn from the posterior",
            r"\tilde\mu, \tilde\sigma^2": "mean (J coordinates) and variances of the posterior",
            r"\beta": "weight of the divergence; twice the variance that the decoder grants each feature",
        },
        look_for="Gaps between groups close: the prior has no room for them. Coordinates that are not worth their "
        "price go dead one by one, their divergence at zero and their posterior variance at one.",
        algorithm=(
            r"Encode the mini-batch to means $\tilde\mu$ and log-variances $\log\tilde\sigma^2$.",
            r"Draw $z = \tilde\mu + \tilde\sigma\epsilon$, decode it, compare with the sample.",
            (
                r"Add β times the divergence $\tfrac12\sum_j(\tilde\mu_j^2+\tilde\sigma_j^2-\log\tilde\sigma_j^2-1)$; "
                r"both terms are divided by the number of features."
            ),
            r"Afterwards run k-means on the means $\tilde\mu$, never on draws.",
        ),
        pitfalls=(
            (
                "A prior with a single peak closes the gaps between classes: reconstructions get worse and clusters "
                "harder to tell apart."
            ),
            (
                "Posterior collapse: a coordinate whose divergence is below 0.01 nats carries nothing. See the "
                "divergence by coordinate; lower β where many are dead."
            ),
            (
                "A reconstruction that is summed and a divergence that is averaged, or the other way round, turn β "
                "into 1/d or 1/B of what it says. Here both are sums over their coordinates divided by d, for each "
                "sample."
            ),
            "Log-variances are kept within −8 … 8, so that no posterior runs away.",
        ),
        deviations=(
            (
                r"Gaussian likelihood: with variance $\sigma_x^2$ per feature the bound is $\lVert x-\hat x\rVert^2 + "
                r"2\sigma_x^2\,\mathrm{KL}$ up to scale, so β = 1 grants half of the samples' mean square; a unit "
                r"variance is β = 2. ACAI's authors have a Bernoulli likelihood on pixels between 0 and 1 and β = 1."
            ),
            "Adam at 0.001 for 200 epochs on the shared network; ACAI's authors: convolutions, Adam at 0.0001.",
        ),
        paper_settings=BENCHMARK_SETTINGS,
        published=(
            Published("MNIST", "ACAI authors' poster, 32 coordinates, whitened, test split", acc=0.7574),
            Published("MNIST", "ACAI authors' poster, 256 coordinates, whitened, test split", acc=0.8344),
            Published("MNIST", "KINGDRA authors' slides, deep VAE", acc=0.652),
            Published("SVHN", "ACAI authors' poster, 32 coordinates, whitened, test split", acc=0.1683),
            Published("Reuters-10k", "KINGDRA authors' slides, deep VAE", acc=0.537),
        ),
    )

    class Options(KMeansOptions):
        beta: float = option(
            1.0,
            low=0,
            high=1000,
            symbol=r"\beta",
            help="Weight of the divergence from the prior: more of it, and codes keep less and crowd together more.",
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return VAEKMeansModel(shape, self.spec.network, n_samples, n_clusters)

    def phases(self, model: VAEKMeansModel, samples: Samples) -> Sequence[Phase]:
        *layers, joint = pretrain(model.autoencoder, samples, self.spec.training)
        variational = replace(
            joint,
            title="variational autoencoder",
            draw=lambda current: draw_posterior(*model.posterior(current)),
            observe={
                "posterior_variances": Observation(lambda probe: model.posterior(probe)[1].exp()),
                "kl_per_dimension": Observation(lambda probe: model.kl(probe).mean(dim=0), dtype=torch.float32),
                "prior_samples": Observation(lambda probe: model.autoencoder.decoder(model.prior_draws), decoded=True),
            },
        ).with_term(joint.players[0].name, self._divergence(model, math.prod(samples.shape)))
        return [*layers, variational, cluster_codes(self, model, samples)]

    def _divergence(self, model: VAEKMeansModel, features: int) -> Term:
        return Term(
            "kl",
            # The reconstruction is a mean over features; its sum is what the bound weighs against the sum over J.
            lambda current: model.kl(current).sum(dim=1) / features,
            weight=self.options.beta,
            weight_symbol="β",
            symbol="KL(q‖N(0,I))/d",
            latex=r"\tfrac{1}{d}\mathrm{KL}(\mathcal{N}(\tilde\mu, \tilde\sigma^2) \,\Vert\, \mathcal{N}(0, I))",
            help="Divergence of the posterior from the prior, sum over coordinates, divided by the features as the "
            "reconstruction is.",
        )
