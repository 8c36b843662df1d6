"""k-means on the samples as they are (Lloyd 1982; seeding by k-means++, Arthur and Vassilvitskii 2007)."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from clustlab.methods.base import Card, Method, Pass, Phase, Player, Published, Samples, Term, Values
from clustlab.objectives.kmeans import lloyd_step, nearest_centroid
from clustlab.readout import KMeansProtocol, best_start
from clustlab.spec import Part, option

__all__ = ["KMeans", "KMeansModel", "lloyd"]


class KMeansModel(nn.Module):
    """Centroids (K, J) and the assignments (n,) in force."""

    centroids: Tensor
    labels: Tensor

    def __init__(self, n_samples: int, n_clusters: int, dimension: int) -> None:
        super().__init__()
        self.register_buffer("centroids", torch.zeros(n_clusters, dimension))
        self.register_buffer("labels", torch.zeros(n_samples, dtype=torch.int64))


def lloyd(
    model: KMeansModel,
    samples: Samples,
    encode: Callable[[Tensor], Tensor] | None,
    *,
    protocol: KMeansProtocol,
    seed: int,
    decode: Callable[[Tensor], Tensor] | None = None,
    codes_of: Callable[[Tensor], Tensor] | None = None,
    prepare: Callable[[], Values | None] | None = None,
) -> Phase:
    """Return the phase that runs Lloyd's algorithm on codes, one recorded frame a step.

    Codes are what ``encode`` makes of samples, or what ``codes_of`` knows of their rows (see ``Phase.codes``), once
    ``prepare`` has run. Of ``protocol.n_init`` seedings the one whose run ends at the lowest inertia is the one shown:
    restarts are judged by the objective, never by labels.
    """

    def start() -> Values | None:
        values = prepare() if prepare else None
        codes = phase.codes_of_all(samples)
        centroids = best_start(codes.cpu().numpy(), len(model.centroids), seed=seed, protocol=protocol)
        model.centroids = torch.from_numpy(centroids).to(codes)
        model.labels = nearest_centroid(codes, model.centroids)
        return values

    def step(current: Pass) -> Values:
        before = model.labels
        model.centroids, model.labels = lloyd_step(current.z, before, model.centroids)
        return {"label_change": (model.labels != before).float().mean().item()}

    inertia = Term(
        "inertia",
        lambda current: (current.z - model.centroids[model.labels]).square().sum(dim=1),
        symbol="‖z − μ‖²",
        latex=r"\lVert z - \mu_{s} \rVert^2",
        help="Squared distance of a code to the centroid of its cluster.",
    )
    phase = Phase(
        name="k-means",
        title="k-means",
        steps=protocol.max_iter,
        players=(Player("centroids", (), (inertia,)),),
        encode=encode,
        codes=codes_of,
        frozen_decode=decode,
        centroids=lambda: model.centroids,
        read_out=f"k-means on the codes: {protocol.n_init} k-means++ starts, lowest inertia, not whitened, all samples",
        on_enter=start,
        after_step=step,
        until=lambda values: values.get("label_change") == 0,
        full_batch=True,
        networks_rest=True,
        record_each_step=True,
    )
    return phase


class KMeans(Method):
    """Baseline: clusters in the space of the raw features, each Lloyd step recorded."""

    name = "kmeans"
    uses = frozenset()
    card = Card(
        title="k-means",
        paper="Lloyd 1982; k-means++ seeding of Arthur and Vassilvitskii 2007",
        idea="Every sample belongs to the nearest centroid, every centroid is the mean of its samples.",
        objective=r"\min_{\mu, s} \frac{1}{N} \sum_i \lVert x_i - \mu_{s_i} \rVert^2",
        symbols={"x_i": "sample", r"\mu_j": "centroid", "s_i": "cluster of sample i"},
        look_for="How few steps it takes, and that it cuts across clusters that are not round.",
        algorithm=(
            "Choose K samples far apart as first centroids (k-means++), in several ways.",
            "Assign every sample to the nearest centroid; move every centroid to the mean of its samples.",
            "Repeat until no sample changes; of all starts keep the one with the lowest inertia.",
        ),
        pitfalls=(
            "It takes clusters for round and equally wide: correlated features are cut across.",
            "Features of other units weigh by their size; the lab divides all features by one number, not by many.",
            "A cluster that loses its last sample starts again at the sample farthest from its own centroid.",
        ),
        published=(
            Published("MNIST", "Guo et al. 2017 (IDEC), table 2", acc=0.5324),
            Published("USPS", "Guo et al. 2017 (IDEC), table 2", acc=0.6682),
            Published("Reuters-10k", "Guo et al. 2017 (IDEC), table 2; another subset than ours", acc=0.5162),
            Published("Fashion-MNIST", "Guo et al. 2018 (DEC-DA), table 2", acc=0.474, nmi=0.512),
        ),
    )

    class Options(Part):
        n_init: int = option(20, low=1, high=1000, help="Seedings tried; the lowest inertia wins.")
        max_iter: int = option(300, low=1, high=10_000, unit="steps", help="Lloyd steps, at most.")

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return KMeansModel(n_samples, n_clusters, torch.Size(shape).numel())

    def phases(self, model: KMeansModel, samples: Samples) -> Sequence[Phase]:
        shape = samples.shape
        protocol = KMeansProtocol(n_init=self.options.n_init, max_iter=self.options.max_iter)
        return [
            lloyd(
                model,
                samples,
                encode=lambda x: x.flatten(1),
                decode=lambda z: z.unflatten(1, shape),  # a centroid of raw features is a sample already
                protocol=protocol,
                seed=self.spec.seed,
            )
        ]
