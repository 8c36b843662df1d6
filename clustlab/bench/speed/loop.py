"""What the one training loop costs more than a bare one: the same network, batches, optimiser and formulas."""

from __future__ import annotations

import copy
import functools
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from clustlab.bench.speed import bare_loop
from clustlab.bench.speed.bare_loop import Recipe
from clustlab.bench.speed.measuring import Measurement, Row, Settings, ratio_row, take_turns
from clustlab.data import Dataset, load
from clustlab.errors import ClustlabError
from clustlab.spec import RunSpec

if TYPE_CHECKING:
    from torch import Tensor

    from clustlab.methods.base import Phase, Values
    from clustlab.training.loop import Training
    from clustlab.training.setup import Work

__all__ = ["METHODS", "NETWORKS", "Contest", "Silent", "contest", "measurements"]

NETWORKS = {"256-128-10": ("256-128", "digits"), "500-500-2000-10": ("500-500-2000", "mnist-sample")}
"""Networks by what they are called: hidden layers, and the data that they get (64 and 784 features)."""

METHODS = {"AE": "ae-kmeans", "DEC": "dec", "IDEC": "idec", "DCN": "dcn"}
"""Methods by what their trained phase is called in the table; of AE + k-means it is the autoencoder's."""

SHORTEST = {"256-128-10": 0.02, "500-500-2000-10": 1.5}
"""Seconds of an epoch, about: no turn is shorter."""

FEWEST = 5
"""Turns of each loop, at least, unless fewer are asked for."""

LIMIT = 1.10
"""The ratio that is aimed at."""

AGREE = 10
"""Steps after which both loops must have had the same losses, or there is nothing to compare."""

PRETRAINING = 20
"""Steps of pretraining, not measured, so that clusters have something to begin with."""

SETTING_UP = 4.0
"""Seconds that a contest takes besides its turns, about."""


class Silent:
    """A recorder that writes nothing down and keeps the last terms."""

    def __init__(self) -> None:
        self.terms: list[Mapping[str, Tensor]] = []

    def enter(self, training: Training, phase: Phase) -> None: ...

    def values(self, training: Training, phase: Phase, name: str, values: Values) -> None: ...

    def after_step(self, training: Training, phase: Phase, terms: dict[str, Tensor]) -> None:
        self.terms.append(terms)

    def leave(self, training: Training, phase: Phase) -> None: ...

    def between(self, training: Training) -> None: ...


class Turn(NamedTuple):
    """The losses of some steps, and the CPU seconds that they took."""

    losses: list[float]
    seconds: float


class Contest(NamedTuple):
    """A phase at its start, to be trained by either loop for some steps, again and again from the same weights."""

    work: Work
    phase: Phase
    product: Callable[[int], Turn]
    bare: Callable[[int], Turn]
    per_epoch: int


def measurements(settings: Settings) -> list[Measurement]:
    """Return a measurement for each method on each network."""
    return [
        Measurement(
            f"the loop: {title}, {network}",
            SETTING_UP + 2 * _repeats(network, settings) * max(settings.seconds, SHORTEST[network]),
            functools.partial(_compare, title, network, settings),
        )
        for network in NETWORKS
        for title in METHODS
    ]


def _compare(title: str, network: str, settings: Settings) -> list[Row]:
    import torch

    hidden, data = NETWORKS[network]
    torch.set_num_threads(settings.threads)
    with threadpool_limits(settings.threads):
        found = contest(METHODS[title], hidden, load(data), settings.threads)
        _must_agree(title, found)
        steps = _steps(found, settings.seconds)
        contestants = {
            "product": lambda: found.product(steps).seconds,
            "bare": lambda: found.bare(steps).seconds,
        }
        times = take_turns(contestants, _repeats(network, settings))
    unit = 1e6 / (steps * found.work.spec.training.batch_size)
    row = Row(
        "loop",
        title,
        f"{network} on {data}",
        0.0,
        "µs a sample and step",
        reference_is="bare torch loop",
        note=f"{steps} steps a turn, batch {found.work.spec.training.batch_size}",
    )
    return [ratio_row(row, [unit * each for each in times["product"]], [unit * each for each in times["bare"]], LIMIT)]


def _repeats(network: str, settings: Settings) -> int:
    """Return the turns of each loop: fewer where a single epoch is longer than a turn should be."""
    wished = settings.repeats * settings.seconds / max(settings.seconds, SHORTEST[network])
    return min(settings.repeats, max(FEWEST, round(wished)))


def contest(method: str, hidden: str, dataset: Dataset, threads: int, **more: Any) -> Contest:
    """Return both loops for the trained phase of a method, at the same start.

    Parameters
    ----------
    method : str
        One of :data:`METHODS`' values.
    hidden : str
        Widths of the hidden layers.
    dataset : Dataset
    threads : int
        As the spec states them; torch is not told.
    more : object
        Other parts of the spec.

    Notes
    -----
    DCN goes without its full k-means every ten epochs, which no step has a part in.
    """
    import torch

    from clustlab.training.setup import set_up

    options = {"dec": {"n_init": 1}, "idec": {"n_init": 1}, "dcn": {"n_init": 1, "reset_interval": 0}}
    fields = {
        "method": method,
        "options": options.get(method, {}),
        "network": {"hidden": hidden},
        "training": {"threads": threads, "device": "cpu"},
    }
    spec = RunSpec.parse({**fields, **more})
    work = set_up(spec, dataset, torch.device("cpu"))
    first, phase = work.phases[0], next(each for each in work.phases if each.name == _trained(method))
    if phase is not first:
        _train(work, first, PRETRAINING)
        work.model.eval()
        if phase.on_enter:
            phase.on_enter()
    start = copy.deepcopy(work.model.state_dict())
    aside: Any = copy.deepcopy(work.model.get_submodule("method"))
    beginning = copy.deepcopy(aside.state_dict())

    def product(steps: int) -> Turn:
        work.model.load_state_dict(start)
        began = time.process_time()
        silent = _train(work, phase, steps)
        seconds = time.process_time() - began
        return Turn(_losses(phase, silent.terms), seconds)

    def bare(steps: int) -> Turn:
        aside.load_state_dict(beginning)
        began = time.process_time()
        losses = _bare(method, aside, work.samples.x, _recipe(work, phase, steps))
        seconds = time.process_time() - began
        return Turn([loss.item() for loss in losses], seconds)

    return Contest(work, phase, product, bare, max(1, dataset.n // spec.training.batch_size))


def _trained(method: str) -> str:
    return "pretrain" if method == METHODS["AE"] else "cluster"


def _train(work: Work, phase: Phase, steps: int) -> Silent:
    """Train a phase for some steps, from where the model stands and with the first batches of the seed."""
    from clustlab.training.loop import Batches, Training, run_phases

    training = Training(work.model, Batches(work.dataset.n, work.spec.training.batch_size, work.spec.seed))
    silent = Silent()
    run_phases(training, [replace(phase, steps=steps, on_enter=None, until=None)], work.samples, silent)
    return silent


def _losses(phase: Phase, terms: list[Mapping[str, Tensor]]) -> list[float]:
    player = phase.players[0]
    weights = {term.name: term.weight for term in player.terms}
    return [sum(weights[name] * value.item() for name, value in each.items()) for each in terms]


def _recipe(work: Work, phase: Phase, steps: int) -> Recipe:
    player, training = phase.players[0], work.spec.training
    return Recipe(
        steps,
        min(training.batch_size, work.dataset.n),
        work.spec.seed,
        player.optimiser.learning_rate,
        player.optimiser.momentum,
        player.terms[-1].weight,
        getattr(work.method.options, "initial_count", 0.0),
    )


def _bare(method: str, model: Any, x: Tensor, recipe: Recipe) -> list[Tensor]:
    match method:
        case "dec":
            return bare_loop.dec(model, x, recipe)
        case "idec":
            return bare_loop.idec(model, x, recipe)
        case "dcn":
            return bare_loop.dcn(model, x, recipe)
        case _:
            return bare_loop.autoencode(model.autoencoder, x, recipe)


def _must_agree(title: str, found: Contest) -> None:
    """Refuse to compare loops that compute different things."""
    pairs = zip(found.product(AGREE).losses, found.bare(AGREE).losses, strict=True)
    for step, (ours, bare) in enumerate(pairs, start=1):
        if not math.isclose(ours, bare, rel_tol=1e-3):
            raise ClustlabError(
                f"{title}: at step {step} the loss is {ours:.6g} in the training loop and {bare:.6g} in the bare one; "
                "loops that compute different things cannot be compared"
            )


def _steps(found: Contest, seconds: float) -> int:
    """Return the steps of a turn: whole epochs, about so many seconds."""
    found.bare(1)  # whatever is made when first used
    return found.per_epoch * max(1, round(seconds / found.bare(found.per_epoch).seconds))
