"""RIM, regularised information maximisation (Krause, Perona, Gomes, NIPS 2010): linear, with a kernel, and deep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from clustlab.methods.base import Card, Every, Method, Observation, Optimiser, Phase, Player, Published, Samples, Term
from clustlab.methods.classification import (
    IMSAT_SETTINGS,
    USES,
    ClassifierModel,
    ClassifierOptions,
    classify,
    conditional_entropy_term,
    marginal_entropy_term,
)
from clustlab.networks.classifier import Centring, Classifier, SoftmaxClassifier
from clustlab.networks.kernel_features import KernelFeatures
from clustlab.readout import KMeansProtocol, fit
from clustlab.spec import Part, option

__all__ = ["DeepRIM", "KernelRIM", "KernelRIMModel", "LinearRIM", "weight_penalty_term"]

PAPER = "Krause, Perona and Gomes, “Discriminative clustering by regularized information maximization”, NIPS 2010"

LOOK = 10
"""Full-batch steps between two looks at all samples."""

STAIRS, LAST = 10, 0.01
"""The step size falls in so many stairs towards this share of what it was, so that the objective settles."""

SYMBOLS = {
    "x": "sample",
    "y": "cluster, 1 … K",
    "H(Y|X)": "mean entropy of a sample's p(y|x)",
    "H(Y)": "entropy of the mean p(y|x)",
    r"\lambda": "weight of the penalty",
}

PROVES_NOTHING = (
    "Mutual information near log K proves nothing: every balanced partition that is sure of itself has it. "
    "The penalty is what prefers one partition to another."
)


class FullBatchOptions(Part):
    """What linear and kernel RIM can be told, beside the penalty."""

    start: Literal["k-means", "random"] = option(
        "k-means",
        help="First weights: such that the first clusters are those of k-means, or small random ones.",
    )
    cluster_epochs: int = option(
        500, low=1, high=100_000, unit="epochs", help="Steps; each is taken on all samples at once."
    )
    n_init: int = option(10, low=1, high=1000, help="Seedings of the k-means that gives the first weights.")


class LinearRIM(Method):
    """A linear classifier that is sure of every sample and uses all clusters alike, with small weights."""

    name = "rim"
    card = Card(
        title="RIM",
        paper=PAPER,
        idea="Be sure of every sample, use all clusters alike, and draw borders as simple as possible.",
        objective=r"\min_{w, b} H(Y|X) - H(Y) + \lambda \sum_k \lVert w_k \rVert^2, \quad "
        r"p(y = k | x) \propto e^{w_k^\top x + b_k}",
        symbols=SYMBOLS | {"w_k, b_k": "weights and bias of cluster k"},
        look_for="H(Y|X) falls while H(Y) stays near log K. Weights that shrink to zero are clusters given up.",
        algorithm=(
            "Centre the samples.",
            (
                r"Start from k-means: with $w_k = 2 c_k$ and $b_k = -\lVert c_k \rVert^2$ each sample's first cluster "
                "is that of its nearest centroid."
            ),
            "Step on all samples at once, until the objective has settled.",
            r"A sample's cluster is $\arg\max_k p(k|x)$.",
        ),
        pitfalls=(
            PROVES_NOTHING,
            (
                r"Too large a $\lambda$ empties clusters: with a generous K that is a way to choose their number. "
                "The panel Pruning shows which ones are left."
            ),
            "Random starts end in local optima; of several seeds keep the lowest objective, never the best ACC.",
            "Clusters are pushed to equal sizes; where classes are not balanced, borders are forced.",
            "Close to k-means by nature: Jabi et al. (2021) show its loss to be a soft, regularised one of k-means.",
        ),
        deviations=(
            "Adam on all samples with a falling step size in place of L-BFGS; it ends at the same objective.",
            (
                r"$\lambda$ is not free of scale: features here have a mean square of one, and 0.002 asks of digits "
                "what 0.0005 asks of pixels in 0 … 1."
            ),
            "The start from k-means is ours; small random weights are an option.",
            "The forms with unequal cluster proportions and with some labels known are left out.",
        ),
    )
    uses = frozenset()

    class Options(FullBatchOptions):
        weight_penalty: float = option(
            0.002, low=0, high=100, symbol=r"\lambda", help="How much small weights count; too much empties clusters."
        )
        learning_rate: float = option(0.05, above=0, high=10, help="Adam's first step size; it falls to a sixtieth.")

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        centring = Centring(shape)
        return ClassifierModel(SoftmaxClassifier(centring, len(centring.centre), n_clusters, scale=0.25), n_samples)

    def phases(self, model: ClassifierModel, samples: Samples) -> Sequence[Phase]:
        head = model.classifier.head
        phase = full_batch(
            self,
            model,
            samples,
            weight_penalty_term([head.weight], self.options.weight_penalty, "Σ‖w‖²", r"\sum_k \lVert w_k \rVert^2"),
            prepare=lambda: model.classifier.body.fit(samples.x),
            representations=lambda: samples.map(model.classifier.represent),
        )
        images = Observation(lambda _: head.weight.detach().unflatten(1, samples.shape), cluster_axes=(0,))
        return [phase.with_observations(cluster_weights=images)]


class KernelRIMModel(ClassifierModel):
    """A linear classifier on kernel features, and the features of all samples.

    Attributes
    ----------
    features : Tensor (n, J)
        Kept because every step asks for all of them.
    """

    features: Tensor

    def __init__(self, classifier: SoftmaxClassifier, n_samples: int) -> None:
        super().__init__(classifier, n_samples)
        self.register_buffer("features", torch.zeros(n_samples, classifier.head.in_features))

    @torch.no_grad()
    def beliefs(self, samples: Samples) -> Tensor:
        p: Tensor = self.classifier.assign(self.features)
        return p


class KernelRIM(Method):
    """RIM with borders that can bend: linear in the features of a Gaussian kernel."""

    name = "kernel-rim"
    card = Card(
        title="Kernel RIM",
        paper=PAPER,
        idea="RIM with curved borders: a sample's cluster follows from what it is similar to.",
        objective=r"\min_{\alpha, b} H(Y|X) - H(Y) + \lambda \sum_k \alpha_k^\top \mathbf{K} \alpha_k, \quad "
        r"p(y = k | x) \propto e^{\sum_j \alpha_{jk} \kappa(x_j, x) + b_k}",
        symbols=SYMBOLS
        | {
            r"\kappa": r"Gaussian kernel, $e^{-\lVert x - x' \rVert^2 / 2 \sigma^2}$",
            r"x_j, \mathbf{K}": "landmarks, and the kernel between them",
            r"\alpha_{jk}, b_k": "what similarity to landmark j says for cluster k, and bias",
        },
        look_for="Clusters on the map that no straight border could cut out; the rest is as in RIM.",
        algorithm=(
            r"Set $\sigma$ to the median distance between samples and compute $\mathbf{K}$ of the landmarks.",
            (
                r"Write $\alpha = U \Lambda^{-1/2} w$ with the leading eigenvectors of $\mathbf{K}$: RIM on the "
                r"features $\Lambda^{-1/2} U^\top \kappa(x)$. Now $\lVert w_k \rVert^2$ is the penalty."
            ),
            "Start from k-means of the features; step on all samples at once.",
        ),
        pitfalls=(
            PROVES_NOTHING,
            r"A small $\sigma$ lets borders wind around single samples; no label may choose it.",
            "Memory grows with the number of samples times that of features, and with the landmarks' square.",
        ),
        deviations=(
            "Only the leading eigenvectors are kept: codes stay short, and Adam finds the optimum in few steps.",
            "Above a limit, random samples serve as landmarks for all.",
            (
                r"$\lambda$ is 0.002, as in RIM, times the variance of the features over that of the samples (digits: "
                "0.39 to 20), so that it holds weights back as much."
            ),
            "Adam in place of L-BFGS and the start from k-means, as in RIM.",
        ),
    )
    uses = frozenset()

    class Options(FullBatchOptions):
        weight_penalty: float = option(
            4e-5, low=0, high=100, symbol=r"\lambda", help="How much small weights count; too much empties clusters."
        )
        learning_rate: float = option(0.5, above=0, high=10, help="Adam's first step size; it falls to a sixtieth.")
        bandwidth: float = option(
            1.0,
            above=0,
            high=100,
            symbol=r"\sigma",
            unit="median distances",
            help="Width of the kernel, as a multiple of the median distance between samples.",
        )
        n_features: int = option(
            100, low=1, high=1024, symbol="J", help="Leading eigenvectors kept, at most as many as landmarks."
        )
        landmarks: int = option(
            1000,
            low=10,
            high=10_000,
            unit="samples",
            help="Random samples to which others are compared, at most; memory grows with their square.",
            advanced=True,
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        n_landmarks = min(self.options.landmarks, n_samples)
        n_features = min(self.options.n_features, n_landmarks)
        features = KernelFeatures(shape, n_landmarks, n_features)
        return KernelRIMModel(SoftmaxClassifier(features, n_features, n_clusters), n_samples)

    def phases(self, model: KernelRIMModel, samples: Samples) -> Sequence[Phase]:
        options, classifier = self.options, model.classifier
        weight = classifier.head.weight

        def prepare() -> None:
            classifier.body.fit(samples.x, bandwidth=options.bandwidth, seed=self.spec.seed)
            model.features.copy_(samples.map(classifier.represent))

        penalty = weight_penalty_term(
            [weight], options.weight_penalty, "ΣαᵀKα", r"\sum_k \alpha_k^\top \mathbf{K} \alpha_k"
        )
        return [
            full_batch(
                self,
                model,
                samples,
                penalty,
                prepare=prepare,
                representations=lambda: model.features,
                codes=lambda index: model.features[index],
            )
        ]


class DeepRIM(Method):
    """A network that is sure of every sample and uses all clusters alike, with small weights."""

    name = "deep-rim"
    card = Card(
        title="Deep RIM",
        paper=f"{PAPER}; as the baseline of Hu et al., “Learning discrete representations via information maximizing "
        "self-augmented training”, ICML 2017",
        idea="RIM with a network: be sure of every sample, use all clusters alike, and keep the weights small.",
        objective=r"\min_\theta H(Y|X) - \mu H(Y) + \lambda \sum_l \lVert W_l \rVert^2",
        symbols=SYMBOLS
        | {
            r"\mu": "weight of balance",
            r"\theta": "all that the network learns",
            "W_l": "weight matrix of layer l",
        },
        look_for="Mutual information rises to log K long before the clusters mean anything.",
        algorithm=(
            "Classify a batch of samples; H(Y) is that of the batch.",
            "Take a step of Adam that lowers H(Y|X), raises H(Y) and keeps the weight matrices small.",
            r"A sample's cluster is $\arg\max_k p(k|x)$, with the running averages of batch normalisation.",
        ),
        pitfalls=(
            PROVES_NOTHING,
            "A network can draw almost any border, and the penalty hardly minds which: results vary from seed to seed.",
            (
                "Batches that are small beside K underestimate H(Y); 25 samples a cluster are enough. Batches are "
                "shuffled: one of a single class would tear the class apart."
            ),
            "Dead clusters hide behind a high H(Y): soft mass without winners. The panel Information counts them.",
        ),
        deviations=(
            "The hidden layers are 256-256 instead of 1200-1200, which takes a fraction of the time.",
            (
                "The penalty is on weight matrices alone, as in RIM. Adam's weight decay reaches biases and the "
                "scales of batch normalisation as well; on digits it killed one to three clusters of ten. λ = 0.005 of "
                "the squared norms pulls twice as hard as a weight decay of 0.005 would."
            ),
        ),
        paper_settings=IMSAT_SETTINGS,
        published=tuple(
            Published(data, "Gupta et al. 2020 (KINGDRA), table of the talk, quoting Hu et al. 2017", acc=acc)
            for data, acc in (
                ("MNIST", 0.585),
                ("STL-10 (ResNet-50 features)", 0.925),
                ("CIFAR-10 (ResNet-50 features)", 0.403),
                ("Reuters-10k", 0.623),
                ("20 newsgroups", 0.251),
            )
        ),
    )
    uses = USES

    class Options(ClassifierOptions):
        marginal_weight: float = option(1.0, low=0, high=100, symbol=r"\mu", help="Weight of the marginal entropy.")
        weight_penalty: float = option(
            0.005, low=0, high=10, symbol=r"\lambda", help="How much small weights count; too much empties clusters."
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return ClassifierModel(Classifier(shape, self.options.widths, n_clusters), n_samples)

    def phases(self, model: ClassifierModel, samples: Samples) -> Sequence[Phase]:
        options, classifier = self.options, model.classifier
        matrices = [module.weight for module in classifier.modules() if isinstance(module, nn.Linear)]
        player = Player(
            "classifier",
            tuple(classifier.parameters()),
            (
                conditional_entropy_term(1.0, ""),
                marginal_entropy_term(options.marginal_weight, r"\mu"),
                weight_penalty_term(matrices, options.weight_penalty, "Σ‖W‖²", r"\sum_l \lVert W_l \rVert^2"),
            ),
            Optimiser("adam", options.learning_rate),
        )
        phase = classify(model, samples, self.spec.training, options.cluster_epochs, [player])
        return [phase.with_observations(weight_norms=_norms(classifier))]


def weight_penalty_term(weights: Sequence[Tensor], weight: float, symbol: str, latex: str) -> Term:
    r"""Return :math:`\lambda \sum \lVert W \rVert^2` of weights without their biases, the same for every sample."""
    return Term(
        "weight penalty",
        lambda current: torch.stack([each.square().sum() for each in weights]).sum().expand(len(current.index)),
        weight=weight,
        weight_symbol=r"\lambda",
        symbol=symbol,
        latex=latex,
        help="Sum of the squares of all weights, biases left out: small where borders are simple.",
    )


def full_batch(
    method: Method,
    model: ClassifierModel,
    samples: Samples,
    penalty: Term,
    *,
    prepare: Callable[[], None],
    representations: Callable[[], Tensor],
    codes: Callable[[Tensor], Tensor] | None = None,
) -> Phase:
    """Return the phase in which a linear layer on fixed representations is trained on all samples at once.

    Parameters
    ----------
    prepare : callable
        Fits what representations are made with; run first.
    representations : callable
        Those of all samples, (n, J).
    codes : callable, optional
        See ``Phase.codes``.
    """
    options: Any = method.options
    classifier, steps = model.classifier, options.cluster_epochs

    def start() -> None:
        prepare()
        if options.start == "k-means":
            z, protocol = representations().cpu().numpy(), KMeansProtocol(n_init=options.n_init)
            found = fit(z, classifier.head.out_features, seed=method.spec.seed, protocol=protocol)
            classifier.start_from(torch.from_numpy(found.centroids).to(samples.device))

    stairs = Optimiser(
        "adam", options.learning_rate, decay=LAST ** (1 / STAIRS), decay_steps=max(1, -(-steps // STAIRS))
    )
    terms = (conditional_entropy_term(1.0, ""), marginal_entropy_term(1.0, ""), penalty)
    return Phase(
        name="classify",
        title="classifying",
        steps=steps,
        players=(Player("classifier", tuple(classifier.head.parameters()), terms, stairs),),
        encode=classifier.represent,
        codes=codes,
        assign=classifier.assign,
        on_enter=start,
        every=(Every(LOOK, "look", lambda: model.watch(samples)),),
        full_batch=True,
        observe={"weight_norms": _norms(classifier)},
    )


def _norms(classifier: SoftmaxClassifier) -> Observation:
    """Show ‖w_k‖ of the last layer: a cluster whose weights vanish says the same of every sample."""
    return Observation(lambda _: classifier.head.weight.detach().norm(dim=1), cluster_axes=(0,), dtype=torch.float32)
