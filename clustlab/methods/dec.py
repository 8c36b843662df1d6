"""DEC, deep embedded clustering (Xie, Girshick, Farhadi, ICML 2016)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from clustlab.methods.base import Card, Every, Method, Optimiser, Phase, Player, Published, Samples, Term, Values
from clustlab.methods.pretraining import DEC_SETTINGS, pretrain, steps_per_epoch
from clustlab.networks import Autoencoder
from clustlab.objectives.student_t import kl_divergence, soft_assignment, target_distribution
from clustlab.readout import KMeansProtocol, fit
from clustlab.spec import Network, Part, option

__all__ = ["DEC", "ClusteringOptions", "SoftClusteringModel", "clustering_phase", "clustering_term"]


class SoftClusteringModel(nn.Module):
    """An autoencoder with centroids in its code space, and the target distribution in force.

    Attributes
    ----------
    centroids : Parameter (K, J)
    target : Tensor (n, K)
        P of the *whole* data set, indexed by sample.
    labels : Tensor (n,), int64
        argmax Q at the last refresh; −1 before the first.
    """

    target: Tensor
    labels: Tensor

    def __init__(self, shape: tuple[int, ...], network: Network, n_samples: int, n_clusters: int) -> None:
        super().__init__()
        self.autoencoder = Autoencoder(shape, network)
        self.centroids = nn.Parameter(torch.zeros(n_clusters, network.latent_dim))
        self.register_buffer("target", torch.zeros(n_samples, n_clusters))
        self.register_buffer("labels", torch.full((n_samples,), -1))

    def assign(self, z: Tensor) -> Tensor:
        """Codes (n, J) → soft assignments Q (n, K)."""
        return soft_assignment(z, self.centroids)

    def place_centroids(self, samples: Samples, protocol: KMeansProtocol, seed: int) -> None:
        """Put the centroids where k-means finds them in the codes (DEC, section 3.2)."""
        codes = samples.map(self.autoencoder.encoder)
        _, centroids, _ = fit(codes.cpu().numpy(), len(self.centroids), seed=seed, protocol=protocol)
        with torch.no_grad():
            self.centroids.copy_(torch.from_numpy(centroids))
        self.labels.fill_(-1)  # there are others in a checkpoint of another method

    def refresh_target(self, samples: Samples) -> Values:
        """Compute P from Q of all samples; return the share of samples whose label has changed since last time.

        The first refresh returns no share: there is nothing to compare with, and k-means labels differ a little
        from argmax Q.
        """
        q = samples.map(lambda x: self.assign(self.autoencoder.encoder(x)))
        self.target = target_distribution(q)
        before, self.labels = self.labels, q.argmax(dim=1)
        return {} if before[0] < 0 else {"label_change": (self.labels != before).float().mean().item()}


def clustering_term(model: SoftClusteringModel, weight: float = 1.0, weight_symbol: str = "") -> Term:
    """Return KL(P‖Q) with the stored rows of P (DEC, eq. 2)."""
    return Term(
        "clustering",
        lambda current: kl_divergence(model.target[current.index], current.q),
        weight=weight,
        weight_symbol=weight_symbol,
        symbol="KL(P‖Q)",
        latex=r"\mathrm{KL}(P \,\Vert\, Q)",
        help="How far the soft assignments Q are from their sharpened target P, sum over clusters.",
    )


class ClusteringOptions(Part):
    """What DEC's clustering phase and its relatives can be told."""

    cluster_epochs: int = option(
        150, low=1, high=100_000, unit="epochs", help="Length of the clustering phase, if labels never settle."
    )
    target_interval: float = option(
        1.0,
        above=0,
        high=1000,
        symbol="T",
        unit="epochs",
        help="Time between new targets P. IDEC's 140 steps on MNIST are half an epoch.",
    )
    tolerance: float = option(
        0.001,
        low=0,
        high=1,
        symbol=r"\delta",
        help="Stop when fewer than this share of the samples change cluster between two targets.",
    )
    n_init: int = option(20, low=1, high=1000, help="Seedings of the k-means that places the centroids.")

    def interval(self, steps: int) -> int:
        """Steps between targets, given the steps in an epoch."""
        return max(1, round(self.target_interval * steps))


class DEC(Method):
    """Sharpen the soft assignments until they settle; the decoder is dropped after pretraining."""

    name = "dec"
    card = Card(
        title="DEC",
        paper="Xie, Girshick and Farhadi, “Unsupervised deep embedding for clustering analysis”, ICML 2016",
        idea="Trust confident assignments: move codes and centroids towards a sharpened version of what they say.",
        objective=r"\min_{f, \mu} \mathrm{KL}(P \,\Vert\, Q) = \sum_i \sum_j p_{ij} \log \frac{p_{ij}}{q_{ij}}",
        symbols={
            "q_{ij}": "soft assignment of sample i to centroid j (Student's t)",
            "p_{ij}": "target: q squared, divided by the soft frequency of the cluster, normalised",
            r"\mu_j": "centroid",
            "f": "encoder",
        },
        look_for="Clusters contract around their centroids; what was undecided is pulled to one side, right or wrong.",
        algorithm=(
            "Pretrain an autoencoder, then drop its decoder.",
            "Place the centroids by k-means on the codes.",
            "Every T epochs compute Q of all samples and sharpen it to P.",
            "Until the next targets, move encoder and centroids by stochastic gradient descent on KL(P‖Q).",
            r"Stop when fewer than $\delta$ of the samples have changed cluster between two targets.",
        ),
        pitfalls=(
            "Pretraining decides: the same loss has been reported with .60 to .91 on MNIST.",
            "P must come from all samples and be looked up by sample; the lab keeps it as one table.",
            (
                "A loss of zero proves nothing: it is reached as well where all samples are told the same. "
                "The vital signs (effective rank, active clusters) tell."
            ),
            (
                "Codes far from all centroids have next to no gradient; the input is scaled to a mean square of one, "
                "as in section 4 of the paper."
            ),
        ),
        deviations=(
            "Pretraining is end to end with Adam (“stacked denoising” is the paper's layer-wise recipe, with Adam).",
            "The network is 256-128-10, not 500-500-2000-10, for a tenth of the time and some points of accuracy.",
            "Targets are renewed once an epoch; the paper has every 40 steps, its code every 160 on MNIST.",
        ),
        paper_settings=DEC_SETTINGS,
        published=(
            Published("MNIST", "Guo et al. 2017 (IDEC), table 2", acc=0.8655, nmi=0.8372),
            Published("MNIST", "Guo et al. 2018 (DEC-DA), tables 2 and 3, 5 runs", acc=0.863, nmi=0.834),
            Published("USPS", "Guo et al. 2017 (IDEC), table 2", acc=0.7408, nmi=0.7529),
            Published("Reuters-10k", "Guo et al. 2017 (IDEC), table 2; another subset", acc=0.7368, nmi=0.4976),
            Published("Fashion-MNIST", "Guo et al. 2018 (DEC-DA), tables 2 and 3, 5 runs", acc=0.518, nmi=0.546),
        ),
    )

    class Options(ClusteringOptions):
        learning_rate: float = option(0.01, above=0, high=10, help="SGD's step size while clustering.")
        momentum: float = option(0.9, low=0, high=0.9999, help="SGD's momentum while clustering.")

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return SoftClusteringModel(shape, self.spec.network, n_samples, n_clusters)

    def phases(self, model: SoftClusteringModel, samples: Samples) -> Sequence[Phase]:
        options, autoencoder = self.options, model.autoencoder
        player = Player(
            "encoder and centroids",
            (*autoencoder.encoder.parameters(), model.centroids),
            (clustering_term(model),),
            Optimiser("sgd", options.learning_rate, options.momentum),
        )
        return [
            *pretrain(autoencoder, samples, self.spec.training),
            clustering_phase(self, model, samples, player, decode=None, frozen_decode=autoencoder.decoder),
        ]


def clustering_phase(
    method: Method,
    model: SoftClusteringModel,
    samples: Samples,
    player: Player,
    *,
    decode: Callable[[Tensor], Tensor] | None,
    frozen_decode: Callable[[Tensor], Tensor] | None = None,
) -> Phase:
    """Return the phase in which Q runs after P: DEC's algorithm, whatever else the player minimises."""
    options: ClusteringOptions = method.options
    per_epoch = steps_per_epoch(samples, method.spec.training)
    return Phase(
        name="cluster",
        title="clustering",
        steps=options.cluster_epochs * per_epoch,
        players=(player,),
        encode=model.autoencoder.encoder,
        decode=decode,
        frozen_decode=frozen_decode,
        assign=model.assign,
        centroids=lambda: model.centroids,
        target=lambda index: model.target[index],
        on_enter=lambda: model.place_centroids(samples, KMeansProtocol(n_init=options.n_init), method.spec.seed),
        every=(Every(options.interval(per_epoch), "target", lambda: model.refresh_target(samples)),),
        until=lambda values: values.get("label_change", 1.0) < options.tolerance,
    )
