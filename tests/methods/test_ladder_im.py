"""LADDER-IM: what its terms are, from one clean and one corrupted pass over the batch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from training_helpers import small_spec, trained

from clustlab.data import Dataset
from clustlab.methods.base import Pass, Player, ProbePass
from clustlab.methods.ladder_im import restored
from clustlab.objectives.information import divergence, entropy, mutual_information
from clustlab.training.setup import Work, set_up


def prepared(dataset: Dataset, **options: object) -> Work:
    return set_up(small_spec("ladder-im", options={"hidden": "8-6", **options}), dataset, torch.device("cpu"))


def player_of(work: Work) -> Player:
    (player,) = work.phases[0].players
    return player


def batch_of(work: Work) -> Pass:
    return Pass(work.phases[0], work.samples.x[:40], torch.arange(40))


def values(work: Work, current: Pass) -> dict[str, Tensor]:
    return {term.name: term.value(current) for term in player_of(work).terms}


def test_terms_are_those_of_the_clean_and_the_corrupted_pass(digits_small: Dataset) -> None:
    work = prepared(digits_small)
    current = batch_of(work)
    ladders = work.model["method"].classifier.ladders
    found = values(work, current)
    seen = restored(ladders, current)
    clean, corrupted = seen.clean.p[0], seen.corrupted.p[0]
    information = found["marginal entropy"].mean() - found["conditional entropy"].mean()
    torch.testing.assert_close(information, mutual_information(clean) + mutual_information(corrupted))
    torch.testing.assert_close(found["conditional entropy"], entropy(clean) + entropy(corrupted))
    torch.testing.assert_close(found["agreement"], divergence(clean, corrupted))
    assert {term.name: term.weight for term in player_of(work).terms} == {
        "denoising": 1,
        "conditional entropy": 0.1,
        "marginal entropy": pytest.approx(-0.4),  # μ = 4
        "agreement": 1,
    }


def test_agreement_moves_the_corrupted_pass_alone(digits_small: Dataset) -> None:
    work = prepared(digits_small)
    current = batch_of(work)
    work.model.train()
    found = values(work, current)["agreement"].sum()
    seen = restored(work.model["method"].classifier.ladders, current)
    assert torch.autograd.grad(found, seen.clean.logits, retain_graph=True, allow_unused=True) == (None,)
    assert torch.autograd.grad(found, seen.corrupted.logits)[0].abs().max() > 0


def test_dot_products_take_the_place_of_information(digits_small: Dataset) -> None:
    names = [term.name for term in player_of(prepared(digits_small, balance="dot")).terms]
    assert names == ["denoising", "dot products", "agreement"]
    alone = {"denoising_weight": 0, "agreement_weight": 0, "cluster_epochs": 10}
    _, _, listener = trained(small_spec("ladder-im", options={"hidden": "8", "balance": "dot", **alone}), digits_small)
    assert listener.terms[-1]["dot products"] < listener.terms[0]["dot products"]


def test_what_is_shown_follows_from_the_probe(digits_small: Dataset) -> None:
    work = prepared(digits_small)
    work.model.eval()
    phase = work.phases[0]
    probe = ProbePass(phase, work.samples.x, torch.arange(200), torch.zeros(1, 2, dtype=torch.int64), torch.zeros(1))
    shown = {name: each.value(probe) for name, each in phase.observe.items()}
    assert shown["combinators"].shape == (4, 4, 10)
    assert shown["combinator_units"].tolist()[0] == [12, 25, 38, 51]
    assert (shown["combinators"][..., [1, 6]] == 1).all()
    raw, weighted = shown["layer_costs"].T
    # Nothing is restored yet, so each cost is the mean square of its layer: for the samples that is 1/9.
    assert raw[0].item() == pytest.approx(1 / 9, rel=1e-3)
    torch.testing.assert_close(weighted, raw * torch.tensor([1000, 10, 0.1, 0.1]))
    assert weighted.sum().item() == pytest.approx(values(work, probe)["denoising"].mean().item(), rel=1e-4)
    torch.testing.assert_close(shown["corrupted_q"].sum(dim=1), torch.ones(200))
    assert not torch.allclose(shown["corrupted_q"], probe.q)
