from __future__ import annotations

import pytest
import torch
from torch import nn
from training_helpers import Listener, small_spec, trained

from clustlab.data import Dataset
from clustlab.errors import SpecError
from clustlab.methods.base import Samples
from clustlab.methods.pretraining import pretrain
from clustlab.networks import Autoencoder, VariationalAutoencoder
from clustlab.spec import Network, Training
from clustlab.training.loop import Batches, run_phases
from clustlab.training.loop import Training as Progress
from clustlab.training.setup import set_up

NETWORK = Network(hidden="12-9", latent_dim=4)
QUICK = {"epochs": 2, "batch_size": 64, "threads": 1, "device": "cpu", "pretraining": "stacked denoising"}
STACKED = Training(epochs=5, batch_size=50, pretraining="stacked denoising")


def samples() -> Samples:
    torch.manual_seed(0)
    return Samples(torch.randn(200, 3, 2))


def test_end_to_end_is_one_phase() -> None:
    phases = pretrain(Autoencoder((3, 2), NETWORK), samples(), Training(epochs=5, batch_size=50))
    assert [(phase.name, phase.steps) for phase in phases] == [("pretrain", 20)]
    assert phases[0].players[0].optimiser.decay_steps == 0


@pytest.mark.parametrize("kind", [Autoencoder, VariationalAutoencoder])
def test_layers_are_stacked_in_mirrored_pairs(kind: type[Autoencoder]) -> None:
    autoencoder = kind((3, 2), NETWORK)
    *layers, joint = pretrain(autoencoder, samples(), STACKED)
    shapes = [[tuple(p.shape) for p in phase.players[0].parameters if p.dim() == 2] for phase in layers]
    assert shapes == [[(12, 6), (6, 12)], [(9, 12), (12, 9)], [(4, 9), (9, 4)]]
    assert {phase.offers for phase in layers} == {frozenset({"encode"})}, "no extension joins a pair of layers"
    assert all(phase.stage == "pretraining" for phase in layers)
    assert joint.offers == {"encode", "decode"}
    assert set(joint.players[0].parameters) == set(autoencoder.parameters())


def test_lengths_and_step_sizes_keep_the_proportions_of_the_paper() -> None:
    """50 000 steps a layer, 100 000 together, a tenth every 20 000; here the epochs are those of the last."""
    training = STACKED.model_copy(update={"epochs": 100})
    *layers, joint = pretrain(Autoencoder((3, 2), NETWORK), samples(), training)
    assert joint.steps == 400
    assert [phase.steps for phase in layers] == [200, 200, 200]
    optimiser = joint.players[0].optimiser
    rates = [optimiser.learning_rate_at(step) for step in (0, 79, 80, 399)]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-7])
    assert layers[0].players[0].optimiser == optimiser


def test_pairs_have_the_activations_of_the_paper() -> None:
    """ReLU but where the first pair puts out samples and the last makes codes: where something negative may be."""
    autoencoder = Autoencoder((3, 2), NETWORK)
    encoder, decoder = list(autoencoder.encoder.children()), list(autoencoder.decoder.children())
    up = [nn.Sequential(*encoder[place : place + 2]) for place in (1, 3, 5)]
    down = [nn.Sequential(*decoder[place : place + 2]) for place in (4, 2, 0)]
    assert [type(pair[-1]) for pair in up] == [nn.ReLU, nn.ReLU, nn.Linear]
    assert [type(pair[-1]) for pair in down] == [nn.Unflatten, nn.ReLU, nn.ReLU]


def test_stacking_runs_through_layers_then_joint_training_then_clusters(digits_small: Dataset) -> None:
    spec = small_spec(
        "ae-kmeans",
        training={**QUICK, "epochs": 10, "learning_rate": 0.01},
        network={"hidden": "16-12", "latent_dim": 4},
    )
    _, _, listener = trained(spec, digits_small)
    assert listener.phases == ["layer-1", "layer-2", "layer-3", "pretrain", "k-means"]
    errors = [terms["denoising"] for terms in listener.terms if "denoising" in terms]
    assert len(errors) == 3 * 15
    for layer in range(3):
        assert errors[15 * layer + 14] < errors[15 * layer]


def test_while_a_pair_learns_the_rest_stands_still(digits_small: Dataset) -> None:
    work = set_up(small_spec("ae-kmeans", training=QUICK), digits_small, torch.device("cpu"))
    before = {name: parameter.detach().clone() for name, parameter in work.model.named_parameters()}
    run_phases(Progress(work.model, Batches(len(work.samples), 64, 0)), work.phases[:1], work.samples, Listener())
    moved = {name for name, parameter in work.model.named_parameters() if not torch.equal(parameter, before[name])}
    first, last = "method.autoencoder.encoder.1", "method.autoencoder.decoder.2"
    assert moved == {f"{layer}.{part}" for layer in (first, last) for part in ("weight", "bias")}


def test_an_extension_joins_only_where_the_whole_autoencoder_is_trained(digits_small: Dataset) -> None:
    work = set_up(small_spec("ae-kmeans", training=QUICK, extensions=["acai"]), digits_small, torch.device("cpu"))
    joined = [phase.name for phase in work.phases if any(player.name == "critic" for player in phase.players)]
    assert joined == ["pretrain"]


def test_convolutions_cannot_be_stacked(digits_small: Dataset) -> None:
    spec = small_spec("ae-kmeans", training=QUICK, network={"kind": "convolutional", "channels": 2})
    with pytest.raises(SpecError, match="stacked denoising trains fully connected layers"):
        set_up(spec, digits_small, torch.device("cpu"))
