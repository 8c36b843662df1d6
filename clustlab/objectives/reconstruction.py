"""How far a reconstruction is from its sample."""

from torch import Tensor
from torch.nn import functional

__all__ = ["squared_error"]


def squared_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """Return the squared error per sample, averaged over its features: (n, …), (n, …) → (n,).

    The papers write a sum over features; their released code (IDEC, DEC-Keras) takes the mean, and IDEC's γ = 0.1
    belongs to that scaling.
    """
    return functional.mse_loss(x_hat, x, reduction="none").flatten(1).mean(dim=1)
