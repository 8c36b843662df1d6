"""A classifier whose labels are latent: x → representation → p(y|x), with batch normalisation (IMSAT, section 3)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["BatchNorm1d", "BatchNorm2d", "Centring", "Classifier", "SoftmaxClassifier", "batch_statistics"]

EPSILON = 2e-5
"""Added to variances, as in the released IMSAT code (Chainer's default)."""


class _BatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation that can normalise by the batch and leave its running statistics alone.

    Perturbed samples must be normalised as training samples are, and must not be remembered: running statistics
    that have seen them spoil what is read out later.
    """

    remembers = True

    def forward(self, x: Tensor) -> Tensor:
        if self.remembers:
            return super().forward(x)
        return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)


class BatchNorm1d(_BatchNorm, nn.BatchNorm1d):
    """:class:`torch.nn.BatchNorm1d` that obeys :func:`batch_statistics`."""


class BatchNorm2d(_BatchNorm, nn.BatchNorm2d):
    """:class:`torch.nn.BatchNorm2d` that obeys :func:`batch_statistics`."""


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """While open, all batch normalisation of ours in a network is by the batch, and no running statistics change."""
    layers = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    for layer in layers:
        layer.remembers = False
    try:
        yield
    finally:
        for layer in layers:
            layer.remembers = True


class Centring(nn.Module):
    """Samples (n, *shape) → flattened samples less their mean, (n, D).

    Attributes
    ----------
    centre : Tensor (D,)
        Zero until :meth:`fit`.
    """

    centre: Tensor

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(math.prod(shape)))

    def fit(self, x: Tensor) -> None:
        """Take the mean of samples (n, *shape) for the centre."""
        self.centre.copy_(x.flatten(1).mean(dim=0))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) - self.centre


class SoftmaxClassifier(nn.Module):
    r"""A linear layer with one logit a cluster, on what a body makes of the samples.

    Parameters
    ----------
    body : Module
        Samples (n, *shape) → representations (n, J).
    width : int
        J.
    n_clusters : int
    scale : float
        Size of the linear layer's first weights, as a share of :math:`\sqrt{2 / J}`.
    """

    def __init__(self, body: nn.Module, width: int, n_clusters: int, *, scale: float = 1.0) -> None:
        super().__init__()
        self.body = body
        self.head = linear(width, n_clusters, scale)

    def represent(self, x: Tensor) -> Tensor:
        """Samples (n, *shape) → representations (n, J), the input of the last layer."""
        representation: Tensor = self.body(x)
        return representation

    def assign(self, z: Tensor) -> Tensor:
        """Representations (n, J) → p(y|x), (n, K)."""
        return F.softmax(self.head(z), dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Samples (n, *shape) → p(y|x), (n, K)."""
        return self.assign(self.represent(x))

    @torch.no_grad()
    def start_from(self, centroids: Tensor) -> None:
        r"""Give every representation to its nearest centroid, (K, J), by :math:`w_k = 2 c_k, b_k = -|c_k|^2`.

        A logit is then :math:`|z|^2 - |z - c_k|^2`, the largest that of the nearest centroid.
        """
        self.head.weight.copy_(2 * centroids)
        self.head.bias.copy_(-centroids.square().sum(dim=1))


class Classifier(SoftmaxClassifier):
    r"""Hidden layers, each linear → batch normalisation → ReLU, and a linear layer with one logit a cluster.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample.
    widths : sequence of int
        Widths of the hidden layers; the last is the length J of a representation. Without any, the representation
        is the flattened sample and the classifier is linear.
    n_clusters : int
    scale : float
        Size of the last layer's first weights, as a share of :math:`\sqrt{2 / J}`. The small default lets p(y|x) start
        almost uniform, so that no cluster is favoured.
    """

    def __init__(self, shape: tuple[int, ...], widths: Sequence[int], n_clusters: int, *, scale: float = 1e-4) -> None:
        sizes = [math.prod(shape), *widths]
        layers: list[nn.Module] = [nn.Flatten()]
        for fan_in, fan_out in zip(sizes, sizes[1:], strict=False):
            layers += [linear(fan_in, fan_out, 0.1), BatchNorm1d(fan_out, eps=EPSILON), nn.ReLU()]
        super().__init__(nn.Sequential(*layers), sizes[-1], n_clusters, scale=scale)


def linear(fan_in: int, fan_out: int, scale: float) -> nn.Linear:
    """Return a layer with weights from N(0, (s √(2/fan_in))²) and no bias at first."""
    layer = nn.Linear(fan_in, fan_out)
    nn.init.normal_(layer.weight, std=scale * math.sqrt(2 / fan_in))
    nn.init.zeros_(layer.bias)
    return layer
