"""Adversarial autoencoder with a Gaussian prior, then k-means on its codes (Makhzani et al. 2016)."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from clustlab.methods.ae_kmeans import AEKMeansModel, KMeansOptions, cluster_codes
from clustlab.methods.base import Card, Method, Pass, Phase, Player, Published, Samples, Term
from clustlab.methods.landscape import landscape_observations
from clustlab.methods.pretraining import BENCHMARK_SETTINGS, pretrain
from clustlab.networks import Autoencoder, Discriminator
from clustlab.objectives.adversarial import missed_fake, missed_real, pass_for_real
from clustlab.objectives.corruption import add_noise
from clustlab.spec import Network, option

__all__ = ["AAEKMeans", "AAEKMeansModel"]


class AAEKMeansModel(AEKMeansModel):
    """An autoencoder, a discriminator on its codes, and k-means on them."""

    def __init__(self, shape: tuple[int, ...], network: Network, n_samples: int, n_clusters: int) -> None:
        super().__init__(Autoencoder(shape, network), n_samples, n_clusters, network.latent_dim)
        self.discriminator = Discriminator(network.latent_dim)


class AAEKMeans(Method):
    """Learn codes that a discriminator cannot tell from a standard normal, then cluster them."""

    name = "aae-kmeans"
    card = Card(
        title="AAE + k-means",
        paper="Makhzani, Shlens, Jaitly, Goodfellow and Frey, “Adversarial autoencoders”, 2016; with k-means in "
        "Berthelot et al. 2019",
        idea="Instead of a divergence, a discriminator sees to it that all codes together look like one Gaussian.",
        objective=r"\begin{aligned}\min_{f, g}\ & \mathbb{E} \lVert x - g(f(x)) \rVert^2 \\ \max_D\ & \mathbb{E}_{z "
        r"\sim \mathcal{N}(0, I)} \log D(z) + \mathbb{E}_x \log(1 - D(f(x))) \\ \max_f\ & \mathbb{E}_x \log D(f(x))"
        r"\end{aligned}",
        symbols={
            "x": "sample",
            "f": "encoder",
            "g": "decoder",
            "D": "discriminator: how probable it is that a code was drawn from the prior",
            "z": "code, drawn from the prior",
        },
        look_for="The codes fill the prior's disc, and the discriminator's landscape goes flat: it has nothing left to "
        "say. Each of its losses is then at log 2 = 0.69.",
        algorithm=(
            "The autoencoder takes a step on the reconstruction.",
            "The discriminator takes a step: draws from the prior are real, codes of the mini-batch are not.",
            r"The encoder takes a step on $-\log D(f(x))$, so that its codes are taken for draws.",
            "Each step looks at the mini-batch afresh. Afterwards k-means runs on the codes.",
        ),
        pitfalls=(
            (
                "The discriminator wins: its losses go to zero, and the encoder is thrown about. Noise on what it is "
                "shown (discriminator_noise) takes away what it was so sure of."
            ),
            "A prior with a single peak leaves no room for gaps between clusters.",
            (
                "The encoder's two goals share its weights: where the reconstruction rises as codes get closer to the "
                "prior, shorten the fight by a smaller adversarial_pace."
            ),
            (
                r"$\log(1 - D)$ would give the encoder hardly any gradient where it needs it most; the non-saturating "
                "loss does not have that."
            ),
        ),
        deviations=(
            (
                "Adam at 0.001 for 200 epochs on the shared network; ACAI's authors: convolutions, Adam at 0.0001, "
                "16.8 million images. The discriminator is theirs: 100, 100, leaky ReLU, no noise."
            ),
        ),
        paper_settings=BENCHMARK_SETTINGS,
        published=(
            Published("MNIST", "ACAI authors' poster, 32 coordinates, whitened, test split", acc=0.7919),
            Published("MNIST", "ACAI authors' poster, 256 coordinates, whitened, test split", acc=0.8100),
            Published("SVHN", "ACAI authors' poster, 32 coordinates, whitened, test split", acc=0.1735),
            Published("SVHN", "ACAI authors' poster, 256 coordinates, whitened, test split", acc=0.1359),
        ),
    )

    class Options(KMeansOptions):
        adversarial_pace: float = option(
            1.0,
            above=0,
            high=100,
            help="Step size of the discriminator, and of the encoder against it, as a multiple of the autoencoder's.",
        )
        discriminator_noise: float = option(
            0.0,
            low=0,
            high=10,
            help="Noise on the codes that the discriminator is shown, real or not; the prior has variance 1.",
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return AAEKMeansModel(shape, self.spec.network, n_samples, n_clusters)

    def phases(self, model: AAEKMeansModel, samples: Samples) -> Sequence[Phase]:
        *layers, joint = pretrain(model.autoencoder, samples, self.spec.training)
        (autoencoder,) = joint.players
        pace = self.options.adversarial_pace
        optimiser = replace(autoencoder.optimiser, learning_rate=pace * autoencoder.optimiser.learning_rate)
        encoder = model.autoencoder.encoder
        adversarial = replace(
            joint,
            title="adversarial autoencoder",
            players=(
                autoencoder,
                Player("discriminator", tuple(model.discriminator.parameters()), self._detection(model), optimiser),
                Player("encoder", tuple(encoder.parameters()), (self._deception(model),), optimiser),
            ),
            take_turns=True,
            observe=landscape_observations(
                model.discriminator, lambda count: torch.randn(count, self.spec.network.latent_dim)
            ),
        )
        return [*layers, adversarial, cluster_codes(self, model, samples)]

    def _shown(self, z: Tensor) -> Tensor:
        """Codes as the discriminator sees them."""
        return add_noise(z, self.options.discriminator_noise) if self.options.discriminator_noise else z

    def _detection(self, model: AAEKMeansModel) -> tuple[Term, Term]:
        def real(current: Pass) -> Tensor:
            drawn = torch.randn(current.z.shape).to(current.z)
            return missed_real(model.discriminator(self._shown(drawn)))

        def fake(current: Pass) -> Tensor:
            return missed_fake(model.discriminator(self._shown(current.z.detach())))

        return (
            Term(
                "prior_is_real",
                real,
                symbol="−log D(z)",
                latex=r"-\log D(z)",
                help="What the discriminator pays on draws from the prior; log 2 = 0.69 if it knows nothing.",
            ),
            Term(
                "codes_are_fake",
                fake,
                symbol="−log(1 − D(f(x)))",
                latex=r"-\log(1 - D(f(x)))",
                help="What the discriminator pays on codes; log 2 = 0.69 if it knows nothing.",
            ),
        )

    def _deception(self, model: AAEKMeansModel) -> Term:
        return Term(
            "fool_discriminator",
            lambda current: pass_for_real(model.discriminator(self._shown(current.z))),
            symbol="−log D(f(x))",
            latex=r"-\log D(f(x))",
            help="What the encoder pays for codes that are told from draws of the prior.",
        )
