"""Distorted images are the same picture, a little elsewhere."""

from __future__ import annotations

import torch

from clustlab.objectives.distortion import SHIFT, distort


def dot(side: int = 40) -> torch.Tensor:
    """An image with a bright square in the middle."""
    x = torch.zeros(64, side, side)
    x[:, side // 2 - 2 : side // 2 + 2, side // 2 - 2 : side // 2 + 2] = 1
    return x


def test_a_dot_moves_by_up_to_a_tenth_of_the_side_along_each_axis() -> None:
    torch.manual_seed(0)
    x = dot()
    moved = distort(x)
    place = torch.arange(40.0) - 19.5
    mass = moved.sum(dim=(1, 2))
    rows, columns = (moved.sum(dim=2) @ place) / mass, (moved.sum(dim=1) @ place) / mass
    limit = SHIFT * 40 * 1.05 * 2**0.5
    for centre in (rows, columns):
        assert centre.abs().max() < limit
        assert centre.abs().max() > SHIFT * 40 / 2
        assert centre.min() < 0 < centre.max()


def test_an_even_picture_stays_as_it_is() -> None:
    x = torch.full((3, 8, 8), 0.7)
    torch.testing.assert_close(distort(x), x)


def test_colours_move_together() -> None:
    torch.manual_seed(0)
    grey = distort(dot(16))
    torch.manual_seed(0)
    coloured = distort(dot(16).unsqueeze(3).expand(-1, -1, -1, 3))
    for channel in range(3):
        torch.testing.assert_close(coloured[..., channel], grey)


def test_images_are_distorted_apart_from_one_another() -> None:
    torch.manual_seed(0)
    moved = distort(dot(16))
    assert (moved[0] - moved[1]).abs().max() > 0.1
