"""The one loop: who moves whom, what is seen when, and that it can be interrupted anywhere."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from training_helpers import Listener, small_spec, trained

from clustlab.data import Dataset, load
from clustlab.data.mapped import MappedArray
from clustlab.methods.base import Every, Optimiser, Pass, Phase, Player, ProbePass, Samples, Term
from clustlab.methods.samples import FileSamples
from clustlab.training.loop import Batches, Training, run_phases
from clustlab.training.setup import set_up


def parameters(module: nn.Module) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in module.parameters()]


def unchanged(before: list[torch.Tensor], module: nn.Module) -> bool:
    return all(torch.equal(old, new) for old, new in zip(before, module.parameters(), strict=True))


@pytest.mark.parametrize("idle", ["autoencoder", "critic"])
def test_a_player_moves_its_own_parameters_and_no_others(digits_small: Dataset, idle: str) -> None:
    """A critic step leaves the autoencoder bit-identical, and the other way round."""
    work = set_up(small_spec("ae-kmeans", extensions=["acai"]), digits_small, torch.device("cpu"))
    phase = work.phases[0]
    # the idle player keeps its terms, so the opponent's loss still runs through its networks
    players = tuple(replace(player, parameters=()) if player.name == idle else player for player in phase.players)
    modules = {"autoencoder": work.model["method"].autoencoder, "critic": work.model["acai"]}
    before = {name: parameters(module) for name, module in modules.items()}
    training = Training(work.model, Batches(digits_small.n, 64, 0))
    run_phases(training, [replace(phase, players=players, steps=3)], work.samples, Listener())
    playing = "critic" if idle == "autoencoder" else "autoencoder"
    assert unchanged(before[idle], modules[idle])
    assert not unchanged(before[playing], modules[playing])
    assert all(parameter.grad is None for parameter in modules[idle].parameters())


def test_players_gradients_are_those_of_their_own_losses(digits_small: Dataset) -> None:
    """From one shared pass, each player's gradient equals that of its loss differentiated alone."""
    work = set_up(small_spec("ae-kmeans", extensions=["acai"]), digits_small, torch.device("cpu"))
    phase = work.phases[0]
    torch.manual_seed(5)
    alone = {}
    for player in phase.players:
        torch.manual_seed(5)
        current = Pass(phase, work.samples.x[:32], torch.arange(32))
        loss = torch.stack([term.weight * term.value(current).mean() for term in player.terms]).sum()
        alone[player.name] = torch.autograd.grad(loss, player.parameters)
    slow = replace(
        phase, steps=1, players=tuple(replace(p, optimiser=replace(p.optimiser, name="sgd")) for p in phase.players)
    )
    training = Training(work.model, Batches(digits_small.n, 32, 0))
    training.batches.order, training.batches.position = torch.arange(digits_small.n), 0
    torch.manual_seed(5)
    run_phases(training, [slow], work.samples, Listener())
    for player in phase.players:
        for parameter, gradient in zip(player.parameters, alone[player.name], strict=True):
            torch.testing.assert_close(parameter.grad, gradient)


def test_a_pass_computes_each_thing_once(digits_small: Dataset) -> None:
    work = set_up(small_spec("idec", extensions=["acai"]), digits_small, torch.device("cpu"))
    calls = []
    encode = work.phases[0].encode
    phase = replace(work.phases[0], encode=lambda x: (calls.append(len(x)), encode(x))[1], steps=1)
    run_phases(Training(work.model, Batches(digits_small.n, 64, 0)), [phase], work.samples, Listener())
    assert calls == [64]


def test_batches_cover_an_epoch_without_repeats_and_shuffle_the_next() -> None:
    batches = Batches(10, 3, seed=0)
    first = torch.cat([batches.next() for _ in range(3)])
    assert len(set(first.tolist())) == 9
    assert not torch.equal(first, torch.cat([batches.next() for _ in range(3)]))


def test_batches_go_on_from_their_state() -> None:
    batches = Batches(10, 3, seed=1)
    batches.next()
    state = copy.deepcopy(batches.state())
    expected = [batches.next().tolist() for _ in range(7)]
    again = Batches(10, 3, seed=99)
    again.restore(state)
    assert [again.next().tolist() for _ in range(7)] == expected


def test_a_parameter_steps_at_its_pace_also_while_the_learning_rate_decays() -> None:
    slow, fast = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(()))
    sinking = Term("sum", lambda current: -(slow + fast).expand(len(current.x)))
    settings = Optimiser("sgd", learning_rate=1.0, decay=0.5, decay_steps=1)
    player = Player("both", (slow, fast), (sinking,), settings, pace={slow: 0.1})
    phase = Phase(name="short", title="short", steps=2, players=(player,), encode=lambda x: x)
    run_phases(Training(nn.Linear(1, 1), Batches(4, 2, 0)), [phase], Samples(torch.ones(4, 3)), Listener())
    assert fast.item() == pytest.approx(1 + 0.5)
    assert slow.item() == pytest.approx(0.1 + 0.05)


def test_an_extension_does_not_change_the_start_or_the_batches(digits_small: Dataset) -> None:
    plain = set_up(small_spec("idec"), digits_small, torch.device("cpu"))
    joined = set_up(small_spec("idec", extensions=["acai"]), digits_small, torch.device("cpu"))
    assert unchanged(parameters(plain.model["method"]), joined.model["method"])


def test_a_phase_ends_when_its_values_say_so() -> None:
    watched = Term("size", lambda current: current.x.flatten(1).sum(dim=1))
    phase = Phase(
        name="short",
        title="short",
        steps=100,
        players=(Player("nobody", (), (watched,)),),
        encode=lambda x: x,
        after_step=lambda current: {"left": 1.0},
        until=lambda values: values.get("left") == 1.0,
    )
    training = Training(nn.Linear(1, 1), Batches(4, 2, 0))
    run_phases(training, [phase], Samples(torch.ones(4, 3)), Listener())
    assert training.step == 1


def test_targets_come_before_the_first_step_and_then_at_their_interval(digits_small: Dataset) -> None:
    spec = small_spec("idec", options={"cluster_epochs": 4, "target_interval": 2, "tolerance": 0})
    _, _, listener = trained(spec, digits_small)
    targets = [values for name, values in listener.values_seen if name == "target"]
    assert len(targets) == 2  # 4 epochs, one target every 2
    assert "label_change" not in targets[0]  # nothing to compare with
    assert "label_change" in targets[1]


def test_the_target_is_that_of_the_whole_data_set(digits_small: Dataset) -> None:
    from clustlab.objectives.student_t import soft_assignment, target_distribution

    work = set_up(small_spec("dec"), digits_small, torch.device("cpu"))
    model = work.model["method"]
    phase = work.phases[1]
    assert phase.on_enter is not None
    phase.on_enter()
    phase.every[0].run()
    with torch.no_grad():
        q = soft_assignment(model.autoencoder.encoder(work.samples.x), model.centroids)
    assert phase.target is not None
    torch.testing.assert_close(phase.target(torch.tensor([7, 3])), target_distribution(q)[[7, 3]])


def scalar_game(take_turns: bool, turns: int = 1) -> tuple[Phase, nn.Parameter, nn.Parameter]:
    """Two players with one number each: a wants to be where b is, b wants to be where a is, step size ½ of the way."""
    a, b = nn.Parameter(torch.tensor(0.0)), nn.Parameter(torch.tensor(8.0))

    def chase(moving: nn.Parameter, other: nn.Parameter) -> Term:
        return Term(f"chase{id(moving)}", lambda current: ((moving - other) ** 2).expand(len(current.x)))

    step = Optimiser("sgd", learning_rate=0.25)
    players = (Player("a", (a,), (chase(a, b),), step, turns=turns), Player("b", (b,), (chase(b, a),), step))
    return Phase("game", "game", 1, players, encode=lambda x: x, take_turns=take_turns), a, b


def play(phase: Phase, model: nn.Module | None = None) -> Listener:
    training = Training(model or nn.Module(), Batches(4, 4, 0))
    listener = Listener()
    run_phases(training, [phase], Samples(torch.zeros(4, 1)), listener)
    return listener


def test_players_together_answer_to_the_same_moment_and_in_turns_to_each_other() -> None:
    together, a, b = scalar_game(take_turns=False)
    play(together)
    assert (a.item(), b.item()) == (4, 4), "both halve the distance from where the other was"
    in_turns, a, b = scalar_game(take_turns=True)
    play(in_turns)
    assert (a.item(), b.item()) == (4, 6), "b sees where a has gone"


def test_a_player_may_take_several_turns() -> None:
    phase, a, b = scalar_game(take_turns=True, turns=3)
    play(phase)
    assert (a.item(), b.item()) == (7, 7.5)


def test_each_turn_sees_a_fresh_pass() -> None:
    seen: list[Pass] = []
    number = nn.Parameter(torch.tensor(0.0))

    def watch(current: Pass) -> torch.Tensor:
        seen.append(current)
        return number.expand(len(current.x))

    player = Player("a", (number,), (Term("watch", watch),), turns=2)
    play(Phase("watch", "watch", 2, (player,), encode=lambda x: x, take_turns=True))
    assert len(seen) == 4
    assert len({id(each) for each in seen}) == 4


def test_a_ramped_weight_rises_in_a_straight_line_and_stays() -> None:
    term = Term("kl", lambda current: current.x, weight=2.0, ramp=4)
    assert [term.weight_at(step) for step in range(6)] == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]
    number = nn.Parameter(torch.tensor(0.0))
    linear = Term("linear", lambda current: number.expand(len(current.x)), ramp=2)
    player = Player("a", (number,), (linear,), Optimiser("sgd", learning_rate=1.0))
    play(Phase("ramp", "ramp", 3, (player,), encode=lambda x: x))
    assert number.item() == pytest.approx(-(0.5 + 1 + 1))


def test_a_decaying_learning_rate_goes_down_in_stairs_to_its_floor() -> None:
    optimiser = Optimiser("sgd", learning_rate=1.0, decay=0.5, decay_steps=2, floor=0.3)
    assert [optimiser.learning_rate_at(step) for step in range(6)] == [1, 1, 0.5, 0.5, 0.3, 0.3]
    number = nn.Parameter(torch.tensor(0.0))
    linear = Term("linear", lambda current: number.expand(len(current.x)))
    play(Phase("decay", "decay", 6, (Player("a", (number,), (linear,), optimiser),), encode=lambda x: x))
    assert number.item() == pytest.approx(-3.6)


def test_training_draws_codes_and_frames_show_the_plain_ones() -> None:
    noisy = Phase("noisy", "noisy", 1, (), encode=lambda x: x, draw=lambda current: current.x + 1)
    x, index = torch.zeros(3, 2), torch.arange(3)
    assert torch.equal(Pass(noisy, x, index).z, x + 1)
    assert torch.equal(ProbePass(noisy, x, index, torch.zeros(0, 2).long(), torch.zeros(0)).z, x)


def test_transductive_codes_are_those_of_the_rows() -> None:
    table = torch.randn(5, 2)
    stored = Phase("stored", "stored", 1, (), codes=lambda index: table[index])
    assert torch.equal(Pass(stored, torch.zeros(2, 9), torch.tensor([3, 1])).z, table[[3, 1]])
    assert stored.offers == frozenset()


def test_terms_see_a_network_in_training_and_hooks_one_at_rest(digits_small: Dataset) -> None:
    work = set_up(small_spec("idec"), digits_small, torch.device("cpu"))
    seen: dict[str, set[bool]] = {}

    def note(where: str) -> None:
        seen.setdefault(where, set()).update(module.training for module in work.model.modules())

    def value(current: Pass) -> torch.Tensor:
        note("term")
        return current.x.flatten(1).mean(dim=1)

    phase = work.phases[0]
    watched = replace(
        phase.with_term(phase.players[0].name, Term("mode", value)),
        every=(Every(1, "look", lambda: note("hook")),),
        after_step=lambda _: note("after a step"),
        on_enter=lambda: note("entering"),
        steps=3,
    )
    run_phases(Training(work.model, Batches(digits_small.n, 64, 0)), [watched], work.samples, Listener())
    assert seen == {"term": {True}, "hook": {False}, "after a step": {False}, "entering": {False}}


def test_networks_at_rest_see_each_sample_once(digits_small: Dataset) -> None:
    """Lloyd steps on codes neither encode the data again nor keep a graph of it."""
    work = set_up(small_spec("ae-kmeans"), digits_small, torch.device("cpu"))
    seen: list[int] = []

    def encode(x: torch.Tensor) -> torch.Tensor:
        seen.append(len(x))
        return work.model["method"].autoencoder.encoder(x)

    steps: list[Pass] = []

    def step(current: Pass) -> dict[str, float]:
        steps.append(current)
        return {"label_change": 1.0}

    phase = replace(work.phases[-1], encode=encode, on_enter=None, after_step=step, steps=3)
    training = Training(work.model, Batches(digits_small.n, 64, 0))
    run_phases(training, [phase], work.samples, Listener())
    assert len(steps) == 3
    assert sum(seen) == digits_small.n
    assert not any(current.z.requires_grad for current in steps)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["idec", "dec", "imsat-vat", "dac", "kingdra", "dcan"])
def test_samples_that_stay_in_their_file_train_to_the_same_bits(
    digits_small: Dataset, tmp_path: Path, method: str
) -> None:
    np.save(tmp_path / "mine.npy", digits_small.x)
    np.save(tmp_path / "classes.npy", digits_small.y)
    mapped = load(f"{tmp_path / 'mine.npy'}?labels=classes.npy")
    assert isinstance(mapped.x, MappedArray)
    _, there, _ = trained(small_spec(method), digits_small)
    work, here, _ = trained(small_spec(method), mapped)
    assert isinstance(work.samples, FileSamples)
    for name, value in there.model.state_dict().items():
        assert torch.equal(value, here.model.state_dict()[name]), name
