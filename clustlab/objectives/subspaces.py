r"""Unions of subspaces: who lies in which, and who explains whom (Zhou, Hou, Feng, CVPR 2018: “DASC”).

A subspace is given by an orthonormal basis :math:`U_i` (J, r). Codes are rows here, so self-expression
reads :math:`Z \approx \Theta Z` where the paper, with codes as columns, has :math:`Z \approx Z \Theta`.
"""

import torch
from torch import Tensor

__all__ = [
    "affinity",
    "balance",
    "choose_subspaces",
    "closest_members",
    "coherence",
    "combinations",
    "energy",
    "leading_bases",
    "nearest_orthonormal",
    "own_energy",
    "principal_angles",
    "self_expression",
    "skewness",
]


def energy(z: Tensor, bases: Tensor) -> Tensor:
    r"""Return :math:`L_r(z) = \lVert z - U_i U_i^\top z \rVert^2` for every subspace.

    Parameters
    ----------
    z : Tensor (n, J)
    bases : Tensor (K, J, r)

    Returns
    -------
    Tensor (n, K)
        Small where a code belongs; the discriminator's :math:`P(z \in S_i)` is proportional to its exponential,
        :math:`e^{-L_r(z)}`.
    """
    inside = torch.einsum("kjr,nkr->nkj", bases, torch.einsum("kjr,nj->nkr", bases, z))
    return (z[:, None] - inside).square().sum(dim=2)


def own_energy(z: Tensor, labels: Tensor, bases: Tensor) -> Tensor:
    """Return the energy of codes (n, J) in the subspace of their own cluster (n,): (n,)."""
    # Cheaper than a basis for every sample, although all but one energy of each are thrown away.
    return energy(z, bases).gather(1, labels[:, None]).squeeze(1)


def closest_members(energies: Tensor, labels: Tensor, n_clusters: int, share: float) -> Tensor:
    r"""Return which samples the discriminator takes for real, (n,) bool.

    Of the :math:`m_i` members of a cluster they are the :math:`\bar m_i = \lceil \alpha m_i \rceil` of least energy:
    those that a wrong clustering has most likely left in peace.

    Parameters
    ----------
    energies : Tensor (n,)
        In the subspace of the own cluster.
    labels : Tensor (n,), int64
    n_clusters : int
    share : float
        The paper's α.
    """
    sizes = torch.bincount(labels, minlength=n_clusters)
    by_energy = energies.argsort()
    order = by_energy[labels[by_energy].argsort(stable=True)]  # by cluster, inside a cluster by energy
    first = sizes.cumsum(0) - sizes
    rank = torch.arange(len(labels), device=labels.device) - first[labels[order]]
    chosen = torch.zeros_like(labels, dtype=torch.bool)
    chosen[order] = rank < (share * sizes).ceil()[labels[order]]
    return chosen


def balance(labels: Tensor, chosen: Tensor, n_clusters: int) -> Tensor:
    r"""Return weights (n,) under which a plain mean over samples is :math:`\frac1K \sum_i \frac1{\bar m_i} \sum_j`.

    Zero for samples that were not chosen; labels (n,), chosen (n,) bool.
    """
    sizes = torch.bincount(labels[chosen], minlength=n_clusters).clamp_min(1)
    return chosen * (len(labels) / (n_clusters * sizes[labels]))


def combinations(
    z: Tensor, labels: Tensor, chosen: Tensor, n_clusters: int, generator: torch.Generator | None = None
) -> Tensor:
    r"""Return random combinations :math:`\bar z = \sum_t a_t z_t`, :math:`a_t \sim U(0, 1]`, of a cluster's codes.

    One for each chosen sample, in its row; other rows are zero. Those of a cluster are brought to the root mean
    square length of the codes that they are made of: the energy grows with the square of the length, and a bare sum
    of m codes is about m / 2 times as long as one of them, far beyond any hinge.

    Parameters
    ----------
    z : Tensor (n, J)
    labels : Tensor (n,), int64
    chosen : Tensor (n,), bool
    n_clusters : int
    generator : torch.Generator, optional
        On the CPU; without one PyTorch's own draws.
    """
    mixed = torch.zeros_like(z)
    for cluster in range(n_clusters):
        rows = (chosen & (labels == cluster)).nonzero().flatten()
        if not len(rows):
            continue
        members = z[rows]
        shares = (1 - torch.rand(len(rows), len(rows), generator=generator)).to(z)
        sums = shares @ members
        with torch.no_grad():
            length = (members.square().sum() / sums.square().sum().clamp_min(torch.finfo(z.dtype).tiny)).sqrt()
        mixed = mixed.index_copy(0, rows, sums * length)
    return mixed


def coherence(bases: Tensor) -> Tensor:
    r"""Return :math:`\sum_{i \ne j} \lVert U_i^\top U_j \rVert_F^2` for bases (K, J, r): a number."""
    between = torch.einsum("ijr,kjs->ikrs", bases, bases).square().sum(dim=(2, 3))
    return between.sum() - between.diagonal().sum()


def skewness(bases: Tensor) -> Tensor:
    r"""Return :math:`\sum_i \lVert U_i^\top U_i - I \rVert_F^2` for bases (K, J, r): zero if orthonormal."""
    identity = torch.eye(bases.shape[2], dtype=bases.dtype, device=bases.device)
    return (bases.mT @ bases - identity).square().sum()


def leading_bases(z: Tensor, labels: Tensor, n_clusters: int, dimension: int) -> Tensor:
    """Return the r principal directions of each cluster's codes, taken from the origin: (K, J, r), orthonormal.

    Of all subspaces of dimension r they leave the least energy; the first r columns of a QR decomposition would
    depend on which samples come first. A cluster without members gets axes.
    """
    member = torch.nn.functional.one_hot(labels, n_clusters).to(z)
    moments = torch.einsum("nk,ni,nj->kij", member, z, z)
    # Eigenvalues rise. The decomposition of a few small matrices is done where every device can have it done.
    axes = torch.linalg.eigh(moments.cpu().double()).eigenvectors.flip(2)
    return axes[:, :, :dimension].to(z)


def nearest_orthonormal(bases: Tensor) -> Tensor:
    """Return the orthonormal bases that are nearest to bases (K, J, r): the same subspaces, columns hardly turned."""
    left, _, right = torch.linalg.svd(bases.cpu().double(), full_matrices=False)
    return (left @ right).to(bases)


def choose_subspaces(energies: Tensor, labels: Tensor, n_clusters: int) -> tuple[Tensor, Tensor]:
    """Return which subspace each cluster of a new clustering takes, (K,), and which of them start afresh, (K,) bool.

    Every cluster takes the subspace in which its members have the least mean energy. Where several want the same one
    it goes to the one with the smaller mean; the others get those that are left, with a new basis.

    Parameters
    ----------
    energies : Tensor (n, K)
        In every subspace in force.
    labels : Tensor (n,), int64
        New clusters.
    n_clusters : int
    """
    member = torch.nn.functional.one_hot(labels, n_clusters).to(energies)
    sizes = member.sum(dim=0)
    means = (member.T @ energies / sizes.clamp_min(1)[:, None]).where(sizes[:, None] > 0, torch.inf)
    least, wish = (array.tolist() for array in means.min(dim=1))
    taken: dict[int, int] = {}
    for cluster in sorted(range(n_clusters), key=lambda each: least[each]):
        if least[cluster] < float("inf"):
            taken.setdefault(wish[cluster], cluster)
    choice = {cluster: subspace for subspace, cluster in taken.items()}
    left = iter(sorted(set(range(n_clusters)) - set(taken)))
    chosen = [choice[cluster] if cluster in choice else next(left) for cluster in range(n_clusters)]
    fresh = [cluster not in choice for cluster in range(n_clusters)]
    return torch.tensor(chosen, device=labels.device), torch.tensor(fresh, device=labels.device)


def principal_angles(bases: Tensor) -> Tensor:
    """Return the smallest principal angle between every two subspaces, in degrees: (K, J, r) → (K, K).

    Zero where two subspaces share a direction; bases need not be orthonormal.
    """
    orthonormal = torch.linalg.qr(bases.cpu().double()).Q
    cosines = torch.linalg.svdvals(torch.einsum("ijr,kjs->ikrs", orthonormal, orthonormal))[..., 0]
    angles = torch.rad2deg(torch.arccos(cosines.clamp(-1, 1)))
    return angles.fill_diagonal_(0).to(bases)


def self_expression(z: Tensor, ridge: float) -> Tensor:
    r"""Return the Θ (n, n) that minimises :math:`\lVert Z - \Theta Z \rVert_F^2 + \kappa \lVert \Theta \rVert_F^2`.

    Subject to a diagonal of zeros: nobody may explain himself. Each row is a ridge regression of one code on all
    others; with the hat matrix :math:`H = Z (Z^\top Z + \kappa I)^{-1} Z^\top` all of them are
    :math:`\theta_{ij} = H_{ij} / (1 - H_{ii})`.

    Parameters
    ----------
    z : Tensor (n, J)
    ridge : float
        κ, positive.
    """
    identity = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
    hat = z @ torch.linalg.solve(z.T @ z + ridge * identity, z.T)
    theta = hat / (1 - hat.diagonal())[:, None]
    return theta.fill_diagonal_(0)


def affinity(theta: Tensor) -> Tensor:
    """Return ½ (|Θ| + |Θᵀ|), how much two samples explain each other: (n, n) → (n, n)."""
    return 0.5 * (theta.abs() + theta.T.abs())
