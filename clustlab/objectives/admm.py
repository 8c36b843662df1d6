r"""Scaled ADMM for a clustering model on copies of the codes (Tian, Zhou, Guan, “DeepCluster”, 2017).

The constraint :math:`y = f(x)` is held by the penalty :math:`\frac\rho2 \lVert y - f(x) + u \rVert^2`; each function
below minimises penalty plus clustering loss over y, where :math:`v = f(x) - u` is given.
"""

import torch
from torch import Tensor

__all__ = ["disagreement", "pull_to_centroid", "pull_to_mixture", "residuals"]

CHUNK = 2**24
"""Numbers in the matrices of one batch of linear systems, at most."""


def disagreement(z: Tensor, auxiliary: Tensor, dual: Tensor) -> Tensor:
    r"""Return :math:`\lVert y - z + u \rVert^2` per sample: codes, copies and duals (n, J) → (n,)."""
    return (auxiliary - z + dual).square().sum(dim=1)


def pull_to_centroid(v: Tensor, centroid: Tensor, rho: Tensor | float) -> Tensor:
    r"""Return :math:`y = (c + \rho v) / (1 + \rho)`, the minimum of ½‖y − c‖² + ρ/2 ‖y − v‖².

    Parameters
    ----------
    v : Tensor (n, J)
        Codes less duals.
    centroid : Tensor (n, J)
        The centroid of each sample.
    rho : Tensor or float
        Penalty; 0 gives the centroid, ∞ gives v.
    """
    return (centroid + rho * v) / (1 + rho)


def pull_to_mixture(v: Tensor, gamma: Tensor, means: Tensor, covariances: Tensor, rho: Tensor | float) -> Tensor:
    r"""Return the minimum of the mixture's expected energy and the penalty, with responsibilities held.

    .. math::
        y_i = \Bigl(\sum_c \gamma_{ic} \Sigma_c^{-1} + \rho I\Bigr)^{-1}
              \Bigl(\sum_c \gamma_{ic} \Sigma_c^{-1} \mu_c + \rho v_i\Bigr)

    Parameters
    ----------
    v : Tensor (n, J)
        Codes less duals.
    gamma : Tensor (n, K)
    means : Tensor (K, J)
    covariances : Tensor (K, J) or (K, J, J)
    rho : Tensor or float
    """
    if covariances.dim() == 2:
        precision = 1 / covariances
        return (gamma @ (precision * means) + rho * v) / (gamma @ precision + rho)
    precision = torch.cholesky_inverse(torch.linalg.cholesky(covariances))
    right = gamma @ (precision @ means[:, :, None])[:, :, 0] + rho * v
    ridge = rho * torch.eye(v.shape[1], dtype=v.dtype, device=v.device)
    rows = max(1, CHUNK // v.shape[1] ** 2)
    solved = [
        torch.linalg.solve(torch.einsum("nk,kij->nij", weight, precision) + ridge, side)
        for weight, side in zip(gamma.split(rows), right.split(rows), strict=True)
    ]
    return torch.cat(solved)


def residuals(z: Tensor, auxiliary: Tensor, before: Tensor, rho: Tensor | float) -> tuple[Tensor, Tensor]:
    """Return the primal residual y − z and the dual residual ρ (y − y before), root mean squares over samples.

    Both vanish where ADMM has converged; lengths of vectors with J coordinates, in the units of the codes and of the
    penalty's gradient.
    """
    primal = (auxiliary - z).square().sum(dim=1).mean().sqrt()
    return primal, rho * (auxiliary - before).square().sum(dim=1).mean().sqrt()
