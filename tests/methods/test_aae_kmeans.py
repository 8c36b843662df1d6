from __future__ import annotations

import torch
from training_helpers import small_spec, trained

from clustlab.data import Dataset
from clustlab.methods.base import Pass
from clustlab.training.setup import set_up


def test_players_take_turns_on_their_own_parameters(digits_small: Dataset) -> None:
    work = set_up(small_spec("aae-kmeans"), digits_small, torch.device("cpu"))
    phase, model = work.phases[0], work.model["method"]
    assert phase.take_turns
    assert [player.name for player in phase.players] == ["autoencoder", "discriminator", "encoder"]
    owned = [set(player.parameters) for player in phase.players]
    assert owned[0] == set(model.autoencoder.parameters())
    assert owned[1] == set(model.discriminator.parameters())
    assert owned[2] == set(model.autoencoder.encoder.parameters())


def test_the_discriminator_pays_what_the_game_says(digits_small: Dataset) -> None:
    work = set_up(small_spec("aae-kmeans"), digits_small, torch.device("cpu"))
    phase, model = work.phases[0], work.model["method"]
    current = Pass(phase, work.samples.x[:9], torch.arange(9))
    _, fake = (term.value(current) for term in phase.players[1].terms)
    (fool,) = (term.value(current) for term in phase.players[2].terms)
    probability = model.discriminator(current.z).sigmoid()
    torch.testing.assert_close(fake, -torch.log(1 - probability))
    torch.testing.assert_close(fool, -torch.log(probability))
    fake.sum().backward()
    assert all(parameter.grad is None for parameter in model.autoencoder.parameters())


def test_codes_come_to_look_like_the_prior(digits_small: Dataset) -> None:
    """Mean and spread of the codes are nearer to those of N(0, I) than where only reconstruction counts."""
    training = {"epochs": 100, "batch_size": 50, "learning_rate": 0.003, "threads": 1, "device": "cpu"}
    network = {"hidden": "32", "latent_dim": 2}
    distance = []
    for method in ("aae-kmeans", "ae-kmeans"):
        work, _, _ = trained(small_spec(method, training=training, network=network), digits_small)
        z = work.samples.map(work.phases[-1].encode)
        distance.append((z.mean(dim=0).square().sum() + (z.T.cov() - torch.eye(2)).square().sum()).item())
    assert distance[0] < 0.5
    assert distance[0] < 0.2 * distance[1]
