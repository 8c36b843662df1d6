"""What a discriminator on codes shows of itself: its logit over a plane, what it takes for real, and what it says."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from clustlab.methods.base import Observation, ProbePass

__all__ = ["Plane", "landscape_observations", "plane_of"]

GRID = 32
"""Points along each side of the landscape."""

DRAWS = 256
"""Real draws, and codes, that are shown at most."""

MARGIN = 0.1
"""Share of the points' extent that the landscape shows around them."""


class Plane(NamedTuple):
    """A plane in the space of the codes, through ``origin`` (J,) along ``axes`` (2, J).

    Attributes
    ----------
    origin : Tensor (J,)
    axes : Tensor (2, J)
        Orthonormal; with codes of one coordinate the second is zero.
    """

    origin: Tensor
    axes: Tensor

    def project(self, z: Tensor) -> Tensor:
        """Codes (n, J) → their places in the plane (n, 2)."""
        return (z - self.origin) @ self.axes.T

    def lift(self, points: Tensor) -> Tensor:
        """Places in the plane (n, 2) → codes (n, J)."""
        return self.origin + points @ self.axes


class _Landscape(NamedTuple):
    codes: Tensor
    logits: Tensor
    extent: Tensor
    positives: Tensor
    said: Tensor


def plane_of(z: Tensor) -> Plane:
    """Return the plane in which codes (n, J) are drawn.

    Codes of two coordinates are drawn as they are; of more, along their first two principal axes, each turned so that
    its largest entry is positive: from frame to frame the plane moves little while the codes move little.
    """
    dimension = z.shape[1]
    if dimension <= 2:
        return Plane(z.new_zeros(dimension), torch.eye(2, dimension).to(z))
    origin = z.mean(dim=0)
    away = (z - origin).cpu().double()  # not every accelerator knows doubles
    axes = torch.linalg.eigh(away.T @ away).eigenvectors[:, -2:].T.flip(0)
    largest = axes.gather(1, axes.abs().argmax(dim=1, keepdim=True))
    return Plane(origin, (axes * largest.sign()).to(z))


def landscape_observations(
    discriminator: Callable[[Tensor], Tensor],
    draw: Callable[[int], Tensor],
    codes: Callable[[ProbePass], Tensor] = lambda probe: probe.z,
) -> dict[str, Observation]:
    """Return the observations of a discriminator on codes: the landscape, its range, the points in it, the logits.

    Parameters
    ----------
    discriminator : callable
        Codes (m, J) → logits (m,), positive for real.
    draw : callable
        m → m codes that the discriminator takes for real, (m, J).
    codes : callable
        What it has to tell from them, (n, J); the probe's codes, unless it looks at something else.
    """

    def seen(probe: ProbePass) -> _Landscape:
        return probe.once("landscape", lambda _: _look(discriminator, draw, codes(probe)))

    return {
        "plane_codes": Observation(lambda probe: seen(probe).codes, dtype=torch.float32),
        "landscape": Observation(lambda probe: seen(probe).logits),
        "landscape_range": Observation(lambda probe: seen(probe).extent, dtype=torch.float32),
        "landscape_positives": Observation(lambda probe: seen(probe).positives, dtype=torch.float32),
        "discriminator_logits": Observation(lambda probe: seen(probe).said),
    }


def _look(discriminator: Callable[[Tensor], Tensor], draw: Callable[[int], Tensor], z: Tensor) -> _Landscape:
    real = draw(min(DRAWS, len(z))).to(z)
    # Spread over the probe: samples that lie next to each other there may be of one class.
    shown = z[torch.linspace(0, len(z) - 1, len(real), device=z.device).long()]
    plane = plane_of(z)
    points, positives = plane.project(z), plane.project(real)
    extent = _extent(torch.cat([points, positives]))
    across = torch.lerp(extent[0], extent[1], torch.linspace(0, 1, GRID).to(z))
    upwards = torch.lerp(extent[2], extent[3], torch.linspace(0, 1, GRID).to(z))
    grid = torch.stack(torch.meshgrid(across, upwards, indexing="xy"), dim=2).flatten(0, 1)
    logits = discriminator(plane.lift(grid)).unflatten(0, (GRID, GRID))
    said = torch.stack([discriminator(real), discriminator(shown)], dim=1)
    return _Landscape(points, logits, extent, positives, said)


def _extent(points: Tensor) -> Tensor:
    """Left, right, bottom, top of points, with a margin: (4,)."""
    low, high = points.amin(dim=0), points.amax(dim=0)
    margin = MARGIN * (high - low).clamp_min(1e-3)
    return torch.stack([low - margin, high + margin], dim=1).flatten()
