"""What discriminative methods share: a classifier whose labels are latent, and watching what it says of all samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from clustlab.methods.base import Every, Phase, Player, Samples, Term, Values
from clustlab.methods.pretraining import steps_per_epoch
from clustlab.objectives.information import entropy, marginal_surprise, mutual_information
from clustlab.spec import Part, Training, option

__all__ = [
    "IMSAT_SETTINGS",
    "ClassifierModel",
    "ClassifierOptions",
    "USES",
    "classify",
    "conditional_entropy_term",
    "evenly_spread",
    "marginal_entropy_term",
]

IMSAT_SETTINGS: dict[str, dict[str, Any]] = {
    "options": {"hidden": "1200-1200", "cluster_epochs": 50},
    "training": {"batch_size": 250},
}
"""Those of IMSAT's paper (Hu et al. 2017), of deep RIM too, with which it compares."""

USES = frozenset({"training.batch_size", "training.precision"})
"""What a classifier trained by mini-batches needs of the spec: there is neither autoencoder nor pretraining."""


class ClassifierOptions(Part):
    """What classifiers with hidden layers, trained by mini-batches, can be told."""

    hidden: str = option(
        "256-256",
        help="Widths of the hidden layers. IMSAT's and KINGDRA's papers have 1200-1200.",
        pattern=r"^[1-9]\d{0,4}(-[1-9]\d{0,4}){0,7}$",
    )
    cluster_epochs: int = option(60, low=1, high=100_000, unit="epochs", help="Passes over the data.")
    learning_rate: float = option(0.002, above=0, high=1, help="Adam's step size.")

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of the hidden layers."""
        return tuple(int(width) for width in self.hidden.split("-"))


class ClassifierModel(nn.Module):
    """A classifier, and what it said of all samples when it was last asked.

    Attributes
    ----------
    classifier : Module
        Has ``represent`` (x → z) and ``assign`` (z → p(y|x)).
    labels : Tensor (n,), int64
        argmax p(y|x) at the last look; −1 before the first.
    """

    labels: Tensor

    def __init__(self, classifier: nn.Module, n_samples: int) -> None:
        super().__init__()
        self.classifier: Any = classifier
        self.register_buffer("labels", torch.full((n_samples,), -1))

    def beliefs(self, samples: Samples) -> Tensor:
        """Return p(y|x) of all samples, (n, K)."""
        return samples.map(lambda x: self.classifier.assign(self.classifier.represent(x)))

    def watch(self, samples: Samples) -> Values:
        """Ask for all samples, and return the numbers in which degenerate optima show.

        All in one cluster is a marginal entropy of zero, all undecided a conditional entropy of log K; dead clusters
        are those that win no sample. Mutual information near log K says nothing about the partition: every balanced
        one that is certain has it.
        """
        p = self.beliefs(samples)
        before, self.labels = self.labels, p.argmax(dim=1)
        sizes = torch.bincount(self.labels, minlength=p.shape[1])
        values = {
            "marginal_entropy": marginal_surprise(p).mean().item(),
            "conditional_entropy": entropy(p).mean().item(),
            "mutual_information": mutual_information(p).item(),
            "used_clusters": float((sizes > 0).sum().item()),
            "largest_share": sizes.max().item() / len(p),
        }
        changed = {} if before[0] < 0 else {"label_change": (self.labels != before).float().mean().item()}
        return values | changed


def classify(
    model: ClassifierModel, samples: Samples, training: Training, epochs: int, players: Sequence[Player], **more: Any
) -> Phase:
    """Return the phase in which a classifier finds its own labels.

    Parameters
    ----------
    model : ClassifierModel
    samples : Samples
    training : Training
        For the length of an epoch.
    epochs : int
        How many of them the phase lasts.
    players : sequence of Player
    **more
        Further fields of the phase.
    """
    per_epoch = steps_per_epoch(samples, training)
    watch = Every(per_epoch, "look", lambda: model.watch(samples))
    fields: dict[str, Any] = {"name": "classify", "title": "classifying", "steps": epochs * per_epoch, **more}
    return Phase(
        players=tuple(players),
        encode=model.classifier.represent,
        assign=model.classifier.assign,
        every=(watch, *fields.pop("every", ())),
        on_leave=watch.run,
        **fields,
    )


def conditional_entropy_term(weight: float, weight_symbol: str) -> Term:
    """Return H(Y|X): every sample should know its cluster."""
    return Term(
        "conditional entropy",
        lambda current: entropy(current.q),
        weight=weight,
        weight_symbol=weight_symbol,
        symbol="H(Y|X)",
        latex="H(Y|X)",
        help="Entropy of p(y|x) in nats, mean over the batch: 0 where each sample is sure of its cluster.",
    )


def marginal_entropy_term(weight: float, weight_symbol: str) -> Term:
    """Return H(Y), to be maximised: clusters should be used alike. The weight is that of −H(Y)."""
    return Term(
        "marginal entropy",
        lambda current: marginal_surprise(current.q),
        weight=-weight,
        weight_symbol=weight_symbol,
        symbol="H(Y)",
        latex="H(Y)",
        help="Entropy of the batch's mean p(y|x) in nats: log K where clusters are used alike, 0 where one has all.",
    )


def evenly_spread(n: int, at_most: int) -> Tensor:
    """Return at most so many of the positions 0 … n − 1, evenly spread: int64."""
    return torch.linspace(0, n - 1, min(n, at_most), dtype=torch.float64).round().long()
