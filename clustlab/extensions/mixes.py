"""Mixes of a mini-batch: drawn once a pass, shared by every extension that looks at them."""

from typing import NamedTuple

from torch import Tensor

from clustlab.methods.base import Pass
from clustlab.objectives.interpolation import draw_alpha, mix

__all__ = ["Mixes", "mixes"]


class Mixes(NamedTuple):
    """Mixes z_α = α z + (1 − α) z′ of each sample with its partner, which dominates since α ≤ ½.

    Attributes
    ----------
    alpha : Tensor (b, 1)
        Share of the sample.
    z : Tensor (b, J)
        Mixed codes.
    x_hat : Tensor (b, *shape)
        What they decode to.
    x_dominant : Tensor (b, *shape)
        The partners.
    """

    alpha: Tensor
    z: Tensor
    x_hat: Tensor
    x_dominant: Tensor


def mixes(current: Pass) -> Mixes:
    """Return the mixes of a pass, one set for all terms.

    The partner is the sample before in the shuffled batch: as good as ACAI's reversed batch, and in a batch of odd size
    no sample meets itself.
    """
    return current.once("mixes", _draw)


def _draw(current: Pass) -> Mixes:
    alpha = draw_alpha(len(current.x), current.z)
    z = mix(current.z, current.z.roll(1, dims=0), alpha)
    decode = current.phase.any_decoder
    assert decode is not None  # promised by the `needs` of who asks
    return Mixes(alpha, z, decode(z), current.x.roll(1, dims=0))
