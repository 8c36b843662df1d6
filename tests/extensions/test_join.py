"""Where an extension joins, and what it says where it cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from training_helpers import small_spec, trained

from clustlab import extensions
from clustlab.data import Dataset
from clustlab.errors import SpecError
from clustlab.extensions.mixes import mixes
from clustlab.methods.base import Pass, ProbePass
from clustlab.objectives.reconstruction import squared_error
from clustlab.training.setup import Work, set_up

CPU = torch.device("cpu")


def joined(digits: Dataset, method: str, extension: str, schedule: str) -> Work:
    return set_up(small_spec(method, extensions={extension: {"schedule": schedule}}), digits, CPU)


def phases_with(work: Work, term: str) -> list[str]:
    return [
        phase.name for phase in work.phases for player in phase.players for each in player.terms if each.name == term
    ]


@pytest.mark.parametrize(
    ("schedule", "where"), [("pre", ["pretrain"]), ("both", ["pretrain", "cluster"]), ("post", ["cluster"])]
)
@pytest.mark.parametrize(("extension", "term"), [("acai", "fool_critic"), ("mixing-consistency", "mixing_consistency")])
def test_the_schedule_decides_which_phases_are_joined(
    digits_small: Dataset, extension: str, term: str, schedule: str, where: list[str]
) -> None:
    assert phases_with(joined(digits_small, "idec", extension, schedule), term) == where


def test_a_critic_that_comes_late_catches_up_on_a_frozen_autoencoder(digits_small: Dataset) -> None:
    work = joined(digits_small, "idec", "acai", "post")
    assert [phase.name for phase in work.phases] == ["pretrain", "critic", "cluster"]
    warm_up = work.phases[1]
    assert warm_up.steps == digits_small.n // 64
    assert [player.name for player in warm_up.players] == ["critic"]
    own = {id(parameter) for parameter in work.model["method"].parameters()}
    assert own.isdisjoint(id(parameter) for parameter in warm_up.players[0].parameters)


def test_a_late_critic_trains_to_the_end(digits_small: Dataset) -> None:
    spec = small_spec(
        "idec",
        extensions={"acai": {"schedule": "post"}, "mixing-consistency": {}},
        options={"cluster_epochs": 2},
    )
    _, training, listener = trained(spec, digits_small)
    assert listener.phases == ["pretrain", "critic", "cluster"]
    assert training.phase_index == 3
    assert {"fool_critic", "recover_alpha", "mixing_consistency"} <= set(listener.terms[-1])


@pytest.mark.parametrize("extension", extensions.discover())
def test_a_schedule_without_a_phase_is_refused_in_a_sentence(digits_small: Dataset, extension: str) -> None:
    with pytest.raises(SpecError, match="no phase to join on the schedule “post”.*there is one while pretraining"):
        joined(digits_small, "dec", extension, "post")
    with pytest.raises(SpecError, match="no phase to join"):
        joined(digits_small, "kmeans", extension, "both")


def test_mixing_consistency_asks_for_the_dominant_sample(digits_small: Dataset) -> None:
    """Against the plain formula: ‖g(αz + (1 − α)z′) − x′‖², x′ being the partner with the larger share."""
    work = joined(digits_small, "ae-kmeans", "mixing-consistency", "both")
    phase = work.phases[0]
    current = Pass(phase, work.samples.x[:7], torch.arange(7))
    term = next(term for term in phase.players[0].terms if term.name == "mixing_consistency")
    alpha = mixes(current).alpha
    autoencoder = work.model["method"].autoencoder
    for i, value in enumerate(term.value(current)):
        own, partner = current.x[i], current.x[i - 1]
        codes = autoencoder.encoder(torch.stack([own, partner]))
        mixed = autoencoder.decoder((alpha[i] * codes[0] + (1 - alpha[i]) * codes[1])[None])
        torch.testing.assert_close(value, squared_error(mixed, partner[None])[0])
    assert alpha.max() <= 0.5


def test_critic_and_consistency_look_at_the_same_mixes(digits_small: Dataset) -> None:
    work = set_up(small_spec("ae-kmeans", extensions=["acai", "mixing-consistency"]), digits_small, CPU)
    decoded: list[torch.Tensor] = []

    def decode(z: torch.Tensor) -> torch.Tensor:
        decoded.append(z)
        return work.model["method"].autoencoder.decoder(z)

    phase = replace(work.phases[0], decode=decode)
    current = Pass(phase, work.samples.x[:8], torch.arange(8))
    for player in phase.players:
        for term in player.terms:
            term.value(current)
    assert len(decoded) == 2, "once the samples, once their mixes"


def test_calibration_shows_what_the_critic_says_of_known_mixes(digits_small: Dataset) -> None:
    work = set_up(small_spec("ae-kmeans", extensions=["acai"]), digits_small, CPU)
    phase = work.phases[0]
    probe = ProbePass(phase, work.samples.x[:10], torch.arange(10), torch.zeros(1, 2).long(), torch.zeros(2))
    seen = phase.observe["critic_calibration"].value(probe)
    assert seen.shape == (10, 2)
    torch.testing.assert_close(seen[:, 0], torch.linspace(0, 0.5, 10))
    autoencoder, critic = work.model["method"].autoencoder, work.model["acai"]
    mixed = seen[3, 0] * probe.z[3] + (1 - seen[3, 0]) * probe.z[2]
    torch.testing.assert_close(seen[3, 1], critic(autoencoder.decoder(mixed[None]))[0])
