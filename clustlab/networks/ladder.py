"""Ladder networks: encoders whose every layer is corrupted and restored (Rasmus and others, NIPS 2015).

Several networks of the same shape can stand side by side: every tensor then has an axis for them, and one matrix
product serves all. Nothing is shared between them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Activations", "LadderClassifier", "Ladders", "Restored", "combine", "standardise"]

EPSILON = 1e-5
"""Added to variances. The released code has 1e-10, with which a layer that says nothing yet has huge gradients."""

SCALE = 1 / 3
"""Brings samples with a mean square of one to the scale of MNIST's pixels in 0 … 1, whose root mean square is 0.33.

The noise and the weights of the costs were chosen for that scale.
"""

MOMENTUM = 0.1
"""Share of the newest batch in the running statistics, PyTorch's."""

Layer = Callable[[Tensor], Tensor]

COEFFICIENTS = 10
"""Of the combinator, for each unit: five of μ(u), five of v(u)."""


class Activations(NamedTuple):
    """What an encoder makes of a batch, (M, b, …) each.

    Attributes
    ----------
    z : tuple of Tensor (M, b, m_l)
        The samples and each layer's output before its nonlinearity: z_0 … z_L. Noise included, where there is any.
    hidden : Tensor (M, b, J)
        The last hidden layer after its nonlinearity.
    logits : Tensor (M, b, K)
    """

    z: tuple[Tensor, ...]
    hidden: Tensor
    logits: Tensor

    @property
    def p(self) -> Tensor:
        """p(y|x), (M, b, K)."""
        return F.softmax(self.logits, dim=-1)


class Restored(NamedTuple):
    """A batch seen clean and corrupted, and every layer of it restored: ẑ_0 … ẑ_L, (M, b, m_l) each."""

    clean: Activations
    corrupted: Activations
    estimates: tuple[Tensor, ...]


def standardise(z: Tensor) -> Tensor:
    """Return z with mean 0 and variance 1 over the batch, (…, b, m) → (…, b, m)."""
    return _by_moments(z)[0]


def combine(corrupted: Tensor, u: Tensor, coefficients: Tensor) -> Tensor:
    r"""Return :math:`\hat z = (\tilde z - \mu(u)) \, v(u) + \mu(u)`, the guess at a clean unit.

    :math:`\mu(u) = a_1 \sigma(a_2 u + a_3) + a_4 u + a_5` is what to expect from above, and :math:`v(u)`, with
    :math:`a_6 \ldots a_{10}` likewise, how far to trust what came from below.

    Parameters
    ----------
    corrupted, u : Tensor (…, m)
        The corrupted unit, and the signal from the layer above.
    coefficients : Tensor (10, …, m)
        :math:`a_1 \ldots a_{10}` of every unit.
    """
    a = coefficients
    mean = a[0] * torch.sigmoid(a[1] * u + a[2]) + a[3] * u + a[4]
    trust = a[5] * torch.sigmoid(a[6] * u + a[7]) + a[8] * u + a[9]
    return torch.lerp(mean, corrupted, trust)


class RunningStatistics(nn.Module):
    """Batch normalisation without scale and offset that remembers the batches it was trained on.

    Attributes
    ----------
    mean, variance : Tensor (M, 1, m)
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, n_models: int, units: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_models, 1, units))
        self.register_buffer("variance", torch.ones(n_models, 1, units))

    def forward(self, z: Tensor) -> Tensor:
        """Normalise by the batch while training, by what is remembered afterwards: (M, b, m) → (M, b, m)."""
        if not self.training:
            return (z - self.mean) * (self.variance + EPSILON).rsqrt()
        normalised, mean, variance = _by_moments(z)
        with torch.no_grad():
            self.mean.lerp_(mean, MOMENTUM)
            self.variance.lerp_(variance, MOMENTUM)
        return normalised


class Ladders(nn.Module):
    r"""M ladder networks side by side.

    Encoder: :math:`z_l = \mathrm{BN}(W_l h_{l-1})`, with noise added in the corrupted pass, and
    :math:`h_l = \max(0, z_l + \beta_l)`. The last layer is not normalised (KINGDRA's code, for MNIST) and gives
    :math:`p(y|x) = \mathrm{softmax}(\gamma (z_L + \beta_L))`. Decoder: :math:`u_L = \mathrm{BN}(\tilde p)`,
    :math:`u_l = \mathrm{BN}(V_{l+1} \hat z_{l+1})`, and :math:`\hat z_l = g(\tilde z_l, u_l)`, see :func:`combine`.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample.
    widths : sequence of int
        Widths of the hidden layers, at least one.
    n_clusters : int
    n_models : int
        Number M of networks.
    noise : float
        Standard deviation of the Gaussian noise on the samples and on every layer of the corrupted pass.
    """

    def __init__(
        self, shape: tuple[int, ...], widths: Sequence[int], n_clusters: int, *, n_models: int = 1, noise: float = 0.3
    ) -> None:
        super().__init__()
        self.n_models, self.n_clusters, self.noise = n_models, n_clusters, noise
        self.sizes = (math.prod(shape), *widths, n_clusters)
        steps = list(zip(self.sizes, self.sizes[1:], strict=False))
        self.up = nn.ParameterList([_glorot(n_models, below, above) for below, above in steps])
        self.down = nn.ParameterList([_glorot(n_models, above, below) for below, above in steps])
        self.offsets = nn.ParameterList([torch.zeros(n_models, 1, units) for units in self.sizes[1:]])
        self.scale = nn.Parameter(torch.ones(n_models, 1, n_clusters))
        self.coefficients = nn.ParameterList([_first_coefficients(n_models, units) for units in self.sizes])
        self.statistics = nn.ModuleList([RunningStatistics(n_models, units) for units in widths])

    def clean(self, x: Tensor) -> Activations:
        """Samples (b, *shape) without noise; while training, running statistics learn of them."""
        return self._encode(x, list(self.statistics), lambda z: z)

    def corrupted(self, x: Tensor) -> Activations:
        """Samples (b, *shape) with fresh noise on every layer, normalised by the batch and remembered by nobody."""
        return self._encode(x, [standardise] * len(self.statistics), self._noisy)

    def restore(self, corrupted: Activations) -> tuple[Tensor, ...]:
        """Guess every layer's clean output from its corrupted one and the layer above: ẑ_0 … ẑ_L."""
        u = standardise(corrupted.p)
        found: list[Tensor] = []
        for level in range(len(self.up), -1, -1):
            found.append(combine(corrupted.z[level], u, self.coefficients[level]))
            if level:
                u = standardise(found[-1] @ self.down[level - 1])
        return tuple(found[::-1])

    def forward(self, x: Tensor) -> Restored:
        """Samples (b, *shape) clean, corrupted and restored."""
        clean, corrupted = self.clean(x), self.corrupted(x)
        return Restored(clean, corrupted, self.restore(corrupted))

    def read(self, hidden: Tensor) -> Tensor:
        """Last hidden layers (M, b, J) → p(y|x), (M, b, K)."""
        return F.softmax(self._logits(hidden @ self.up[-1]), dim=-1)

    def _encode(self, x: Tensor, normalise: Sequence[Layer], disturb: Layer) -> Activations:
        h = disturb((SCALE * x.flatten(1)).expand(self.n_models, -1, -1))
        z, hidden = [h], h
        for level, weight in enumerate(self.up):
            hidden, above = h, h @ weight
            z.append(disturb(normalise[level](above) if level < len(normalise) else above))
            h = F.relu(z[-1] + self.offsets[level])
        return Activations(tuple(z), hidden, self._logits(z[-1]))

    def _noisy(self, z: Tensor) -> Tensor:
        return z + self.noise * torch.randn(z.shape).to(z)

    def _logits(self, z: Tensor) -> Tensor:
        return self.scale * (z + self.offsets[-1])


class LadderClassifier(nn.Module):
    """One ladder network as a classifier: x → last hidden layer → p(y|x), by the clean pass.

    Parameters
    ----------
    ladders : Ladders
        A single one.
    """

    def __init__(self, ladders: Ladders) -> None:
        super().__init__()
        self.ladders = ladders

    def represent(self, x: Tensor) -> Tensor:
        """Samples (n, *shape) → last hidden layer (n, J)."""
        return self.ladders.clean(x).hidden[0]

    def assign(self, z: Tensor) -> Tensor:
        """Last hidden layer (n, J) → p(y|x), (n, K)."""
        return self.ladders.read(z.unsqueeze(0))[0]


def _by_moments(z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return z normalised over the batch, its mean and its variance; three times as fast as ``torch.var_mean``."""
    mean = z.mean(dim=-2, keepdim=True)
    centred = z - mean
    variance = centred.square().mean(dim=-2, keepdim=True)
    return centred * (variance + EPSILON).rsqrt(), mean, variance


def _glorot(n_models: int, fan_in: int, fan_out: int) -> Tensor:
    return math.sqrt(2 / (fan_in + fan_out)) * torch.randn(n_models, fan_in, fan_out)


def _first_coefficients(n_models: int, units: int) -> Tensor:
    """Return a₂ = a₇ = 1 and all else zero: at first every guess is zero."""
    coefficients = torch.zeros(COEFFICIENTS, n_models, 1, units)
    coefficients[[1, 6]] = 1
    return coefficients
