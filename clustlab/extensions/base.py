"""What an extension is: something that joins any phase which offers what it needs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import nn

from clustlab.methods.base import Card, Phase, checked_options
from clustlab.spec import Network, Part

__all__ = ["Extension", "join"]


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
    Options: ClassVar[type[Part]]

    def __init__(self, options: dict[str, Any]) -> None:
        self.options: Any = checked_options(self.Options, options, self.name)

    @abstractmethod
    def build(self, shape: tuple[int, ...], network: Network) -> nn.Module:
        """Return the parameters that the extension brings; one module serves all phases of a run."""

    @abstractmethod
    def extend(self, phase: Phase, module: Any) -> Phase:
        """Return a changed copy of a phase that offers what the extension needs."""


def join(extension: Extension, module: nn.Module, phases: list[Phase]) -> tuple[list[Phase], list[str]]:
    """Return the phases, extended where they can be, and a sentence for each that is left alone.

    Phases without parameters to train (k-means) are passed over silently: nobody would expect a critic there.
    """
    extended, notes = [], []
    for phase in phases:
        missing = extension.needs - phase.offers
        if not missing:
            extended.append(extension.extend(phase, module))
            continue
        extended.append(phase)
        if any(player.parameters for player in phase.players):
            lacks = " and ".join(sorted(missing))
            notes.append(
                f"{extension.card.title} leaves the phase “{phase.title}” alone: it does not train to {lacks}."
            )
    return extended, notes
