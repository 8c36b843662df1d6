from __future__ import annotations

import pytest
import torch
from training_helpers import small_spec, trained

from clustlab.data import Dataset
from clustlab.methods.base import Pass
from clustlab.training.setup import Work, set_up


def work_of(digits: Dataset, **options: object) -> Work:
    return set_up(small_spec("dae-kmeans", options=options), digits, torch.device("cpu"))


@pytest.mark.parametrize("options", [{"corruption": "gaussian"}, {"corruption": "dropout"}])
def test_training_sees_damaged_samples_and_frames_whole_ones(digits_small: Dataset, options: dict[str, str]) -> None:
    phase = work_of(digits_small, **options).phases[0]
    x, index = torch.rand(9, 8, 8), torch.arange(9)
    assert phase.encode is not None
    shown = phase.represent(x, index)
    assert torch.equal(shown, phase.encode(x))
    drawn = [Pass(phase, x, index).z for _ in range(2)]
    assert not torch.allclose(drawn[0], shown)
    assert not torch.allclose(drawn[0], drawn[1]), "damage is drawn anew"


def test_the_goal_is_the_sample_as_it_was(digits_small: Dataset) -> None:
    phase = work_of(digits_small).phases[0]
    current = Pass(phase, torch.rand(9, 8, 8), torch.arange(9))
    (term,) = phase.players[0].terms
    torch.testing.assert_close(term.value(current), (current.x_hat - current.x).square().mean(dim=(1, 2)))


def test_without_noise_it_is_the_plain_autoencoder(digits_small: Dataset) -> None:
    codes = []
    for method, options in (("dae-kmeans", {"noise": 0.0}), ("ae-kmeans", {})):
        work, _, _ = trained(small_spec(method, options=options), digits_small)
        codes.append(work.samples.map(work.phases[-1].encode))
    assert torch.equal(codes[0], codes[1])


def test_it_repairs_better_than_the_plain_autoencoder(digits_small: Dataset) -> None:
    training = {"epochs": 20, "batch_size": 50, "threads": 1, "device": "cpu"}
    errors = []
    for method in ("dae-kmeans", "ae-kmeans"):
        work, _, _ = trained(small_spec(method, training=training), digits_small)
        x = work.samples.x
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
        errors.append((work.model["method"].autoencoder(x + noise) - x).square().mean().item())
    assert errors[0] < errors[1]
