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
from clustlab.methods.card import Card, Published
from clustlab.methods.samples import Samples
from clustlab.spec import Part, RunSpec, explain

__all__ = [
    "Card",
    "Every",
    "Method",
    "Observation",
    "Optimiser",
    "Pass",
    "Phase",
    "Player",
    "ProbePass",
    "Published",
    "Samples",
    "Term",
    "Values",
]

Values = Mapping[str, float]
"""Numbers a method wants on its curves, by name: ``{"label_change": 0.012}``."""


class Pass:
    r"""One mini-batch and what has been computed from it, each at most once.

    ======== ================ ====================================================
    x        (b, \\*shape)     the samples
    index    (b,) int64       their rows in the data set
    z        (b, J)           codes: ``phase.draw``, else ``phase.codes(index)``, else ``phase.encode(x)``
    x_hat    (b, \\*shape)     reconstructions, ``phase.any_decoder(z)``
    q        (b, K)           soft assignments, ``phase.assign(z)``
    ======== ================ ====================================================

    Whatever else terms share goes through :meth:`once`. A pass of all samples may be given those instead of x: where
    codes are known, nobody need look at them.
    """

    def __init__(self, phase: Phase, x: Tensor | Samples, index: Tensor, z: Tensor | None = None) -> None:
        self.phase, self._x, self.index = phase, x, index
        self._computed: dict[str, Any] = {}
        if z is not None:
            self.z = z

    @property
    def x(self) -> Tensor:
        return self._x.x if isinstance(self._x, Samples) else self._x

    @functools.cached_property
    def z(self) -> Tensor:
        return self.phase.draw(self) if self.phase.draw else self.phase.represent(self.x, self.index)

    @functools.cached_property
    def x_hat(self) -> Tensor:
        return _offered(self.phase, "any_decoder")(self.z)

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

    def take_over(self, earlier: ProbePass) -> None:
        """Keep what networks at rest have made of the same probe before."""
        for name in ("z", "x_hat", "mixed_codes", "strips"):
            if name in vars(earlier):
                setattr(self, name, getattr(earlier, name))

    @functools.cached_property
    def z(self) -> Tensor:
        """Codes as they are shown: nothing is drawn and nothing corrupted."""
        return self.phase.represent(self.x, self.index)

    @functools.cached_property
    def mixed_codes(self) -> Tensor:
        """(1 − α) z₁ + α z₂ for every pair: (m, s, J)."""
        first, second = self.z[self.pairs[:, 0], None], self.z[self.pairs[:, 1], None]
        return torch.lerp(first, second, self.alpha[:, None])

    @functools.cached_property
    def strips(self) -> Tensor:
        """Decoded mixes, (m, s, *shape)."""
        decode = _offered(self.phase, "any_decoder")
        return decode(self.mixed_codes.flatten(0, 1)).unflatten(0, self.mixed_codes.shape[:2])


@dataclass(frozen=True)
class Term:
    """One summand of a player's loss: a function of the pass that returns one value per sample.

    ``name`` is the curve's name; ``symbol`` (Unicode) and ``latex`` are how the live equation writes it. The weight
    is reached after ``ramp`` steps of the phase, rising from zero in a straight line.
    """

    name: str
    value: Callable[[Pass], Tensor]
    weight: float = 1.0
    ramp: int = 0
    weight_symbol: str = ""
    symbol: str = ""
    latex: str = ""
    help: str = ""

    def weight_at(self, phase_step: int) -> float:
        """Weight in force at a step of the phase, counted from 0."""
        return self.weight * min(1.0, (phase_step + 1) / self.ramp) if self.ramp else self.weight


@dataclass(frozen=True)
class Optimiser:
    """Settings of a player's optimiser.

    The learning rate is multiplied by ``decay`` every ``decay_steps`` steps of the phase, down to ``floor``.
    """

    name: Literal["adam", "sgd", "rmsprop"] = "adam"
    learning_rate: float = 1e-3
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    epsilon: float = 1e-8
    decay: float = 1.0
    decay_steps: int = 0
    floor: float = 0.0

    def learning_rate_at(self, phase_step: int) -> float:
        """Learning rate in force at a step of the phase, counted from 0."""
        if not self.decay_steps:
            return self.learning_rate
        return max(self.floor, self.learning_rate * self.decay ** (phase_step // self.decay_steps))


@dataclass(frozen=True)
class Player:
    """A named set of parameters, how they are optimised, and the terms of their loss.

    Each player's loss is differentiated with respect to its own parameters only, so an adversary can neither be
    trained by its opponent nor train it. A player without parameters is watched: its terms are logged, nothing steps.
    Where players take turns, ``turns`` says how many steps it takes when it is its turn. ``pace`` names parameters that
    step at another learning rate than the player's, as a multiple of it: a mixture beside its networks.
    """

    name: str
    parameters: tuple[nn.Parameter, ...]
    terms: tuple[Term, ...]
    optimiser: Optimiser = Optimiser()
    turns: int = 1
    pace: Mapping[nn.Parameter, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Observation:
    """An array that a method or an extension shows of itself in every frame; ``runs/FORMAT.md`` says what it means.

    Attributes
    ----------
    value : callable
        The array, from the probe's pass.
    cluster_axes : tuple of int
        Axes that run over the model's clusters; they are put into the order of the recorded ids.
    decoded : bool
        Whether it is decoder output, to be recorded in the data's own units.
    dtype : torch.dtype
        As which floating-point numbers are recorded.
    """

    value: Callable[[ProbePass], Tensor]
    cluster_axes: tuple[int, ...] = ()
    decoded: bool = False
    dtype: torch.dtype = torch.float16


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
    stage : {"pretraining", "clustering"}
        Whether the phase prepares codes or looks for clusters in them; extensions can keep to one of the two.
    encode, decode, assign : callable, optional
        What the phase offers: x → z (n, J), z → x̂, z → Q (n, K). An offered decoder is one that is being trained.
    frozen_decode : callable, optional
        A decoder from an earlier phase, no longer trained: good to look through, not to build on.
    codes : callable, optional
        index (b,) → z (b, J), for codes that belong to the samples they were computed from and cannot be asked of
        others (spectral embedding, UMAP); takes precedence over ``encode``.
    draw : callable, optional
        Pass → z (b, J), where training does not use the codes that are shown: a draw from a posterior, codes of
        corrupted samples.
    centroids : callable, optional
        Returns the centroids in force, (K, J). Without them a phase that assigns shows the mean codes of its clusters,
        each sample counted as far as it belongs to one; frames of other phases read clusters out by k-means.
    labels : callable, optional
        index (b,) → cluster (b,), where it is neither argmax Q nor the nearest centroid.
    read_out : str
        How labels are read, in words, where it does not follow from what the phase offers: see :attr:`protocol`.
    target : callable, optional
        index (b,) → rows of the target distribution P (b, K).
    on_enter : callable, optional
        Run once before the phase, e.g. to place centroids.
    on_leave : callable, optional
        Run when the phase is over, e.g. to look at all samples for the last time.
    every : tuple of Every
    after_step : callable, optional
        Run after each step, on its pass.
    until : callable, optional
        Given the values that ``every`` or ``after_step`` have just returned, says whether the phase is over.
    full_batch : bool
        Whether a step takes all samples instead of a mini-batch.
    networks_rest : bool
        Whether codes and reconstructions of samples stay what they are while the phase lasts: then they are computed
        once.
    take_turns : bool
        Whether players step one after the other, each on a fresh pass over the batch, instead of all from one pass.
    observe : mapping of name to Observation
        Arrays that the method or an extension shows of itself, computed on the probe's pass.
    record_each_step : bool
        Whether every step is a frame (for algorithms that take few).
    """

    name: str
    title: str
    steps: int
    players: tuple[Player, ...]
    stage: Literal["pretraining", "clustering"] = "clustering"
    encode: Callable[[Tensor], Tensor] | None = None
    decode: Callable[[Tensor], Tensor] | None = None
    assign: Callable[[Tensor], Tensor] | None = None
    frozen_decode: Callable[[Tensor], Tensor] | None = None
    codes: Callable[[Tensor], Tensor] | None = None
    draw: Callable[[Pass], Tensor] | None = None
    centroids: Callable[[], Tensor] | None = None
    labels: Callable[[Tensor], Tensor] | None = None
    read_out: str = ""
    target: Callable[[Tensor], Tensor] | None = None
    on_enter: Callable[[], Values | None] | None = None
    on_leave: Callable[[], Values | None] | None = None
    every: tuple[Every, ...] = ()
    after_step: Callable[[Pass], Values | None] | None = None
    until: Callable[[Values], bool] | None = None
    full_batch: bool = False
    networks_rest: bool = False
    take_turns: bool = False
    observe: Mapping[str, Observation] = field(default_factory=dict)
    record_each_step: bool = False

    @property
    def offers(self) -> frozenset[str]:
        """Which of ``encode``, ``decode`` and ``assign`` the phase offers."""
        return frozenset(name for name in ("encode", "decode", "assign") if getattr(self, name) is not None)

    @property
    def any_decoder(self) -> Callable[[Tensor], Tensor] | None:
        """The decoder that is being trained, else the frozen one."""
        return self.decode or self.frozen_decode

    @property
    def protocol(self) -> str:
        """Which labels are scored, in words: figures mean little without it."""
        if self.read_out:
            return self.read_out
        if self.labels:
            return "the method's own labels of its samples, all samples"
        return f"{'argmax of the soft assignments' if self.assign else 'nearest centroid'}, all samples"

    @property
    def trains(self) -> bool:
        """Whether any player has parameters to train."""
        return any(player.parameters for player in self.players)

    def represent(self, x: Tensor, index: Tensor) -> Tensor:
        """Return the codes of samples and their rows: (n, *shape), (n,) → (n, J)."""
        return self.codes(index) if self.codes else _offered(self, "encode")(x)

    @torch.no_grad()
    def codes_of_all(self, samples: Samples) -> Tensor:
        """Return the codes of all samples, (n, J), computed in chunks and without gradient."""
        return samples.gathered(self.represent(x, rows) for x, rows in samples.chunks())

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

    def with_observations(self, **observe: Observation) -> Phase:
        """Return a copy that records more arrays."""
        return replace(self, observe={**self.observe, **observe})


class Method(ABC):
    """A clustering method: its options, its networks and its phases. One file in ``methods/`` holds one.

    Class attributes: ``name`` (command line, files), ``card``, ``Options`` and ``uses``, the parts of the spec that
    make a difference to it (``network``, ``training``), or single options of them (``training.batch_size``).

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
