"""IDEC, improved deep embedded clustering (Guo, Gao, Liu, Yin, IJCAI 2017): DEC that keeps its decoder."""

from collections.abc import Sequence

from torch import nn

from clustlab.methods.base import Card, Method, Optimiser, Phase, Player, Published, Samples
from clustlab.methods.dec import ClusteringOptions, SoftClusteringModel, clustering_phase, clustering_term
from clustlab.methods.pretraining import DEC_SETTINGS, pretrain, reconstruction
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
        algorithm=(
            "Pretrain an autoencoder and place the centroids by k-means on its codes.",
            "Every T epochs compute Q of all samples and sharpen it to P, as DEC does.",
            r"Minimise $L_r + \gamma L_c$: encoder and centroids answer to both terms, the decoder to the first.",
            r"Stop when fewer than $\delta$ of the samples have changed cluster between two targets.",
        ),
        pitfalls=(
            (
                r"$\gamma = 0.1$ belongs to a reconstruction error that is averaged over features; with their sum "
                "it would be hundreds of times too small."
            ),
            r"A larger $\gamma$ wants a smaller learning rate.",
            "As few as 30 or 3 steps between targets are published for small data; the lab counts in epochs instead.",
        ),
        deviations=(
            "Pretraining is end to end with Adam (“stacked denoising” is the paper's layer-wise recipe, with Adam).",
            "The network is 256-128-10 instead of 500-500-2000-10.",
            "Adam at 0.001 on all data, as the paper has it for MNIST.",
        ),
        paper_settings=DEC_SETTINGS,
        published=(
            Published("MNIST", "paper, table 2", acc=0.8806, nmi=0.8672),
            Published("USPS", "paper, table 2", acc=0.7605, nmi=0.7846),
            Published("Reuters-10k", "paper, table 2; another subset", acc=0.7564, nmi=0.4981),
            Published("Fashion-MNIST", "Guo et al. 2018 (DEC-DA), tables 2 and 3, 5 runs", acc=0.529, nmi=0.557),
        ),
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
