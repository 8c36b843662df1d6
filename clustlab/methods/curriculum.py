"""The curriculum of pairs in DAC: which ones a network learns from, by its own similarities, and when that changes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from clustlab.methods.base import Observation, Pass, ProbePass, Samples, Values
from clustlab.methods.classification import ClassifierModel, evenly_spread
from clustlab.networks.pattern_classifier import PatternClassifier
from clustlab.objectives.pairs import Pairs, label_features, select, similarities

__all__ = ["Curriculum", "PairModel", "Schedule"]

SHOWN = 128
"""Samples of the probe whose similarities every frame holds."""

MEASURED = 1024
"""Samples, evenly spread over the data, from which the first averages and shares of pairs are taken."""

Schedule = Callable[[int], tuple[float, float]]
"""Thresholds (u, l) in force after some outer steps."""


class PairModel(ClassifierModel):
    """A classifier, and how far its curriculum has come.

    Attributes
    ----------
    steps : Tensor (), int64
        Steps taken.
    counted : Tensor (3,), int64
        Positive, negative and all pairs met since the outer step began.
    """

    steps: Tensor
    counted: Tensor

    def __init__(self, classifier: PatternClassifier, n_samples: int) -> None:
        super().__init__(classifier, n_samples)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.register_buffer("counted", torch.zeros(3, dtype=torch.int64))


class Curriculum:
    """Which pairs a model learns from, and when that changes.

    Parameters
    ----------
    model : PairModel
        Holds all that changes.
    schedule : callable
        Thresholds after some outer steps.
    outer_step : int
        Steps in an outer step.
    """

    def __init__(self, model: PairModel, schedule: Schedule, outer_step: int) -> None:
        self.model, self.schedule, self.outer_step = model, schedule, outer_step

    @property
    def thresholds(self) -> tuple[float, float]:
        """Upper and lower threshold in force."""
        return self.schedule(int(self.model.steps) // self.outer_step)

    def pairs(self, current: Pass) -> Pairs:
        """Return the pairs of a batch, selected once a pass."""
        pairs: Pairs = current.once(
            "pairs", lambda current: select(similarities(label_features(current.q)), *self.thresholds)
        )
        return pairs

    def enter(self, samples: Samples) -> Values:
        """Give normalisation its first averages; return the thresholds, and the shares of pairs they would select.

        Where more than half of the pairs are positive before the first step, the network cannot tell samples apart
        yet and is about to draw all of them together. Training goes on, since two clusters begin like that as well;
        the share is on the curves, and the panels of pairs raise an alarm.
        """
        x = samples.rows(evenly_spread(len(samples), MEASURED).to(samples.device))
        self.model.classifier.calibrate(x)
        with torch.no_grad():
            features = label_features(self.model.classifier(x))
            pairs = select(similarities(features), *self.thresholds)
        return self._values(_counts(pairs))

    def step(self, current: Pass) -> Values:
        """Count the pairs of a step; at the end of an outer step return their shares and the thresholds from now on."""
        self.model.counted += _counts(self.pairs(current))
        self.model.steps += 1
        if int(self.model.steps) % self.outer_step:
            return {}
        counts = self.model.counted.clone()
        self.model.counted.zero_()
        return self._values(counts)

    def _values(self, counts: Tensor) -> Values:
        positive, negative, total = counts.tolist()
        upper, lower = self.thresholds
        return {
            "upper_threshold": upper,
            "lower_threshold": lower,
            "positive_pairs": positive / total,
            "negative_pairs": negative / total,
            "ignored_pairs": (total - positive - negative) / total,
        }

    def observations(self) -> dict[str, Observation]:
        """Return what frames show: similarities of some samples, which ones, and the thresholds."""

        def rows(current: ProbePass) -> Tensor:
            return evenly_spread(len(current.x), SHOWN).to(current.x.device)

        def shown(current: ProbePass) -> Tensor:
            features = label_features(current.q[rows(current)])
            return (features @ features.T).clamp(0, 1)

        return {
            "pair_similarities": Observation(shown),
            "pair_rows": Observation(lambda current: rows(current).int()),
            "pair_thresholds": Observation(lambda current: torch.tensor(self.thresholds), dtype=torch.float32),
        }


def _counts(pairs: Pairs) -> Tensor:
    """Return the numbers of positive, negative and all pairs, (3,), no sample paired with itself."""
    n = len(pairs.similarity)
    total = torch.tensor(n * (n - 1), device=pairs.positive.device)
    return torch.stack([pairs.positive.sum(), pairs.negative.sum(), total])
