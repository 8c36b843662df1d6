"""The same picture, slightly turned, moved and stretched: what a classifier of images should not mind."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["distort"]

TURN = math.radians(10)
SHIFT = 0.1
ZOOM = 0.05
"""Largest rotation, shift (share of the side) and change of size (by axis) in DAC's released recipe for MNIST."""


def distort(x: Tensor) -> Tensor:
    """Return images turned by up to 10°, moved by up to 10 % of their sides and 5 % larger or smaller along each axis.

    What comes into sight at an edge repeats the edge. The draws are uniform, one set for each image, from torch's
    global generator on the CPU.

    Parameters
    ----------
    x : Tensor (n, h, w) or (n, h, w, c)
    """
    maps = x.unsqueeze(1) if x.dim() == 3 else x.movedim(-1, 1)
    grid = F.affine_grid(_random_maps(len(x)).to(x), list(maps.shape), align_corners=False)
    moved = F.grid_sample(maps, grid, padding_mode="border", align_corners=False)
    return moved.squeeze(1) if x.dim() == 3 else moved.movedim(1, -1)


def _random_maps(n: int) -> Tensor:
    """Return affine maps (n, 2, 3) from coordinates −1 … 1 of the result to those of the image."""
    draws = 2 * torch.rand(n, 5) - 1
    angle, zoom, shift = TURN * draws[:, 0], 1 + ZOOM * draws[:, 1:3], 2 * SHIFT * draws[:, 3:]
    cosine, sine = angle.cos(), angle.sin()
    turn = torch.stack([torch.stack([cosine, -sine], dim=1), torch.stack([sine, cosine], dim=1)], dim=1)
    return torch.cat([turn * zoom.unsqueeze(1), shift.unsqueeze(2)], dim=2)
