from __future__ import annotations

import pytest
import torch

from clustlab.objectives import radius
from clustlab.objectives.radius import neighbour_distance


@pytest.mark.parametrize("entries", [2**25, 150])
def test_the_radius_follows_the_tenth_neighbour_itself_excluded(monkeypatch: pytest.MonkeyPatch, entries: int) -> None:
    """By brute force, in one block and in blocks of a few rows."""
    monkeypatch.setattr(radius, "ENTRIES", entries)
    x = torch.randn(70, 4, 3, generator=torch.Generator().manual_seed(0))
    distances = torch.cdist(x.flatten(1).double(), x.flatten(1).double())
    expected = distances.sort(dim=1).values[:, 10]  # the first is the sample itself
    torch.testing.assert_close(neighbour_distance(x, 10).double(), expected, rtol=1e-5, atol=0)


def test_another_order_of_the_samples_reorders_the_radii() -> None:
    generator = torch.Generator().manual_seed(0)
    x, order = torch.randn(70, 12, generator=generator), torch.randperm(70, generator=generator)
    torch.testing.assert_close(neighbour_distance(x[order], 10), neighbour_distance(x, 10)[order])


def test_samples_far_from_the_origin_keep_their_distances() -> None:
    x = torch.randint(0, 50, (40, 3), generator=torch.Generator().manual_seed(0)).float()
    torch.testing.assert_close(neighbour_distance(x + 100_000, 3), neighbour_distance(x, 3))


def test_a_copy_is_a_neighbour_at_distance_zero() -> None:
    x = torch.tensor([[0.0, 7.3], [0.0, 7.3], [3.0, 7.3]])
    assert neighbour_distance(x, 1).tolist() == [0, 0, 3]
