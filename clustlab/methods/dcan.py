"""DCAN, deep clustering with an adversarial net (Lim 2024): codes shall look like draws from their clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor, nn

from clustlab.errors import DataError
from clustlab.methods.base import (
    Card,
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
from clustlab.methods.landscape import landscape_observations, plane_of
from clustlab.methods.pretraining import pretrain, reconstruction, steps_per_epoch
from clustlab.networks import Autoencoder, Discriminator
from clustlab.objectives.adversarial import jensen_shannon, missed_fake, missed_real, pass_for_real, saturating
from clustlab.objectives.gaussian_clusters import draw, refit
from clustlab.objectives.kmeans import nearest_centroid
from clustlab.readout import KMeansProtocol, fit
from clustlab.spec import Network, Part, option

__all__ = ["DCAN", "DCANModel", "pulls"]

LEAST_VARIANCE = 1e-3
"""Variances of clusters end here, so that a cluster cannot become a point that nothing is drawn around."""

PULLED = 40
"""Probe samples whose three pulls are shown."""

FOOL = {
    "saturating": (saturating, "log(1 − D(z))", r"\log (1 - D(z))"),
    "non-saturating": (pass_for_real, "−log D(z)", r"-\log D(z)"),
}
"""What the encoder can pay: the loss, and how it is written."""


class DCANModel(nn.Module):
    """An autoencoder, a discriminator on its codes, and the clusters whose draws are real to it.

    Clusters are buffers: they follow the codes by fits, and no gradient reaches them.

    Attributes
    ----------
    means, variances : Tensor (K, J)
        Of the clusters' Gaussians.
    shares : Tensor (K,)
        Share of the codes in each cluster, at the last fit.
    conditional : bool
        Whether the discriminator is told the cluster.
    """

    means: Tensor
    variances: Tensor
    shares: Tensor

    def __init__(self, shape: tuple[int, ...], network: Network, n_clusters: int, conditional: bool) -> None:
        super().__init__()
        self.conditional = conditional
        self.autoencoder = Autoencoder(shape, network)
        told = n_clusters if conditional else 0
        self.discriminator = Discriminator(network.latent_dim + told, (128, 64))
        self.register_buffer("means", torch.zeros(n_clusters, network.latent_dim))
        self.register_buffer("variances", torch.ones(n_clusters, network.latent_dim))
        self.register_buffer("shares", torch.full((n_clusters,), 1 / n_clusters))

    def assign(self, z: Tensor) -> Tensor:
        """Codes (n, J) → nearest cluster (n,)."""
        return nearest_centroid(z.detach(), self.means)

    def logits(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Codes (n, J) and their clusters (n,), by default the nearest ones → the discriminator's logits (n,)."""
        if not self.conditional:
            logits: Tensor = self.discriminator(z)
            return logits
        told = nn.functional.one_hot(self.assign(z) if labels is None else labels, len(self.means)).to(z)
        conditioned: Tensor = self.discriminator(torch.cat([z, told], dim=1))
        return conditioned

    def begin(self, samples: Samples, n_init: int, seed: int) -> None:
        """Place the clusters where k-means finds them in the codes of all samples."""
        codes = samples.map(self.autoencoder.encoder)
        found = fit(codes.cpu().numpy(), len(self.means), seed=seed, protocol=KMeansProtocol(n_init=n_init))
        self._set(codes, torch.from_numpy(found.centroids).to(codes))

    @torch.no_grad()
    def follow(self, samples: Samples, n: int, scale: float) -> Values:
        """Fit the clusters, by one step, to the codes of n random samples; estimate how far the two sides are apart.

        Raises
        ------
        DataError
            If codes are not finite.
        """
        rows = torch.randperm(len(samples))[:n].to(samples.device)
        codes = self.autoencoder.encoder(samples.rows(rows))
        if not codes.isfinite().all():
            raise DataError("the codes are not finite numbers; training has diverged, try a smaller learning rate")
        self._set(codes, self.means)
        labels = self.assign(codes)
        real = self.logits(draw(labels, self.means, self.variances, scale), labels)
        return {
            "jensen_shannon": jensen_shannon(real, self.logits(codes, labels)).item(),
            "dead_clusters": (self.shares == 0).sum().item(),
        }

    def _set(self, codes: Tensor, means: Tensor) -> None:
        self.means, self.variances, self.shares = refit(codes, means, self.variances, LEAST_VARIANCE)


class DCAN(Method):
    """A discriminator tells codes from draws of the clusters fitted to them; the encoder learns to fool it."""

    name = "dcan"
    card = Card(
        title="DCAN",
        paper="Lim, “Deep clustering using adversarial net based clustering loss”, 2024, arXiv:2412.08933",
        idea="Codes are pulled into their clusters by a discriminator that tells draws from the clusters from codes.",
        objective=r"\min_f \max_D \; \mathbb{E}_{z \sim p_{\mathrm{clu}}} \log D(z) "
        r"+ \mathbb{E}_{z \sim p_{\mathrm{enc}}} \log (1 - D(z)) + \lambda \lVert x - \hat x \rVert^2",
        symbols={
            "f": "encoder",
            "D": "discriminator: its belief that a code was drawn from a cluster",
            r"p_{\mathrm{clu}}": "draws from the Gaussian of the cluster that a sample is in, τ times as wide",
            r"p_{\mathrm{enc}}": "codes z = f(x)",
            r"\lambda": "weight of the reconstruction; 0 in the paper",
            r"x, \hat x": "sample and reconstruction",
        },
        look_for="The landscape has hills on the clusters, and codes climb them. The estimated divergence rises while "
        "the discriminator learns and falls where the encoder wins; at log 2 = 0.69 every code is told from a draw.",
        algorithm=(
            "Pretrain the autoencoder; k-means on the codes places the clusters.",
            "Encoder: one step against the discriminator in force, on the codes of a mini-batch.",
            "Discriminator: one step on the new codes, and on one draw for each from the cluster it is nearest to.",
            (
                "Encode 600 random samples and move the clusters by one step of k-means from where they are; means "
                "and variances are those of the codes in each."
            ),
            "Repeat; a sample is labelled by its nearest cluster.",
        ),
        pitfalls=(
            (
                "Codes that already are a mixture of their own clusters are a fixed point, good or bad: the loss "
                "makes clusters Gaussian, it does not push them apart. Draws narrower than the cluster (τ < 1) "
                "contract them."
            ),
            (
                "A single point is a fixed point too, as nothing asks for reconstruction. With τ < 1 codes go there: "
                "each fit takes the narrower clusters as its new measure, and digits fell from an effective rank of "
                "7 to 2 in 490 steps at τ = ½. Watch the effective rank; fewer epochs, a smaller step or λ well "
                "above 1 hold it up."
            ),
            (
                "The loss is a divergence only for the best of all discriminators. One that learns no faster than "
                "the encoder moves says little, and the estimated divergence, a bound from below, stays near zero."
            ),
            "What pretraining has mixed up, the game confirms: start and features carry most of the result.",
            (
                "A discriminator that is always right leaves the encoder without a gradient in the saturating loss "
                "of the paper; the logits of both sides then stand far apart. The non-saturating loss goes on."
            ),
            "600 codes are sixty to a cluster with ten clusters: centres jitter. More are steadier and slower.",
            "A gradient through draws or centres would let the encoder move the target; they are buffers here.",
        ),
        deviations=(
            (
                "The paper writes D(z), and so do we; `conditional` tells the discriminator the nearest cluster as "
                "well. A code then cannot pass for a draw from another cluster, but the fixed points remain."
            ),
            (
                "The encoder moves first in each round, and clusters are fitted once, after the discriminator's "
                "steps: the cycle of the paper, entered elsewhere."
            ),
            (
                "Layers (128, 64), mini-batches and step sizes are not in the copies of the paper that we could "
                "read; it has gradient descent with momentum and 500 iterations, we have Adam and 490 steps on 1,797 "
                "samples. The discriminator's steps are ten times as long as the encoder's, so that it can follow "
                "the codes."
            ),
            "Pretraining by reconstruction, which the paper does not mention; `pretrained` switches it off.",
        ),
        published=(
            Published("Reuters-10k", "paper; 2,000 features, end to end; k-means has 0.6018 there", acc=0.7867),
            Published("MNIST, features of a ResNet-18", "paper, in its text", acc=0.995),
        ),
    )

    class Options(Part):
        cluster_epochs: int = option(70, low=1, high=100_000, unit="epochs", help="Length of the game.")
        pretrained: bool = option(True, help="Whether the encoder learns to reconstruct first.")
        scale: float = option(
            1.0,
            low=0,
            high=1,
            symbol=r"\tau",
            help="Standard deviation of draws, as share of their cluster's; 1 is the paper's, 0 draws the centres.",
        )
        encoder_loss: Literal["saturating", "non-saturating"] = option(
            "saturating", help="log(1 − D), as in the paper, or −log D, which does not fade where D is sure."
        )
        conditional: bool = option(False, help="Whether the discriminator is told which cluster a code is nearest to.")
        reconstruction_weight: float = option(
            0.0, low=0, high=1000, symbol=r"\lambda", help="Weight of the reconstruction; at 0 the decoder rests."
        )
        statistics: int = option(
            600, low=2, high=1_000_000, unit="samples", help="Random samples to which clusters are fitted each time."
        )
        discriminator_steps: int = option(1, low=1, high=100, help="Steps of the discriminator for one of the encoder.")
        optimiser: Literal["adam", "sgd"] = option("adam", help="For both sides; sgd has a momentum of 0.9.")
        learning_rate: float = option(1e-4, above=0, high=1, help="The encoder's step size; try 10⁻³ with sgd.")
        discriminator_rate: float = option(1e-3, above=0, high=1, help="The discriminator's step size.")
        n_init: int = option(20, low=1, high=1000, help="Seedings of the k-means that places the clusters.")

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return DCANModel(shape, self.spec.network, n_clusters, self.options.conditional)

    def phases(self, model: DCANModel, samples: Samples) -> Sequence[Phase]:
        first = pretrain(model.autoencoder, samples, self.spec.training) if self.options.pretrained else []
        return [*first, self._game(model, samples)]

    def _game(self, model: DCANModel, samples: Samples) -> Phase:
        options, autoencoder = self.options, model.autoencoder
        reconstructs = options.reconstruction_weight > 0
        decoder = autoencoder.decoder

        def follow(current: Pass) -> Values:
            return model.follow(samples, options.statistics, options.scale)

        return Phase(
            name="cluster",
            title="adversarial clustering",
            steps=options.cluster_epochs * steps_per_epoch(samples, self.spec.training),
            players=(self._encoder(model), self._discriminator(model)),
            encode=autoencoder.encoder,
            decode=decoder if reconstructs else None,
            # A decoder that has never been trained shows nothing.
            frozen_decode=decoder if options.pretrained and not reconstructs else None,
            centroids=lambda: model.means,
            on_enter=lambda: model.begin(samples, options.n_init, self.spec.seed),
            after_step=follow,
            take_turns=True,
            observe=_observations(model, options.scale, FOOL[options.encoder_loss][0]),
        )

    def _encoder(self, model: DCANModel) -> Player:
        options, autoencoder = self.options, model.autoencoder
        optimiser = self._optimiser(options.learning_rate)
        loss, symbol, latex = FOOL[options.encoder_loss]
        fool = Term(
            "fool_discriminator",
            lambda current: loss(model.logits(current.z)),
            symbol=symbol,
            latex=latex,
            help="What the encoder pays for codes that the discriminator tells from draws of the clusters.",
        )
        if not options.reconstruction_weight:
            return Player("encoder", tuple(autoencoder.encoder.parameters()), (fool,), optimiser)
        keep = replace(reconstruction, weight=options.reconstruction_weight, weight_symbol="λ")
        return Player("autoencoder", tuple(autoencoder.parameters()), (fool, keep), optimiser)

    def _discriminator(self, model: DCANModel) -> Player:
        options, scale = self.options, self.options.scale

        def on_draws(current: Pass) -> Tensor:
            labels = model.assign(current.z)
            return missed_real(model.logits(draw(labels, model.means, model.variances, scale), labels))

        terms = (
            Term(
                "missed_draws",
                on_draws,
                symbol="−log D(z₊)",
                latex=r"-\log D(z_+)",
                help="What the discriminator pays on draws from the clusters; log 2 where it knows nothing.",
            ),
            Term(
                "missed_codes",
                lambda current: missed_fake(model.logits(current.z.detach())),
                symbol="−log(1 − D(z))",
                latex=r"-\log (1 - D(z))",
                help="What the discriminator pays on codes; log 2 where it knows nothing.",
            ),
        )
        parameters = tuple(model.discriminator.parameters())
        optimiser = self._optimiser(options.discriminator_rate)
        return Player("discriminator", parameters, terms, optimiser, options.discriminator_steps)

    def _optimiser(self, learning_rate: float) -> Optimiser:
        return Optimiser(self.options.optimiser, learning_rate, momentum=0.9)


def pulls(model: DCANModel, z: Tensor, loss: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the steps in code space that three losses ask of codes (n, J): (n, 3, J).

    They are those of ABC (towards the mean), of the Gaussian divergence (towards the mean, more so along coordinates
    in which the cluster is narrow) and of DCAN (down the gradient of the encoder's ``loss`` of logits). Each loss's
    steps are divided by their root mean square length: what is compared is where they point.
    """
    labels = model.assign(z)
    towards = model.means[labels] - z
    with torch.enable_grad():
        moved = z.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(model.logits(moved, labels)).sum(), moved)
    steps = torch.stack([towards, towards / model.variances[labels], -gradient], dim=1)
    length = steps.square().sum(dim=2).mean(dim=0).sqrt()
    return steps / length.clamp_min(torch.finfo(z.dtype).tiny)[:, None]


def _observations(model: DCANModel, scale: float, loss: Callable[[Tensor], Tensor]) -> dict[str, Observation]:
    def positives(n: int) -> Tensor:
        # Draws of its own: what is shown must not change what is learned.
        generator = torch.Generator().manual_seed(0)
        labels = torch.multinomial(model.shares.cpu(), n, replacement=True, generator=generator)
        return draw(labels.to(model.means.device), model.means, model.variances, scale, generator)

    def in_plane(probe: ProbePass) -> Tensor:
        return pulls(model, probe.z[:PULLED], loss) @ plane_of(probe.z).axes.T

    return {
        **landscape_observations(model.logits, positives),
        "pulls": Observation(in_plane),
        "component_variances": Observation(lambda probe: model.variances, (0,), dtype=torch.float32),
        "component_weights": Observation(lambda probe: model.shares, (0,), dtype=torch.float32),
    }
