"""ABC, auto-encoder based clustering (Song, Liu, Huang, Wang, Tan, CIARP 2013)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from clustlab.errors import DataError
from clustlab.methods.base import (
    Card,
    Every,
    Method,
    Observation,
    Optimiser,
    Phase,
    Player,
    Published,
    Samples,
    Term,
    Values,
)
from clustlab.methods.pretraining import pretrain, reconstruction, steps_per_epoch
from clustlab.networks import Autoencoder
from clustlab.objectives.centroid_updates import variances
from clustlab.objectives.kmeans import lloyd_step, nearest_centroid
from clustlab.readout import KMeansProtocol, fit
from clustlab.spec import Network, Part, option

__all__ = ["ABC", "HardClusteringModel", "HardClusteringOptions", "attraction", "features"]


class HardClusteringModel(nn.Module):
    """An autoencoder, centroids in its code space, and the cluster that every sample is in.

    Attributes
    ----------
    centroids : Tensor (K, J)
        No parameters: they follow the codes by means, not by gradients.
    labels : Tensor (n,), int64
        Assignments in force, indexed by sample.
    """

    centroids: Tensor
    labels: Tensor

    def __init__(self, shape: tuple[int, ...], network: Network, n_samples: int, n_clusters: int) -> None:
        super().__init__()
        self.autoencoder = Autoencoder(shape, network)
        self.register_buffer("centroids", torch.zeros(n_clusters, network.latent_dim))
        self.register_buffer("labels", torch.zeros(n_samples, dtype=torch.int64))

    def encode_all(self, samples: Samples) -> Tensor:
        """Return the codes of all samples, (n, J).

        Raises
        ------
        DataError
            If they are not finite.
        """
        codes = samples.map(self.autoencoder.encoder)
        if not codes.isfinite().all():
            raise DataError("the codes are not finite numbers; training has diverged, try a smaller learning rate")
        return codes

    def place_centroids(self, samples: Samples, n_init: int, seed: int) -> Tensor:
        """Put centroids and assignments where k-means finds them in the codes; return the codes (n, J)."""
        codes = self.encode_all(samples)
        protocol = KMeansProtocol(n_init=n_init)
        labels, centroids, _ = fit(codes.cpu().numpy(), len(self.centroids), seed=seed, protocol=protocol)
        self.centroids = torch.from_numpy(centroids).to(codes)
        self.labels = torch.from_numpy(labels).to(codes.device)
        return codes

    def own_centroid(self, index: Tensor) -> Tensor:
        """Return the centroid that each sample is assigned to: rows (b,) → (b, J)."""
        return self.centroids[self.labels[index]]

    def move_centroids(self, samples: Samples) -> Values:
        """Assign all samples anew, make every centroid the mean of its own, and assign them to where those now are.

        A cluster that nobody chose is counted in ``dead_clusters`` and begins anew at the sample farthest from its
        own centroid.
        """
        codes, before = self.encode_all(samples), self.labels
        chosen = nearest_centroid(codes, self.centroids)
        dead = (torch.bincount(chosen, minlength=len(self.centroids)) == 0).sum()
        self.centroids, self.labels = lloyd_step(codes, chosen, self.centroids)
        within, total = variances(codes, self.labels, self.centroids)
        return {
            "label_change": (self.labels != before).float().mean().item(),
            "dead_clusters": dead.item(),
            "within_variance": within.item(),
            "total_variance": total.item(),
        }


def attraction(model: HardClusteringModel, weight: float, weight_symbol: str) -> Term:
    """Return ‖z − c*‖², which draws every code to the centroid it was assigned to (ABC, DCN)."""
    return Term(
        "clustering",
        lambda current: (current.z - model.own_centroid(current.index)).square().sum(dim=1),
        weight=weight,
        weight_symbol=weight_symbol,
        symbol="‖z − c*‖²",
        latex=r"\lVert z - c^* \rVert^2",
        help="Squared distance of a code to the centroid it was last assigned to, sum over coordinates.",
    )


def features(samples: Samples) -> int:
    """Return d, the numbers in a sample.

    The papers of this family sum the reconstruction error over d features and the clustering term over J coordinates.
    Our reconstruction is a mean over features, so their whole objective is divided by d, and weights keep their
    meaning.
    """
    return math.prod(samples.shape)


class HardClusteringOptions(Part):
    """What methods with hard assignments share."""

    learning_rate: float = option(1e-3, above=0, high=1, help="Adam's step size while clustering.")
    n_init: int = option(20, low=1, high=1000, help="Seedings of the k-means that places the centroids.")


class ABC(Method):
    """Reconstruct, and stay close to the centre chosen in the epoch before."""

    name = "abc"
    card = Card(
        title="ABC",
        paper="Song, Liu, Huang, Wang and Tan, “Auto-encoder based data clustering”, CIARP 2013",
        idea="k-means inside the autoencoder: while it learns to reconstruct, every code is drawn to its centre.",
        objective=r"\min_{f, g} \frac{1}{N} \sum_i \lVert x_i - g(f(x_i)) \rVert^2 "
        r"+ \lambda \frac{1}{N} \sum_i \lVert f(x_i) - c^*_i \rVert^2",
        symbols={
            "x_i": "sample",
            "N": "number of samples",
            "f, g": "encoder, decoder",
            "c^*_i": "centre nearest to the code of sample i when centres were last moved",
            r"\lambda": "weight of the attraction",
            "d": "features of a sample, by which the objective is divided here",
        },
        look_for="Clusters contract; compare the variance within them with the total one, which shrinks as well.",
        algorithm=(
            "Pretrain the autoencoder; k-means on the codes gives the first centres.",
            r"For one epoch, train $f$ and $g$ on both terms; the centres $c^*_i$ stay where they are.",
            "Encode all samples; each chooses its nearest centre.",
            "Each centre becomes the mean of the codes that chose it.",
            "From then on each code is drawn to the nearest of the moved centres. Repeat.",
        ),
        pitfalls=(
            (
                "Shrinking all codes, with the decoder's weights growing to match, lowers the clustering term at no "
                "cost. The curves show the variance within clusters and the total one; only their ratio tells."
            ),
            (
                "Clusters die. The number of dead ones is a curve, and each begins anew at the sample farthest from "
                "its centre."
            ),
            "Without the reconstruction term, mapping every sample to one point is optimal. It cannot be switched off.",
            "Some prints have a minus sign before λ; the term must attract.",
        ),
        deviations=(
            (
                "Our reconstruction error is a mean over the d features, the paper's a sum; the paper's objective is "
                "divided by d, so that λ = 0.1 of the released code means the same and appears as λ/d."
            ),
            (
                "The released code has sigmoid codes and a cross-entropy in place of the squared distance; ours are "
                "linear codes and the distance that the paper prints."
            ),
            "The first centres come from k-means on the codes, not from the means of a random labelling.",
            (
                "Adam with a step size of 10⁻³ instead of conjugate gradients, in the shared network with the shared "
                "pretraining instead of 784–1000–250–50–10 with stacked Boltzmann machines."
            ),
        ),
        paper_settings={"network": {"hidden": "1000-250-50"}},
        published=(
            Published("MNIST", "as reported in a comparison table of 2018 (HCIS)", acc=0.760, nmi=0.669),
            Published("USPS", "as reported in a comparison table of 2018 (HCIS)", acc=0.715, nmi=0.651),
        ),
    )

    class Options(HardClusteringOptions):
        cluster_epochs: int = option(60, low=1, high=100_000, unit="epochs", help="Length of the clustering phase.")
        cluster_weight: float = option(
            0.1, low=0, high=1000, symbol=r"\lambda", help="Weight of the attraction to the centres."
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return HardClusteringModel(shape, self.spec.network, n_samples, n_clusters)

    def phases(self, model: HardClusteringModel, samples: Samples) -> Sequence[Phase]:
        options, autoencoder = self.options, model.autoencoder
        per_epoch = steps_per_epoch(samples, self.spec.training)
        player = Player(
            "autoencoder",
            tuple(autoencoder.parameters()),
            (reconstruction, attraction(model, options.cluster_weight / features(samples), "λ/d")),
            Optimiser("adam", options.learning_rate),
        )

        def begin() -> None:
            model.place_centroids(samples, options.n_init, self.spec.seed)

        return [
            *pretrain(autoencoder, samples, self.spec.training),
            Phase(
                name="cluster",
                title="clustering",
                steps=options.cluster_epochs * per_epoch,
                players=(player,),
                encode=autoencoder.encoder,
                decode=autoencoder.decoder,
                centroids=lambda: model.centroids,
                on_enter=begin,
                every=(Every(per_epoch, "centroids", lambda: model.move_centroids(samples)),),
                observe={"pull": Observation(lambda probe: model.own_centroid(probe.index))},
            ),
        ]
