"""Starting points of the training form: what a person might want to see first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from clustlab.spec import RunSpec

__all__ = ["FIRST", "PRESETS", "Preset"]


class Preset(NamedTuple):
    """Parts of a spec, and what to expect of it: which network, and why this one."""

    content: Mapping[str, Any]
    promise: str

    @property
    def spec(self) -> RunSpec:
        """The whole spec."""
        return RunSpec.parse(self.content)


SMALL = (
    "Network 64-256-128-10, for a look within a minute; DEC's 500-500-2000-10 is a few points better and takes minutes."
)

PRESETS: dict[str, Preset] = {
    "IDEC with the ACAI critic on digits": Preset({"method": "idec", "extensions": ["acai"], "data": "digits"}, SMALL),
    "Watch DEC harden its clusters": Preset({"method": "dec", "data": "digits"}, SMALL),
    "What k-means sees in an autoencoder": Preset({"method": "ae-kmeans", "data": "digits"}, SMALL),
    "See k-means fail on correlated codes": Preset(
        {"method": "kmeans", "data": "stripes"}, "No network: the samples are the codes, and k-means cuts across them."
    ),
    "A mixture of Gaussians that finds the stripes": Preset(
        {"method": "gmm", "data": "stripes", "options": {"covariance": "full"}},
        "No network: the samples are the codes, and full covariances follow the stripes.",
    ),
    "VaDE: the mixture that codes are drawn from": Preset({"method": "vade", "data": "digits"}, SMALL),
    "An adversary shapes the codes": Preset({"method": "aae-kmeans", "data": "digits"}, SMALL),
    "UMAP lays digits out, and k-means is enough": Preset(
        {"method": "umap-kmeans", "data": "digits"}, "No network: UMAP's layout of the pixels is what is clustered."
    ),
    "Perturb until it changes its mind": Preset(
        {"method": "imsat-vat", "data": "digits"},
        "Network 64-256-256-10 that says the cluster itself: it learns to say the same of a sample pushed to where it "
        "would change its mind first.",
    ),
    "What lies between two lines?": Preset(
        {
            "method": "ae-kmeans",
            "extensions": ["acai"],
            "data": "lines",
            "n_clusters": 10,
            "network": {"latent_dim": 32},
            "training": {"epochs": 50, "batch_size": 64},
        },
        "Network 1024-256-128-32, batches of 64: lines need more coordinates than digits, and more steps.",
    ),
    "A latent space that is a plane": Preset(
        {"method": "idec", "data": "digits", "network": {"latent_dim": 2}},
        "Network 64-256-128-2: what one sees is the latent space itself, no projection; two coordinates cost accuracy.",
    ),
    "The convolutional networks of the ACAI paper": Preset(
        {
            "method": "idec",
            "extensions": ["acai"],
            "data": "digits",
            "network": {"kind": "convolutional"},
            "training": {"epochs": 50},
        },
        "Convolutions of 16 to 32 channels: they interpolate better than dense layers, and take several times as long.",
    ),
    "IDEC on a sample of MNIST": Preset(
        {"method": "idec", "data": "mnist-sample", "training": {"epochs": 50}},
        "Network 784-256-128-10, 50 epochs: a seventh of the weights of DEC's, for a look within a minute.",
    ),
    "DEC with the network of its paper": Preset(
        {
            "method": "dec",
            "data": "mnist-sample",
            "network": {"hidden": "500-500-2000"},
            "training": {"pretraining": "stacked denoising", "epochs": 50},
        },
        "Network 784-500-500-2000-10, pretrained layer by layer as in the paper, 50 epochs: takes minutes.",
    ),
}

FIRST = "IDEC with the ACAI critic on digits"
"""The starting point for somebody who has seen nothing yet."""
