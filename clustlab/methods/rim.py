"""RIM, regularised information maximisation (Krause, Perona, Gomes, NIPS 2010): deep."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from clustlab.methods.base import Card, Method, Optimiser, Phase, Player, Samples
from clustlab.methods.classification import (
    USES,
    ClassifierModel,
    ClassifierOptions,
    classify,
    conditional_entropy_term,
    marginal_entropy_term,
)
from clustlab.networks.classifier import Classifier
from clustlab.spec import option

__all__ = ["DeepRIM"]


class DeepRIM(Method):
    """A network that is sure of every sample and uses all clusters alike, held back by weight decay."""

    name = "deep-rim"
    card = Card(
        title="Deep RIM",
        paper="Krause, Perona and Gomes, “Discriminative clustering by regularized information maximization”, 2010",
        idea="Be sure of every sample, use all clusters alike, and keep the weights small.",
        objective=r"\min_\theta H(Y|X) - \mu H(Y) + \lambda \lVert \theta \rVert^2",
        symbols={
            "H(Y|X)": "entropy of a sample's p(y|x)",
            "H(Y)": "entropy of the mean p(y|x)",
            r"\mu": "weight of balance",
            r"\lambda": "weight decay",
            r"\theta": "weights of the network",
        },
        look_for="Mutual information rises to log K long before the clusters mean anything.",
    )
    uses = USES

    class Options(ClassifierOptions):
        marginal_weight: float = option(1.0, low=0, high=100, symbol=r"\mu", help="Weight of the marginal entropy.")
        weight_decay: float = option(0.005, low=0, high=10, symbol=r"\lambda", help="How far weights are kept small.")

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return ClassifierModel(Classifier(shape, self.options.widths, n_clusters), n_samples)

    def phases(self, model: ClassifierModel, samples: Samples) -> Sequence[Phase]:
        options = self.options
        player = Player(
            "classifier",
            tuple(model.classifier.parameters()),
            (conditional_entropy_term(1.0, ""), marginal_entropy_term(options.marginal_weight, r"\mu")),
            Optimiser("adam", options.learning_rate, weight_decay=options.weight_decay),
        )
        return [classify(model, samples, self.spec.training, options.cluster_epochs, [player])]
