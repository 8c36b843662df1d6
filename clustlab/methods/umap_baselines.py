"""A layout by UMAP, then k-means or a mixture of Gaussians on it (McInnes, Healy, Melville 2018)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor, nn

from clustlab.errors import DataError
from clustlab.methods.base import Card, Method, Pass, Phase, Player, Samples, Term
from clustlab.methods.gmm import MixtureModel, expectation_maximisation
from clustlab.methods.kmeans import KMeansModel, lloyd
from clustlab.objectives.layout import attraction, repulsion
from clustlab.readout import GMMProtocol, KMeansProtocol
from clustlab.spec import Part, option

__all__ = ["LayoutModel", "LayoutOptions", "UMAPGMM", "UMAPKMeans", "layout_phase", "snapshot_epochs"]

SNAPSHOTS = 30
"""Moments of the layout that become frames, at most."""

NEGATIVE_SAMPLES = 5
"""Random samples that repel for each neighbour that attracts; the default of umap-learn."""

OTHERS = 20
"""Random samples that the repulsion of a sample is estimated from."""

EXACT = 4000
"""Samples up to which all distances are computed; above, umap-learn finds approximate neighbours."""

FEWEST = 10
"""Samples that a layout needs at least, besides one for each coordinate."""


class LayoutOptions(Part):
    """What UMAP can be told."""

    n_neighbours: int = option(
        15, low=2, high=1000, unit="samples", help="Size of the neighbourhoods that are kept: small is local."
    )
    min_dist: float = option(
        0.0,
        low=0,
        high=0.99,
        help="How close samples may come in the layout; 0 packs clusters tightly, 0.1 is nicer to look at.",
    )
    n_components: int = option(2, low=1, high=64, symbol="J", help="Number of coordinates of the layout.")
    layout_epochs: int = option(
        500, low=10, high=10_000, unit="epochs", help="Rounds of attraction and repulsion.", advanced=True
    )


@dataclass(frozen=True)
class Layouts:
    """How a layout grew: codes (s, n, J), and what its samples attract and repel each other with, (s, n) each."""

    codes: Tensor
    attraction: Tensor
    repulsion: Tensor


class LayoutModel(nn.Module):
    """The moments of a layout, and what is fitted to the last.

    Attributes
    ----------
    codes : Tensor (s, n, J)
        The layout at each of its moments.
    attraction, repulsion : Tensor (s, n)
        Terms of each sample at each moment.
    shown : Tensor (), int64
        The moment that training stands at.
    clusters : KMeansModel or MixtureModel
    """

    codes: Tensor
    attraction: Tensor
    repulsion: Tensor
    shown: Tensor

    def __init__(self, n_samples: int, options: LayoutOptions, clusters: KMeansModel | MixtureModel) -> None:
        super().__init__()
        moments = len(snapshot_epochs(options.layout_epochs))
        self.clusters = clusters
        self.register_buffer("codes", torch.zeros(moments, n_samples, options.n_components))
        self.register_buffer("attraction", torch.zeros(moments, n_samples))
        self.register_buffer("repulsion", torch.zeros(moments, n_samples))
        self.register_buffer("shown", torch.tensor(0))

    def codes_of(self, index: Tensor) -> Tensor:
        """Rows of the data set (b,) → their places in the layout, (b, J)."""
        return self.codes[self.shown, index]

    def go_on(self) -> None:
        """Show the next moment."""
        self.shown = (self.shown + 1).clamp_max(len(self.codes) - 1)

    def keep(self, layouts: Layouts) -> None:
        """Keep how a layout grew."""
        self.codes.copy_(layouts.codes)
        self.attraction.copy_(layouts.attraction)
        self.repulsion.copy_(layouts.repulsion)


class UMAPKMeans(Method):
    """Lay the neighbourhoods out in the plane, then let k-means cluster the plane."""

    name = "umap-kmeans"
    uses = frozenset()
    card = Card(
        title="UMAP + k-means",
        paper="McInnes, Healy and Melville, “UMAP: uniform manifold approximation and projection”, 2018; "
        "k-means as in Lloyd 1982",
        idea="Lay samples out so that neighbours stay neighbours and others keep away; clusters become islands.",
        objective=r"\min_z \sum_{ij} w_{ij} \big( -\log q_{ij} - m\, \mathbb{E}_{l} \log(1 - q_{il}) \big), \quad "
        r"q_{ij} = \frac{1}{1 + a \lVert z_i - z_j \rVert^{2b}}",
        symbols={
            "z_i": "place of sample i in the layout: its code",
            "w_{ij}": "membership strength: how surely i and j are neighbours among the samples",
            "q_{ij}": "the same in the layout",
            "m": "random others drawn for each neighbour",
            "l": "a random sample",
            "a, b": "shape of q, from the least distance",
        },
        look_for="Islands form within the first frames and only drift later. How far apart they lie means little, yet "
        "k-means goes by it.",
        algorithm=(
            "Weigh each sample's nearest neighbours by their distance, and symmetrise.",
            "Start from the spectral embedding of this graph.",
            "Epoch by epoch, pull neighbours together and push random others away, in ever smaller steps.",
            "Run k-means on the finished layout; every Lloyd step is a frame.",
        ),
        pitfalls=(
            "Sizes of islands and distances between them are not those of the data; one cluster may lie in two pieces.",
            "Another seed gives another layout; compare several before you believe one.",
            "Clusters with few samples than neighbours asked for melt into others.",
            "Codes belong to the samples they were computed from; the layout is not a map of new ones.",
        ),
        deviations=(
            "The least distance is 0 instead of umap-learn's 0.1, as its documentation advises for clustering.",
            "500 epochs for any number of samples; umap-learn takes 200 above 10,000.",
            "The two curves are estimates: attraction over all neighbours, repulsion from 20 random others per sample.",
        ),
    )

    class Options(LayoutOptions):
        n_init: int = option(20, low=1, high=1000, help="Seedings of k-means tried; the lowest inertia wins.")
        max_iter: int = option(300, low=1, high=10_000, unit="steps", help="Lloyd steps, at most.", advanced=True)

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        clusters = KMeansModel(n_samples, n_clusters, self.options.n_components)
        return LayoutModel(n_samples, self.options, clusters)

    def phases(self, model: LayoutModel, samples: Samples) -> Sequence[Phase]:
        options, seed = self.options, self.spec.seed
        protocol = KMeansProtocol(n_init=options.n_init, max_iter=options.max_iter)
        kmeans: KMeansModel = model.clusters  # type: ignore[assignment]
        return [
            layout_phase(model, samples, options, seed),
            lloyd(kmeans, samples, None, protocol=protocol, seed=seed, codes_of=model.codes_of),
        ]


class UMAPGMM(Method):
    """Lay the neighbourhoods out in the plane, then fit a mixture of Gaussians to the plane."""

    name = "umap-gmm"
    uses = frozenset()
    card = Card(
        title="UMAP + mixture of Gaussians",
        paper="McInnes, Healy and Melville, “UMAP: uniform manifold approximation and projection”, 2018; "
        "EM as in Dempster, Laird and Rubin 1977",
        idea="Lay samples out so that clusters become islands, then give each island an ellipse.",
        objective=r"\begin{aligned} & \min_z \sum_{ij} w_{ij} \big( -\log q_{ij} - m\, \mathbb{E}_{l} "
        r"\log(1 - q_{il}) \big) \\ & \max_{\pi, \mu, \Sigma} \frac{1}{N} \sum_i \log \sum_c \pi_c\, "
        r"\mathcal{N}(z_i; \mu_c, \Sigma_c) \end{aligned}",
        symbols={**UMAPKMeans.card.symbols, r"\pi_c, \mu_c, \Sigma_c": "weight, mean and covariance of component c"},
        look_for="Islands are long and bent rather than round: ellipses fit them where the cells of k-means cut them.",
        algorithm=(
            *UMAPKMeans.card.algorithm[:3],
            "Fit a mixture of Gaussians to the finished layout by EM; every step is a frame.",
        ),
        pitfalls=(
            *UMAPKMeans.card.pitfalls,
            "The density of the layout is made by UMAP: weights and likelihood say nothing about the samples' own.",
        ),
        deviations=(
            *UMAPKMeans.card.deviations,
            "Full covariances, as two coordinates are few; the ridge is a share of the layout's variance.",
        ),
    )

    class Options(LayoutOptions, GMMProtocol):
        pass

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        full = self.options.covariance == "full"
        clusters = MixtureModel(n_clusters, self.options.n_components, full=full)
        return LayoutModel(n_samples, self.options, clusters)

    def phases(self, model: LayoutModel, samples: Samples) -> Sequence[Phase]:
        options, seed = self.options, self.spec.seed
        protocol = GMMProtocol(**{name: getattr(options, name) for name in GMMProtocol.model_fields})
        mixture: MixtureModel = model.clusters  # type: ignore[assignment]
        return [
            layout_phase(model, samples, options, seed),
            expectation_maximisation(mixture, samples, None, protocol=protocol, seed=seed, codes_of=model.codes_of),
        ]


def snapshot_epochs(epochs: int) -> list[int]:
    """Return after how many epochs the layout is shown: first often, then ever more rarely, last at the end."""
    moments = np.unique(np.rint(epochs * np.linspace(0, 1, SNAPSHOTS) ** 2).clip(1).astype(int))
    return [int(moment) for moment in moments]


def layout_phase(
    model: LayoutModel,
    samples: Samples,
    options: LayoutOptions,
    seed: int,
    encode: Callable[[Tensor], Tensor] | None = None,
) -> Phase:
    """Return the phase that shows how the layout of samples, or of their codes by ``encode``, grew: a moment a step.

    umap-learn makes the layout in one go when the phase begins; the steps that follow only look at it.
    """

    def laid_out() -> np.ndarray:
        return (samples.map(encode) if encode else samples.x).flatten(1).cpu().numpy()

    def advance(current: Pass) -> None:
        model.go_on()

    terms = (
        Term(
            "attraction",
            lambda current: model.attraction[model.shown, current.index],
            symbol="−log q (neighbours)",
            latex=r"-\log q_{ij}",
            help="How far neighbours lie from each other in the layout, weighted mean.",
        ),
        Term(
            "repulsion",
            lambda current: model.repulsion[model.shown, current.index],
            weight=NEGATIVE_SAMPLES,
            weight_symbol="m",
            symbol="−log(1 − q) (others)",
            latex=r"-\log(1 - q_{il})",
            help="How close random other samples lie in the layout, mean.",
        ),
    )
    return Phase(
        name="umap",
        title="UMAP layout",
        stage="pretraining",
        steps=len(snapshot_epochs(options.layout_epochs)) - 1,
        players=(Player("layout", (), terms),),
        codes=model.codes_of,
        on_enter=lambda: model.keep(_grow(laid_out(), options, seed)),
        after_step=advance,
        full_batch=True,
        record_each_step=True,
    )


def _grow(x: np.ndarray, options: LayoutOptions, seed: int) -> Layouts:
    """Return how umap-learn lays samples (n, d) out.

    Raises
    ------
    DataError
        If there are too few samples, or so many coincide that no layout exists.
    """
    needed = FEWEST + options.n_components
    if len(x) < needed:
        raise DataError(f"a UMAP layout needs at least {needed} samples; there are {len(x)}")
    n_neighbours = min(options.n_neighbours, len(x) - 1)
    with warnings.catch_warnings():
        # umap tells that a fixed seed means one thread, that precomputed neighbours cannot transform (both are meant),
        # and on import that Tensorflow is not there.
        warnings.simplefilter("ignore")
        import umap

        reducer = umap.UMAP(
            n_neighbors=n_neighbours,
            min_dist=options.min_dist,
            n_components=options.n_components,
            # Counted from 0, and the last one is added.
            n_epochs=[moment - 1 for moment in snapshot_epochs(options.layout_epochs)[:-1]] + [options.layout_epochs],
            negative_sample_rate=NEGATIVE_SAMPLES,
            precomputed_knn=_neighbours(x, n_neighbours) if len(x) <= EXACT else (None, None, None),
            force_approximation_algorithm=True,
            random_state=seed,
            n_jobs=1,
        )
        reducer.fit(x)
        a, b = umap.umap_.find_ab_params(reducer.spread, reducer.min_dist)
    codes = torch.from_numpy(np.stack(reducer.embedding_list_))
    if not codes.isfinite().all():
        raise DataError("UMAP finds no layout of these samples; too many of them coincide")
    graph = reducer.graph_.tocoo()
    edges, weights = torch.from_numpy(np.stack([graph.row, graph.col]).astype(np.int64)), torch.from_numpy(graph.data)
    others = torch.from_numpy(np.random.default_rng(seed).integers(len(x), size=(len(x), OTHERS)))
    return Layouts(
        codes,
        torch.stack([attraction(layout, edges, weights, a, b) for layout in codes]),
        torch.stack([repulsion(layout, others, a, b) for layout in codes]),
    )


def _neighbours(x: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return indices and distances (n, count) of each sample's nearest, itself first.

    umap-learn would ask a Python function for each of the n² distances.
    """
    # Asked without samples, a sample is not its own neighbour; put first by hand it is so among equal ones, too.
    distances, indices = NearestNeighbors(n_neighbors=count - 1, algorithm="brute").fit(x).kneighbors()
    own = np.arange(len(x))[:, None]
    return np.hstack([own, indices]), np.hstack([np.zeros_like(own, dtype=np.float64), distances])
