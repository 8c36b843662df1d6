"""From a spec and a data set to what the loop needs: model, phases, samples; and what a viewer should know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import nn

from clustlab import extensions, methods
from clustlab.data import Dataset
from clustlab.data.mapped import MappedArray
from clustlab.errors import SpecError
from clustlab.extensions.base import join
from clustlab.methods.base import Card, Method, Phase, Samples
from clustlab.methods.pretraining import steps_per_epoch
from clustlab.methods.samples import FileSamples
from clustlab.networks.half_precision import multiply_in_bfloat16
from clustlab.spec import RunSpec, run_title

__all__ = ["Assembly", "Work", "as_samples", "assemble", "choose_device", "set_up"]


class Assembly(NamedTuple):
    """What follows from a spec and the form of the samples: networks and phases, extended."""

    method: Method
    model: nn.ModuleDict
    phases: Sequence[Phase]
    cards: dict[str, Card]
    notes: list[str]


@dataclass(frozen=True)
class Work:
    """Everything that is ready before the first step."""

    spec: RunSpec
    method: Method
    dataset: Dataset
    n_clusters: int
    model: nn.Module
    samples: Samples
    phases: Sequence[Phase]
    cards: dict[str, Card]
    notes: list[str]

    def about(self) -> dict[str, Any]:
        """Return the content of ``about.json``."""
        dataset = self.dataset
        extensions = [card.title for card in self.cards.values()]
        return {
            "title": run_title(self.method.card.title, extensions, dataset.title, self.spec.seed),
            "card": _card(self.method.card),
            "extensions": {name: _card(card) for name, card in self.cards.items()},
            "phases": [_phase(phase) for phase in self.phases],
            "n_clusters": self.n_clusters,
            "dataset": {
                "name": dataset.name,
                "title": dataset.title,
                "n": dataset.n,
                "shape": list(dataset.shape),
                "kind": dataset.kind,
                "n_classes": dataset.n_classes,
                "class_names": list(dataset.class_names),
                "scale": dataset.scale,
                "value_range": list(dataset.value_range),
                "digests": dataset.digests,
            },
            "notes": self.notes,
        }


def set_up(spec: RunSpec, dataset: Dataset, device: torch.device) -> Work:
    """Build the model and its phases, extended, for a data set.

    Raises
    ------
    SpecError
        If the spec names something unknown or out of bounds.
    """
    n_clusters = spec.n_clusters or dataset.n_classes
    samples = as_samples(dataset, device)
    method, model, phases, cards, notes = assemble(spec, samples, n_clusters, device)
    return Work(spec, method, dataset, n_clusters, model, samples, phases, cards, [*dataset.notes, *notes])


def as_samples(dataset: Dataset, device: torch.device) -> Samples:
    """Return a data set as networks see it, on a device; what is mapped stays in its file."""
    if isinstance(dataset.x, MappedArray):
        return FileSamples(dataset.scaled, dataset.n, dataset.shape, device)
    return Samples(torch.from_numpy(dataset.scaled()).to(device))


def assemble(spec: RunSpec, samples: Samples, n_clusters: int, device: torch.device) -> Assembly:
    """Build the model and its phases, extended, from the number and shape of the samples.

    The method is built first and from the seed alone, so that the same method with and without an extension starts
    from the same weights. The samples themselves are left to the phases, most of which look at them only while they
    train.

    Raises
    ------
    SpecError
        If the spec names something unknown or out of bounds.
    """
    torch.manual_seed(spec.seed)
    method = methods.find(spec.method)(spec)
    model = nn.ModuleDict({"method": method.build(samples.shape, len(samples), n_clusters)})
    additions = {name: extensions.find(name)(options) for name, options in spec.extensions.items()}
    for name, extension in additions.items():
        model[name] = extension.build(samples.shape, spec.network)
    if spec.training.precision == "bfloat16":
        multiply_in_bfloat16(model)
    model.to(device)
    phases, notes = list(method.phases(model["method"], samples)), []
    for name, extension in additions.items():
        phases, alone = join(extension, model[name], phases, steps_per_epoch(samples, spec.training))
        notes += alone
    cards = {name: extension.card for name, extension in additions.items()}
    return Assembly(method, model, phases, cards, notes)


def choose_device(wish: str) -> torch.device:
    """Return the device wished for; ``auto`` prefers an accelerator.

    Raises
    ------
    SpecError
        If the device is not there.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wish == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if there[name]))
    if not there[wish]:
        raise SpecError(
            f"training.device = {wish} is not on this machine; there is {', '.join(n for n in there if there[n])}"
        )
    return torch.device(wish)


def _card(card: Card) -> dict[str, Any]:
    return {**asdict(card), "symbols": dict(card.symbols)}


def _phase(phase: Phase) -> dict[str, Any]:
    return {
        "name": phase.name,
        "title": phase.title,
        "stage": phase.stage,
        "trains": phase.trains,
        "steps": phase.steps,
        "offers": sorted(phase.offers),
        "frozen_decoder": phase.frozen_decode is not None,
        "terms": [
            {
                "name": term.name,
                "player": player.name,
                "weight": term.weight,
                "weight_symbol": term.weight_symbol,
                "symbol": term.symbol,
                "latex": term.latex,
                "help": term.help,
            }
            for player in phase.players
            for term in player.terms
        ],
    }
