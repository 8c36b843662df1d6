from __future__ import annotations

import io
import math
from typing import Any

import pytest
import torch
from training_helpers import Listener, small_spec, trained

from clustlab.data import Dataset
from clustlab.errors import SpecError
from clustlab.methods.base import Pass, Phase, ProbePass
from clustlab.methods.perturbed_classifier import MULTIPLES, PerturbedClassifier, prior_surprise
from clustlab.objectives.information import divergence
from clustlab.objectives.perturbation import random_directions, stretched
from clustlab.objectives.radius import neighbour_distance
from clustlab.training.loop import Batches, Training, run_phases
from clustlab.training.setup import Work, set_up

KINDS = ["imsat-rpt", "imsat-vat"]


def spec_of(method: str, **options: Any) -> Any:
    return small_spec(method, options={"hidden": "16", "cluster_epochs": 3, **options})


def started(method: str, data: Dataset, **options: Any) -> tuple[Work, PerturbedClassifier, Phase]:
    """A run before its first step."""
    work = set_up(spec_of(method, **options), data, torch.device("cpu"))
    phase = work.phases[0]
    assert phase.on_enter is not None
    phase.on_enter()
    return work, work.model["method"], phase  # type: ignore[index]


def probe_of(work: Work, phase: Phase) -> ProbePass:
    rows = torch.arange(0, len(work.samples), 2)
    return ProbePass(phase, work.samples.x[rows], rows, torch.zeros(0, 2, dtype=torch.int64), torch.zeros(0))


@pytest.mark.parametrize("method", KINDS)
def test_the_radius_is_a_share_of_the_neighbours_distance(method: str, digits_small: Dataset) -> None:
    work, model, _ = started(method, digits_small, radius=0.3, neighbour=4)
    index = torch.tensor([7, 3, 100])
    torch.testing.assert_close(model.radius(index), 0.3 * neighbour_distance(work.samples.x, 4)[index])


@pytest.mark.parametrize("method", KINDS)
def test_perturbed_samples_leave_running_statistics_and_gradients_alone(method: str, digits_small: Dataset) -> None:
    work, model, phase = started(method, digits_small)
    work.model.train()
    current = Pass(phase, work.samples.x[:64], torch.arange(64))
    assert current.q.shape == (64, 10)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    invariance = next(term for term in phase.players[0].terms if term.name == "invariance")
    value = invariance.value(current)
    assert value.shape == (64,)
    assert all(parameter.grad is None for parameter in model.parameters())
    for name, buffer in model.state_dict().items():
        assert torch.equal(buffer, before[name]), name


def test_the_objective_is_the_papers(digits_small: Dataset) -> None:
    _, _, phase = started("imsat-vat", digits_small, information_weight=0.2, marginal_weight=3)
    weights = {term.name: term.weight for term in phase.players[0].terms}
    assert weights == pytest.approx({"invariance": 1, "conditional entropy": 0.2, "marginal entropy": -0.6})


def test_the_adversary_finds_more_than_chance_at_the_same_radius(digits_small: Dataset) -> None:
    work, _, _ = trained(spec_of("imsat-vat", cluster_epochs=20, radius=1.0), digits_small)
    model: PerturbedClassifier = work.model["method"]  # type: ignore[index,assignment]
    torch.manual_seed(0)
    x = work.samples.x
    with torch.no_grad():
        p = model.classifier(x)
        start = random_directions(x)
        cost = {}
        for name, direction in {"chance": start, "adversary": model.directions(x, p, start, 1.0, 1)[-1]}.items():
            moved = model.classifier(x + stretched(direction, model.radius(torch.arange(len(x)))))
            cost[name] = divergence(p, moved).mean().item()
    assert cost["adversary"] > 2 * cost["chance"] > 0


def test_the_prior_divergence_is_that_of_the_batchs_marginal() -> None:
    torch.manual_seed(0)
    p, prior = torch.rand(30, 3).softmax(dim=1), torch.tensor([0.5, 0.3, 0.2])
    marginal = p.mean(dim=0)
    expected = (marginal * (marginal / prior).log()).sum()
    torch.testing.assert_close(prior_surprise(p, prior).mean(), expected)


@pytest.mark.parametrize("method", KINDS)
def test_the_constraint_raises_its_weight_only_while_it_is_broken(method: str, blobs: Dataset) -> None:
    options = {"balance": "constraint", "prior": "4-1-1", "marginal_weight": 0.5, "cluster_epochs": 12}
    _, _, listener = trained(spec_of(method, **options, tolerance=0.02), blobs)
    seen = [values for name, values in listener.values_seen if name == "balance"]
    growth, broken = 1.0, []
    for epoch, values in enumerate(seen):
        broken.append(values["prior_divergence"] > 0.02 * math.log(3))
        growth *= 1.5 if broken[-1] and epoch > 0 else 1  # what no step has heeded yet raises nothing
        assert values["balance_growth"] == pytest.approx(growth)
    assert set(broken) == {True, False}


def test_what_the_constraint_has_raised_weighs_in_the_loss(blobs: Dataset) -> None:
    work, model, phase = started("imsat-rpt", blobs, prior="4-1-1", balance="constraint")
    term = next(term for term in phase.players[0].terms if term.name == "prior divergence")
    current = Pass(phase, work.samples.x, torch.arange(blobs.n))
    before = term.value(current).mean().item()
    model.growth *= 2.25
    assert term.value(current).mean().item() == pytest.approx(2.25 * before)
    assert term.weight == pytest.approx(0.4)


def test_a_constrained_run_resumes_bit_for_bit_after_its_weight_was_raised(blobs: Dataset) -> None:
    class Interruption(Exception):
        pass

    class Interrupter(Listener):
        def after_step(self, training: Training, phase: Phase, terms: dict[str, torch.Tensor]) -> None:
            if training.step == 13:
                raise Interruption

    spec = spec_of("imsat-vat", balance="constraint", tolerance=0)
    _, whole, _ = trained(spec, blobs)
    work = set_up(spec, blobs, torch.device("cpu"))
    training = Training(work.model, Batches(blobs.n, spec.training.batch_size, spec.seed))
    with pytest.raises(Interruption):
        run_phases(training, work.phases, work.samples, Interrupter())
    assert training.state()["model"]["method.growth"] > 1
    stored = io.BytesIO()
    torch.save(training.state(), stored)
    stored.seek(0)
    work = set_up(spec, blobs, torch.device("cpu"))
    resumed = Training(work.model, Batches(blobs.n, spec.training.batch_size, spec.seed))
    torch.manual_seed(99)
    resumed.restore(torch.load(stored, weights_only=True))
    run_phases(resumed, work.phases, work.samples, Listener())
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


@pytest.mark.parametrize("method", KINDS)
def test_what_is_shown_is_the_perturbation_at_work_and_draws_nothing(method: str, digits_small: Dataset) -> None:
    work, model, phase = (
        started(method, digits_small, power_iterations=2) if method == KINDS[1] else started(method, digits_small)
    )
    view, before = probe_of(work, phase), torch.get_rng_state()
    with torch.no_grad():
        shown = {name: each.value(view) for name, each in phase.observe.items()}
        rows = shown["perturbation_rows"].long()
        moved = model.classifier(view.x[rows] + shown["perturbation"])
        p = model.classifier(view.x[rows])
    assert torch.equal(before, torch.get_rng_state())
    radius = shown["perturbation_radius"][rows]
    torch.testing.assert_close(shown["perturbation"].flatten(1).norm(dim=1), radius)
    assert len(rows) <= 16
    torch.testing.assert_close(shown["perturbed_q"][:, MULTIPLES.index(1.0)], moved)
    assert shown["perturbed_q"].shape == (len(rows), len(MULTIPLES), 10)
    assert shown["perturbation_divergence"].shape == (len(rows), 21, len(MULTIPLES))
    torch.testing.assert_close(
        shown["perturbation_divergence"][:, 0 if method == KINDS[1] else 1, MULTIPLES.index(1.0)],
        divergence(p, moved),
        atol=1e-6,
        rtol=1e-3,
    )
    assert shown["power_cosines"].abs().max() <= 1 + 1e-5


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"prior": "5-3"}, "must be uniform or name 3 proportions"),
        ({"prior": "5-3-0"}, "above zero"),
        ({"neighbour": 600}, "each of the 600 samples has 599 others"),
        ({"prior": "much"}, "prior"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(options: dict[str, Any], says: str, blobs: Dataset) -> None:
    with pytest.raises(SpecError, match=says):
        set_up(small_spec("imsat-rpt", n_clusters=3, options=options), blobs, torch.device("cpu"))
