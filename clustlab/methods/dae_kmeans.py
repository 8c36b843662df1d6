"""Denoising autoencoder, then k-means on its codes (Vincent, Larochelle, Lajoie, Bengio, Manzagol 2010)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from torch import Tensor, nn

from clustlab.methods.ae_kmeans import AEKMeansModel, KMeansOptions, cluster_codes
from clustlab.methods.base import Card, Method, Pass, Phase, Published, Samples
from clustlab.methods.pretraining import BENCHMARK_SETTINGS, pretrain
from clustlab.networks import Autoencoder
from clustlab.objectives.corruption import add_noise, drop
from clustlab.spec import option

__all__ = ["DAEKMeans"]


class DAEKMeans(Method):
    """Learn codes that repair damaged samples, then cluster the codes of the whole ones."""

    name = "dae-kmeans"
    card = Card(
        title="Denoising AE + k-means",
        paper="Vincent, Larochelle, Lajoie, Bengio and Manzagol, “Stacked denoising autoencoders”, JMLR 2010; "
        "with k-means in Berthelot et al. 2019",
        idea="Reconstruct the sample from a damaged copy: what can be repaired is what samples have in common.",
        objective=r"\min_{f, g} \mathbb{E}\, \lVert x - g(f(\tilde{x})) \rVert^2, \quad \tilde{x} = x + \sigma "
        r"\epsilon \;\text{ or }\; \tilde{x} = \mathrm{Drop}_p(x)",
        symbols={
            "x": "sample",
            "f": "encoder",
            "g": "decoder",
            r"\tilde{x}": "damaged copy of the sample, another one each time it is met",
            r"\sigma": "strength of the noise",
            r"\epsilon": "standard normal noise, one number a feature",
            "p": "share of the features that are set to zero",
        },
        look_for="Groups draw together earlier than in the plain autoencoder, and reconstructions look cleaner than "
        "the samples: details that cannot be told from damage are not kept.",
        algorithm=(
            "Damage every sample of the mini-batch anew.",
            "Encode the damaged copy, decode it, compare with the sample as it was.",
            "Afterwards encode the samples undamaged, and run k-means on these codes; the map shows them all along.",
        ),
        pitfalls=(
            (
                "Much noise leaves only averages to reconstruct: strips and decoded centroids blur. Little noise "
                "leaves a plain autoencoder."
            ),
            (
                "Noise is measured in units of the samples after scaling (mean square 1), not of grey values: features "
                "that hardly vary drown in it. Dropping features has no such scale."
            ),
            (
                "Dropped features are made up for by scaling the others, so that whole samples are nothing new to the "
                "encoder."
            ),
        ),
        deviations=(
            (
                "Noise of σ = 1 as in the comparison of ACAI's authors, whose images range from −1 to 1; here samples "
                "have mean square 1, which for MNIST makes the same number a somewhat weaker noise."
            ),
            (
                "Adam at 0.001 for 200 epochs on the shared network; ACAI's authors: convolutions, Adam at 0.0001, "
                "16.8 million images."
            ),
            "With stacked pretraining the joint training that follows is denoising, too; DEC's is not.",
        ),
        paper_settings=BENCHMARK_SETTINGS,
        published=(
            Published("MNIST", "ACAI authors' poster, 32 coordinates, whitened, test split", acc=0.8259),
            Published("MNIST", "ACAI authors' poster, 256 coordinates, whitened, test split", acc=0.7089),
            Published("SVHN", "ACAI authors' poster, 32 coordinates, whitened, test split", acc=0.1791),
            Published("SVHN", "ACAI authors' poster, 256 coordinates, whitened, test split", acc=0.3149),
        ),
    )

    class Options(KMeansOptions):
        corruption: Literal["gaussian", "dropout"] = option(
            "gaussian", help="How samples are damaged: noise on every feature, or some features set to zero."
        )
        noise: float = option(
            1.0,
            low=0,
            high=100,
            symbol=r"\sigma",
            help="Strength of gaussian noise; the samples themselves have mean square 1.",
        )
        dropout: float = option(
            0.2, low=0, high=0.95, symbol="p", help="Share of the features that dropout sets to zero; 0.2 in DEC."
        )

    def build(self, shape: tuple[int, ...], n_samples: int, n_clusters: int) -> nn.Module:
        network = self.spec.network
        return AEKMeansModel(Autoencoder(shape, network), n_samples, n_clusters, network.latent_dim)

    def phases(self, model: AEKMeansModel, samples: Samples) -> Sequence[Phase]:
        encoder = model.autoencoder.encoder

        def codes_of_damaged(current: Pass) -> Tensor:
            return encoder(self._damage(current.x))

        *layers, joint = pretrain(model.autoencoder, samples, self.spec.training)
        denoise = replace(joint, title="denoising autoencoder", draw=codes_of_damaged)
        return [*layers, denoise, cluster_codes(self, model, samples)]

    def _damage(self, x: Tensor) -> Tensor:
        if self.options.corruption == "gaussian":
            return add_noise(x, self.options.noise)
        return drop(x, self.options.dropout)
