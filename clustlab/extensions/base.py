"""What an extension is: something that joins any phase which offers what it needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from torch import nn

from clustlab.errors import SpecError
from clustlab.methods.base import Card, Phase, checked_options
from clustlab.spec import Network, Part, option

__all__ = ["Extension", "JoinOptions", "join", "obstacle"]

STAGES = {"pre": {"pretraining"}, "both": {"pretraining", "clustering"}, "post": {"clustering"}}
"""Stages of training that an extension joins on each schedule."""


class JoinOptions(Part):
    """What every extension can be told."""

    schedule: Literal["both", "pre", "post"] = option(
        "both",
        help="Where it joins: while the autoencoder is pretrained (pre), while clusters form (post), or both.",
    )


class Extension(ABC):
    """An addition to phases: its options, the parameters it brings, and how it changes a phase.

    Parameters
    ----------
    options : mapping
        Values for ``Options``.

    Raises
    ------
    SpecError
        If an option is unknown or out of bounds.
    """

    name: ClassVar[str]
    card: ClassVar[Card]
    needs: ClassVar[frozenset[str]]
    Options: ClassVar[type[JoinOptions]]

    def __init__(self, options: dict[str, Any]) -> None:
        self.options: Any = checked_options(self.Options, options, self.name)

    @abstractmethod
    def build(self, shape: tuple[int, ...], network: Network) -> nn.Module:
        """Return the parameters that the extension brings; one module serves all phases of a run."""

    @abstractmethod
    def extend(self, phase: Phase, module: Any) -> Phase:
        """Return a changed copy of a phase that offers what the extension needs."""

    def warm_up(self, phase: Phase, module: Any, steps: int) -> Phase | None:
        """Return a phase to put before the first that is extended, if pretraining went without the extension."""
        return None


def join(extension: Extension, module: nn.Module, phases: Sequence[Phase], epoch: int) -> tuple[list[Phase], list[str]]:
    """Return the phases, extended where they can be, and a sentence for each that has to be left alone.

    Phases without parameters to train (k-means) are passed over silently: nobody would expect a critic there.

    Parameters
    ----------
    extension : Extension
    module : Module
        What ``extension.build`` returned.
    phases : sequence of Phase
    epoch : int
        Steps in an epoch: the length of a warm-up.

    Raises
    ------
    SpecError
        If there is no phase that the extension could join on its schedule.
    """
    schedule = extension.options.schedule
    extended, notes, joined = [], [], 0
    for phase in phases:
        if not phase.trains or phase.stage not in STAGES[schedule]:
            extended.append(phase)
        elif lacking := obstacle(extension.needs, phase.offers):
            extended.append(phase)
            notes.append(f"{extension.card.title} leaves the phase “{phase.title}” alone: it {lacking}.")
        else:
            if schedule == "post" and not joined and (first := extension.warm_up(phase, module, epoch)):
                extended.append(first)
            extended.append(extension.extend(phase, module))
            joined += 1
    if not joined:
        possible = sorted({phase.stage for phase in phases if phase.trains and extension.needs <= phase.offers})
        where = f"; there is one while {' and '.join(possible)}" if possible else ""
        raise SpecError(
            f"{extension.card.title} finds no phase to join on the schedule “{schedule}”: none there trains an encoder "
            f"and a decoder{where}"
        )
    return extended, notes


def obstacle(needs: frozenset[str], offers: frozenset[str]) -> str:
    """Return why an extension cannot join a phase, as ``does not train to decode``; empty if it can."""
    missing = sorted(needs - offers)
    return f"does not train to {' and '.join(missing)}" if missing else ""
