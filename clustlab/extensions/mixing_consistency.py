"""Mixing consistency (Lutscher, el Hassouni, Stol, Hoogendoorn, “Mixing consistent deep clustering”, 2020).

A mix should decode to the sample that dominates it. Joins every phase that trains an encoder and a decoder; together
with the critic it is MCDC.
"""

from torch import nn

from clustlab.extensions.base import Extension, JoinOptions
from clustlab.extensions.mixes import mixes
from clustlab.methods.base import Card, Phase, Term
from clustlab.objectives.reconstruction import squared_error
from clustlab.spec import Network, option

__all__ = ["MixingConsistency"]


class MixingConsistency(Extension):
    """One more term for the autoencoder; no parameters."""

    name = "mixing-consistency"
    needs = frozenset({"encode", "decode"})
    card = Card(
        title="Mixing consistency",
        paper="Lutscher, el Hassouni, Stol and Hoogendoorn, “Mixing consistent deep clustering”, 2020, "
        "arXiv:2011.01977",
        idea="A mix of two codes must decode to the sample that dominates it: every sample gets a basin of its own.",
        objective=r"L_{f,g} \mathrel{+}= w \lVert g(\alpha z + (1 - \alpha) z') - x' \rVert^2, "
        r"\quad \alpha \sim U(0, \tfrac{1}{2})",
        symbols={
            "z, z'": "codes of a sample and of its partner in the mini-batch",
            "x'": "the partner, whose share of the mix is 1 − α, at least one half",
            r"\alpha": "share of the other sample",
            "w": "weight of the term",
        },
        look_for="Strips switch from one sample to the other in the middle instead of changing smoothly.",
        algorithm=(
            "Mix every code with that of the sample before in the mini-batch, by a share α drawn from U(0, ½).",
            "Decode the mix and compare it with the sample whose share is larger.",
        ),
        pitfalls=("At α = ½ it asks for two things at once and so opposes the smooth strips that the critic rewards.",),
        deviations=("MCDC exchanges the roles of sample and partner; the law of the mixes is the same.",),
    )

    class Options(JoinOptions):
        consistency_weight: float = option(
            1.0, low=0, high=100, symbol="w", help="Weight of the term in the autoencoder's loss."
        )

    def build(self, shape: tuple[int, ...], network: Network) -> nn.Module:
        return nn.Module()

    def extend(self, phase: Phase, module: nn.Module) -> Phase:
        consistent = Term(
            "mixing_consistency",
            lambda current: squared_error(mixes(current).x_hat, mixes(current).x_dominant),
            weight=self.options.consistency_weight,
            weight_symbol="w",
            symbol="‖x̂_α − x′‖²",
            latex=r"\lVert \hat{x}_\alpha - x' \rVert^2",
            help="Squared error between a decoded mix and the sample that dominates it, mean over features.",
        )
        return phase.with_term(phase.players[0].name, consistent)
