from __future__ import annotations

import pytest
import torch
from torch import Tensor

from clustlab.methods.base import Phase, ProbePass
from clustlab.methods.landscape import landscape_observations, plane_of


def observed(z: Tensor, logit: Tensor) -> dict[str, Tensor]:
    """What a discriminator shows that answers with the dot product with ``logit``; real codes lie at 2."""
    phase = Phase("p", "p", 1, (), encode=lambda x: x)
    probe = ProbePass(phase, z, torch.arange(len(z)), torch.zeros(1, 2, dtype=torch.int64), torch.zeros(1))
    seen = landscape_observations(lambda codes: codes @ logit, lambda count: torch.full((count, z.shape[1]), 2.0))
    return {name: each.value(probe) for name, each in seen.items()}


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_landscape_is_what_the_discriminator_says_there(dimension: int) -> None:
    z, logit = torch.randn(40, dimension), torch.arange(1.0, dimension + 1)
    seen = observed(z, logit)
    left, right, bottom, top = seen["landscape_range"].tolist()
    corners = torch.tensor([[left, bottom], [right, bottom], [left, top], [right, top]])
    said = plane_of(z).lift(corners) @ logit
    torch.testing.assert_close(seen["landscape"][[0, 0, -1, -1], [0, -1, 0, -1]], said)
    torch.testing.assert_close(seen["discriminator_logits"][:, 0], torch.full((40,), 2 * logit.sum().item()))
    torch.testing.assert_close(seen["discriminator_logits"][:, 1], z @ logit)
    for points in (seen["plane_codes"], seen["landscape_positives"]):
        assert ((points[:, 0] >= left) & (points[:, 0] <= right)).all()
        assert ((points[:, 1] >= bottom) & (points[:, 1] <= top)).all()


def test_codes_of_two_coordinates_are_drawn_as_they_are() -> None:
    z = torch.randn(40, 2)
    torch.testing.assert_close(observed(z, torch.ones(2))["plane_codes"], z)


def test_the_plane_has_the_most_variance_and_does_not_flip() -> None:
    torch.manual_seed(0)
    z = torch.randn(500, 5) * torch.tensor([1.0, 9.0, 1.0, 5.0, 1.0]) + 3
    plane = plane_of(z)
    torch.testing.assert_close(plane.axes @ plane.axes.T, torch.eye(2))
    assert plane.axes[0, 1] > 0.99
    assert plane.axes[1, 3] > 0.99
    points = torch.randn(7, 2)
    torch.testing.assert_close(plane.project(plane.lift(points)), points, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(plane_of(z.flip(0)).axes, plane.axes)
