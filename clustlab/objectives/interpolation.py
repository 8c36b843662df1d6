r"""ACAI: a critic that tells how much of an image is mixed in (Berthelot, Raffel, Roy, Goodfellow 2018).

The convention is the paper's: :math:`z_\alpha = \alpha z_1 + (1 - \alpha) z_2` with :math:`\alpha \sim U(0, ½)`, so α
is the share of the *minor* sample and the second sample of a pair dominates.
"""

import torch
from torch import Tensor

__all__ = ["GUIDE_LEVELS", "draw_alpha", "minor_share", "mix", "squared_guess", "squared_miss"]

GUIDE_LEVELS = {
    "critic stuck at 0": {"recover_alpha": 1 / 12, "realistic_is_zero": 0.0, "fool_critic": 0.0},
    "critic knows only the mean of α": {"recover_alpha": 1 / 48, "fool_critic": 1 / 16},
    "mixes and real images look alike": {
        "recover_alpha": 7 / 192,
        "realistic_is_zero": 1 / 64,
        "fool_critic": 1 / 64,
    },
    "perfect critic": {"recover_alpha": 0.0, "realistic_is_zero": 0.0, "fool_critic": 1 / 12},
}
"""What the critic's losses amount to in four telling cases, for α ~ U(0, ½): lines to draw behind the curves."""


def draw_alpha(n: int, like: Tensor) -> Tensor:
    """Return n draws of α ~ U(0, ½), one per sample, on the device of ``like``: (n, 1)."""
    return 0.5 * torch.rand(n, 1).to(like)


def mix(z: Tensor, partner: Tensor, alpha: Tensor) -> Tensor:
    """Return α z + (1 − α) z′ for codes (n, J), (n, J) and shares (n, 1)."""
    return alpha * z + (1 - alpha) * partner


def minor_share(alpha: Tensor) -> Tensor:
    """Return min(α, 1 − α): what a perfect critic would say of a mix on a path from 0 to 1."""
    return torch.minimum(alpha, 1 - alpha)


def squared_miss(guess: Tensor, alpha: Tensor) -> Tensor:
    """Return (d(x̂_α) − α)² per sample: what the critic pays for a wrong guess (ACAI, eq. 1)."""
    return (guess - alpha.flatten()).square()


def squared_guess(guess: Tensor) -> Tensor:
    """Return d(x)² per sample: what the critic pays on realistic images, and the autoencoder on mixes (eq. 1, 2)."""
    return guess.square()
