"""ADMM between a network and a clustering model, and DC-Kmeans (Tian, Zhou, Guan, “DeepCluster”, ECML PKDD 2017).

Any clustering model can be put on top of an autoencoder if it works on copies y of the codes, which ADMM keeps close to
them. A method of this kind is a model with ``start`` and ``update``; :func:`splitting` is its phase. The other is
DC-GMM.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from clustlab.methods.abc import HardClusteringModel, HardClusteringOptions, features
from clustlab.methods.base import (
    Card,
    Every,
    Method,
    Observation,
    Optimiser,
    Phase,
    Player,
    Samples,
    Term,
    Values,
)
from clustlab.methods.pretraining import pretrain, reconstruction, steps_per_epoch
from clustlab.objectives.admm import disagreement, pull_to_centroid, residuals
from clustlab.objectives.kmeans import lloyd_step, nearest_centroid
from clustlab.spec import Network, option

__all__ = ["DEVIATIONS", "PITFALLS", "SYMBOLS", "ADMMModel", "DCKMeans", "KMeansADMM", "splitting"]


SYMBOLS = {
    "x_i": "sample",
    "f, g": "encoder, decoder",
    "y_i": "copy of the code of sample i, on which the clustering model works",
    "u_i": "scaled dual variable: the running sum of how far copy and code disagree",
    r"\rho": "penalty on that disagreement",
    "R": "weight of the penalty in the network's step",
    "d": "features of a sample",
}

DEVIATIONS = (
    (
        "Our reconstruction error is a mean over the d features, the paper's a sum; the network's objective is "
        "divided by d/2, so that the weight of the penalty keeps its meaning and appears as R/d."
    ),
    (
        "Linear codes in the shared network with the shared pretraining instead of sigmoid codes; Adam with a step "
        "size of 10⁻³ instead of Adadelta."
    ),
    (
        "An iteration begins with the clustering model instead of the network: the first epoch of the network, with y "
        "= f(x) and u = 0, would be another one of pretraining."
    ),
    (
        "The released scripts keep track of the best accuracy over the iterations, which takes labels; here the last "
        "iteration counts."
    ),
)

PITFALLS = (
    (
        "It is no descent method: losses may rise. Watch the primal residual (copies against codes) and the dual one "
        "(how far copies still move); both are curves."
    ),
    "ρ → 0 pins copies to the clustering model, a hard pull; ρ → ∞ pins them to f(x) − u, and nothing clusters.",
    "If an epoch is too short for the network to follow, dual variables grow without bound; their size is a curve.",
)


class ADMMModel(HardClusteringModel, ABC):
    """What ADMM must not forget between iterations.

    Attributes
    ----------
    auxiliary : Tensor (n, J)
        y, the copies of the codes that the clustering model works on.
    dual : Tensor (n, J)
        u, the scaled dual variables.
    rho : Tensor ()
        The penalty in force.
    """

    auxiliary: Tensor
    dual: Tensor
    rho: Tensor

    def __init__(
        self, shape: tuple[int, ...], network: Network, n_samples: int, n_clusters: int, penalty: float
    ) -> None:
        super().__init__(shape, network, n_samples, n_clusters)
        self.register_buffer("auxiliary", torch.zeros(n_samples, network.latent_dim))
        self.register_buffer("dual", torch.zeros(n_samples, network.latent_dim))
        self.penalty = penalty
        self.register_buffer("rho", torch.tensor(penalty))

    def penalty_in_units(self) -> float | Tensor:
        """Return the penalty in the units of the clustering model."""
        return self.penalty

    @abstractmethod
    def start(self, codes: Tensor) -> None:
        """Set what the clustering model has besides centroids and labels, which k-means has just placed."""

    @abstractmethod
    def update(self, v: Tensor) -> Tensor:
        """Update labels, copies and parameters of the clustering model, given f(x) − u (n, J); return dead clusters."""

    def begin(self, samples: Samples, n_init: int, seed: int) -> None:
        """Place centroids by k-means; copies are the codes, duals zero."""
        codes = self.place_centroids(samples, n_init, seed)
        self.auxiliary, self.dual = codes, torch.zeros_like(codes)
        self.start(codes)
        self._renew_penalty()

    def iterate(self, samples: Samples, dual_step: float) -> Values:
        """Update the clustering model on the copies, then the dual variables: u ← u + dual_step (y − f(x))."""
        self._renew_penalty()
        codes, y_before, labels_before = self.encode_all(samples), self.auxiliary, self.labels
        dead = self.update(codes - self.dual)
        self.dual = self.dual + dual_step * (self.auxiliary - codes)
        primal, step = residuals(codes, self.auxiliary, y_before, self.rho)
        return {
            "label_change": (self.labels != labels_before).float().mean().item(),
            "dead_clusters": dead.item(),
            "primal_residual": primal.item(),
            "dual_residual": step.item(),
            "dual_size": self.dual.square().sum(dim=1).mean().sqrt().item(),
        }

    def _renew_penalty(self) -> None:
        """Let the option say what ρ is: the checkpoint that a fork begins from may be of another one."""
        self.rho = torch.as_tensor(self.penalty_in_units(), dtype=self.rho.dtype, device=self.rho.device)


class KMeansADMM(ADMMModel):
    """k-means on the copies."""

    def start(self, codes: Tensor) -> None:
        """Centroids and labels are all there is."""

    def update(self, v: Tensor) -> Tensor:
        self.labels = nearest_centroid(self.auxiliary, self.centroids)
        dead = torch.bincount(self.labels, minlength=len(self.centroids)) == 0
        self.auxiliary = pull_to_centroid(v, self.centroids[self.labels], self.rho)
        # The centroids become means of the copies; a dead cluster begins anew at the copy farthest from its own.
        self.centroids, _ = lloyd_step(self.auxiliary, self.labels, self.centroids)
        return dead.sum()


def splitting(
    method: Method,
    model: ADMMModel,
    samples: Samples,
    *,
    dual_step: float,
    assign: Callable[[Tensor], Tensor] | None = None,
    observe: Mapping[str, Observation] | None = None,
) -> Phase:
    """Return the phase in which network, clustering model and dual variables are updated in turn, once an epoch.

    The network's epoch comes last in an iteration, not first: y = f(x) and u = 0 would make its first epoch another
    one of pretraining.
    """
    options, autoencoder = method.options, model.autoencoder
    per_epoch = steps_per_epoch(samples, method.spec.training)
    agreement = Term(
        "clustering",
        lambda current: model.rho * disagreement(current.z, model.auxiliary[current.index], model.dual[current.index]),
        weight=options.cluster_weight / features(samples),
        weight_symbol="R/d",
        symbol="ρ‖y − z + u‖²",
        latex=r"\rho \lVert y - z + u \rVert^2",
        help="Squared distance between a code and where its copy and its dual variable want it, sum over coordinates.",
    )
    player = Player(
        "autoencoder",
        tuple(autoencoder.parameters()),
        (reconstruction, agreement),
        Optimiser("adam", options.learning_rate),
    )
    shown = {
        "auxiliary": Observation(lambda probe: model.auxiliary[probe.index]),
        "dual": Observation(lambda probe: model.dual[probe.index]),
        "pull": Observation(lambda probe: model.auxiliary[probe.index] + model.dual[probe.index]),
    }
    return Phase(
        name="cluster",
        title="clustering",
        steps=options.cluster_epochs * per_epoch,
        players=(player,),
        encode=autoencoder.encoder,
        decode=autoencoder.decoder,
        assign=assign,
        centroids=lambda: model.centroids,
        labels=lambda index: model.labels[index],
        on_enter=lambda: model.begin(samples, options.n_init, method.spec.seed),
        every=(Every(per_epoch, "admm", lambda: model.iterate(samples, dual_step)),),
        observe={**shown, **(observe or {})},
    )


class DCKMeans(Method):
    """k-means on copies of the codes."""

    name = "dc-kmeans"
    card = Card(
        title="DC-Kmeans",
        paper="Tian, Zhou and Guan, “DeepCluster: a general clustering framework based on deep learning”, "
        "ECML PKDD 2017 (not the DeepCluster of Caron et al. 2018)",
        idea="Give k-means copies of the codes to move as it likes, and let network and copies negotiate.",
        objective=r"\min_{f, g, y, c} \sum_i \tfrac{1}{2} \lVert x_i - g(f(x_i)) \rVert^2 "
        r"+ \tfrac{1}{2} \lVert y_i - c_{s_i} \rVert^2 + \tfrac{\rho}{2} \lVert y_i - f(x_i) + u_i \rVert^2",
        symbols={**SYMBOLS, "c_{s_i}": "centroid of the cluster that copy i is in"},
        look_for="Copies jump half-way to their centroids, codes follow, and the dual variables settle the difference.",
        algorithm=(
            "Pretrain the autoencoder; k-means on the codes gives centroids; $y = f(x)$, $u = 0$.",
            (
                r"Each copy chooses its nearest centroid, then "
                r"$y_i = \frac{c_{s_i} + \rho (f(x_i) - u_i)}{1 + \rho}$; centroids become means of copies."
            ),
            r"$u_i \leftarrow u_i + y_i - f(x_i)$.",
            (
                r"Train $f$ and $g$ for an epoch on $\tfrac{1}{2} \lVert x - \hat{x} \rVert^2 + R \tfrac{\rho}{2} "
                r"\lVert y - z + u \rVert^2$. Repeat."
            ),
        ),
        pitfalls=(
            *PITFALLS,
            (
                "Clusters die. The number of dead ones is a curve, and each begins anew at the copy farthest from its "
                "own centroid."
            ),
        ),
        deviations=DEVIATIONS,
    )

    class Options(HardClusteringOptions):
        cluster_epochs: int = option(
            200, low=1, high=100_000, unit="epochs", help="Length of the clustering phase; an epoch is an iteration."
        )
        penalty: float = option(
            1.0,
            above=0,
            high=1e6,
            symbol=r"\rho",
            help="How much copies mind being away from the codes, against being away from their centroids.",
        )
        cluster_weight: float = option(
            1.0, low=0, high=1e6, symbol="R", help="Weight of the penalty in the network's loss; 0.01 for Reuters."
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return KMeansADMM(shape, self.spec.network, n_samples, n_clusters, self.options.penalty)

    def phases(self, model: KMeansADMM, samples: Samples) -> Sequence[Phase]:
        return [
            *pretrain(model.autoencoder, samples, self.spec.training),
            splitting(self, model, samples, dual_step=1.0),
        ]
