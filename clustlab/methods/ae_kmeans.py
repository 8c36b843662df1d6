"""Autoencoder, then k-means on its codes: the baseline that every clustering autoencoder starts from."""

from collections.abc import Sequence

from torch import nn

from clustlab.methods.base import Card, Method, Phase, Samples
from clustlab.methods.kmeans import KMeansModel, lloyd
from clustlab.methods.pretraining import pretrain
from clustlab.networks import Autoencoder
from clustlab.readout import KMeansProtocol
from clustlab.spec import Part, option

__all__ = ["AEKMeans", "AEKMeansModel"]


class AEKMeansModel(nn.Module):
    """An autoencoder, and k-means on its codes."""

    def __init__(self, autoencoder: Autoencoder, kmeans: KMeansModel) -> None:
        super().__init__()
        self.autoencoder, self.kmeans = autoencoder, kmeans


class AEKMeans(Method):
    """Learn codes by reconstruction alone, then cluster them."""

    name = "ae-kmeans"
    card = Card(
        title="AE + k-means",
        paper="Hinton and Salakhutdinov 2006; as baseline in Xie et al. 2016",
        idea="Squeeze the samples through a narrow code, then let k-means cluster the codes.",
        objective=r"\min_{f, g} \frac{1}{N} \sum_i \lVert x_i - g(f(x_i)) \rVert^2",
        symbols={"x_i": "sample", "f": "encoder", "g": "decoder", "z_i = f(x_i)": "code"},
        look_for="Groups appear although nothing asks for clusters; k-means may still cut through elongated ones.",
    )

    class Options(Part):
        n_init: int = option(20, low=1, high=1000, help="Seedings of k-means tried; the lowest inertia wins.")
        max_iter: int = option(300, low=1, high=10_000, unit="steps", help="Lloyd steps, at most.")

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        network = self.spec.network
        return AEKMeansModel(Autoencoder(shape, network), KMeansModel(n_samples, n_clusters, network.latent_dim))

    def phases(self, model: AEKMeansModel, samples: Samples) -> Sequence[Phase]:
        autoencoder = model.autoencoder
        protocol = KMeansProtocol(n_init=self.options.n_init, max_iter=self.options.max_iter)
        return [
            *pretrain(autoencoder, samples, self.spec.training),
            lloyd(
                model.kmeans,
                samples,
                autoencoder.encoder,
                protocol=protocol,
                seed=self.spec.seed,
                decode=autoencoder.decoder,
            ),
        ]
