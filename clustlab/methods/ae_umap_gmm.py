"""An autoencoder, its codes laid out by UMAP, a mixture of Gaussians on the layout (N2D, McConville et al. 2020)."""

from collections.abc import Sequence

from torch import nn

from clustlab.methods.base import Card, Method, Phase, Published, Samples
from clustlab.methods.gmm import MixtureModel, expectation_maximisation
from clustlab.methods.pretraining import pretrain
from clustlab.methods.umap_baselines import UMAPGMM, LayoutModel, LayoutOptions, layout_phase
from clustlab.networks import Autoencoder
from clustlab.readout import GMMProtocol

__all__ = ["AEUMAPGMM", "AEUMAPGMMModel"]


class AEUMAPGMMModel(nn.Module):
    """An autoencoder, and the layout of its codes with the mixture on it."""

    def __init__(self, autoencoder: Autoencoder, layout: LayoutModel) -> None:
        super().__init__()
        self.autoencoder, self.layout = autoencoder, layout


class AEUMAPGMM(Method):
    """What the neighbourhoods of plain codes hold: no clustering loss, and hard to beat with one."""

    name = "ae-umap-gmm"
    card = Card(
        title="AE + UMAP + mixture",
        paper="McConville, Santos-Rodríguez, Piechocki and Craddock, “N2D: (not too) deep clustering via clustering "
        "the local manifold of an autoencoded embedding”, ICPR 2020",
        idea="Instead of pulling codes to centroids, ask which codes are neighbours, lay these neighbourhoods out, and "
        "give each island an ellipse.",
        objective=r"\begin{aligned} & \min_{f, g} \frac{1}{N} \sum_i \lVert x_i - g(f(x_i)) \rVert^2 \\ & "
        r"\min_u \sum_{ij} w_{ij} \big( -\log q_{ij} - m\, \mathbb{E}_{l} \log(1 - q_{il}) \big) \\ & "
        r"\max_{\pi, \mu, \Sigma} \frac{1}{N} \sum_i \log \sum_c \pi_c\, \mathcal{N}(u_i; \mu_c, \Sigma_c) "
        r"\end{aligned}",
        symbols={
            "x_i": "sample",
            "f, g": "encoder, decoder",
            "z_i = f(x_i)": "code",
            "u_i": "place of code i in the layout",
            "w_{ij}": "membership strength: how surely i and j are neighbours among the codes",
            "q_{ij}": "the same in the layout",
            "m": "random others drawn for each neighbour",
            "l": "a random sample",
            r"\pi_c, \mu_c, \Sigma_c": "weight, mean and covariance of component c",
        },
        look_for="Codes in which k-means cuts long clusters in two often fall into clean islands: what was missing is "
        "the metric, not the code.",
        algorithm=(
            "Train encoder and decoder on the reconstruction alone.",
            "Lay all codes out by UMAP: neighbours attract, random others repel.",
            "Fit a mixture of Gaussians to the finished layout by EM; every step is a frame.",
        ),
        pitfalls=UMAPGMM.card.pitfalls,
        deviations=(
            (
                "The shared network, 256-128-10, where N2D has 500-500-2000-K and 1,000 epochs; its layout has as many "
                "coordinates as clusters and 20 neighbours, this one two and 15: one sees what is clustered."
            ),
            *UMAPGMM.card.deviations,
        ),
        paper_settings={
            "options": {"n_neighbours": 20},
            "network": {"hidden": "500-500-2000"},
            "training": {"epochs": 1000},
        },
        published=(
            Published("MNIST", "N2D paper, quoted in the issues of its code", acc=0.979, nmi=0.942),
            Published("Fashion-MNIST", "N2D paper, quoted in the issues of its code", acc=0.672, nmi=0.684),
        ),
    )

    class Options(LayoutOptions, GMMProtocol):
        pass

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        options = self.options
        mixture = MixtureModel(n_clusters, options.n_components, full=options.covariance == "full")
        return AEUMAPGMMModel(Autoencoder(shape, self.spec.network), LayoutModel(n_samples, options, mixture))

    def phases(self, model: AEUMAPGMMModel, samples: Samples) -> Sequence[Phase]:
        options, seed = self.options, self.spec.seed
        protocol = GMMProtocol(**{name: getattr(options, name) for name in GMMProtocol.model_fields})
        layout: LayoutModel = model.layout
        mixture: MixtureModel = layout.clusters  # type: ignore[assignment]
        return [
            *pretrain(model.autoencoder, samples, self.spec.training),
            layout_phase(layout, samples, options, seed, model.autoencoder.encoder),
            expectation_maximisation(mixture, samples, None, protocol=protocol, seed=seed, codes_of=layout.codes_of),
        ]
