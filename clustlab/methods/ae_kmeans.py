"""Autoencoder, then k-means on its codes: the baseline that every clustering autoencoder starts from."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from clustlab.methods.base import Card, Method, Phase, Published, Samples, Values
from clustlab.methods.kmeans import KMeansModel, lloyd
from clustlab.methods.pretraining import DEC_SETTINGS, pretrain
from clustlab.networks import Autoencoder
from clustlab.readout import KMeansProtocol, whitening
from clustlab.spec import Part, option

__all__ = ["AEKMeans", "AEKMeansModel", "KMeansOptions", "Whitening", "cluster_codes"]


def cluster_codes(method: Method, model: "AEKMeansModel", samples: Samples) -> Phase:
    """Return the phase that runs k-means on the codes of a trained autoencoder, whitened where that is asked for.

    Parameters
    ----------
    method : Method
        Its options are :class:`KMeansOptions`.
    model : AEKMeansModel
    samples : Samples
    """
    options, encoder, decoder = method.options, model.autoencoder.encoder, model.autoencoder.decoder
    protocol, seed = KMeansProtocol(n_init=options.n_init, max_iter=options.max_iter), method.spec.seed
    if not options.whiten:
        return lloyd(model.kmeans, samples, encoder, protocol=protocol, seed=seed, decode=decoder)
    whiten = model.whitening
    phase = lloyd(
        model.kmeans,
        samples,
        lambda x: whiten(encoder(x)),
        protocol=protocol,
        seed=seed,
        decode=lambda z: decoder(whiten.undo(z)),
    )
    place_centroids = phase.on_enter

    def whiten_and_start() -> Values | None:
        whiten.learn(samples.map(encoder))
        return place_centroids() if place_centroids else None

    read_out = f"k-means on whitened codes: {options.n_init} k-means++ starts, lowest inertia, all samples"
    return replace(phase, on_enter=whiten_and_start, read_out=read_out)


class KMeansOptions(Part):
    """What k-means on the codes of an autoencoder can be told."""

    n_init: int = option(20, low=1, high=1000, help="Seedings of k-means tried; the lowest inertia wins.")
    max_iter: int = option(300, low=1, high=10_000, unit="steps", help="Lloyd steps, at most.")
    whiten: bool = option(
        False,
        help="Give all directions of the codes the same spread before k-means, as in the ACAI paper: clusters that "
        "are long in one direction are cut less often, and directions of mere noise count as much as any other.",
    )


class Whitening(nn.Module):
    r"""Codes (n, J) → codes of covariance I, and back (protocol of Berthelot et al. 2019; see ``readout.whitening``).

    Attributes
    ----------
    mean : Tensor (J,)
    axes : Tensor (J, J)
        Principal axes, one a row; zero where there are fewer samples than coordinates.
    spread : Tensor (J,)
        Standard deviation along each.
    """

    mean: Tensor
    axes: Tensor
    spread: Tensor

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dimension))
        self.register_buffer("axes", torch.eye(dimension))
        self.register_buffer("spread", torch.ones(dimension))

    def learn(self, z: Tensor) -> None:
        """Take mean, axes and spreads from codes (n, J)."""
        mean, axes, spread = (torch.from_numpy(part).to(z) for part in whitening(z.cpu().double().numpy()))
        self.mean = mean
        self.axes, self.spread = torch.zeros_like(self.axes), torch.ones_like(self.spread)
        self.axes[: len(axes)], self.spread[: len(spread)] = axes, spread

    def forward(self, z: Tensor) -> Tensor:
        return (z - self.mean) @ self.axes.T / self.spread

    def undo(self, z: Tensor) -> Tensor:
        """Whitened codes (n, J) → codes."""
        return z * self.spread @ self.axes + self.mean


class AEKMeansModel(nn.Module):
    """An autoencoder, and k-means on its codes, (n, ``dimension``)."""

    def __init__(self, autoencoder: Autoencoder, n_samples: int, n_clusters: int, dimension: int) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.kmeans = KMeansModel(n_samples, n_clusters, dimension)
        self.whitening = Whitening(dimension)


class AEKMeans(Method):
    """Learn codes by reconstruction alone, then cluster them."""

    name = "ae-kmeans"
    card = Card(
        title="AE + k-means",
        paper="Hinton and Salakhutdinov 2006; as baseline in Xie et al. 2016",
        idea="Squeeze the samples through a narrow code, then let k-means cluster the codes.",
        objective=r"\min_{f, g} \frac{1}{N} \sum_i \lVert x_i - g(f(x_i)) \rVert^2",
        symbols={
            "x_i": "sample",
            "N": "number of samples",
            "f": "encoder",
            "g": "decoder",
            "z_i = f(x_i)": "code",
        },
        look_for="Groups appear although nothing asks for clusters; k-means may still cut through elongated ones.",
        algorithm=(
            (
                r"Train encoder and decoder on $\lVert x - g(f(x)) \rVert^2$, all layers at once or, as DEC does, pair "
                r"by pair with dropout and then all together."
            ),
            "Encode all samples; whiten the codes, if asked for.",
            "Run k-means from several k-means++ seedings; the one of lowest inertia is kept and shown step by step.",
        ),
        pitfalls=(
            (
                "The recipe of the pretraining moves accuracy more than most clustering losses do: on MNIST from 0.78 "
                "to 0.88. Compare methods on the same recipe, number of epochs and seed."
            ),
            (
                "k-means wants round clusters of equal width and cuts across elongated ones; whitening helps against "
                "coordinates of unequal spread, and makes noise as loud as signal."
            ),
            (
                "Codes may shrink or stretch in a direction at no cost to the reconstruction, so distances between "
                "them mean little by themselves."
            ),
        ),
        deviations=(
            (
                "The shared network is 256-128-10 where DEC has 500-500-2000-10, trained end to end with Adam where "
                "DEC stacks denoising autoencoders; set network.hidden and training.pretraining for the original."
            ),
        ),
        paper_settings=DEC_SETTINGS,
        published=(
            Published("MNIST", "IDEC paper, table 2", acc=0.8182, nmi=0.7473),
            Published("MNIST", "DEC-Keras, mean of 10 runs", acc=0.879, nmi=0.807, ari=0.783),
            Published("MNIST", "ACAI authors' poster, 32 coordinates, whitened, test split", acc=0.7756),
            Published("MNIST", "ACAI authors' poster, 256 coordinates, whitened, test split", acc=0.5370),
            Published("USPS", "IDEC paper, table 2", acc=0.6931, nmi=0.6620),
            Published("USPS", "SDCN paper", acc=0.7104, nmi=0.6753, ari=0.5883),
            Published("Reuters-10k", "IDEC paper, table 2, their subset", acc=0.7052, nmi=0.3979),
            Published("Fashion-MNIST", "DEC-Keras, mean of 10 runs", acc=0.606, nmi=0.637, ari=0.474),
        ),
    )

    class Options(KMeansOptions):
        pass

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        network = self.spec.network
        return AEKMeansModel(Autoencoder(shape, network), n_samples, n_clusters, network.latent_dim)

    def phases(self, model: AEKMeansModel, samples: Samples) -> Sequence[Phase]:
        return [*pretrain(model.autoencoder, samples, self.spec.training), cluster_codes(self, model, samples)]
