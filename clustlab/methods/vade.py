"""VaDE, variational deep embedding (Jiang, Zheng, Tan, Tang, Zhou, IJCAI 2017)."""

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
    Published,
    Samples,
    Term,
    Values,
)
from clustlab.methods.pretraining import DEC_SETTINGS, pretrain, reconstruction, steps_per_epoch
from clustlab.networks.variational import LOG_VARIANCE_RANGE, VariationalAutoencoder
from clustlab.objectives.centroid_updates import reseed_components
from clustlab.objectives.gaussian_kld import divergence
from clustlab.objectives.mixture_prior import (
    assignment_divergence,
    cross_entropy,
    effective_components,
    log_responsibility,
    posterior_entropy,
)
from clustlab.objectives.variational import draw_posterior
from clustlab.readout import GMMProtocol, fit_gmm
from clustlab.spec import Network, Part, option

__all__ = ["VaDE", "VaDEModel", "bound_terms", "with_narrow_posteriors"]

START_LOG_VARIANCE = -3.0
"""Log-variance of every posterior when clustering begins: a pretrained decoder has never seen noise."""

EPSILON = 1e-4
"""Adam's ε in the released code, for a loss in nats."""

LEAST_LEARNING_RATE = 0.1
"""Where the decay of the learning rate ends, as a share of it."""

PRIOR_DRAWS = 40
"""Samples that a frame shows of what the model would generate."""


def with_narrow_posteriors(shape: tuple[int, ...], network: Network) -> VariationalAutoencoder:
    """Return a variational autoencoder that can be pretrained as a plain one: all its posteriors begin alike."""
    autoencoder = VariationalAutoencoder(shape, network, START_LOG_VARIANCE)
    # pretrained features are large: with random weights on them log-variances would begin anywhere
    nn.init.zeros_(autoencoder.encoder.log_variance_head.weight)
    return autoencoder


class VaDEModel(nn.Module):
    """A variational autoencoder and the mixture of Gaussians that is its prior.

    Attributes
    ----------
    logits : Parameter (K,)
        Weights π before the softmax.
    means, log_variances : Parameter (K, J)
        Of the components.
    labels : Tensor (n,), int64
        argmax γ when the mixture was last looked after; −1 before.
    prior_noise : Tensor (m, J), prior_choice : Tensor (m,)
        Normal and uniform numbers from which draws from the prior are made: the same in all frames.
    """

    labels: Tensor
    prior_noise: Tensor
    prior_choice: Tensor

    def __init__(self, shape: tuple[int, ...], network: Network, n_samples: int, n_clusters: int) -> None:
        super().__init__()
        self.autoencoder = with_narrow_posteriors(shape, network)
        self.logits = nn.Parameter(torch.zeros(n_clusters))
        self.means = nn.Parameter(torch.zeros(n_clusters, network.latent_dim))
        self.log_variances = nn.Parameter(torch.zeros(n_clusters, network.latent_dim))
        self.register_buffer("labels", torch.full((n_samples,), -1))
        self.register_buffer("prior_noise", torch.randn(PRIOR_DRAWS, network.latent_dim))
        self.register_buffer("prior_choice", torch.rand(PRIOR_DRAWS))

    @property
    def mixture(self) -> tuple[nn.Parameter, ...]:
        """The parameters of the prior."""
        return self.logits, self.means, self.log_variances

    @property
    def log_weights(self) -> Tensor:
        """Log of π, normalised: (K,)."""
        return self.logits.log_softmax(dim=0)

    def posterior(self, current: Pass) -> tuple[Tensor, Tensor]:
        """Return means and log-variances of the posteriors of a pass, (b, J) each."""
        posterior: tuple[Tensor, Tensor] = current.once(
            "posterior", lambda each: self.autoencoder.encoder.posterior(each.x)
        )
        return posterior

    def log_gamma(self, current: Pass) -> Tensor:
        """Return log γ at the codes of a pass, (b, K): at draws while training, at the means in frames."""
        log_gamma: Tensor = current.once("log γ", lambda each: self.log_responsibility(each.z))
        return log_gamma

    def log_responsibility(self, z: Tensor) -> Tensor:
        """Codes (n, J) → log γ (n, K)."""
        return log_responsibility(z, self.log_weights, self.means, self.log_variances)

    def assign(self, z: Tensor) -> Tensor:
        """Codes (n, J) → γ (n, K)."""
        return self.log_responsibility(z).exp()

    def generate(self) -> Tensor:
        """Return what draws from the prior decode to: (m, *shape)."""
        shares = self.log_weights.exp().cumsum(dim=0)
        component = torch.searchsorted(shares, self.prior_choice).clamp_max(len(shares) - 1)
        spread = (0.5 * self.log_variances[component]).exp()
        generated: Tensor = self.autoencoder.decoder(self.means[component] + spread * self.prior_noise)
        return generated

    def fit_mixture(self, samples: Samples, n_init: int, seed: int) -> None:
        """Fit the mixture to the codes by EM; of ``n_init`` starts the likeliest fit is kept."""
        codes = samples.map(self.autoencoder.encoder).cpu().numpy()
        protocol = GMMProtocol(covariance="diag", n_init=n_init)
        found = fit_gmm(codes, len(self.means), seed=seed, protocol=protocol)
        self.set_mixture(*(torch.from_numpy(part) for part in (found.weights, found.means, found.covariances)))

    @torch.no_grad()
    def set_mixture(self, weights: Tensor, means: Tensor, variances: Tensor) -> None:
        """Put weights (K,), means and variances (K, J) in force."""
        self.logits.copy_(weights.log())
        self.means.copy_(means)
        self.log_variances.copy_(variances.log())
        self.bound_variances()

    @torch.no_grad()
    def bound_variances(self) -> None:
        """Bring the components' log-variances back to where nothing overflows; gradients go on at the bounds."""
        self.log_variances.clamp_(*LOG_VARIANCE_RANGE)

    @torch.no_grad()
    def look_after_mixture(self, samples: Samples, least_share: float) -> Values:
        """Give components that explain next to nothing half of the heaviest, and tell how many are in use.

        Parameters
        ----------
        samples : Samples
        least_share : float
            Mean γ below which a component is given up, as a share of 1/K; 0 means never.
        """
        gamma = samples.map(lambda x: self.assign(self.autoencoder.encoder(x)))
        weights = gamma.mean(dim=0)
        *mixture, starved = reseed_components(weights, self.means, self.log_variances.exp(), least_share)
        if starved.any():
            self.set_mixture(*mixture)
        before, self.labels = self.labels, gamma.argmax(dim=1)
        values = {"active_components": effective_components(weights).item(), "dead_clusters": starved.sum().item()}
        return values if before[0] < 0 else {**values, "label_change": (self.labels != before).float().mean().item()}


def bound_terms(model: VaDEModel, weight: float, ramp: int) -> tuple[Term, ...]:
    """Return the negative bound, term by term: reconstruction, and what the prior asks, in nats times ``weight``."""

    def expected_surprise(current: Pass) -> Tensor:
        gamma = model.log_gamma(current).exp()
        return cross_entropy(gamma, *model.posterior(current), model.means, model.log_variances)

    return (
        reconstruction,
        Term(
            "cross_entropy",
            expected_surprise,
            weight=weight,
            ramp=ramp,
            weight_symbol="β",
            symbol="−Σγ_c E log p(z|c)",
            latex=r"-\sum_c \gamma_c \, \mathbb{E}_q \log p(z \mid c)",
            help="How surprising the posterior's codes are under the components they belong to, in nats.",
        ),
        Term(
            "assignment",
            lambda current: assignment_divergence(model.log_gamma(current), model.log_weights),
            weight=weight,
            ramp=ramp,
            weight_symbol="β",
            symbol="KL(γ‖π)",
            latex=r"\mathrm{KL}(\gamma \,\Vert\, \pi)",
            help="What it costs to name the component, in nats: log K if π is even and every code is certain.",
        ),
        Term(
            "negative_entropy",
            lambda current: -posterior_entropy(model.posterior(current)[1]),
            weight=weight,
            ramp=ramp,
            weight_symbol="β",
            symbol="−H(q(z|x))",
            latex=r"-\mathbb{H}(q(z \mid x))",
            help="How precise the posterior is, in nats; together with the cross-entropy a divergence, never negative.",
        ),
    )


def observations(model: VaDEModel) -> dict[str, Observation]:
    """Return what a frame shows of the prior and of the posteriors."""

    def by_coordinate(probe: ProbePass) -> Tensor:
        mean, log_variance = model.posterior(probe)
        to_each = divergence(mean[:, None], log_variance[:, None], model.means, model.log_variances)
        return (model.log_gamma(probe).exp()[:, :, None] * to_each).sum(dim=1).mean(dim=0)

    single = torch.float32
    return {
        "component_weights": Observation(lambda probe: model.log_weights.exp(), cluster_axes=(0,), dtype=single),
        "component_variances": Observation(lambda probe: model.log_variances.exp(), cluster_axes=(0,), dtype=single),
        "posterior_variances": Observation(lambda probe: model.posterior(probe)[1].exp()),
        "kl_per_dimension": Observation(by_coordinate, dtype=single),
        "prior_samples": Observation(lambda probe: model.generate(), decoded=True),
    }


class VaDE(Method):
    """Learn the codes and the mixture that they are drawn from as one generative model."""

    name = "vade"
    card = Card(
        title="VaDE",
        paper="Jiang, Zheng, Tan, Tang and Zhou, “Variational deep embedding: an unsupervised and generative approach "
        "to clustering”, IJCAI 2017",
        idea="A variational autoencoder whose prior is a mixture: first draw a cluster, then a code, then the sample.",
        objective=r"\begin{aligned}\min_{\theta, \phi, \pi, \mu, \sigma} \lVert x - \hat{x} \rVert^2 &+ \beta \Big("
        r"{-\sum_c \gamma_c \, \mathbb{E}_q \log p(z \mid c)} + \mathrm{KL}(\gamma \,\Vert\, \pi) "
        r"- \mathbb{H}(q(z \mid x))\Big) \\ p(z \mid c) &= \mathcal{N}(z; \mu_c, \sigma_c^2), \quad "
        r"\gamma_c = p(c \mid z) \propto \pi_c \, p(z \mid c), \quad \beta = 2 \sigma_x^2 / d\end{aligned}",
        symbols={
            r"x, \hat{x}": "sample, and what a code drawn from its posterior decodes to",
            r"\theta, \phi": "weights of decoder and encoder",
            r"\pi_c, \mu_c, \sigma_c^2": "weight, mean and variances of a component of the prior",
            r"\gamma_c": "responsibility: belief that the code was drawn from component c",
            r"q(z \mid x)": "posterior of the encoder, Gaussian with a mean and a variance for each coordinate",
            r"\mathbb{E}_q, \mathbb{H}": "mean over the posterior, and its entropy",
            r"\mathrm{KL}(\gamma \,\Vert\, \pi)": "what naming the component costs",
            r"\beta": "weight of the prior: what one nat is worth in squared error per feature",
            r"\sigma_x^2": "variance of the noise that the model expects on every feature",
            "d": "features of a sample",
        },
        look_for="Ellipses of the components grow apart and each takes in one group; watch that all of them stay in "
        "use, and that posteriors widen in directions nobody needs.",
        algorithm=(
            "Pretrain a plain autoencoder; its code layer is the head of the posterior's means.",
            "Fit a mixture of axis-parallel Gaussians to the codes by EM; of several starts keep the likeliest.",
            r"Draw a code from each posterior, $z = \tilde\mu + \tilde\sigma \epsilon$, and compute $\gamma$ there.",
            "Move networks and mixture by Adam on the negative bound, each at a learning rate of its own that decays.",
            (
                "The prior comes in over a few epochs; once an epoch a component that has lost its samples takes half "
                "of the heaviest one, and all weights are then set to the mean of γ."
            ),
            r"Labels are $\arg\max_c \gamma_c$ at the mean of the posterior.",
        ),
        pitfalls=(
            "Without pretraining everything ends in one component (issues of the released code: .1125 on MNIST).",
            (
                "Densities of ten coordinates are smaller than the 1e-10 that the released script adds to them, which "
                "flattens γ, and its log π counts once for every coordinate; here all is one log-softmax."
            ),
            "Log-variances run away on harder data until numbers end; those of both sides are kept within −8 and 8.",
            (
                "Components die: one whose mean γ falls below a tenth of 1/K takes one half of the "
                "heaviest. Watch “active components”."
            ),
            "Runs differ a lot: ARI of .4 to .8 over seeds has been reported for a port. Look at several.",
        ),
        deviations=(
            (
                r"The paper sums squared errors over features, we take their mean, so the whole bound is divided by d; "
                r"$\sigma_x^2 = ½$ is what the released code's weighting amounts to (α = 1, linear outputs). The "
                r"constant of the Gaussian likelihood is left out."
            ),
            "Inputs are scaled to a mean square of one, so digits, too, get a Gaussian likelihood and no sigmoid.",
            (
                "The released code trains 3000 epochs on MNIST, 15 on Reuters-10k and 120 on HAR in batches of 100; "
                "ours are 300 by default, in the batches of the pretraining."
            ),
            (
                "One recipe for all data: the released code starts Reuters-10k from k-means with unit variances and "
                "halves its rates every 5 epochs; HAR has α = 5 and a slower mixture."
            ),
            (
                "The warm-up scales the loss. Of what gets its gradients from these terms alone (the mixture, "
                "log-variances) Adam undoes the scaling: it moves at full rate from the first step."
            ),
            "Narrow posteriors at the start (log-variance −3), warm-up and bounds on variances are ours.",
            "Dead components are brought back; the released code gives up a bad start (HAR), judging by labels.",
        ),
        paper_settings={
            "options": {"cluster_epochs": 3000},
            "network": DEC_SETTINGS["network"],
            "training": {**DEC_SETTINGS["training"], "batch_size": 100},
        },
        published=(
            Published("MNIST", "authors' README (best run)", acc=0.9446),
            Published("MNIST", "Guo et al. 2018 (DEC-DA), released code", acc=0.945, nmi=0.876),
            Published("MNIST", "takus69, reimplementation, mean of 10", acc=0.805, nmi=0.812, ari=0.738),
            Published("MNIST, test split only", "Guo et al. 2018 (DEC-DA), released code: collapsed", 0.287, 0.287),
            Published("USPS", "Guo et al. 2018 (DEC-DA), released code", acc=0.566, nmi=0.512),
            Published("Fashion-MNIST", "Guo et al. 2018 (DEC-DA), released code", acc=0.578, nmi=0.630),
            Published("Fashion-MNIST", "takus69, reimplementation, mean of 10", acc=0.613, nmi=0.637, ari=0.482),
            Published("Reuters", "authors' README (best run)", acc=0.7938),
            Published("Reuters-10k", "authors' training log (best run)", acc=0.8166),
            Published("HHAR", "authors' training log (best run)", acc=0.8538),
        ),
    )

    class Options(Part):
        cluster_epochs: int = option(
            300, low=1, high=100_000, unit="epochs", help="Length of the clustering phase, after pretraining."
        )
        noise_variance: float = option(
            0.5,
            above=0,
            high=1000,
            symbol=r"\sigma_x^2",
            help="Noise that the model expects on every feature of the scaled data (mean square one). Less noise: "
            "sharper reconstructions, weaker prior.",
        )
        warm_up: int = option(
            10, low=0, high=100_000, unit="epochs", help="Time over which the prior's weight rises from zero."
        )
        learning_rate: float = option(2e-3, above=0, high=1, help="Adam's step size for the networks.")
        mixture_learning_rate: float = option(
            2e-3, above=0, high=1, help="Adam's step size for weights, means and variances of the components."
        )
        decay: float = option(
            0.9, above=0, high=1, help="Factor on both learning rates at every decay, down to a tenth of each."
        )
        decay_interval: int = option(10, low=1, high=100_000, unit="epochs", help="Time between decays.")
        n_init: int = option(
            10, low=1, high=1000, help="Starts of the mixture fitted to the codes; likelihood decides."
        )
        reseed_below: float = option(
            0.1,
            low=0,
            high=1,
            help="A component takes half of the heaviest when its mean responsibility falls below this share of 1/K.",
            advanced=True,
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return VaDEModel(shape, self.spec.network, n_samples, n_clusters)

    def phases(self, model: VaDEModel, samples: Samples) -> Sequence[Phase]:
        options, autoencoder = self.options, model.autoencoder
        per_epoch = steps_per_epoch(samples, self.spec.training)
        weight = 2 * options.noise_variance / math.prod(samples.shape)
        player = Player(
            "autoencoder and mixture",
            (*autoencoder.parameters(), *model.mixture),
            bound_terms(model, weight, options.warm_up * per_epoch),
            Optimiser(
                "adam",
                options.learning_rate,
                epsilon=EPSILON * weight,  # a loss divided by anything, with ε divided by the same, steps the same
                decay=options.decay,
                decay_steps=options.decay_interval * per_epoch,
                floor=LEAST_LEARNING_RATE * options.learning_rate,
            ),
            pace=dict.fromkeys(model.mixture, options.mixture_learning_rate / options.learning_rate),
        )
        return [
            *pretrain(autoencoder, samples, self.spec.training),
            Phase(
                name="cluster",
                title="variational mixture",
                steps=options.cluster_epochs * per_epoch,
                players=(player,),
                encode=autoencoder.encoder,
                decode=autoencoder.decoder,
                assign=model.assign,
                draw=lambda current: draw_posterior(*model.posterior(current)),
                centroids=lambda: model.means,
                on_enter=lambda: model.fit_mixture(samples, options.n_init, self.spec.seed),
                every=(Every(per_epoch, "mixture", lambda: model.look_after_mixture(samples, options.reseed_below)),),
                after_step=lambda current: model.bound_variances(),
                observe=observations(model),
            ),
        ]
