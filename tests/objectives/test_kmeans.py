from __future__ import annotations

import torch
from sklearn.cluster import KMeans

from clustlab.objectives.kmeans import lloyd_step, nearest_centroid, nearest_margin


def test_lloyd_steps_end_where_scikit_learn_ends() -> None:
    z = torch.randn(200, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    centroids = z[:5].clone()
    labels = nearest_centroid(z, centroids)
    for _ in range(100):
        centroids, moved = lloyd_step(z, labels, centroids)
        if torch.equal(moved, labels):
            break
        labels = moved
    theirs = KMeans(5, init=z[:5].numpy(), n_init=1, tol=0, max_iter=100).fit(z.numpy())
    torch.testing.assert_close(centroids, torch.from_numpy(theirs.cluster_centers_))
    assert labels.tolist() == theirs.labels_.tolist()


def test_a_cluster_without_samples_moves_to_the_farthest_one() -> None:
    z = torch.tensor([[0.0], [1.0], [10.0]])
    centroids, labels = lloyd_step(z, torch.zeros(3, dtype=torch.int64), torch.tensor([[0.0], [99.0]]))
    assert centroids[1].item() == 10.0
    assert labels.tolist() == [0, 0, 1]


def test_the_margin_is_one_on_a_centroid_and_zero_on_the_border() -> None:
    margin = nearest_margin(torch.tensor([[0.0], [1.0], [0.5]]), torch.tensor([[0.0], [2.0]]))
    torch.testing.assert_close(margin, torch.tensor([1.0, 0.0, 2 / 3]))
