"""ACAI, adversarially constrained autoencoder interpolation (Berthelot, Raffel, Roy, Goodfellow, ICLR 2019).

A critic looks at decoded mixes of two codes and guesses how much of the minor sample is in them; the autoencoder is
paid for mixes that the critic takes for real. Joins every phase that trains an encoder and a decoder.
"""

from torch import Tensor

from clustlab.extensions.base import Extension
from clustlab.methods.base import Card, Pass, Phase, Player, ProbePass, Term
from clustlab.networks import Critic
from clustlab.objectives.interpolation import draw_alpha, mix, squared_guess, squared_miss
from clustlab.spec import Network, Part, option

__all__ = ["ACAI"]


class ACAI(Extension):
    """The critic and the terms that it adds, on both sides."""

    name = "acai"
    needs = frozenset({"encode", "decode"})
    card = Card(
        title="ACAI",
        paper="Berthelot, Raffel, Roy and Goodfellow, “Understanding and improving interpolation in autoencoders "
        "via an adversarial regularizer”, ICLR 2019",
        idea="A critic tries to unmask interpolations; the autoencoder learns to make them look real.",
        objective=r"\begin{aligned}L_{f,g} &\mathrel{+}= \lambda \lVert d(\hat{x}_\alpha) \rVert^2 \\ "
        r"L_d &= \lVert d(\hat{x}_\alpha) - \alpha \rVert^2 "
        r"+ \lVert d(\gamma x + (1-\gamma)\hat{x}) \rVert^2\end{aligned}",
        symbols={
            r"\hat{x}_\alpha": "decoded mix of two codes, α of the first and 1 − α of the second",
            "d": "critic: its guess of α",
            r"\lambda": "weight of the critic in the autoencoder's loss",
            r"\gamma": "share of the data in the blend on which the critic must say 0",
        },
        look_for="Under each image of a strip stands the critic's guess: where it stays low, the mixes look real.",
    )

    class Options(Part):
        critic_weight: float = option(
            0.5, low=0, high=100, symbol=r"\lambda", help="Weight of the critic's verdict in the autoencoder's loss."
        )
        critic_reg: float = option(
            0.2,
            low=0,
            high=1,
            symbol=r"\gamma",
            help="Share of the data in the blend that the critic must call realistic; keeps it informed early on.",
        )

    def build(self, shape: tuple[int, ...], network: Network) -> Critic:
        return Critic(shape, network)

    def extend(self, phase: Phase, module: Critic) -> Phase:
        def mixed(current: Pass) -> tuple[Tensor, Tensor]:
            """Draw α; return it and the critic's guess on the decoded mixes (one set of mixes for both players)."""
            alpha = draw_alpha(len(current.x), current.z)
            # The partner is the next sample of the shuffled batch: as good as ACAI's reversed batch, and in a batch
            # of odd size no sample meets itself.
            z_alpha = mix(current.z, current.z.roll(1, dims=0), alpha)
            assert phase.decode is not None  # promised by `needs`
            return alpha, module(phase.decode(z_alpha))

        def guess_on_strips(probe: ProbePass) -> Tensor:
            return module(probe.strips.flatten(0, 1)).unflatten(0, probe.strips.shape[:2])

        autoencoder = phase.players[0]
        fool = Term(
            "fool_critic",
            lambda current: squared_guess(current.once("mixed", mixed)[1]),
            weight=self.options.critic_weight,
            weight_symbol="λ",
            symbol="d(x̂_α)²",
            latex=r"\lVert d(\hat{x}_\alpha) \rVert^2",
            help="Squared guess of the critic on mixes: what the autoencoder pays for being unmasked.",
        )
        recover = Term(
            "recover_alpha",
            lambda current: squared_miss(current.once("mixed", mixed)[1], current.once("mixed", mixed)[0]),
            symbol="(d(x̂_α) − α)²",
            latex=r"\lVert d(\hat{x}_\alpha) - \alpha \rVert^2",
            help="Squared miss of the critic's guess; 1/48 for a critic that knows only the mean of α.",
        )
        realistic = Term(
            "realistic_is_zero",
            lambda current: squared_guess(module(self._blend(current))),
            symbol="d(γx + (1−γ)x̂)²",
            latex=r"\lVert d(\gamma x + (1 - \gamma) \hat{x}) \rVert^2",
            help="Squared guess of the critic where nothing is mixed; it should be zero.",
        )
        # The paper gives both sides the same optimiser and learning rate.
        critic = Player("critic", tuple(module.parameters()), (recover, realistic), autoencoder.optimiser)
        extended = phase.with_term(autoencoder.name, fool).with_player(critic)
        return extended.with_observations(critic_guess=guess_on_strips)

    def _blend(self, current: Pass) -> Tensor:
        return self.options.critic_reg * current.x + (1 - self.options.critic_reg) * current.x_hat
