from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from torch import Tensor

from clustlab.objectives.subspaces import (
    affinity,
    balance,
    choose_subspaces,
    closest_members,
    coherence,
    combinations,
    energy,
    leading_bases,
    nearest_orthonormal,
    own_energy,
    principal_angles,
    self_expression,
    skewness,
)

LABELS = torch.tensor([0, 1, 0, 2, 1, 0, 0, 1])


def codes(n: int = 8, dimension: int = 5) -> Tensor:
    return torch.randn(n, dimension, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def bases(n_clusters: int = 3, dimension: int = 5, rank: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.linalg.qr(torch.randn(n_clusters, dimension, rank, generator=generator, dtype=torch.float64)).Q


def test_energy_is_the_squared_distance_to_each_subspace() -> None:
    z, u = codes(), bases()
    slow = [[np.linalg.norm(each - basis @ basis.T @ each) ** 2 for basis in u.numpy()] for each in z.numpy()]
    np.testing.assert_allclose(energy(z, u).numpy(), slow, rtol=1e-12)
    np.testing.assert_allclose(own_energy(z, LABELS, u).numpy(), [slow[i][k] for i, k in enumerate(LABELS.tolist())])


def test_the_closest_share_of_every_cluster_counts_as_real() -> None:
    energies = torch.tensor([4.0, 2.0, 3.0, 9.0, 1.0, 2.0, 1.0, 5.0])
    # Cluster 0 has rows 0, 2, 5, 6; cluster 1 rows 1, 4, 7; half of three is rounded up; cluster 2 has row 3 alone.
    assert closest_members(energies, LABELS, 3, 0.5).tolist() == [False, True, False, True, True, True, True, False]
    assert closest_members(energies, LABELS, 3, 1.0).all()


def test_balanced_mean_is_the_mean_of_the_clusters_means() -> None:
    values = codes()[:, 0]
    real = torch.tensor([True, True, False, True, True, True, False, False])
    slow = np.mean([values[real & (k == LABELS)].mean().item() for k in range(3)])
    assert (balance(LABELS, real, 3) * values).mean().item() == pytest.approx(slow)
    assert (balance(LABELS, real, 3)[~real] == 0).all()


def test_combinations_are_positive_mixes_of_the_chosen_codes_of_one_cluster() -> None:
    n, n_clusters = 60, 3
    labels = torch.arange(n) % n_clusters
    chosen = torch.arange(n) >= 6
    # A coordinate for each sample, so that every share can be read off.
    mixed = combinations(torch.eye(n), labels, chosen, n_clusters, torch.Generator().manual_seed(0))
    for row in range(n):
        expected = chosen & (labels == labels[row]) if chosen[row] else torch.zeros(n, dtype=torch.bool)
        assert torch.equal(mixed[row] > 0, expected)
    assert (mixed >= 0).all()


def test_combinations_are_as_long_as_what_they_are_made_of() -> None:
    z, labels = codes(90) + 2, torch.arange(90) % 3
    mixed = combinations(z, labels, torch.ones(90, dtype=torch.bool), 3)
    for cluster in range(3):
        lengths = [each[labels == cluster].square().sum().item() for each in (z, mixed)]
        assert lengths[0] == pytest.approx(lengths[1])


def test_combinations_of_a_subspace_stay_in_it() -> None:
    u = bases()
    z = (u[LABELS] @ codes(dimension=2)[:, :, None]).squeeze(2)
    mixed = combinations(z, LABELS, torch.ones(8, dtype=torch.bool), 3)
    assert own_energy(mixed, LABELS, u).max().item() < 1e-20


def test_penalties_are_those_of_the_paper() -> None:
    u = codes(30, 2).view(3, 5, 4)
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    shared = sum(np.linalg.norm(u[i].numpy().T @ u[j].numpy()) ** 2 for i, j in pairs)
    skew = sum(np.linalg.norm(each.T @ each - np.eye(4)) ** 2 for each in u.numpy())
    assert coherence(u).item() == pytest.approx(shared)
    assert skewness(u).item() == pytest.approx(skew)
    assert skewness(bases()).item() == pytest.approx(0, abs=1e-20)


def test_leading_bases_leave_less_energy_than_any_other() -> None:
    z, labels = codes(60), torch.arange(60) % 3
    best = leading_bases(z, labels, 3, 2)
    assert skewness(best).item() < 1e-20
    left = np.linalg.svd(z[labels == 1].numpy(), compute_uv=False)[2:]
    assert own_energy(z, labels, best)[labels == 1].sum().item() == pytest.approx((left**2).sum())


def test_nearest_orthonormal_bases_span_the_same_subspaces() -> None:
    u = bases() + 0.05 * codes(30, 1).view(3, 5, 2)
    tidy = nearest_orthonormal(u)
    assert skewness(tidy).item() < 1e-20
    assert principal_angles(torch.stack([u[0], tidy[0]]))[0, 1].item() == pytest.approx(0, abs=1e-5)


def test_clusters_take_the_subspaces_that_fit_and_conflicts_go_to_the_better_fit() -> None:
    # New clusters 0 and 1 both want subspace 2, cluster 1 fits better; cluster 2 wants subspace 0; cluster 3 is empty.
    labels = torch.tensor([0, 0, 1, 1, 2])
    energies = torch.tensor(
        [
            [5.0, 9, 2, 9],
            [5.0, 9, 4, 9],
            [5.0, 9, 1, 9],
            [5.0, 9, 1, 9],
            [0.0, 9, 3, 9],
        ]
    )
    chosen, fresh = choose_subspaces(energies, labels, 4)
    assert fresh.tolist() == [True, False, False, True]
    assert chosen[1] == 2
    assert chosen[2] == 0
    assert sorted(chosen.tolist()) == [0, 1, 2, 3]


def test_clusters_that_only_changed_their_numbers_keep_their_subspaces() -> None:
    u, renamed = bases(), torch.tensor([2, 0, 1])
    z = (u[LABELS] @ codes(dimension=2)[:, :, None]).squeeze(2)
    chosen, fresh = choose_subspaces(energy(z, u), renamed[LABELS], 3)
    assert torch.equal(chosen[renamed[LABELS]], LABELS)
    assert not fresh.any()


def test_principal_angles_are_those_of_scipy() -> None:
    u = bases() + 0.1
    angles = principal_angles(u).numpy()
    slow = [[np.rad2deg(subspace_angles(a, b)).min() for b in u.numpy()] for a in u.numpy()]
    np.testing.assert_allclose(angles, slow, atol=1e-5)


def test_self_expression_is_ridge_regression_on_all_others() -> None:
    z, ridge = codes(12).numpy(), 0.7
    theta = self_expression(torch.from_numpy(z), ridge).numpy()
    for i in range(len(z)):
        others = np.delete(np.arange(len(z)), i)
        a = z[others].T
        slow = np.linalg.solve(a.T @ a + ridge * np.eye(len(others)), a.T @ z[i])
        np.testing.assert_allclose(theta[i, others], slow, atol=1e-10)
        assert theta[i, i] == 0


def test_affinity_is_the_symmetric_part_of_the_sizes() -> None:
    assert affinity(torch.tensor([[0.0, -2.0], [1.0, 0.0]])).tolist() == [[0, 1.5], [1.5, 0]]
