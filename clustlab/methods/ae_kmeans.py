"""Autoencoder, then k-means on its codes: the baseline that every clustering autoencoder starts from."""

from collections.abc import Sequence

from torch import nn

from clustlab.methods.base import Card, Method, Optimiser, Phase, Player, Samples, Term
from clustlab.methods.kmeans import KMeansModel, lloyd
from clustlab.networks import Autoencoder
from clustlab.objectives.reconstruction import squared_error
from clustlab.readout import KMeansProtocol
from clustlab.spec import Part, Training, option

__all__ = ["AEKMeans", "autoencode", "reconstruction", "steps_per_epoch"]

reconstruction = Term(
    "reconstruction",
    lambda current: squared_error(current.x_hat, current.x),
    symbol="‖x − x̂‖²",
    latex=r"\lVert x - \hat{x} \rVert^2",
    help="Squared error of the reconstruction, mean over the sample's features.",
)


def autoencode(autoencoder: Autoencoder, samples: Samples, training: Training) -> Phase:
    """Return the phase that trains an autoencoder end to end with Adam.

    The end-to-end recipe of most later work instead of DEC's layer-wise one: with PyTorch's initialisation it needs
    no stacked pretraining (methods of the family are compared on the same start).
    """
    return Phase(
        name="pretrain",
        title="autoencoder",
        steps=training.epochs * steps_per_epoch(samples, training),
        players=(
            Player(
                "autoencoder",
                tuple(autoencoder.parameters()),
                (reconstruction,),
                Optimiser("adam", training.learning_rate),
            ),
        ),
        encode=autoencoder.encoder,
        decode=autoencoder.decoder,
    )


def steps_per_epoch(samples: Samples, training: Training) -> int:
    """Return the mini-batches in an epoch: whole ones only, the rest of the shuffled samples waits for the next."""
    return max(1, len(samples) // training.batch_size)


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
            autoencode(autoencoder, samples, self.spec.training),
            lloyd(
                model.kmeans,
                samples,
                autoencoder.encoder,
                protocol=protocol,
                seed=self.spec.seed,
                decode=autoencoder.decoder,
            ),
        ]
