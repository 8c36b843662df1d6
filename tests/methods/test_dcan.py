from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from training_helpers import Listener, small_spec, trained

from clustlab.data import Dataset
from clustlab.methods.base import Pass, Phase, ProbePass
from clustlab.methods.dcan import DCANModel, pulls
from clustlab.objectives.adversarial import saturating
from clustlab.objectives.gaussian_clusters import refit
from clustlab.training.loop import Batches, Training, run_phases
from clustlab.training.setup import Work, set_up


def work_of(data: Dataset, **options: Any) -> tuple[Work, DCANModel, Phase]:
    """Untrained work, clusters placed."""
    work = set_up(small_spec("dcan", options={"cluster_epochs": 1, **options}), data, torch.device("cpu"))
    phase = work.phases[-1]
    assert phase.on_enter is not None
    phase.on_enter()
    return work, work.model["method"], phase  # type: ignore[index,return-value]


def state(module: torch.nn.Module) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in module.parameters()]


def same(first: list[torch.Tensor], second: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("conditional", [False, True])
def test_nothing_that_the_discriminator_sees_carries_a_gradient(digits_small: Dataset, conditional: bool) -> None:
    work, model, phase = work_of(digits_small, conditional=conditional)
    current = Pass(phase, work.samples.x[:50], torch.arange(50))
    encoder = list(model.autoencoder.encoder.parameters())
    for term in phase.players[1].terms:
        loss = term.value(current).mean()
        assert all(each is None for each in torch.autograd.grad(loss, encoder, allow_unused=True, retain_graph=True))
    assert not model.means.requires_grad
    assert not model.variances.requires_grad


@pytest.mark.parametrize("player", [0, 1])
def test_a_step_of_one_side_leaves_the_other_as_it_is_to_the_last_bit(digits_small: Dataset, player: int) -> None:
    work, model, phase = work_of(digits_small)
    sides = (model.autoencoder.encoder, model.discriminator)
    before = [state(side) for side in sides]
    alone = replace(phase, players=(phase.players[player],), on_enter=None)
    run_phases(Training(work.model, Batches(200, 64, 0)), [alone], work.samples, Listener())
    assert not same(before[player], state(sides[player]))
    assert same(before[1 - player], state(sides[1 - player]))


def test_the_paper_s_loss_leaves_the_decoder_alone_and_extensions_out(digits_small: Dataset) -> None:
    work, model, phase = work_of(digits_small)
    assert phase.offers == {"encode"}
    assert phase.frozen_decode is not None
    decoder = state(model.autoencoder.decoder)
    run_phases(Training(work.model, Batches(200, 64, 0)), [phase], work.samples, Listener())
    assert same(decoder, state(model.autoencoder.decoder))


def test_with_reconstruction_the_decoder_trains_and_extensions_join(digits_small: Dataset) -> None:
    _, model, phase = work_of(digits_small, reconstruction_weight=1)
    assert phase.offers == {"encode", "decode"}
    assert set(phase.players[0].parameters) == set(model.autoencoder.parameters())
    options = {"cluster_epochs": 1, "reconstruction_weight": 1}
    joined = set_up(small_spec("dcan", options=options, extensions=["acai"]), digits_small, torch.device("cpu"))
    assert [term.name for term in joined.phases[-1].players[0].terms][-1] == "fool_critic"


def test_without_pretraining_there_is_one_phase_and_no_picture_of_an_untrained_decoder(digits_small: Dataset) -> None:
    work, _, phase = work_of(digits_small, pretrained=False)
    assert [each.name for each in work.phases] == ["cluster"]
    assert phase.any_decoder is None


def test_clusters_follow_the_codes_by_one_warm_started_fit_after_every_step(digits_small: Dataset) -> None:
    work, model, phase = work_of(digits_small, statistics=1000)
    moved = model.means + 0.1
    model.means = moved
    assert phase.after_step is not None
    values = phase.after_step(Pass(phase, work.samples.x, torch.arange(200)))
    codes = work.samples.map(model.autoencoder.encoder)
    means, variances, shares = refit(codes, moved, torch.ones_like(moved), 1e-3)
    torch.testing.assert_close(model.means, means)
    torch.testing.assert_close(model.variances, variances)
    torch.testing.assert_close(model.shares, shares)
    assert values is not None
    assert set(values) == {"jensen_shannon", "dead_clusters"}


def test_the_estimated_divergence_of_a_discriminator_that_knows_nothing_is_zero(digits_small: Dataset) -> None:
    """Equal logits for all: V = −2 log 2, so the estimate ½V + log 2 vanishes."""
    work, model, _ = work_of(digits_small)
    for parameter in model.discriminator.parameters():
        torch.nn.init.zeros_(parameter)
    assert model.follow(work.samples, 100, 1.0)["jensen_shannon"] == pytest.approx(0, abs=1e-6)


def test_a_discriminator_that_is_told_the_cluster_answers_by_it(digits_small: Dataset) -> None:
    work, model, _ = work_of(digits_small, conditional=True)
    z = model.autoencoder.encoder(work.samples.x[:20])
    first, second = (model.logits(z, torch.full((20,), k)) for k in (0, 1))
    assert (first - second).abs().max() > 1e-3
    assert torch.equal(model.logits(z), model.logits(z, model.assign(z)))


def test_pulls_point_to_the_mean_and_down_the_loss(digits_small: Dataset) -> None:
    work, model, _ = work_of(digits_small)
    with torch.no_grad():
        z = model.autoencoder.encoder(work.samples.x[:30])
        steps = pulls(model, z, saturating)
        towards = model.means[model.assign(z)] - z
        assert torch.cosine_similarity(steps[:, 0], towards).min() > 0.999
        assert torch.cosine_similarity(steps[:, 1], towards / model.variances[model.assign(z)]).min() > 0.999
        better = saturating(model.logits(z + 1e-3 * steps[:, 2])) < saturating(model.logits(z))
        assert better.float().mean() > 0.9
    lengths = steps.square().sum(dim=2).mean(dim=0)
    assert lengths.tolist() == pytest.approx([1, 1, 1], rel=1e-4)


def test_what_is_shown_draws_nothing_from_training(digits_small: Dataset) -> None:
    work, _, phase = work_of(digits_small)
    rows = torch.arange(100)
    probe = ProbePass(phase, work.samples.x[:100], rows, torch.zeros(0, 2, dtype=torch.int64), torch.zeros(0))
    before = torch.get_rng_state()
    with torch.no_grad():
        shown = {name: each.value(probe) for name, each in phase.observe.items()}
    assert torch.equal(before, torch.get_rng_state())
    assert shown["pulls"].shape == (40, 3, 2)
    assert {"landscape", "plane_codes", "discriminator_logits"} <= set(shown)


@pytest.mark.parametrize("loss", ["saturating", "non-saturating"])
@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_every_choice_of_loss_and_optimiser_trains(digits_small: Dataset, loss: str, optimiser: str) -> None:
    options = {"cluster_epochs": 1, "encoder_loss": loss, "optimiser": optimiser, "conditional": True}
    work, _, listener = trained(small_spec("dcan", options=options), digits_small)
    assert "fool_discriminator" in listener.terms[-1]
    assert work.samples.map(work.phases[-1].encode).isfinite().all()
