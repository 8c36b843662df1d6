from __future__ import annotations

import pytest
import torch
from training_helpers import small_spec

from clustlab.data import Dataset
from clustlab.methods.aae import AAEModel
from clustlab.methods.base import Pass, ProbePass
from clustlab.spec import Network
from clustlab.training.setup import set_up


@pytest.fixture
def model() -> AAEModel:
    torch.manual_seed(0)
    return AAEModel((6,), Network(hidden="12"), n_clusters=4, dimension=2)


def test_heads_are_shares_also_between_two_samples(model: AAEModel) -> None:
    z = model.encode(torch.randn(9, 6))
    assert z.shape == (9, 6)
    for codes in (z, torch.lerp(z, z.flip(0), 0.3)):
        heads = model.assign(codes)
        assert (heads >= 0).all()
        torch.testing.assert_close(heads.sum(dim=1), torch.ones(9))


def test_the_scale_of_the_heads_is_for_the_eye_only(model: AAEModel) -> None:
    x = torch.randn(9, 6)
    logits, style = model.split(model.autoencoder.encoder(x))
    torch.testing.assert_close(model.assign(model.encode(x)), logits.softmax(dim=1))
    seen = model.autoencoder.decoder(torch.cat([logits.softmax(dim=1), style], dim=1))
    torch.testing.assert_close(model.decode(model.encode(x)), seen)


def test_each_centroid_is_a_head_in_the_middle_of_all_styles(model: AAEModel) -> None:
    centroids = model.centroids()
    torch.testing.assert_close(model.assign(centroids), torch.eye(4))
    assert (model.split(centroids)[1] == 0).all()


def test_the_style_grid_has_a_row_for_each_head(model: AAEModel) -> None:
    grid = model.style_grid()
    assert grid.shape == (4, 8, 6)
    torch.testing.assert_close(grid[:, 0], model.decode(model.centroids()))
    style = torch.cat([torch.eye(4)[2], model.styles[5]])
    torch.testing.assert_close(grid[2, 5], model.autoencoder.decoder(style[None])[0])


def test_discriminators_are_shown_heads_and_styles_and_train_no_encoder(digits_small: Dataset) -> None:
    work = set_up(small_spec("aae", options={"discriminator_noise": 0}), digits_small, torch.device("cpu"))
    (phase,), model = work.phases, work.model["method"]
    current = Pass(phase, work.samples.x[:9], torch.arange(9))
    terms = {term.name: term.value(current) for player in phase.players for term in player.terms}
    heads = model.head_discriminator(current.q).sigmoid()
    styles = model.style_discriminator(current.z[:, 10:]).sigmoid()
    torch.testing.assert_close(terms["heads_are_fake"], -torch.log(1 - heads))
    torch.testing.assert_close(terms["styles_are_fake"], -torch.log(1 - styles))
    torch.testing.assert_close(terms["fool_with_heads"], -torch.log(heads))
    torch.testing.assert_close(terms["fool_with_styles"], -torch.log(styles))
    (terms["heads_are_fake"] + terms["styles_are_fake"]).sum().backward()
    assert all(parameter.grad is None for parameter in model.autoencoder.parameters())


def test_the_landscape_is_that_of_the_styles(digits_small: Dataset) -> None:
    work = set_up(small_spec("aae"), digits_small, torch.device("cpu"))
    (phase,) = work.phases
    x = work.samples.x[:9]
    probe = ProbePass(phase, x, torch.arange(9), torch.zeros(1, 2, dtype=torch.int64), torch.zeros(3))
    torch.testing.assert_close(phase.observe["plane_codes"].value(probe), probe.z[:, 10:])
