r"""A discriminator's game on codes (Goodfellow et al. 2014; on codes, Makhzani et al. 2016).

.. math:: V(D) = \mathbb E_{z \sim p_+} \log D(z) + \mathbb E_{z \sim p_-} \log (1 - D(z))

Discriminators answer with a logit ℓ, D = 1/(1 + e^{−ℓ}), and every logarithm is taken of the sigmoid in one go: nothing
overflows where D is sure of itself.
"""

import math

from torch import Tensor
from torch.nn.functional import logsigmoid

__all__ = ["jensen_shannon", "missed_fake", "missed_real", "pass_for_real", "saturating", "value"]


def missed_real(logits: Tensor) -> Tensor:
    """Return −log D(z) per sample: what the discriminator pays on real codes, (n,) → (n,)."""
    return -logsigmoid(logits)


def missed_fake(logits: Tensor) -> Tensor:
    """Return −log(1 − D(z)) per sample: what the discriminator pays on the other codes, (n,) → (n,)."""
    return -logsigmoid(-logits)


def pass_for_real(logits: Tensor) -> Tensor:
    """Return −log D(z) per sample: what the encoder pays for codes that are told from real ones.

    The non-saturating loss: its gradient is largest where the discriminator is not fooled at all.
    """
    return -logsigmoid(logits)


def saturating(logits: Tensor) -> Tensor:
    """Return log(1 − D(z)) per sample: the encoder's loss in the game as it is written down.

    Its gradient vanishes where the discriminator is sure.
    """
    return logsigmoid(-logits)


def value(real: Tensor, fake: Tensor) -> Tensor:
    """Return V(D) from logits of real (n,) and of other codes (m,): −2 log 2 for a discriminator that knows nothing.

    With the best of all discriminators it is 2 JSD(p₊‖p₋) − 2 log 2 (Goodfellow et al. 2014, theorem 1).
    """
    return -missed_real(real).mean() - missed_fake(fake).mean()


def jensen_shannon(real: Tensor, fake: Tensor) -> Tensor:
    """Return ½ V(D) + log 2, an estimate from below of the Jensen–Shannon divergence in nats: 0 … log 2."""
    return 0.5 * value(real, fake) + math.log(2)
