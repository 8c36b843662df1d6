"""Adversarial autoencoder that clusters: a categorical and a Gaussian code (Makhzani et al. 2016, section 6)."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from clustlab.methods.base import (
    Card,
    Method,
    Observation,
    Optimiser,
    Pass,
    Phase,
    Player,
    ProbePass,
    Samples,
    Term,
)
from clustlab.methods.landscape import landscape_observations
from clustlab.methods.pretraining import reconstruction, steps_per_epoch
from clustlab.networks import Autoencoder, Discriminator
from clustlab.objectives.adversarial import missed_fake, missed_real, pass_for_real
from clustlab.objectives.corruption import add_noise
from clustlab.spec import Network, Part, option

__all__ = ["AAE", "AAEModel"]

STYLES = 8
"""Styles in which each cluster is shown: the middle of the prior first, then draws."""


class AAEModel(nn.Module):
    r"""An encoder with K categorical heads y and a Gaussian style, a decoder of both, and a discriminator for each.

    Codes are (s·y, style), (n, K + J). The factor :math:`s = 2\sqrt{\max(J, K)}` is for the eye and for the distances
    between codes only, the decoder undoes it: codes of two heads lie farther apart than two styles of one, and the
    directions between heads have more variance than those of the style.

    Attributes
    ----------
    styles : Tensor (s, J)
        Those in which frames show each cluster.
    """

    styles: Tensor

    def __init__(self, shape: tuple[int, ...], network: Network, n_clusters: int, dimension: int) -> None:
        super().__init__()
        self.n_clusters = n_clusters
        both = network.model_copy(update={"latent_dim": n_clusters + dimension})
        self.autoencoder = Autoencoder(shape, both)
        self.head_discriminator = Discriminator(n_clusters)
        self.style_discriminator = Discriminator(dimension)
        self.scale = 2 * math.sqrt(max(dimension, n_clusters))
        self.register_buffer("styles", torch.cat([torch.zeros(1, dimension), torch.randn(STYLES - 1, dimension)]))

    def encode(self, x: Tensor) -> Tensor:
        """Samples (n, *shape) → codes (n, K + J)."""
        logits, style = self.split(self.autoencoder.encoder(x))
        return torch.cat([self.scale * logits.softmax(dim=1), style], dim=1)

    def decode(self, z: Tensor) -> Tensor:
        """Codes (n, K + J) → reconstructions."""
        return self.autoencoder.decoder(torch.cat([self.assign(z), self.split(z)[1]], dim=1))

    def assign(self, z: Tensor) -> Tensor:
        """Codes (n, K + J) → y (n, K), how much each head has of a sample."""
        return self.split(z)[0] / self.scale

    def split(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Codes → what belongs to the heads (n, K), and style (n, J)."""
        return z[:, : self.n_clusters], z[:, self.n_clusters :]

    def centroids(self) -> Tensor:
        """Return the code of each head in the middle of the styles' prior, (K, K + J)."""
        return self._styled(self.styles[:1]).squeeze(1)

    def style_grid(self) -> Tensor:
        """Return every head decoded in every style, (K, s, *shape)."""
        return self.decode(self._styled(self.styles).flatten(0, 1)).unflatten(0, (self.n_clusters, len(self.styles)))

    def _styled(self, styles: Tensor) -> Tensor:
        """Styles (s, J) → codes of every head in each of them, (K, s, K + J)."""
        heads = self.scale * torch.eye(self.n_clusters).to(styles)
        return torch.cat(
            [
                heads[:, None].expand(-1, len(styles), -1),
                styles.expand(self.n_clusters, -1, -1),
            ],
            dim=2,
        )


class AAE(Method):
    """Let one part of the code choose a cluster and the other describe the rest."""

    name = "aae"
    card = Card(
        title="AAE",
        paper="Makhzani, Shlens, Jaitly, Goodfellow and Frey, “Adversarial autoencoders”, 2016",
        idea="One part of the code must look like the choice of one head out of K, the other like a Gaussian: what "
        "is a matter of kind goes into the first, what is a matter of style into the second.",
        objective=r"\begin{aligned}\min_{f, g}\ & \mathbb{E} \lVert x - g(y, z) \rVert^2, \quad (y, z) = f(x) \\ "
        r"\max_{D_y, D_z}\ & \mathbb{E} \log D_y(e_k) + \mathbb{E} \log(1 - D_y(y)) + \mathbb{E} \log D_z(\epsilon) "
        r"+ \mathbb{E} \log(1 - D_z(z)) \\ \max_f\ & \mathbb{E} \log D_y(y) + \mathbb{E} \log D_z(z)\end{aligned}",
        symbols={
            "x": "sample",
            "f": "encoder",
            "g": "decoder",
            "y": "softmax over K heads; the cluster is the largest",
            "z": "style (J coordinates)",
            "D_y, D_z": "discriminators of heads and of style",
            "e_k": "one-hot vector of a head drawn at random, each as often as any other",
            r"\epsilon": "draw from the standard normal",
        },
        look_for="Rows of the style grid become clusters, columns styles. Sizes tell whether all heads are in use.",
        algorithm=(
            "Encode the mini-batch to y and z; the autoencoder takes a step on the reconstruction from both.",
            "The discriminators take a step: random one-hot vectors and normal draws are real, y and z are not.",
            r"The encoder takes a step on $-\log D_y(y) - \log D_z(z)$.",
            "A sample's cluster is the largest coordinate of its y; no k-means, and no other read-out.",
        ),
        pitfalls=(
            (
                "Few heads do all the work, the others are empty: see the sizes. The discriminator of y asks for equal "
                "use, but only as long as it is not sure of itself; discriminator_noise keeps it from that."
            ),
            (
                "With a roomy style the decoder does not need y, and heads go out of use: on the digits, with ten "
                "coordinates, two heads have nearly all samples; with two, nine or ten heads are in use."
            ),
            (
                "The paper uses more heads than classes and maps each to a class afterwards. Those figures cannot be "
                "compared with an accuracy for K heads, one a class."
            ),
            "Runs differ widely from seed to seed; judge by several.",
        ),
        deviations=(
            "As many heads as clusters are asked for, each a cluster of its own.",
            (
                "Noise of 0.3 on what the discriminators see, as in the widely used reimplementation by musyoku; "
                "layers are those of the shared network and of ACAI's discriminator, which are smaller than its "
                "1000-1000."
            ),
            "Adam at 0.001 for all players and a style of two coordinates, where musyoku has 0.0001 and ten.",
            "The encoder's y is deterministic, a softmax; heads are fed to the decoder as they are.",
        ),
        paper_settings={"options": {"style_dim": 10}, "network": {"hidden": "1000-1000"}},
    )

    class Options(Part):
        style_dim: int = option(
            2,
            low=1,
            high=1024,
            symbol="J",
            help="Coordinates of the style; network.latent_dim has no say here. With many, heads go out of use.",
        )
        cluster_epochs: int = option(
            300, low=1, high=100_000, unit="epochs", help="Passes over the data; nothing is pretrained."
        )
        learning_rate: float = option(1e-3, above=0, high=1, help="Adam's step size, for all players.")
        discriminator_noise: float = option(
            0.3, low=0, high=10, help="Noise on what the discriminators are shown, real or not."
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return AAEModel(shape, self.spec.network, n_clusters, self.options.style_dim)

    def phases(self, model: AAEModel, samples: Samples) -> Sequence[Phase]:
        optimiser = Optimiser("adam", self.options.learning_rate)
        autoencoder = model.autoencoder
        judges = (*model.head_discriminator.parameters(), *model.style_discriminator.parameters())

        def style(probe: ProbePass) -> Tensor:
            return model.split(probe.z)[1]

        phase = Phase(
            name="adversarial",
            title="adversarial autoencoder",
            steps=self.options.cluster_epochs * steps_per_epoch(samples, self.spec.training),
            players=(
                Player("autoencoder", tuple(autoencoder.parameters()), (reconstruction,), optimiser),
                Player("discriminators", judges, self._detection(model), optimiser),
                Player("encoder", tuple(autoencoder.encoder.parameters()), self._deception(model), optimiser),
            ),
            take_turns=True,
            encode=model.encode,
            decode=model.decode,
            assign=model.assign,
            centroids=model.centroids,
            observe={
                "style_grid": Observation(lambda _: model.style_grid(), cluster_axes=(0,), decoded=True),
                **landscape_observations(
                    model.style_discriminator, lambda count: torch.randn(count, model.styles.shape[1]), style
                ),
            },
        )
        return [phase]

    def _judge(self, discriminator: nn.Module, shown: Tensor) -> Tensor:
        """Return logits of what a discriminator is shown, damaged by noise."""
        return discriminator(add_noise(shown, self.options.discriminator_noise))

    def _detection(self, model: AAEModel) -> tuple[Term, ...]:
        heads, styles = model.head_discriminator, model.style_discriminator

        def real_heads(current: Pass) -> Tensor:
            drawn = torch.randint(model.n_clusters, (len(current.x),))
            return missed_real(self._judge(heads, one_hot(drawn, model.n_clusters).to(current.z)))

        def fake_heads(current: Pass) -> Tensor:
            return missed_fake(self._judge(heads, model.assign(current.z.detach())))

        def real_styles(current: Pass) -> Tensor:
            drawn = torch.randn(len(current.x), model.styles.shape[1])
            return missed_real(self._judge(styles, drawn.to(current.z)))

        def fake_styles(current: Pass) -> Tensor:
            return missed_fake(self._judge(styles, model.split(current.z.detach())[1]))

        pays = "What a discriminator pays on {}; log 2 = 0.69 if it knows nothing."
        return (
            Term(
                "drawn_heads_are_real",
                real_heads,
                symbol="−log D_y(e)",
                latex=r"-\log D_y(e_k)",
                help=pays.format("heads drawn at random"),
            ),
            Term(
                "heads_are_fake",
                fake_heads,
                symbol="−log(1 − D_y(y))",
                latex=r"-\log(1 - D_y(y))",
                help=pays.format("the encoder's heads"),
            ),
            Term(
                "drawn_styles_are_real",
                real_styles,
                symbol="−log D_z(ε)",
                latex=r"-\log D_z(\epsilon)",
                help=pays.format("styles drawn from the normal distribution"),
            ),
            Term(
                "styles_are_fake",
                fake_styles,
                symbol="−log(1 − D_z(z))",
                latex=r"-\log(1 - D_z(z))",
                help=pays.format("the encoder's styles"),
            ),
        )

    def _deception(self, model: AAEModel) -> tuple[Term, Term]:
        return (
            Term(
                "fool_with_heads",
                lambda current: pass_for_real(self._judge(model.head_discriminator, current.q)),
                symbol="−log D_y(y)",
                latex=r"-\log D_y(y)",
                help="What the encoder pays for heads that are told from random choices.",
            ),
            Term(
                "fool_with_styles",
                lambda current: pass_for_real(self._judge(model.style_discriminator, model.split(current.z)[1])),
                symbol="−log D_z(z)",
                latex=r"-\log D_z(z)",
                help="What the encoder pays for styles that are told from normal draws.",
            ),
        )
