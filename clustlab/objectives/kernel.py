"""The Gaussian kernel and projections onto its principal axes (Schölkopf, Smola, Müller 1998)."""

import torch
from torch import Tensor

__all__ = ["gaussian_kernel", "kernel_scores", "some_by_cluster"]


def gaussian_kernel(x: Tensor, y: Tensor, bandwidth: Tensor) -> Tensor:
    r"""Return :math:`k(x, y) = \exp(-\lVert x - y \rVert^2 / 2 \sigma^2)`: (n, D), (m, D) → (n, m).

    Parameters
    ----------
    x, y : Tensor (n, D), (m, D)
        Close to the origin, for distances come from products here: many samples in many dimensions leave no choice.
    bandwidth : Tensor ()
        :math:`\sigma`.
    """
    return torch.exp(-torch.cdist(x, y).square() / (2 * bandwidth.square()))


def kernel_scores(kernel: Tensor, row_means: Tensor, mean: Tensor, coefficients: Tensor) -> Tensor:
    r"""Return the scores of samples on kernel principal axes, (n, r).

    .. math:: z_{ik} = \frac{1}{\sqrt{\lambda_k}} \sum_l a_{lk}
        \left( k(x_i, x_l) - \bar k(x_i) - \bar k_l + \bar k \right)

    Parameters
    ----------
    kernel : Tensor (n, m)
        Between samples and the landmarks that the axes were fitted on.
    row_means : Tensor (m,)
        Mean kernel of each landmark with all landmarks, :math:`\bar k_l`.
    mean : Tensor ()
        Mean of ``row_means``.
    coefficients : Tensor (m, r)
        Eigenvectors of the centred kernel of the landmarks, divided by the roots of their eigenvalues.
    """
    return (kernel - kernel.mean(dim=1, keepdim=True) - row_means + mean) @ coefficients


def some_by_cluster(labels: Tensor, most: int) -> Tensor:
    """Return positions of some samples, sorted by cluster and evenly taken: labels (n,) → (min(n, most),) int64."""
    order = labels.argsort(stable=True)
    taken = torch.linspace(0, len(order) - 1, min(most, len(order)), dtype=torch.float64).round().long()
    return order[taken.to(order.device)]
