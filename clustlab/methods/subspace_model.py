"""Subspaces of codes: the model that DASC trains, and what it shows of itself."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from sklearn.cluster import spectral_clustering
from torch import Tensor, nn

from clustlab.errors import DataError
from clustlab.methods.base import Observation, ProbePass, Samples, Values
from clustlab.networks import Autoencoder
from clustlab.objectives.subspaces import (
    affinity,
    choose_subspaces,
    combinations,
    energy,
    leading_bases,
    nearest_orthonormal,
    own_energy,
    principal_angles,
    self_expression,
)
from clustlab.spec import Network

__all__ = ["DASCModel", "in_own_units", "mean_energy", "normalised_cut", "subspace_observations"]

SHOWN = 150
"""Samples whose affinity is shown, at most."""


def normalised_cut(affinities: np.ndarray, n_clusters: int, seed: int) -> np.ndarray:
    """Return the clusters (n,) of a graph with these affinities (n, n): NCut, with k-means on the eigenvectors.

    Raises
    ------
    DataError
        If affinities are not finite.
    """
    if not np.isfinite(affinities).all():
        raise DataError("the affinities are not finite numbers; training has diverged, try a smaller learning rate")
    with warnings.catch_warnings():
        # A graph in pieces, and fewer distinct eigenvectors than clusters, are something to show, no reason to stop.
        warnings.simplefilter("ignore")
        labels: np.ndarray = spectral_clustering(
            np.asarray(affinities, np.float64), n_clusters=n_clusters, eigen_solver="arpack", random_state=seed
        )
    return labels.astype(np.int64)


class DASCModel(nn.Module):
    """An autoencoder, self-expression between its halves, and one subspace for each cluster.

    Attributes
    ----------
    theta : Parameter (n, n)
        Θ: how much of each other sample goes into the self-expression of a sample; zero diagonal.
    bases : Parameter (K, J, r)
        U: the discriminator's subspaces, orthonormal after every step.
    labels : Tensor (n,), int64
        Clusters at the last cut; ``labels[i]`` is also the subspace of sample i.
    steps_left : Tensor (), int64
        Steps until the last cut.
    """

    labels: Tensor
    steps_left: Tensor

    def __init__(
        self, shape: tuple[int, ...], network: Network, n_samples: int, n_clusters: int, dimension: int
    ) -> None:
        super().__init__()
        self.autoencoder = Autoencoder(shape, network)
        self.theta = nn.Parameter(torch.zeros(n_samples, n_samples))
        self.bases = nn.Parameter(torch.zeros(n_clusters, network.latent_dim, dimension))
        self.register_buffer("labels", torch.zeros(n_samples, dtype=torch.int64))
        self.register_buffer("steps_left", torch.tensor(0))

    @property
    def n_clusters(self) -> int:
        """K."""
        return len(self.bases)

    def codes(self, samples: Samples) -> Tensor:
        """Codes of all samples in units of their root mean square length, (n, J), without gradient."""
        return in_own_units(samples.map(self.autoencoder.encoder))

    def centroids(self, samples: Samples) -> Tensor:
        """Means of the clusters' codes, (K, J)."""
        z = samples.map(self.autoencoder.encoder)
        sizes = torch.bincount(self.labels, minlength=self.n_clusters).clamp_min(1)
        sums = torch.zeros(self.n_clusters, z.shape[1]).to(z).index_add_(0, self.labels, z)
        return sums / sizes[:, None]

    @torch.no_grad()
    def begin(self, samples: Samples, ridge: float, steps: int, seed: int) -> None:
        """Solve for the self-expression of the codes as they are, cut, and give every cluster its subspace."""
        z = self.codes(samples)
        self.theta.copy_(self_expression(z, ridge))
        self.labels = self._cut(seed)
        self.bases.copy_(leading_bases(z, self.labels, self.n_clusters, self.bases.shape[2]))
        self.steps_left.fill_(steps)

    @torch.no_grad()
    def cut(self, samples: Samples, seed: int) -> Values:
        """Cluster anew and let every new cluster take one of the subspaces, or start a new one.

        A cluster gets the number of the subspace that it takes, so that both stay what they are where little changes.
        """
        z = self.codes(samples)
        found = self._cut(seed)
        chosen, fresh = choose_subspaces(energy(z, self.bases), found, self.n_clusters)
        before, self.labels = self.labels, chosen[found]
        new = leading_bases(z, self.labels, self.n_clusters, self.bases.shape[2])
        self.bases[chosen[fresh]] = new[chosen[fresh]]
        return {
            "label_change": (self.labels != before).float().mean().item(),
            "new_subspaces": fresh.sum().item(),
        }

    @torch.no_grad()
    def tidy(self) -> None:
        """Bring parameters back to where they belong: no self-explanation, orthonormal bases."""
        self.theta.fill_diagonal_(0)
        self.bases.copy_(nearest_orthonormal(self.bases))
        self.steps_left -= 1

    def _cut(self, seed: int) -> Tensor:
        found = normalised_cut(affinity(self.theta).detach().cpu().numpy(), self.n_clusters, seed)
        return torch.from_numpy(found).to(self.labels.device)


def mean_energy(z: Tensor) -> Tensor:
    """Return the mean of the codes' squared lengths, (n, J) → (), as a unit: without gradient, and not zero."""
    return z.detach().square().sum(dim=1).mean().clamp_min(torch.finfo(z.dtype).tiny)


def in_own_units(z: Tensor) -> Tensor:
    """Return codes (n, J) in units of their root mean square length."""
    return z / mean_energy(z).sqrt()


def subspace_observations(model: DASCModel) -> dict[str, Observation]:
    """Return the observations of affinities, residuals and angles."""

    def rows(probe: ProbePass) -> Tensor:
        """Positions in the probe, evenly taken from it after sorting by cluster."""
        order = model.labels[probe.index].argsort(stable=True)
        take = torch.linspace(0, len(order) - 1, min(SHOWN, len(order)), device=order.device).round().long()
        return order[take]

    def shown_affinity(probe: ProbePass) -> Tensor:
        chosen = probe.index[rows(probe)]
        return affinity(model.theta[chosen[:, None], chosen])

    def residuals(probe: ProbePass) -> Tensor:
        z, labels = in_own_units(probe.z), model.labels[probe.index]
        # Draws of its own: what is shown must not change what is learned.
        everyone = torch.ones_like(labels, dtype=torch.bool)
        mixed = combinations(z, labels, everyone, model.n_clusters, torch.Generator().manual_seed(0))
        return torch.stack([own_energy(each, labels, model.bases) for each in (z, mixed)], dim=1)

    return {
        "affinity": Observation(shown_affinity),
        "affinity_rows": Observation(lambda probe: rows(probe).int()),
        "residuals": Observation(residuals),
        "principal_angles": Observation(lambda probe: principal_angles(model.bases), cluster_axes=(0, 1)),
    }
