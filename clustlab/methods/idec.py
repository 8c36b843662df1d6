"""IDEC, improved deep embedded clustering (Guo, Gao, Liu, Yin, IJCAI 2017): DEC that keeps its decoder."""

from collections.abc import Sequence

from torch import nn

from clustlab.methods.base import Card, Method, Optimiser, Phase, Player, Samples
from clustlab.methods.dec import ClusteringOptions, SoftClusteringModel, clustering_phase, clustering_term
from clustlab.methods.pretraining import pretrain, reconstruction
from clustlab.spec import option

__all__ = ["IDEC"]


class IDEC(Method):
    """Sharpen the soft assignments, but only as far as the codes still tell the samples apart."""

    name = "idec"
    card = Card(
        title="IDEC",
        paper="Guo, Gao, Liu and Yin, “Improved deep embedded clustering with local structure preservation”, "
        "IJCAI 2017",
        idea="DEC may distort the code space to please its own target; keeping the decoder holds it back.",
        objective=r"\min_{f, g, \mu} L_r + \gamma L_c, \quad L_r = \lVert x - g(f(x)) \rVert^2, "
        r"\quad L_c = \mathrm{KL}(P \,\Vert\, Q)",
        symbols={
            "L_r": "reconstruction error",
            "L_c": "clustering loss of DEC",
            r"\gamma": "weight of the clustering loss",
            r"\mu_j": "centroid",
            "f, g": "encoder, decoder",
        },
        look_for="Clusters tighten while reconstructions stay sharp; DEC has no reason to keep them.",
    )

    class Options(ClusteringOptions):
        cluster_weight: float = option(
            0.1, low=0, high=100, symbol=r"\gamma", help="Weight of the clustering loss; 0.05 to 1 in the paper."
        )
        learning_rate: float = option(1e-3, above=0, high=1, help="Adam's step size while clustering.")

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        return SoftClusteringModel(shape, self.spec.network, n_samples, n_clusters)

    def phases(self, model: SoftClusteringModel, samples: Samples) -> Sequence[Phase]:
        autoencoder = model.autoencoder
        player = Player(
            "autoencoder",
            (*autoencoder.parameters(), model.centroids),
            (reconstruction, clustering_term(model, self.options.cluster_weight, "γ")),
            Optimiser("adam", self.options.learning_rate),
        )
        return [
            *pretrain(autoencoder, samples, self.spec.training),
            clustering_phase(self, model, samples, player, decode=autoencoder.decoder),
        ]
