"""What a classifier says of itself while it finds its own labels."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from clustlab.methods.base import Pass, Phase, Samples
from clustlab.methods.classification import (
    ClassifierModel,
    ClassifierOptions,
    classify,
    conditional_entropy_term,
    marginal_entropy_term,
)
from clustlab.networks.classifier import SoftmaxClassifier
from clustlab.spec import Training


def identity(n_clusters: int, sharpness: float) -> ClassifierModel:
    """A model whose logits are the sample, times a sharpness."""
    classifier = SoftmaxClassifier(nn.Identity(), n_clusters, n_clusters)
    with torch.no_grad():
        classifier.head.weight.copy_(sharpness * torch.eye(n_clusters))
    return ClassifierModel(classifier, 12)


@pytest.mark.parametrize(
    ("labels", "sharpness", "expected"),
    [
        ([0, 1, 2] * 4, 100.0, {"marginal_entropy": math.log(3), "conditional_entropy": 0.0, "used_clusters": 3}),
        ([1] * 12, 100.0, {"marginal_entropy": 0.0, "mutual_information": 0.0, "used_clusters": 1, "largest_share": 1}),
        ([0, 1, 2] * 4, 0.0, {"conditional_entropy": math.log(3), "mutual_information": 0.0}),
        ([0, 0, 1] * 4, 100.0, {"used_clusters": 2, "largest_share": 2 / 3}),
    ],
    ids=["certain and balanced", "all in one", "all undecided", "one is dead"],
)
def test_degenerate_optima_show_in_the_numbers(labels: list[int], sharpness: float, expected: dict[str, float]) -> None:
    samples = Samples(torch.eye(3)[labels])
    values = identity(3, sharpness).watch(samples)
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, abs=1e-5), name
    assert values["mutual_information"] == pytest.approx(
        values["marginal_entropy"] - values["conditional_entropy"], abs=1e-5
    )


def test_label_change_begins_with_the_second_look() -> None:
    model = identity(3, 1.0)
    assert "label_change" not in model.watch(Samples(torch.eye(3)[[0, 1, 2] * 4]))
    assert model.watch(Samples(torch.eye(3)[[0, 1, 1] * 4]))["label_change"] == pytest.approx(1 / 3)


def test_terms_are_the_two_entropies_of_the_batch() -> None:
    model = identity(3, 1.0)
    x = torch.randn(12, 3)
    phase = classify(model, Samples(x), Training(batch_size=4), 2, ())
    current = Pass(phase, x, torch.arange(12))
    p = x.softmax(dim=1)
    certain, balanced = conditional_entropy_term(1.0, ""), marginal_entropy_term(4.0, r"\mu")
    assert certain.value(current).mean().item() == pytest.approx(-(p * p.log()).sum(dim=1).mean().item(), abs=1e-6)
    mean = p.mean(dim=0)
    assert balanced.value(current).mean().item() == pytest.approx(-(mean * mean.log()).sum().item(), abs=1e-6)
    assert (certain.weight, balanced.weight) == (1.0, -4.0)


def test_classifying_looks_once_an_epoch_and_takes_further_fields() -> None:
    model = identity(3, 1.0)
    phase = classify(model, Samples(torch.randn(12, 3)), Training(batch_size=4), 5, (), name="other", read_out="so")
    assert isinstance(phase, Phase)
    assert (phase.name, phase.steps, phase.read_out) == ("other", 15, "so")
    assert [every.steps for every in phase.every] == [3]


def test_widths_are_read_from_the_option() -> None:
    assert ClassifierOptions(hidden="32-16").widths == (32, 16)
