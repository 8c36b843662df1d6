"""DAC, deep adaptive clustering (Chang, Wang, Meng, Xiang, Pan, ICCV 2017), with two thresholds or with one (DAC*)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from torch import Tensor, nn

from clustlab.errors import SpecError
from clustlab.methods.base import (
    Card,
    Method,
    Optimiser,
    Pass,
    Phase,
    Player,
    Published,
    Samples,
    Term,
    Values,
)
from clustlab.methods.classification import USES, ClassifierOptions, classify
from clustlab.methods.curriculum import Curriculum, PairModel
from clustlab.methods.pretraining import steps_per_epoch
from clustlab.networks.pattern_classifier import PatternClassifier
from clustlab.objectives.distortion import distort
from clustlab.objectives.pairs import (
    Pairs,
    closing_thresholds,
    falling_threshold,
    pair_cross_entropy,
    pair_squared_error,
)
from clustlab.spec import option

__all__ = ["DAC", "DACStar"]

PAPER = "Chang, Wang, Meng, Xiang and Pan, “Deep adaptive image clustering”, ICCV 2017"
TABLE = "Chang et al. 2017, table in the authors' talk; NMI by the geometric mean, ours by the arithmetic"

SYMBOLS = {
    "x_i": "sample",
    "w": "weights of the network",
    "z_i": "logits of a sample, K of them",
    r"l_i": "label feature: the softmax of the logits, scaled to unit length",
    "g_{ij}": "similarity of two samples: the cosine of their label features, 0 … 1",
    "r_{ij}": "what a pair is taken for: 1 alike, 0 not alike",
}


class PairOptions(ClassifierOptions):
    """What both variants can be told."""

    cluster_epochs: int = option(
        60, low=1, high=100_000, unit="epochs", help="Passes over the data, at most; the thresholds may meet before."
    )
    outer_epochs: float = option(
        1.0, above=0, high=1000, unit="epochs", help="Length of an outer step, after which thresholds move."
    )
    learning_rate: float = option(0.001, above=0, high=1, help="RMSprop's step size.")
    channels: int = option(
        16, low=1, high=256, help="Images: channels of the first convolution, doubling. The paper's MNIST has 64."
    )
    hidden: str = option(
        "256-256", help="Vectors: widths of the hidden layers.", pattern=r"^[1-9]\d{0,4}(-[1-9]\d{0,4}){0,7}$"
    )
    dense_layers: int = option(
        1, low=0, high=4, help="Layers from K to K that begin as the identity. The released networks have 2."
    )
    augment: bool = option(
        False, help="Images: turn, move and stretch each one a little at every step, as the paper does."
    )


class DAC(Method):
    """Pairs that are clearly alike, or clearly not, teach the network about the others."""

    name = "dac"
    card = Card(
        title="DAC",
        paper=PAPER,
        idea="Learn from pairs whose answer is clear already, and let the network's progress make others clear.",
        objective=r"\min_{w, \lambda} \sum_{i, j} v_{ij} L(r_{ij}, l_i \cdot l_j) + u(\lambda) - l(\lambda)",
        symbols={
            **SYMBOLS,
            "L": r"cross-entropy $-r \log g - (1 - r) \log (1 - g)$",
            "v_{ij}": "1 for pairs that are learned from: those that are positive or negative",
            r"u(\lambda)": r"upper threshold $0.95 - \lambda$: pairs with $g \ge u$ are positive",
            r"l(\lambda)": r"lower threshold $0.455 + 0.1 \lambda$: pairs with $g < l$ are negative",
            r"\lambda": "how far the curriculum has come, 0 … 0.45",
        },
        look_for="The ignored band between the thresholds narrows; what enters it late is what is hard to tell.",
        algorithm=(
            r"Compute $l_i$ of a mini-batch and all similarities $g_{ij} = l_i \cdot l_j$.",
            r"Call pairs with $g \ge u$ positive and pairs with $g < l$ negative; ignore those between.",
            "Take a step of RMSprop on the mean cross-entropy of the selected pairs.",
            r"After each outer step add $1.1 \cdot 0.009$ to λ: u falls and l rises.",
            "Stop when the thresholds meet at ½, after 46 outer steps. A sample's cluster is the largest entry of $l$.",
        ),
        pitfalls=(
            (
                "Nothing balances the clusters, and fewer than K may be left, another number in each run. "
                "The curve of used clusters shows it."
            ),
            (
                "A network that cannot tell samples apart makes all pairs positive and draws everything together. "
                "The share of pairs above u is measured before the first step; above half, the panels raise an alarm. "
                "Training is not refused: with two clusters half of the pairs are positive by right."
            ),
            "It depends on the network as few methods do: padding, or trained scales of normalisation, spoil it.",
            "Late outer steps can hurt, since the thresholds reach pairs that nobody could tell.",
            "Positives are a K-th of all pairs: their precision is drawn apart from that of negatives.",
            "Results on CIFAR-10 have not been reproduced by several who tried.",
        ),
        deviations=(
            "Thresholds and their steps are those of three reimplementations; the released code has others.",
            "λ stops at 0.45. Published loops take one step more, in which some pairs count both ways.",
            (
                "The loss is the mean over a batch's selected pairs, the paper's sum up to a factor. "
                "Pairs of a sample with itself do not count."
            ),
            (
                "Normalisation reads out with running averages, released code with the statistics of the batch; "
                "on digits the two hardly differ."
            ),
            "Logits are scaled by 3/√(K−1), which is 1 for K = 10: two or three clusters could not come apart else.",
            "Channels are 16, 32, 64 instead of the paper's 64, 128, and one dense layer instead of two.",
            (
                "An outer step is one epoch of batches of 256. Reimplementations take 1000 batches of 128, some two "
                "epochs of MNIST. On 5,000 MNIST digits one epoch makes 874 steps in all, which is far too few."
            ),
            "No augmentation unless asked for; the released recipe turns, moves, stretches and brightens images.",
            "RMSprop averages squares over 100 steps (PyTorch's default), Keras over 10.",
        ),
        paper_settings={
            "options": {
                "channels": 64,
                "dense_layers": 2,
                "augment": True,
                "outer_epochs": 1.83,  # 1000 batches of 128 on MNIST
                "cluster_epochs": 90,
            },
            "training": {"batch_size": 128},
        },
        published=(
            Published("MNIST", TABLE, acc=0.9775, nmi=0.9351, ari=0.9486),
            Published("CIFAR-10", TABLE, acc=0.5218, nmi=0.3959, ari=0.3059),
            Published("CIFAR-100 (20)", TABLE, acc=0.2375, nmi=0.1852, ari=0.0876),
            Published("STL-10", TABLE, acc=0.4699, nmi=0.3656, ari=0.2565),
            Published("ImageNet-10", TABLE, acc=0.5272, nmi=0.3944, ari=0.3019),
            Published("ImageNet-Dog", TABLE, acc=0.2748, nmi=0.2185, ari=0.1105),
            Published("MNIST", "a TensorFlow reimplementation", acc=0.9731, nmi=0.9414, ari=0.9416),
            Published("MNIST", "a PyTorch reimplementation, called unstable by its author", 0.9668, 0.937, 0.9349),
        ),
    )
    uses = USES
    Options = PairOptions

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return _built(self.options, shape, n_samples, n_clusters)

    def phases(self, model: PairModel, samples: Samples) -> Sequence[Phase]:
        outer_step = _outer_step(self, samples)
        curriculum = Curriculum(model, closing_thresholds, outer_step)
        return [_compare(self, curriculum, samples, pair_cross_entropy, until=_thresholds_meet)]


class DACStar(Method):
    """Every pair counts at every step, by one threshold that falls."""

    name = "dac-star"
    card = Card(
        title="DAC*",
        paper=PAPER,
        idea="Learn from every pair what its own similarity says of it, by a threshold that falls.",
        objective=r"\min_w \sum_{i \ne j} L(r_{ij}, l_i \cdot l_j) \quad r_{ij} = [l_i \cdot l_j \ge s]",
        symbols={
            **SYMBOLS,
            "L": r"cross-entropy $-r \log g - (1 - r) \log (1 - g)$, or $(g - r)^2$",
            "s": "threshold, falling from 0.9 to 0.5 in a straight line",
        },
        look_for="At first next to all pairs are negative; positives must be won while the threshold falls.",
        algorithm=(
            r"Compute $l_i$ of a mini-batch and all similarities $g_{ij} = l_i \cdot l_j$.",
            r"Call pairs with $g \ge s$ positive and all others negative.",
            "Take a step of RMSprop on the mean loss of all pairs.",
            "After each outer step lower s, from 0.9 in the first to 0.5 in the last.",
        ),
        pitfalls=(
            "Pairs that cannot be told yet are called negative: wrong ones among them have to be unlearned later.",
            "Nothing balances the clusters. The curve of used clusters shows what is left of them.",
            "The released log for MNIST peaks at 0.988 in epoch 7 of 20 and ends at 0.981.",
        ),
        deviations=(
            (
                "Labels come from the similarities of the step itself. The released MNIST script predicts a chunk of "
                "1000 images once, unaugmented, and trains five passes on its labels."
            ),
            "The loss is the paper's cross-entropy; that script has the squared error (option).",
            "The threshold falls over 46 epochs, as long as DAC takes; in that script over 20 × 5 passes.",
            "Pairs of a sample with itself do not count.",
            "Network, normalisation, scale of the logits, augmentation and RMSprop as for DAC.",
        ),
        paper_settings={
            "options": {"channels": 64, "dense_layers": 2, "augment": True},
            "training": {"batch_size": 128},
        },
        published=(
            Published("MNIST", TABLE, acc=0.9660, nmi=0.9246, ari=0.9406),
            Published("CIFAR-10", TABLE, acc=0.4982, nmi=0.3793, ari=0.2802),
            Published("CIFAR-100 (20)", TABLE, acc=0.2189, nmi=0.1623, ari=0.0776),
            Published("STL-10", TABLE, acc=0.4337, nmi=0.3474, ari=0.2351),
            Published("ImageNet-10", TABLE, acc=0.5026, nmi=0.3693, ari=0.2837),
            Published("ImageNet-Dog", TABLE, acc=0.2455, nmi=0.1815, ari=0.0953),
            Published("MNIST", "released log, epoch 20 of 20", acc=0.9810),
        ),
    )
    uses = USES

    class Options(PairOptions):
        cluster_epochs: int = option(
            46, low=1, high=100_000, unit="epochs", help="Passes over the data, in which the threshold falls."
        )
        loss: Literal["cross-entropy", "squared error"] = option(
            "cross-entropy", help="What a pair pays; the released script for MNIST has the squared error."
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return _built(self.options, shape, n_samples, n_clusters)

    def phases(self, model: PairModel, samples: Samples) -> Sequence[Phase]:
        outer_step = _outer_step(self, samples)
        steps = self.options.cluster_epochs * steps_per_epoch(samples, self.spec.training)
        length = -(-steps // outer_step)
        curriculum = Curriculum(model, lambda done: falling_threshold(done, length), outer_step)
        loss = pair_cross_entropy if self.options.loss == "cross-entropy" else pair_squared_error
        return [_compare(self, curriculum, samples, loss)]


def _built(options: PairOptions, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> PairModel:
    if options.augment and len(shape) == 1:
        raise SpecError("augment = true turns and moves images; this data has vectors: choose augment = false")
    classifier = PatternClassifier(
        shape,
        n_clusters,
        channels=options.channels,
        widths=options.widths,
        dense_layers=options.dense_layers,
    )
    return PairModel(classifier, n_samples)


def _outer_step(method: Method, samples: Samples) -> int:
    """Return the steps between two thresholds."""
    return max(1, round(method.options.outer_epochs * steps_per_epoch(samples, method.spec.training)))


def _thresholds_meet(values: Values) -> bool:
    return "upper_threshold" in values and values["upper_threshold"] <= values["lower_threshold"]


def _compare(
    method: Method,
    curriculum: Curriculum,
    samples: Samples,
    loss: Callable[[Pairs], Tensor],
    until: Callable[[Values], bool] | None = None,
) -> Phase:
    """Return the phase in which pairs teach the classifier."""
    options: PairOptions = method.options
    model = curriculum.model
    term = Term(
        "pairs",
        lambda current: loss(curriculum.pairs(current)),
        symbol="L(r, g)",
        latex=r"L(r_{ij}, l_i \cdot l_j)",
        help="Cross-entropy (or squared error) of the similarities of selected pairs, mean over them.",
    )
    optimiser = Optimiser("rmsprop", options.learning_rate)
    player = Player("classifier", tuple(model.classifier.parameters()), (term,), optimiser)

    def augmented(current: Pass) -> Tensor:
        logits: Tensor = model.classifier.represent(distort(current.x))
        return logits

    return classify(
        model,
        samples,
        method.spec.training,
        options.cluster_epochs,
        [player],
        name="compare",
        title="comparing pairs",
        draw=augmented if options.augment else None,
        on_enter=lambda: curriculum.enter(samples),
        after_step=curriculum.step,
        until=until,
        observe=curriculum.observations(),
    )
