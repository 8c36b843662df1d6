"""Ways to damage samples, for autoencoders that learn to repair them (Vincent et al. 2010)."""

import torch
from torch import Tensor

__all__ = ["add_noise", "drop"]


def add_noise(x: Tensor, sigma: float) -> Tensor:
    """Return x + σε, ε ~ N(0, I), in the shape of x; drawn on the CPU, so the same on every device."""
    return x + sigma * torch.randn(x.shape).to(x)


def drop(x: Tensor, share: float) -> Tensor:
    """Return x with each feature set to zero with probability ``share``, the others scaled by 1 / (1 − share).

    This is dropout: the mean of every feature stays what it was, so that clean samples are nothing new to an encoder
    that was trained on damaged ones.
    """
    return x * (torch.rand(x.shape) >= share).to(x) / (1 - share)
