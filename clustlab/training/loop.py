"""The one training loop.

::

    for phase in phases:
        on_enter                                    e.g. k-means places the centroids
        recorder.enter
        while steps remain:
            every n steps: run                      e.g. new targets P from all samples
            until(values)?  → next phase            e.g. labels have settled
            pass = one mini-batch (or all samples)
            for each player: loss = Σ weight · mean(term(pass)); gradient for its own parameters only
            for each player: optimiser step         (where they take turns: each on a fresh pass, then its step)
            after_step(pass); until(values)?
            recorder.after_step                     frames, scalars, checkpoints; pause and stop
        on_leave                                    e.g. a last look at all samples
        recorder.leave
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from clustlab.methods.base import Pass, Phase, Player, Samples, Values

__all__ = ["Batches", "Recorder", "Training", "run_phases"]

KINDS = {"betas", "nesterov", "alpha"}
"""Settings by which the states of Adam, SGD and RMSprop are told apart."""


class Recorder(Protocol):
    """What the loop talks to. Nothing a recorder does may change what is learned."""

    def enter(self, training: Training, phase: Phase) -> None:
        """A phase begins (or goes on after a resume)."""

    def values(self, training: Training, phase: Phase, name: str, values: Values) -> None:
        """A phase's hook (``on_enter``, ``every``, ``after_step``, ``on_leave``) has run and returned numbers."""

    def after_step(self, training: Training, phase: Phase, terms: dict[str, Tensor]) -> None:
        """A step is done; ``terms`` are the raw batch means, on the device. May raise to end training."""

    def leave(self, training: Training, phase: Phase) -> None:
        """A phase is over."""

    def between(self, training: Training) -> None:
        """Training stands between two phases, or behind the last: a good moment for a checkpoint."""


class Batches:
    """Shuffled mini-batches of row indices, from a generator of their own.

    Runs that differ in what they draw elsewhere (a critic's α) see the same batches under the same seed.
    """

    def __init__(self, n: int, size: int, seed: int) -> None:
        self.n, self.size = n, min(size, n)
        self.generator = torch.Generator().manual_seed(seed)
        self.order = torch.empty(0, dtype=torch.int64)
        self.position = 0

    def next(self) -> Tensor:
        """Return the next batch (b,); a new epoch is shuffled when fewer than a whole batch remain."""
        if self.position + self.size > len(self.order):
            self.order, self.position = torch.randperm(self.n, generator=self.generator), 0
        batch = self.order[self.position : self.position + self.size]
        self.position += self.size
        return batch

    def state(self) -> dict[str, Any]:
        """Return what is needed to go on with the same batches."""
        return {"order": self.order, "position": self.position, "generator": self.generator.get_state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a :meth:`state`."""
        self.order, self.position = state["order"], state["position"]
        self.generator.set_state(state["generator"])


@dataclass
class Training:
    """Where training stands: everything that changes from step to step.

    Attributes
    ----------
    model : Module
        All parameters and buffers, those of extensions included.
    step, phase_index, phase_step : int
        Steps done since the start of the run, phase under way, steps done in it.
    entered, over : bool
        Whether ``on_enter`` of the phase under way has run, and whether its ``until`` has said that it is over.
    optimisers : dict of player to optimiser
        Those of the phase under way.
    """

    model: nn.Module
    batches: Batches
    step: int = 0
    phase_index: int = 0
    phase_step: int = 0
    entered: bool = False
    over: bool = False
    optimisers: dict[str, torch.optim.Optimizer] = field(default_factory=dict)
    restored: dict[str, Any] | None = None

    def state(self) -> dict[str, Any]:
        """Return everything needed to go on bit for bit: tensors and plain containers only."""
        return {
            "step": self.step,
            "phase_index": self.phase_index,
            "phase_step": self.phase_step,
            "entered": self.entered,
            "over": self.over,
            "model": self.model.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
            "batches": self.batches.state(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def restore(self, state: dict[str, Any], *, fork: bool = False) -> None:
        """Go on from a :meth:`state`; optimisers follow when their phase is entered.

        The state of a ``fork`` may be that of another method: what its model has and ours has not is left out, what
        ours has besides stays as it was built.
        """
        self.step, self.phase_index, self.phase_step = state["step"], state["phase_index"], state["phase_step"]
        self.entered, self.over = state["entered"], state.get("over", False)
        own = self.model.state_dict() if fork else {}
        known = {
            name: value
            for name, value in state["model"].items()
            if not fork or (name in own and own[name].shape == value.shape)
        }
        self.model.load_state_dict({**own, **known})
        self.batches.restore(state["batches"])
        torch.set_rng_state(state["random"])
        if torch.cuda.is_available() and (states := state.get("random_cuda")):
            torch.cuda.set_rng_state_all(states)
        self.restored = state["optimisers"]

    def end_phase(self) -> None:
        """Move on to the phase that follows."""
        self.phase_index, self.phase_step = self.phase_index + 1, 0
        self.entered, self.over, self.optimisers = False, False, {}

    def begin(self, phase: Phase) -> None:
        """Make the phase's optimisers, with their memory if training was resumed."""
        self.optimisers = {player.name: make_optimiser(player) for player in phase.players if player.parameters}
        for name, state in (self.restored or {}).items():
            if name in self.optimisers:  # else of a player that a fork left behind
                _recall(self.optimisers[name], state)
        self.restored = None


def make_optimiser(player: Player) -> torch.optim.Optimizer:
    """Return a fused optimiser for a player's parameters: one group for each pace."""
    settings = player.optimiser
    paces = dict.fromkeys(player.pace.get(parameter, 1.0) for parameter in player.parameters)
    parameters = [
        {
            "params": [parameter for parameter in player.parameters if player.pace.get(parameter, 1.0) == pace],
            "lr": settings.learning_rate * pace,
            "pace": pace,
        }
        for pace in paces
    ]
    fused = player.parameters[0].device.type in ("cpu", "cuda", "mps")
    if settings.name == "adam":
        return torch.optim.Adam(
            parameters,
            lr=settings.learning_rate,
            eps=settings.epsilon,
            weight_decay=settings.weight_decay,
            fused=fused,
        )
    if settings.name == "rmsprop":
        return torch.optim.RMSprop(
            parameters, lr=settings.learning_rate, eps=settings.epsilon, weight_decay=settings.weight_decay
        )
    return torch.optim.SGD(
        parameters,
        lr=settings.learning_rate,
        momentum=settings.momentum,
        nesterov=settings.nesterov,
        weight_decay=settings.weight_decay,
        fused=fused,
    )


def _recall(optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Give an optimiser the memory in a checkpoint; its settings are the spec's, as those of a fork may differ.

    A memory of another kind of optimiser, or of parameters of other shapes, is left behind: it begins with none.
    """
    groups = optimiser.state_dict()["param_groups"]
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    alike = KINDS & groups[0].keys() == KINDS & state["param_groups"][0].keys() and all(
        at < len(parameters) and value.shape in (parameters[at].shape, torch.Size())
        for at, memory in state["state"].items()
        for value in memory.values()
        if isinstance(value, Tensor)
    )
    if alike:
        optimiser.load_state_dict({"state": state["state"], "param_groups": groups})


def run_phases(training: Training, phases: Sequence[Phase], samples: Samples, recorder: Recorder) -> None:
    """Train through all phases from where ``training`` stands.

    Parameters
    ----------
    training : Training
        Fresh, or restored from a checkpoint.
    phases : sequence of Phase
    samples : Samples
    recorder : Recorder
        May end training by raising from ``after_step``.
    """
    while training.phase_index < len(phases):
        phase = phases[training.phase_index]
        _run_phase(training, phase, samples, recorder)
        if phase.on_leave:
            recorder.values(training, phase, "leave", phase.on_leave() or {})
        recorder.leave(training, phase)
        training.end_phase()
        recorder.between(training)


def _run_phase(training: Training, phase: Phase, samples: Samples, recorder: Recorder) -> None:
    training.model.eval()
    if phase.on_enter and not training.entered:
        recorder.values(training, phase, "enter", phase.on_enter() or {})
    training.entered = True
    training.begin(phase)
    recorder.enter(training, phase)
    modules = list(training.model.modules())
    rows = torch.arange(len(samples), device=samples.device)
    codes = phase.codes_of_all(samples) if phase.networks_rest else None
    while training.phase_step < phase.steps and not training.over:
        if _hooks_say_enough(training, phase, recorder):
            break
        _set_mode(modules, training=True)
        if phase.full_batch:
            current = Pass(phase, samples, rows, codes)
        else:
            index = training.batches.next().to(rows.device)
            current = Pass(phase, samples.rows(index), index, None if codes is None else codes[index])
        terms = _step(training, phase, current)
        _set_mode(modules, training=False)
        values = phase.after_step(current) if phase.after_step else None
        training.step += 1
        training.phase_step += 1
        if values:
            recorder.values(training, phase, "step", values)
            # Known before the recorder may write a checkpoint: resumed from there, the phase is over as well.
            training.over = phase.until is not None and phase.until(values)
        recorder.after_step(training, phase, terms)


def _set_mode(modules: Sequence[nn.Module], *, training: bool) -> None:
    """Put all modules of a model into training or evaluation mode.

    Twice a step: ``Module.train`` walks the whole tree anew and sets each flag through ``Module.__setattr__``, which
    took 3 % of the time of a small network.
    """
    for module in modules:
        vars(module)["training"] = training


def _hooks_say_enough(training: Training, phase: Phase, recorder: Recorder) -> bool:
    """Run the hooks that are due; return whether their values end the phase."""
    enough = False
    for every in phase.every:
        if training.phase_step % every.steps == 0:
            values = every.run() or {}
            recorder.values(training, phase, every.name, values)
            enough |= phase.until is not None and phase.until(values)
    return enough


def _step(training: Training, phase: Phase, current: Pass) -> dict[str, Tensor]:
    """Take one step with every player; return the raw means of all terms."""
    for player in phase.players:
        if player.parameters and player.optimiser.decay_steps:
            for group in training.optimisers[player.name].param_groups:
                group["lr"] = player.optimiser.learning_rate_at(training.phase_step) * group["pace"]
    return (_in_turns if phase.take_turns else _together)(training, phase, current)


def _together(training: Training, phase: Phase, current: Pass) -> dict[str, Tensor]:
    """All players step from the same pass."""
    means = {term.name: term.value(current).mean() for player in phase.players for term in player.terms}
    playing = [player for player in phase.players if player.parameters]
    for player in playing:
        loss = _loss(player, means, training.phase_step)
        _differentiate(loss, player, retain_graph=player is not playing[-1])  # one graph serves all players
    for player in playing:
        training.optimisers[player.name].step()
    return {name: mean.detach() for name, mean in means.items()}


def _in_turns(training: Training, phase: Phase, current: Pass) -> dict[str, Tensor]:
    """Players step one after the other, each seeing what those before it have done."""
    means: dict[str, Tensor] = {}
    for player in phase.players:
        for _ in range(player.turns if player.parameters else 1):
            turn = Pass(phase, current.x, current.index)
            means |= {term.name: term.value(turn).mean() for term in player.terms}
            if player.parameters:
                _differentiate(_loss(player, means, training.phase_step), player)
                training.optimisers[player.name].step()
    return {name: mean.detach() for name, mean in means.items()}


def _differentiate(loss: Tensor, player: Player, *, retain_graph: bool = False) -> None:
    """Give a player's parameters, and nobody else's, the gradient of its loss."""
    for parameter in player.parameters:
        parameter.grad = None  # what `zero_grad` does; its bookkeeping took 3 % of the time of a small network
    loss.backward(inputs=player.parameters, retain_graph=retain_graph)


def _loss(player: Player, means: dict[str, Tensor], phase_step: int) -> Tensor:
    weighted = [term.weight_at(phase_step) * means[term.name] for term in player.terms]
    return functools.reduce(torch.add, weighted)  # half the time of a stack and its sum
