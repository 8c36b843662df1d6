"""What most methods begin with: an autoencoder that learns to reconstruct, all layers at once or pair by pair."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from clustlab.errors import SpecError
from clustlab.methods.base import Optimiser, Pass, Phase, Player, Samples, Term
from clustlab.networks import Autoencoder, VariationalEncoder
from clustlab.objectives.corruption import drop
from clustlab.objectives.reconstruction import squared_error
from clustlab.spec import Training

__all__ = [
    "BENCHMARK_SETTINGS",
    "DEC_SETTINGS",
    "autoencode",
    "layer_by_layer",
    "pretrain",
    "reconstruction",
    "steps_per_epoch",
]

DEC_SETTINGS = {"network": {"hidden": "500-500-2000"}, "training": {"pretraining": "stacked denoising"}}
"""Network and pretraining of DEC's paper, which those of IDEC, DCN and VaDE took over; parts of a spec."""

BENCHMARK_SETTINGS: dict[str, dict[str, Any]] = {
    "options": {"whiten": True},
    "network": {"kind": "convolutional", "latent_dim": 32},
    "training": {"learning_rate": 1e-4, "batch_size": 64},
}
"""Those of ACAI's benchmark of autoencoders (Berthelot et al. 2019): one network for all."""

DROPOUT = 0.2
"""Share of the units that layer-wise pretraining drops (DEC, section 3.3)."""

DECAY, DECAYS = 0.1, 5
"""Stacked pretraining divides the step size by ten after each fifth of the joint training.

DEC has 50 000 iterations a layer and 100 000 for all layers together, and divides every 20 000: these shares.
"""

reconstruction = Term(
    "reconstruction",
    lambda current: squared_error(current.x_hat, current.x),
    symbol="‖x − x̂‖²",
    latex=r"\lVert x - \hat{x} \rVert^2",
    help="Squared error of the reconstruction, mean over the sample's features.",
)


def steps_per_epoch(samples: Samples, training: Training) -> int:
    """Return the mini-batches in an epoch: whole ones only, the rest of the shuffled samples waits for the next."""
    return max(1, len(samples) // training.batch_size)


def pretrain(autoencoder: Autoencoder, samples: Samples, training: Training) -> list[Phase]:
    """Return the phases of the pretraining that the spec asks for.

    Raises
    ------
    SpecError
        If layers that are not fully connected are to be stacked.
    """
    return [*layer_by_layer(autoencoder, samples, training), autoencode(autoencoder, samples, training)]


def autoencode(autoencoder: Autoencoder, samples: Samples, training: Training) -> Phase:
    """Return the phase that trains all layers of an autoencoder together, with Adam.

    On its own it is the end-to-end recipe of most later work instead of DEC's layer-wise one: with PyTorch's
    initialisation it needs no stacked pretraining (methods of the family are compared on the same start).
    """
    return Phase(
        name="pretrain",
        title="autoencoder",
        stage="pretraining",
        steps=training.epochs * steps_per_epoch(samples, training),
        players=(
            Player("autoencoder", tuple(autoencoder.parameters()), (reconstruction,), _optimiser(samples, training)),
        ),
        encode=autoencoder.encoder,
        decode=autoencoder.decoder,
    )


def layer_by_layer(autoencoder: Autoencoder, samples: Samples, training: Training) -> list[Phase]:
    r"""Return a phase for each pair of layers, where the spec asks for stacked denoising; otherwise none.

    DEC's recipe (section 3.3): the pair of encoder layer :math:`g_1` and mirrored decoder layer :math:`g_2` learns to
    reconstruct what the layers below make of the samples, :math:`h`, from
    :math:`g_2(\mathrm{Drop}(g_1(\mathrm{Drop}(h))))`. ReLU everywhere but in :math:`g_2` of the first pair, since
    samples may be negative, and in :math:`g_1` of the last, since codes are linear: the activations that the
    autoencoder has anyway. Phases last half as long as the joint training that follows, as in the paper.

    Where we differ: Adam at ``training.learning_rate`` in place of SGD (0.1, momentum 0.9), and PyTorch's
    initialisation in place of N(0, 0.01²). The paper takes 50 000 steps a layer on a loss summed over features; in
    our few hundred, on a loss averaged over features, its SGD leaves the deeper pairs where they began, ten times
    its step size diverges on data with two features, and weights of 0.01 pass almost nothing through three layers.

    The phases train neither the whole encoder nor the whole decoder, so no extension joins them; frames show the
    codes of the encoder as it is.

    Raises
    ------
    SpecError
        If the network is not fully connected.
    """
    if training.pretraining != "stacked denoising":
        return []
    encoder = autoencoder.encoder.plain if isinstance(autoencoder.encoder, VariationalEncoder) else autoencoder.encoder
    decoder = autoencoder.decoder
    assert isinstance(encoder, nn.Sequential)  # what every kind of network builds
    assert isinstance(decoder, nn.Sequential)
    if any(isinstance(layer, nn.Conv2d) for layer in encoder):
        raise SpecError(
            "stacked denoising trains fully connected layers in pairs; with network.kind = convolutional choose "
            "training.pretraining = end-to-end"
        )
    steps = math.ceil(training.epochs / 2) * steps_per_epoch(samples, training)
    first = [place for place, layer in enumerate(encoder) if isinstance(layer, nn.Linear)]
    mirrored = [place for place, layer in enumerate(decoder) if isinstance(layer, nn.Linear)][::-1]
    phases = []
    for number, (up, down) in enumerate(zip(first, mirrored, strict=True), start=1):
        # Each linear layer is followed by its activation; that of the last encoder layer is none.
        term = _denoising(encoder[:up], encoder[up : up + 2], decoder[down : down + 2])
        trained = (*encoder[up].parameters(), *decoder[down].parameters())
        phases.append(
            Phase(
                name=f"layer-{number}",
                title=f"denoising layer {number}",
                stage="pretraining",
                steps=steps,
                players=(Player("pair of layers", trained, (term,), _optimiser(samples, training)),),
                encode=autoencoder.encoder,
                frozen_decode=decoder,
            )
        )
    return phases


def _denoising(below: nn.Module, encode: nn.Module, decode: nn.Module) -> Term:
    """Return what a pair of layers pays: the error with which it repairs the output of the layers below."""

    def error(current: Pass) -> Tensor:
        with torch.no_grad():
            h = below(current.x)
        return squared_error(decode(drop(encode(drop(h, DROPOUT)), DROPOUT)).flatten(1), h)

    return Term(
        "denoising",
        error,
        symbol="‖h − ĥ‖²",
        latex=r"\lVert h - g_2(\mathrm{Drop}(g_1(\mathrm{Drop}(h)))) \rVert^2",
        help="Squared error with which a pair of layers repairs damaged outputs h of the layers below, mean over h.",
    )


def _optimiser(samples: Samples, training: Training) -> Optimiser:
    if training.pretraining == "end-to-end":
        return Optimiser("adam", training.learning_rate)
    every = math.ceil(training.epochs * steps_per_epoch(samples, training) / DECAYS)
    return Optimiser("adam", training.learning_rate, decay=DECAY, decay_steps=every)
