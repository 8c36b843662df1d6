"""Ladder networks: two passes of one encoder, and a decoder that begins at zero."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from clustlab.networks.ladder import EPSILON, SCALE, LadderClassifier, Ladders, combine, standardise


@pytest.fixture
def x() -> Tensor:
    return torch.randn(30, 6)


@pytest.fixture
def ladders() -> Ladders:
    """Three networks whose offsets and scales are not the first ones."""
    made = Ladders((2, 3), (5, 4), 3, n_models=3)
    for parameter in (*made.offsets, made.scale):
        nn.init.normal_(parameter)
    return made


def plain(ladders: Ladders, model: int) -> nn.Sequential:
    """The same network from PyTorch's own layers: linear, batch normalisation, ReLU."""
    layers: list[nn.Module] = []
    for level, (weight, offset) in enumerate(zip(ladders.up, ladders.offsets, strict=True)):
        linear = nn.Linear(*weight.shape[1:], bias=False)
        linear.weight.data = weight[model].T
        layers.append(linear)
        if level < len(ladders.statistics):
            norm, statistics = nn.BatchNorm1d(linear.out_features, eps=EPSILON), ladders.statistics[level]
            norm.bias.data = offset[model, 0]
            norm.running_mean, norm.running_var = statistics.mean[model, 0].clone(), statistics.variance[model, 0]
            layers += [norm, nn.ReLU()]
    return nn.Sequential(*layers)


@pytest.mark.parametrize("training", [True, False])
def test_the_clean_pass_is_a_plain_network_with_batch_normalisation(
    ladders: Ladders, x: Tensor, training: bool
) -> None:
    ladders.clean(3 + torch.randn(50, 6))  # running averages have something to remember
    networks = [plain(ladders, model).train(training) for model in range(3)]
    logits = ladders.train(training).clean(x).logits
    for model, network in enumerate(networks):
        expected = ladders.scale[model] * (network(SCALE * x) + ladders.offsets[-1][model])
        torch.testing.assert_close(logits[model], expected, rtol=1e-4, atol=1e-4)


def test_without_noise_the_corrupted_pass_is_the_clean_one_by_the_batch(x: Tensor) -> None:
    ladders = Ladders((6,), (5, 4), 3, n_models=2, noise=0.0)
    clean, corrupted = ladders.clean(x), ladders.corrupted(x)
    for one, other in zip(clean.z, corrupted.z, strict=True):
        torch.testing.assert_close(one, other)


def test_noise_falls_on_the_samples_and_on_every_layer(x: Tensor) -> None:
    ladders = Ladders((6,), (50, 40), 30, noise=0.5)
    many = torch.zeros(2000, 6)
    z = ladders.corrupted(many).z
    assert [len(layer[0]) for layer in z] == [2000] * 4
    assert z[0].std().item() == pytest.approx(0.5, rel=0.02)
    for layer in z[1:3]:  # normalised to one, and then disturbed
        assert layer.var().item() == pytest.approx(1.25, rel=0.02)
    assert not torch.equal(ladders.corrupted(x).z[0], ladders.corrupted(x).z[0])


def test_running_statistics_learn_from_the_clean_pass_in_training_alone(ladders: Ladders, x: Tensor) -> None:
    before = {name: value.clone() for name, value in ladders.named_buffers()}
    assert before

    def changed() -> set[str]:
        return {name for name, value in ladders.named_buffers() if not torch.equal(value, before[name])}

    ladders.restore(ladders.corrupted(x))
    ladders.eval().clean(x)
    assert changed() == set()
    ladders.train().clean(x)
    assert changed() == set(before)


def test_a_label_does_not_depend_on_the_company_a_sample_is_in(ladders: Ladders, x: Tensor) -> None:
    ladders.clean(x)
    ladders.eval()
    torch.testing.assert_close(ladders.clean(x).p[:, :1], ladders.clean(x[:1]).p)


def test_the_combinator_is_the_formula_of_the_paper() -> None:
    z, u, a = torch.randn(7, 4), torch.randn(7, 4), torch.randn(10, 1, 4)
    mean = a[0] * torch.sigmoid(a[1] * u + a[2]) + a[3] * u + a[4]
    trust = a[5] * torch.sigmoid(a[6] * u + a[7]) + a[8] * u + a[9]
    torch.testing.assert_close(combine(z, u, a), (z - mean) * trust + mean)


def test_a_decoder_that_has_learned_nothing_restores_zeros_and_can_learn(ladders: Ladders, x: Tensor) -> None:
    first = ladders.coefficients[1][:, 0, 0, 0]
    assert first.tolist() == [0, 1, 0, 0, 0, 0, 1, 0, 0, 0]  # a₂ = a₇ = 1
    seen = ladders(x)
    for guess, z in zip(seen.estimates, seen.clean.z, strict=True):
        assert guess.shape == z.shape
        assert (guess == 0).all()
    sum((guess - z).square().sum() for guess, z in zip(seen.estimates, seen.clean.z, strict=True)).backward()
    assert all(coefficients.grad[5].abs().min() > 0 for coefficients in ladders.coefficients[1:])


def test_each_guess_is_made_from_its_layer_and_the_guess_above(ladders: Ladders, x: Tensor) -> None:
    for coefficients in ladders.coefficients:
        nn.init.normal_(coefficients)
    corrupted = ladders.corrupted(x)
    found = ladders.restore(corrupted)
    signals = [standardise(guess @ down) for guess, down in zip(found[1:], ladders.down, strict=True)]
    for level, u in enumerate([*signals, standardise(corrupted.p)]):
        torch.testing.assert_close(found[level], combine(corrupted.z[level], u, ladders.coefficients[level]))


def test_networks_side_by_side_do_not_touch_one_another(ladders: Ladders, x: Tensor) -> None:
    seen = ladders(x)
    (seen.corrupted.p[1].square().sum() + sum(guess[1].square().sum() for guess in seen.estimates)).backward()
    for parameter in ladders.parameters():
        if parameter.grad is not None:
            parts = parameter.grad.unbind(1 if len(parameter) == 10 else 0)
            assert all((part == 0).all() for part in (parts[0], parts[2]))
    assert ladders.up[0].grad[1].abs().max() > 0


def test_one_ladder_is_a_classifier_by_its_clean_pass(x: Tensor) -> None:
    classifier = LadderClassifier(Ladders((6,), (5, 4), 3)).eval()
    codes = classifier.represent(x)
    assert codes.shape == (30, 4)
    torch.testing.assert_close(classifier.assign(codes), classifier.ladders.clean(x).p[0])
