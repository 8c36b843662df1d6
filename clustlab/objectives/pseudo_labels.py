r"""Pseudo-labels from the agreement of an ensemble (KINGDRA: Gupta, Ramjee, Kwatra, Sivathanu, ICLR 2020).

Model m puts sample i into cluster :math:`e_{im}`; :math:`A_{ij} = \#\{m : e_{im} = e_{jm}\}` counts the models that put
two samples together. Two samples that all models put together, and of which all models are sure, have a positive edge;
two that at most :math:`t_\mathrm{low}` models put together have a negative one.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from clustlab.metrics import match

__all__ = ["align", "draw_balanced", "find_buckets"]


def find_buckets(signatures: Tensor, confident: Tensor, low: int, n_buckets: int) -> Tensor:
    r"""Return the bucket of each sample, (n,) int64; −1 for those that are in none.

    K times the sample with the most positive edges and its neighbours become a bucket, and whatever has not a negative
    edge to all of them leaves the graph. With edges between samples on which *all* models agree
    (:math:`t_\mathrm{high} = M - 1`) the graph consists of cliques, one for each signature
    :math:`(e_{i1}, \ldots, e_{iM})`, so the procedure runs on signatures: O(S² M) for S of them instead of O(n² M).
    Of cliques of the same size the one with the first sample comes first, whatever clusters are called.

    Parameters
    ----------
    signatures : Tensor (n, M), int
        Cluster of each sample by each model.
    confident : Tensor (n,), bool
        Samples of which all models are sure. Both ends of an edge must be; the released code asks only one.
    low : int
        :math:`t_\mathrm{low}` < M, the largest agreement of a negative edge.
    n_buckets : int
        How many buckets are looked for; some stay empty where no sample is left.
    """
    found = torch.full((len(signatures),), -1, device=signatures.device)
    rows = confident.nonzero().squeeze(1)
    if not len(rows):
        return found
    distinct, clique, sizes = torch.unique(signatures[rows], dim=0, return_inverse=True, return_counts=True)
    first = torch.full_like(sizes, len(rows)).scatter_reduce(0, clique, torch.arange(len(rows)).to(rows), "amin")
    bucket_of = torch.full_like(sizes, -1)
    live = sizes.clone()
    for bucket in range(n_buckets):
        largest = live == live.max()
        if live.max() == 0:
            break
        chosen = torch.where(largest, first, len(rows)).argmin()
        bucket_of[chosen] = bucket
        # A clique agrees with itself in all M, more than t_low, so it goes as well.
        live[(distinct == distinct[chosen]).sum(dim=1) > low] = 0
    found[rows] = bucket_of[clique]
    return found


def align(clusters: Tensor, outputs: Tensor, n_clusters: int) -> Tensor:
    """Return which output of each model stands for which cluster, (M, K) int64, by the Hungarian method.

    Parameters
    ----------
    clusters : Tensor (n,), int
        Cluster of each sample.
    outputs : Tensor (n, M), int
        What each model says of the same samples, in numbers of its own.
    n_clusters : int
    """
    said = outputs.T.cpu().numpy()
    names = clusters.cpu().numpy()
    found = np.stack([match(names, model, n_clusters) for model in said])
    return torch.from_numpy(found).to(outputs.device)


def draw_balanced(pseudo_labels: Tensor, n_clusters: int, count: int) -> Tensor:
    """Return rows of samples with a pseudo-label, (count,) int64, every bucket being as likely as any other.

    Drawn with replacement from the global generator.

    Parameters
    ----------
    pseudo_labels : Tensor (n,), int
        −1 for none; at least one sample must have one.
    n_clusters, count : int
    """
    labels = pseudo_labels.cpu()
    sizes = torch.bincount(labels + 1, minlength=n_clusters + 1).double()
    chances = torch.where(labels >= 0, 1 / sizes[labels + 1], 0.0)
    return torch.multinomial(chances, count, replacement=True).to(pseudo_labels.device)
