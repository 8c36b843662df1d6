"""DCN, deep clustering network (Yang, Fu, Sidiropoulos, Hong, ICML 2017): k-means-friendly codes, learned online."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from clustlab.methods.abc import HardClusteringModel, HardClusteringOptions, attraction, features
from clustlab.methods.base import (
    Card,
    Every,
    Method,
    Observation,
    Optimiser,
    Pass,
    Phase,
    Player,
    ProbePass,
    Published,
    Samples,
    Term,
    Values,
)
from clustlab.methods.pretraining import DEC_SETTINGS, pretrain, reconstruction, steps_per_epoch
from clustlab.metrics import match
from clustlab.objectives.centroid_updates import distance_to_means, reseed_empty, running_mean, variances
from clustlab.objectives.kmeans import lloyd_step, nearest_centroid
from clustlab.objectives.student_t import squared_distances
from clustlab.readout import KMeansProtocol, fit
from clustlab.spec import Network, option

__all__ = ["DCN", "DCNModel"]

LLOYD_STEPS = 300
"""Steps of the k-means that resets the centroids, at most (as many as scikit-learn's, which the authors use)."""


class DCNModel(HardClusteringModel):
    """Centroids that are running means.

    Attributes
    ----------
    counts : Tensor (K,)
        Samples that each centroid has counted; its step size is one over them.
    epochs : Tensor (), int64
        Epochs of the clustering phase so far.
    refitted : Tensor (K, J)
        Centroids of the k-means after training, kept apart from those learned online.
    """

    counts: Tensor
    epochs: Tensor
    refitted: Tensor

    def __init__(
        self, shape: tuple[int, ...], network: Network, n_samples: int, n_clusters: int, initial_count: int
    ) -> None:
        super().__init__(shape, network, n_samples, n_clusters)
        self.initial_count = initial_count
        self.register_buffer("counts", torch.full((n_clusters,), float(initial_count)))
        self.register_buffer("epochs", torch.zeros((), dtype=torch.int64))
        self.register_buffer("refitted", torch.zeros(n_clusters, network.latent_dim))

    def begin_counting(self) -> None:
        """Count from the start; the checkpoint that a fork begins from may have counted already, or otherwise."""
        self.counts, self.epochs = torch.full_like(self.counts, self.initial_count), torch.zeros_like(self.epochs)

    @torch.no_grad()
    def take_in(self, current: Pass) -> None:
        """Encode the batch anew, assign it, and let the centroids follow."""
        z = self.autoencoder.encoder(current.x)
        self.labels[current.index] = chosen = nearest_centroid(z, self.centroids)
        self.centroids, self.counts = running_mean(self.centroids, self.counts, z, chosen)

    def review(self, samples: Samples, reset_interval: int, reset_counts: bool) -> Values:
        """Look at all samples, once an epoch: revive dead clusters, and now and then run k-means to its end.

        ``label_change`` is the share of samples whose stored assignment, one visit old, is no longer the nearest
        centroid.
        """
        codes = self.encode_all(samples)
        nearest = nearest_centroid(codes, self.centroids)
        values = {"label_change": (self.labels != nearest).float().mean().item()}
        self.centroids, self.labels, dead = reseed_empty(codes, self.labels, self.centroids)
        self.counts = torch.where(dead, float(self.initial_count), self.counts)
        if reset_interval and self.epochs > 0 and self.epochs % reset_interval == 0:
            self._reset(codes, reset_counts)
        self.epochs = self.epochs + 1
        within, total = variances(codes, self.labels, self.centroids)
        return {
            **values,
            "dead_clusters": dead.sum().item(),
            "within_variance": within.item(),
            "total_variance": total.item(),
        }

    def _reset(self, codes: Tensor, reset_counts: bool) -> None:
        """Run Lloyd's algorithm from the centroids in force until assignments settle."""
        self.labels = nearest_centroid(codes, self.centroids)
        for _ in range(LLOYD_STEPS):
            before = self.labels
            self.centroids, self.labels = lloyd_step(codes, before, self.centroids)
            if torch.equal(self.labels, before):
                break
        if reset_counts:
            self.counts = torch.full_like(self.counts, self.initial_count)

    def refit(self, samples: Samples, n_init: int, seed: int) -> Values:
        """Run k-means afresh on the final codes; say how far its answer is from the one learned online.

        ``refit_label_change``: share of samples that it puts elsewhere, clusters matched. ``refit_inertia``: its
        inertia over that of the online centroids; well below 1, those had stayed behind.
        """
        codes = self.encode_all(samples)
        found = fit(codes.cpu().numpy(), len(self.centroids), seed=seed, protocol=KMeansProtocol(n_init=n_init))
        online = nearest_centroid(codes, self.centroids)
        self.refitted = torch.from_numpy(found.centroids).to(codes)
        labels = online.cpu().numpy()
        moved = match(found.labels, labels, len(self.centroids))[found.labels] != labels
        inertia = variances(codes, online, self.centroids)[0].item() * len(codes)
        return {"refit_label_change": float(moved.mean()), "refit_inertia": found.inertia / max(inertia, 1e-12)}


class DCN(Method):
    """Reconstruction, assignment and centroids take turns, mini-batch by mini-batch."""

    name = "dcn"
    card = Card(
        title="DCN",
        paper="Yang, Fu, Sidiropoulos and Hong, “Towards k-means-friendly spaces: simultaneous deep learning and "
        "clustering”, ICML 2017",
        idea="Learn codes in which k-means works: network, assignments and centroids are updated in turn, online.",
        objective=r"\min_{f, g, M, s} \sum_i \lVert x_i - g(f(x_i)) \rVert^2 "
        r"+ \frac{\lambda}{2} \lVert f(x_i) - M s_i \rVert^2",
        symbols={
            "x_i": "sample",
            "f, g": "encoder, decoder",
            "M": "centroids, as columns",
            "s_i": "one-hot assignment of sample i, stored when it was last visited",
            r"\lambda": "weight of the clustering term",
            "d": "features of a sample, by which the objective is divided here",
            "c_k": "samples that centroid k has counted; it moves by 1/c_k of the way",
        },
        look_for="Counts grow and centroids slow down, until the codes drift away from under them.",
        algorithm=(
            "Pretrain the autoencoder; k-means on the codes gives centroids and assignments.",
            "For each mini-batch, one gradient step on $f$ and $g$ with the stored assignments.",
            r"Encode the batch anew and assign it: $s_i = \arg\min_k \lVert z_i - m_k \rVert$.",
            (
                r"Sample by sample, $c_k \leftarrow c_k + 1$ and $m_k \leftarrow m_k - \frac{1}{c_k} (m_k - z_i)$; "
                "for a whole batch at once this is a weighted mean."
            ),
            "Every ten epochs, run k-means on all codes from the centroids in force.",
            "After training, run k-means afresh; its answer is a phase of its own.",
        ),
        pitfalls=(
            (
                r"Step sizes $1/c_k$ go to zero, so late in training centroids lag behind the codes. Their staleness "
                r"is recorded; the periodic k-means brings them back."
            ),
            (
                "A centroid that nobody chooses never moves again. The released code has its remedy commented out; "
                "here the number of dead clusters is a curve, and each begins anew at the sample farthest from its "
                "centroid."
            ),
            "The clustering term rewards shrinking all codes. Watch the variance within clusters against the total.",
            (
                "The final k-means hides stale centroids: compare the last frame of the clustering phase with the "
                "re-fit, and see how many labels it changes."
            ),
            "λ and the step size interact; ports report anything between 0.52 and 0.86 on MNIST.",
        ),
        deviations=(
            (
                "Our reconstruction error is a mean over the d features, the paper's a sum; the paper's objective is "
                "divided by d, so that λ keeps its meaning and appears as λ/2d. Ports that take the mean of one term "
                "and the sum of the other let the clustering term dominate."
            ),
            "λ = 2: the released code weighs both terms by 1 and has no ½.",
            (
                "Batches are shuffled; an assignment is used when its sample is next drawn, one visit old as in the "
                "released code."
            ),
            (
                "Adam with a step size of 10⁻³ instead of Nesterov's momentum with 10⁻⁴; shared network and "
                "pretraining instead of 784–500–500–2000–10 with tied weights and layer-wise pretraining."
            ),
            "k-means has 20 seedings as everywhere in this laboratory, 10 in the released code.",
        ),
        paper_settings=DEC_SETTINGS,
        published=(
            Published("MNIST", "the paper, as reported in DEC-DA (Guo et al. 2018) and others", 0.83, 0.81, 0.75),
            Published("MNIST", "FcDCN in DEC-DA (Guo et al. 2018), mean of 5", acc=0.901, nmi=0.849),
            Published("USPS", "as reported in DEC-DA (Guo et al. 2018)", acc=0.688, nmi=0.683),
            Published("USPS", "FcDCN in DEC-DA (Guo et al. 2018), mean of 5", acc=0.699, nmi=0.722),
            Published("Fashion-MNIST", "as reported in DEC-DA (Guo et al. 2018)", acc=0.501, nmi=0.558),
            Published("Fashion-MNIST", "FcDCN in DEC-DA (Guo et al. 2018), mean of 5", acc=0.557, nmi=0.638),
        ),
    )

    class Options(HardClusteringOptions):
        cluster_epochs: int = option(50, low=1, high=100_000, unit="epochs", help="Length of the clustering phase.")
        cluster_weight: float = option(
            2.0, low=0, high=1000, symbol=r"\lambda", help="Weight of the clustering term; its half is what counts."
        )
        initial_count: int = option(
            100,
            low=0,
            high=1_000_000,
            unit="samples",
            symbol="c_k",
            help="What each centroid is said to have counted at the start; the more, the slower its first steps.",
        )
        reset_interval: int = option(
            10, low=0, high=100_000, unit="epochs", help="Time between full runs of k-means on all codes; 0 for never."
        )
        reset_counts: bool = option(
            False, help="Whether such a run also sets the counts back; the released code leaves them.", advanced=True
        )
        refit: bool = option(True, help="Whether k-means is run afresh after training, as a phase of its own.")

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return DCNModel(shape, self.spec.network, n_samples, n_clusters, self.options.initial_count)

    def phases(self, model: DCNModel, samples: Samples) -> Sequence[Phase]:
        phases = [*pretrain(model.autoencoder, samples, self.spec.training), self._cluster(model, samples)]
        return [*phases, self._refit(model, samples)] if self.options.refit else phases

    def _cluster(self, model: DCNModel, samples: Samples) -> Phase:
        options, autoencoder = self.options, model.autoencoder
        per_epoch = steps_per_epoch(samples, self.spec.training)
        player = Player(
            "autoencoder",
            tuple(autoencoder.parameters()),
            (reconstruction, attraction(model, options.cluster_weight / (2 * features(samples)), "λ/2d")),
            Optimiser("adam", options.learning_rate),
        )

        def begin() -> None:
            model.place_centroids(samples, options.n_init, self.spec.seed)
            model.begin_counting()

        def staleness(probe: ProbePass) -> Tensor:
            return distance_to_means(probe.z, nearest_centroid(probe.z, model.centroids), model.centroids)

        return Phase(
            name="cluster",
            title="clustering",
            steps=options.cluster_epochs * per_epoch,
            players=(player,),
            encode=autoencoder.encoder,
            decode=autoencoder.decoder,
            centroids=lambda: model.centroids,
            on_enter=begin,
            every=(
                Every(
                    per_epoch,
                    "review",
                    lambda: model.review(samples, options.reset_interval, options.reset_counts),
                ),
            ),
            after_step=model.take_in,
            observe={
                "counts": Observation(lambda _: model.counts, cluster_axes=(0,), dtype=torch.float32),
                "staleness": Observation(staleness, cluster_axes=(0,), dtype=torch.float32),
                "pull": Observation(lambda probe: model.own_centroid(probe.index)),
            },
        )

    def _refit(self, model: DCNModel, samples: Samples) -> Phase:
        """A phase of one step in which nothing is trained: frames and result show k-means on the final codes."""
        autoencoder = model.autoencoder
        inertia = Term(
            "inertia",
            lambda current: squared_distances(current.z, model.refitted).amin(dim=1),
            symbol="‖z − μ‖²",
            latex=r"\lVert z - \mu \rVert^2",
            help="Squared distance of a code to the nearest centroid of the re-fit.",
        )
        return Phase(
            name="refit",
            title="k-means on the final codes",
            steps=1,
            players=(Player("centroids", (), (inertia,)),),
            encode=autoencoder.encoder,
            frozen_decode=autoencoder.decoder,
            centroids=lambda: model.refitted,
            on_enter=lambda: model.refit(samples, self.options.n_init, self.spec.seed),
            full_batch=True,
        )
