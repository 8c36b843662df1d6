"""ACAI, adversarially constrained autoencoder interpolation (Berthelot, Raffel, Roy, Goodfellow, ICLR 2019).

A critic looks at decoded mixes of two codes and guesses how much of the minor sample is in them; the autoencoder is
paid for mixes that the critic takes for real. Joins every phase that trains an encoder and a decoder.
"""

import torch
from torch import Tensor

from clustlab.extensions.base import Extension, JoinOptions
from clustlab.extensions.mixes import mixes
from clustlab.methods.base import Card, Observation, Pass, Phase, Player, ProbePass, Published, Term
from clustlab.networks import Critic
from clustlab.objectives.interpolation import mix, squared_guess, squared_miss
from clustlab.spec import Network, option

__all__ = ["ACAI"]

CALIBRATION = 256
"""Mixes of probe samples on which the critic's calibration is shown, α going evenly from 0 to ½."""


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
        algorithm=(
            r"Mix the codes of each sample and its partner by a share $\alpha \sim U(0, \tfrac{1}{2})$ and decode.",
            r"The critic learns to say $\alpha$ of a decoded mix, and 0 of a blend of a sample and its reconstruction.",
            "The autoencoder reconstructs, and is charged the critic's squared guess on mixes.",
            "Both step from the same forward pass; each sees the gradient of its own loss only.",
        ),
        pitfalls=(
            (
                r"With too large a $\lambda$ mixes become blurred means that no critic can tell apart: watch the "
                "reconstruction error."
            ),
            "The critic must not be squashed or batch-normalised: mixes and samples have other statistics.",
            "Not everywhere an advantage: on SVHN a denoising autoencoder has .315 where ACAI has .250 (256 codes).",
            "Nothing ties a mix to its two ends; it may turn into a third thing. Mixing consistency asks for that.",
        ),
        deviations=(
            (
                "The networks and the optimiser are those of the method that it joins; the paper has convolutions and "
                "Adam at 0.0001 with batches of 64. The network “convolutional” is the paper's."
            ),
            "Partners are the samples before in the shuffled batch instead of the reversed batch.",
        ),
        published=(
            Published("MNIST", "paper (poster), with k-means on 32 whitened codes, test split", acc=0.9438),
            Published("MNIST", "paper (poster), with k-means on 256 whitened codes, test split", acc=0.9617),
            Published("SVHN", "paper (poster), with k-means on 32 whitened codes, test split", acc=0.2086),
            Published("SVHN", "paper (poster), with k-means on 256 whitened codes, test split", acc=0.2498),
        ),
    )

    class Options(JoinOptions):
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
        autoencoder = phase.players[0]
        fool = Term(
            "fool_critic",
            lambda current: squared_guess(_guess(current, module)),
            weight=self.options.critic_weight,
            weight_symbol="λ",
            symbol="d(x̂_α)²",
            latex=r"\lVert d(\hat{x}_\alpha) \rVert^2",
            help="Squared guess of the critic on mixes: what the autoencoder pays for being unmasked.",
        )
        extended = phase.with_term(autoencoder.name, fool).with_player(self._critic(phase, module))
        return extended.with_observations(**_observations(module))

    def warm_up(self, phase: Phase, module: Critic, steps: int) -> Phase:
        """The critic alone, on a finished autoencoder: an untrained critic would send it anywhere."""
        return Phase(
            name="critic",
            title="the critic catches up",
            stage="clustering",
            steps=steps,
            players=(self._critic(phase, module),),
            encode=phase.encode,
            frozen_decode=phase.decode,
            draw=phase.draw,
            observe=_observations(module),
        )

    def _critic(self, phase: Phase, module: Critic) -> Player:
        def blend(current: Pass) -> Tensor:
            return self.options.critic_reg * current.x + (1 - self.options.critic_reg) * current.x_hat

        recover = Term(
            "recover_alpha",
            lambda current: squared_miss(_guess(current, module), mixes(current).alpha),
            symbol="(d(x̂_α) − α)²",
            latex=r"\lVert d(\hat{x}_\alpha) - \alpha \rVert^2",
            help="Squared miss of the critic's guess; 1/48 for a critic that knows only the mean of α.",
        )
        realistic = Term(
            "realistic_is_zero",
            lambda current: squared_guess(module(blend(current))),
            symbol="d(γx + (1−γ)x̂)²",
            latex=r"\lVert d(\gamma x + (1 - \gamma) \hat{x}) \rVert^2",
            help="Squared guess of the critic where nothing is mixed; it should be zero.",
        )
        # The paper gives both sides the same optimiser and learning rate.
        return Player("critic", tuple(module.parameters()), (recover, realistic), phase.players[0].optimiser)


def _guess(current: Pass, critic: Critic) -> Tensor:
    return current.once("critic's guess", lambda current: critic(mixes(current).x_hat))


def _observations(critic: Critic) -> dict[str, Observation]:
    def on_strips(probe: ProbePass) -> Tensor:
        return critic(probe.strips.flatten(0, 1)).unflatten(0, probe.strips.shape[:2])

    def calibration(probe: ProbePass) -> Tensor:
        z = probe.z[:CALIBRATION]
        alpha = torch.linspace(0, 0.5, len(z), device=z.device).unsqueeze(1)
        decode = probe.phase.any_decoder
        assert decode is not None  # promised by `needs`
        return torch.stack([alpha.flatten(), critic(decode(mix(z, z.roll(1, dims=0), alpha)))], dim=1)

    return {"critic_guess": Observation(on_strips), "critic_calibration": Observation(calibration)}
