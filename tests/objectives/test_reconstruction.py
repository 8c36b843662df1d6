from __future__ import annotations

import torch

from clustlab.objectives.reconstruction import squared_error


def test_the_mean_over_features_times_their_number_is_the_papers_sum() -> None:
    x, x_hat = torch.rand(4, 3, 5), torch.rand(4, 3, 5)
    torch.testing.assert_close(squared_error(x_hat, x) * 15, ((x - x_hat) ** 2).sum(dim=(1, 2)))
