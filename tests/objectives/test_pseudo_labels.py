"""Buckets of an ensemble: the fast form is the procedure of the paper, sample by sample."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from clustlab.objectives.pseudo_labels import align, draw_balanced, find_buckets

ENSEMBLES = [(seed, 2 + seed % 5, 2 + seed % 3) for seed in range(240)]


def ensemble(seed: int, models: int, clusters: int, n: int = 40) -> tuple[Tensor, Tensor]:
    """Models that see the same clusters with some errors, and samples of which they are sure."""
    random = torch.Generator().manual_seed(seed)
    truth = torch.randint(clusters, (n, 1), generator=random).expand(n, models)
    noise = torch.randint(clusters, (n, models), generator=random)
    wrong = torch.rand(n, models, generator=random) < 0.3
    return torch.where(wrong, noise, truth), torch.rand(n, generator=random) < 0.8


def by_the_book(signatures: Tensor, confident: Tensor, low: int, n_buckets: int) -> Tensor:
    """The procedure on the graph of samples, as the paper has it, edges needing all models and both ends sure."""
    n, models = signatures.shape
    agreement = (signatures[:, None] == signatures[None]).sum(dim=2)
    positive = (agreement > models - 1) & confident[:, None] & confident
    live, found = torch.ones(n, dtype=torch.bool), torch.full((n,), -1)
    for bucket in range(n_buckets):
        degrees = (positive & live).sum(dim=1) * live
        if degrees.max() == 0:
            break
        members = positive[degrees.argmax()] & live
        found[members] = bucket
        live &= (agreement[:, members] <= low).all(dim=1)
    return found


@pytest.mark.parametrize("low", [0, 1])
def test_signatures_give_the_buckets_of_the_whole_graph(low: int) -> None:
    several = 0
    for seed, models, clusters in ENSEMBLES:
        signatures, confident = ensemble(seed, models, clusters)
        found = find_buckets(signatures, confident, low, clusters)
        assert torch.equal(found, by_the_book(signatures, confident, low, clusters)), seed
        several += found.max().item() > 0
    assert several > 100


def test_buckets_are_disjoint_unanimous_and_far_apart() -> None:
    for seed, models, clusters in ENSEMBLES[:60]:
        signatures, confident = ensemble(seed, models, clusters)
        found = find_buckets(signatures, confident, 1, clusters)
        assert confident[found >= 0].all()
        held = [signatures[found == bucket].unique(dim=0) for bucket in found[found >= 0].unique()]
        assert all(len(signature) == 1 for signature in held)
        for i, one in enumerate(held):
            assert all((one == other).sum() <= 1 for other in held[:i])


def test_buckets_do_not_depend_on_what_models_call_their_clusters() -> None:
    for seed, models, clusters in ENSEMBLES[:60]:
        signatures, confident = ensemble(seed, models, clusters)
        names = torch.stack([torch.randperm(clusters) for _ in range(models)])
        renamed = names.T.gather(0, signatures)
        assert torch.equal(
            find_buckets(signatures, confident, 1, clusters), find_buckets(renamed, confident, 1, clusters)
        )


def test_the_largest_bucket_comes_first_and_nobody_sure_means_none() -> None:
    signatures = torch.tensor([[0, 0]] * 2 + [[1, 1]] * 5 + [[1, 0]] * 3)
    sure = torch.ones(10, dtype=torch.bool)
    # (1, 0) shares one of two clusters with (1, 1): not one model may say the same.
    assert find_buckets(signatures, sure, 0, 2).tolist() == [1, 1, 0, 0, 0, 0, 0, -1, -1, -1]
    assert find_buckets(signatures, ~sure, 0, 2).tolist() == [-1] * 10


def test_alignment_undoes_what_models_call_their_clusters() -> None:
    clusters = torch.randint(4, (60,))
    names = torch.stack([torch.randperm(4) for _ in range(3)])
    assert torch.equal(align(clusters, names[:, clusters].T, 4), names)


def test_draws_are_balanced_between_buckets_and_leave_out_the_rest() -> None:
    labels = torch.tensor([-1] * 50 + [0] * 90 + [1] * 9 + [2])
    drawn = labels[draw_balanced(labels, 3, 6000)]
    counts = torch.bincount(drawn + 1, minlength=4)
    assert counts[0] == 0
    assert ((counts[1:] - 2000).abs() < 200).all()
