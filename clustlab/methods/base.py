"""The vocabulary that every method is written in: Method, Phase, Player, Term, Pass.

A method says *what* is minimised, by whom and when; the one loop (``training/loop.py``) does the minimising. Nothing
here computes a gradient, writes a file or knows a label.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from clustlab.errors import SpecError
from clustlab.spec import Part, RunSpec, explain

__all__ = ["Card", "Every", "Method", "Optimiser", "Pass", "Phase", "Player", "ProbePass", "Samples", "Term", "Values"]

Values = Mapping[str, float]
"""Numbers a method wants on its curves, by name: ``{"label_change": 0.012}``."""


@dataclass(frozen=True)
class Card:
    """What a person should know about a method or extension before using it.

    ``objective`` is LaTeX; ``symbols`` explains every letter in it, in the order in which a reader meets them.
    """

    title: str
    paper: str
    idea: str
    objective: str
    symbols: Mapping[str, str] = field(default_factory=dict)
    look_for: str = ""


class Samples:
    """The data as training sees it: samples and their number, no labels.

    Parameters
    ----------
    x : Tensor (n, *shape), float32
        All samples, on the device that trains.
    """

    CHUNK = 4096

    def __init__(self, x: Tensor) -> None:
        self.x = x

    def __len__(self) -> int:
        return len(self.x)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.x.shape[1:])

    @torch.no_grad()
    def map(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        """Return a function of all samples, computed in chunks and without gradient: (n, …)."""
        return torch.cat([function(chunk) for chunk in self.x.split(self.CHUNK)])


class Pass:
    r"""One mini-batch and what has been computed from it, each at most once.

    ======== ================ ====================================================
    x        (b, \\*shape)     the samples
    index    (b,) int64       their rows in the data set
    z        (b, J)           codes, ``phase.encode(x)``
    x_hat    (b, \\*shape)     reconstructions, ``phase.decode(z)``
    q        (b, K)           soft assignments, ``phase.assign(z)``
    ======== ================ ====================================================

    Whatever else terms share goes through :meth:`once`.
    """

    def __init__(self, phase: Phase, x: Tensor, index: Tensor) -> None:
        self.phase, self.x, self.index = phase, x, index
        self._computed: dict[str, Any] = {}

    @functools.cached_property
    def z(self) -> Tensor:
        return self.phase.encode(self.x)

    @functools.cached_property
    def x_hat(self) -> Tensor:
        return _offered(self.phase, "decode")(self.z)

    @functools.cached_property
    def q(self) -> Tensor:
        return _offered(self.phase, "assign")(self.z)

    def once(self, name: str, compute: Callable[[Pass], Any]) -> Any:
        """Return ``compute(self)``, computed at the first call under this name and kept."""
        if name not in self._computed:
            self._computed[name] = compute(self)
        return self._computed[name]


class ProbePass(Pass):
    """The pass over the probe, from which frames are made.

    Parameters
    ----------
    pairs : Tensor (m, 2), int64
        Fixed interpolation pairs, positions in the probe.
    alpha : Tensor (s,)
        Share of the second sample of a pair along its strip, 0 … 1.
    """

    def __init__(self, phase: Phase, x: Tensor, index: Tensor, pairs: Tensor, alpha: Tensor) -> None:
        super().__init__(phase, x, index)
        self.pairs, self.alpha = pairs, alpha

    @functools.cached_property
    def mixed_codes(self) -> Tensor:
        """(1 − α) z₁ + α z₂ for every pair: (m, s, J)."""
        first, second = self.z[self.pairs[:, 0], None], self.z[self.pairs[:, 1], None]
        return torch.lerp(first, second, self.alpha[:, None])

    @functools.cached_property
    def strips(self) -> Tensor:
        """Decoded mixes, (m, s, *shape)."""
        decode = self.phase.decode or self.phase.frozen_decode
        if decode is None:
            raise LookupError(f"phase {self.phase.name} has nothing to decode with")
        return decode(self.mixed_codes.flatten(0, 1)).unflatten(0, self.mixed_codes.shape[:2])


@dataclass(frozen=True)
class Term:
    """One summand of a player's loss: a function of the pass that returns one value per sample.

    ``name`` is the curve's name; ``symbol`` (Unicode) and ``latex`` are how the live equation writes it.
    """

    name: str
    value: Callable[[Pass], Tensor]
    weight: float = 1.0
    weight_symbol: str = ""
    symbol: str = ""
    latex: str = ""
    help: str = ""


@dataclass(frozen=True)
class Optimiser:
    """Settings of a player's optimiser."""

    name: Literal["adam", "sgd"] = "adam"
    learning_rate: float = 1e-3
    momentum: float = 0.0


@dataclass(frozen=True)
class Player:
    """A named set of parameters, how they are optimised, and the terms of their loss.

    Each player's loss is differentiated with respect to its own parameters only, so an adversary can neither be
    trained by its opponent nor train it. A player without parameters is watched: its terms are logged, nothing steps.
    """

    name: str
    parameters: tuple[nn.Parameter, ...]
    terms: tuple[Term, ...]
    optimiser: Optimiser = Optimiser()


@dataclass(frozen=True)
class Every:
    """Something to do before the first step of a phase and then every ``steps`` steps, e.g. new targets."""

    steps: int
    name: str
    run: Callable[[], Values | None]


@dataclass(frozen=True)
class Phase:
    """A stretch of training with the same players.

    Attributes
    ----------
    name, title : str
        Short name (curves, links) and what a person reads.
    steps : int
        Steps it lasts, at most.
    players : tuple of Player
        The first one trains the autoencoder, where there is one; extensions join there.
    encode, decode, assign : callable, optional
        What the phase offers: x → z (n, J), z → x̂, z → Q (n, K). An offered decoder is one that is being trained.
    frozen_decode : callable, optional
        A decoder from an earlier phase, no longer trained: good to look through, not to build on.
    centroids : callable, optional
        Returns the centroids in force, (K, J); without them frames read clusters out by k-means.
    target : callable, optional
        index (b,) → rows of the target distribution P (b, K).
    on_enter : callable, optional
        Run once before the phase, e.g. to place centroids.
    every : tuple of Every
    after_step : callable, optional
        Run after each step, on its pass.
    until : callable, optional
        Given the values that ``every`` or ``after_step`` have just returned, says whether the phase is over.
    full_batch : bool
        Whether a step takes all samples instead of a mini-batch.
    observe : mapping of name to callable
        Arrays that the method or an extension shows of itself, computed on the probe's pass.
    record_each_step : bool
        Whether every step is a frame (for algorithms that take few).
    """

    name: str
    title: str
    steps: int
    players: tuple[Player, ...]
    encode: Callable[[Tensor], Tensor]
    decode: Callable[[Tensor], Tensor] | None = None
    assign: Callable[[Tensor], Tensor] | None = None
    frozen_decode: Callable[[Tensor], Tensor] | None = None
    centroids: Callable[[], Tensor] | None = None
    target: Callable[[Tensor], Tensor] | None = None
    on_enter: Callable[[], Values | None] | None = None
    every: tuple[Every, ...] = ()
    after_step: Callable[[Pass], Values | None] | None = None
    until: Callable[[Values], bool] | None = None
    full_batch: bool = False
    observe: Mapping[str, Callable[[ProbePass], Tensor]] = field(default_factory=dict)
    record_each_step: bool = False

    @property
    def offers(self) -> frozenset[str]:
        """Which of ``encode``, ``decode`` and ``assign`` the phase offers."""
        return frozenset(name for name in ("encode", "decode", "assign") if getattr(self, name) is not None)

    def with_term(self, player: str, term: Term) -> Phase:
        """Return a copy in which a player has one more term."""
        return replace(
            self,
            players=tuple(
                replace(each, terms=(*each.terms, term)) if each.name == player else each for each in self.players
            ),
        )

    def with_player(self, player: Player) -> Phase:
        """Return a copy with one more player."""
        return replace(self, players=(*self.players, player))

    def with_observations(self, **observe: Callable[[ProbePass], Tensor]) -> Phase:
        """Return a copy that records more arrays."""
        return replace(self, observe={**self.observe, **observe})


class Method(ABC):
    """A clustering method: its options, its networks and its phases. One file in ``methods/`` holds one.

    Class attributes: ``name`` (command line, files), ``card``, ``Options`` and ``uses``, the parts of the spec that
    make a difference to it (``network``, ``training``).

    Raises
    ------
    SpecError
        If the spec's options are not this method's.
    """

    name: ClassVar[str]
    card: ClassVar[Card]
    Options: ClassVar[type[Part]]
    uses: ClassVar[frozenset[str]] = frozenset({"network", "training"})

    def __init__(self, spec: RunSpec) -> None:
        self.spec = spec
        self.options: Any = checked_options(self.Options, spec.options, self.name)

    @abstractmethod
    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        """Return the model: networks, centroids, and as buffers all else that a run must not forget."""

    @abstractmethod
    def phases(self, model: Any, samples: Samples) -> Sequence[Phase]:
        """Return the phases in order."""


def checked_options(options: type[Part], given: Mapping[str, Any], owner: str) -> Part:
    """Return options of a method or extension, or say in one sentence what is wrong with them."""
    try:
        return options.model_validate(dict(given))
    except ValidationError as error:
        names = ", ".join(options.model_fields) or "none"
        raise SpecError(f"{owner}: {explain(error)} (options of {owner}: {names})") from error


def _offered(phase: Phase, name: str) -> Callable[[Tensor], Tensor]:
    function: Callable[[Tensor], Tensor] | None = getattr(phase, name)
    if function is None:
        raise LookupError(f"phase {phase.name} does not offer {name}")
    return function
