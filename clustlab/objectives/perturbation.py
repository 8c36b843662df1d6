"""Perturbations of samples, random and virtually adversarial (IMSAT, section 3; Miyato et al. 2015, section 3)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from clustlab.objectives.information import divergence

__all__ = ["adversarial_directions", "random_directions", "stretched", "unit"]

FLOOR = 1e-12
"""Smallest norm that is divided by."""


def unit(directions: Tensor) -> Tensor:
    """Return each sample's direction (n, ...) at length 1; what is shorter than 1e-12 stays shorter than 1."""
    return F.normalize(directions.flatten(1), eps=FLOOR).view_as(directions)


def random_directions(x: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Return a direction for each sample of (n, ...), uniform on the unit sphere.

    Drawn on the CPU, so that a seed means the same on every device; from torch's global generator by default.
    """
    return unit(torch.randn(x.shape, generator=generator).to(x))


def stretched(directions: Tensor, radius: Tensor) -> Tensor:
    r"""Return :math:`r_i = \epsilon_i d_i` from directions (n, ...) and radii (n,)."""
    return directions * radius.view(-1, *[1] * (directions.dim() - 1))


def adversarial_directions(
    classify: Callable[[Tensor], Tensor],
    x: Tensor,
    p: Tensor,
    start: Tensor,
    *,
    probe_length: float | Tensor,
    iterations: int,
) -> list[Tensor]:
    r"""Return the directions of a power iteration towards the one that p(y|x) is most sensitive to.

    At the sample itself :math:`\mathrm{KL}(p(x) \Vert p(x + r))` has gradient zero, so that its Hessian decides. Each
    iteration :math:`d \leftarrow \nabla_d \mathrm{KL}(p(x) \Vert p(x + \xi d))`, brought to length 1, multiplies by
    that Hessian in finite differences of length ξ. The gradient is taken with respect to d alone and leaves nothing
    in the classifier's parameters. Where nothing that is said depends on the sample, the direction stays what it was.

    Parameters
    ----------
    classify : callable
        x (n, ...) → p(y|x) (n, K).
    x : Tensor (n, ...)
    p : Tensor (n, K)
        What is said of the samples as they are, without gradient.
    start : Tensor (n, ...)
        Unit directions to start from.
    probe_length : float or scalar Tensor
        ξ, in the units of ``x``.
    iterations : int

    Returns
    -------
    list of Tensor (n, ...)
        The start and what each iteration made of it: ``iterations`` + 1 unit directions, without gradient.
    """
    directions = [start]
    for _ in range(iterations):
        direction = directions[-1].detach().requires_grad_()
        with torch.enable_grad():
            total = divergence(p, classify(x + probe_length * direction)).sum()
        (gradient,) = torch.autograd.grad(total, direction)
        length = torch.linalg.vector_norm(gradient, dim=tuple(range(1, x.dim())), keepdim=True)
        directions.append(torch.where(length > FLOOR, unit(gradient), direction.detach()))
    return directions
