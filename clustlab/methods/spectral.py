"""Spectral clustering on the graph of nearest neighbours (Ng, Jordan, Weiss 2001)."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from clustlab.errors import DataError
from clustlab.methods.base import Card, Method, Observation, Phase, ProbePass, Published, Samples, Values
from clustlab.methods.kmeans import KMeansModel, lloyd
from clustlab.objectives.kernel import some_by_cluster
from clustlab.objectives.spectrum import neighbour_graph, smallest_eigenpairs
from clustlab.readout import KMeansProtocol
from clustlab.spec import Part, option

__all__ = ["Spectral", "SpectralModel"]

SHOWN = 150
"""Samples whose affinity is shown, at most."""

BEYOND = 10
"""Eigenvalues shown beyond the K that clusters are made of, so that one sees the gap."""

MOST = 50_000
"""Samples whose graph and eigenvectors fit into the memory of a small machine and are found within minutes."""


class SpectralModel(nn.Module):
    """Rows of the smallest eigenvectors of the graph's Laplacian, and k-means on them.

    Attributes
    ----------
    embedding : Tensor (n, K)
        Of each sample its row in the K smallest eigenvectors, of length one.
    eigenvalues : Tensor (r,)
        The smallest ones, rising, a few more than K.
    """

    embedding: Tensor
    eigenvalues: Tensor

    def __init__(self, n_samples: int, n_clusters: int) -> None:
        super().__init__()
        self.kmeans = KMeansModel(n_samples, n_clusters, n_clusters)
        self.register_buffer("embedding", torch.zeros(n_samples, n_clusters))
        self.register_buffer("eigenvalues", torch.zeros(min(n_clusters + BEYOND, n_samples)))

    def fit(self, samples: Samples, *, n_neighbours: int, tolerance: float, seed: int) -> Values:
        """Build the graph and embed its nodes; return how many neighbours and connected components it has."""
        n_clusters = self.embedding.shape[1]
        if len(samples) <= n_clusters:
            raise DataError(
                f"spectral clustering needs more samples than clusters; there are {len(samples)} and {n_clusters}"
            )
        x = samples.x.flatten(1).cpu().numpy().astype(np.float64)
        graph, component, used = neighbour_graph(x, n_neighbours, n_clusters)
        values, vectors = smallest_eigenpairs(graph, component, len(self.eigenvalues), tolerance=tolerance, seed=seed)
        rows = vectors[:, :n_clusters]
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        rows = rows / np.where(length > 0, length, 1.0)
        self.embedding.copy_(torch.from_numpy(rows))
        self.eigenvalues.copy_(torch.from_numpy(values))
        return {"neighbours": float(used), "components": float(component.max() + 1)}


class Spectral(Method):
    """Cut the graph of nearest neighbours where it is thinnest; clusters may have any shape."""

    name = "spectral"
    uses = frozenset()
    card = Card(
        title="Spectral clustering",
        paper="Ng, Jordan and Weiss, “On spectral clustering: analysis and an algorithm”, NIPS 2001; "
        "von Luxburg, “A tutorial on spectral clustering”, 2007",
        idea="Samples that a random walk among neighbours seldom leaves are a cluster, whatever its shape.",
        objective=r"L = I - D^{-1/2} W D^{-1/2}, \quad L u_k = \lambda_k u_k, \quad \lambda_1 \le \dots \le \lambda_K, "
        r"\quad z_i = \frac{(u_{i1}, \dots, u_{iK})}{\lVert (u_{i1}, \dots, u_{iK}) \rVert}",
        symbols={
            "W": "graph: 1 between mutual nearest neighbours, ½ where only one counts the other among its own, else 0",
            "D": "degrees, the row sums of W, on the diagonal",
            "L": "normalised Laplacian",
            r"u_k, \lambda_k": "its eigenvectors and eigenvalues, smallest first",
            "z_i": "code of sample i, on the unit sphere",
            "K": "number of clusters",
        },
        look_for="A gap after the K-th eigenvalue: then the graph really has K parts. In the codes clusters of any "
        "shape have become tight bundles at right angles.",
        algorithm=(
            "Join each sample to its nearest neighbours.",
            "Take the K smallest eigenvectors of the normalised Laplacian as columns.",
            "Scale each row to length one: the sample's code.",
            "Run k-means on the codes; every Lloyd step is a frame.",
        ),
        pitfalls=(
            (
                "A graph in more than K pieces makes small pieces clusters of their own; the number of neighbours is "
                "then doubled until at most K remain, and the curve “neighbours” tells."
            ),
            (
                "In a graph of several pieces the eigenvalue 0 is repeated, which iterative solvers miss; its "
                "eigenvectors are written down instead."
            ),
            "A bridge of a few samples joins two clusters; no gap after the K-th eigenvalue is the sign.",
            "Codes belong to the samples they were computed from: a new sample has none.",
        ),
        deviations=(
            (
                "The paper joins all pairs with a Gaussian kernel and chooses its width by the tightness of the "
                "result; a graph of nearest neighbours is sparse, so it can be kept for many samples, and has no width."
            ),
            (
                "The affinity that is shown is the cosine between two codes, which is what k-means sees: of 150 "
                "samples hardly any two are joined directly."
            ),
            "Up to 2,000 samples eigenvectors are exact; above, ARPACK computes them to the option's tolerance.",
        ),
        published=tuple(
            Published(data, "DEC-DA paper, Tables 2–3 (normalised cuts)", acc=acc, nmi=nmi)
            for data, acc, nmi in (("MNIST", 0.656, 0.731), ("USPS", 0.649, 0.794), ("Fashion-MNIST", 0.508, 0.575))
        ),
    )

    class Options(Part):
        n_neighbours: int = option(
            10, low=1, high=1000, unit="samples", help="Nearest neighbours that a sample is joined to in the graph."
        )
        tolerance: float = option(
            1e-6,
            low=0,
            high=0.1,
            help="Relative accuracy of the eigenvalues above 2,000 samples; 0 asks for machine precision.",
            advanced=True,
        )
        n_init: int = option(20, low=1, high=1000, help="Seedings of k-means tried; the lowest inertia wins.")
        max_iter: int = option(300, low=1, high=10_000, unit="steps", help="Lloyd steps, at most.", advanced=True)

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        if n_samples > MOST:
            raise DataError(
                f"spectral clustering works on the graph of all samples at once and takes at most {MOST:,} of them; "
                f"there are {n_samples:,}"
            )
        return SpectralModel(n_samples, n_clusters)

    def phases(self, model: SpectralModel, samples: Samples) -> Sequence[Phase]:
        options, seed = self.options, self.spec.seed
        phase = lloyd(
            model.kmeans,
            samples,
            None,
            protocol=KMeansProtocol(n_init=options.n_init, max_iter=options.max_iter),
            seed=seed,
            codes_of=lambda index: model.embedding[index],
            prepare=lambda: model.fit(
                samples, n_neighbours=options.n_neighbours, tolerance=options.tolerance, seed=seed
            ),
        )

        def shown(probe: ProbePass) -> Tensor:
            return some_by_cluster(model.kmeans.labels[probe.index], SHOWN)

        def affinity(probe: ProbePass) -> Tensor:
            rows = probe.z[shown(probe)]
            return (rows @ rows.T).clamp_min(0)

        return [
            phase.with_observations(
                laplacian_eigenvalues=Observation(lambda probe: model.eigenvalues, dtype=torch.float32),
                affinity=Observation(affinity),
                affinity_rows=Observation(lambda probe: shown(probe).int()),
            )
        ]
