"""KINGDRA: networks that are taught what all of them agree on, each in its own numbering."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from training_helpers import small_spec, trained

from clustlab.data import Dataset
from clustlab.errors import SpecError
from clustlab.methods.base import Samples
from clustlab.methods.kingdra import KingdraModel
from clustlab.networks.ladder import Ladders
from clustlab.spec import RunSpec
from clustlab.training.setup import set_up

CPU = torch.device("cpu")
SMALL = {"models": 3, "hidden": "8", "confidence": 0.0}


def spec(**options: object) -> RunSpec:
    return small_spec("kingdra", options={**SMALL, **options})


class Scripted(KingdraModel):
    """Networks that say what they are told: clusters (n, M), a sample being 0.8 sure."""

    def __init__(self, says: Tensor, n_clusters: int, rounds: int = 4) -> None:
        super().__init__(Ladders((2,), (3,), n_clusters, n_models=says.shape[1]), len(says), rounds)
        self.says, self.sure = says, torch.full((len(says),), 0.8)

    def ask(self, samples: Samples) -> Tensor:
        rest = (1 - self.sure[:, None, None]) / (self.n_clusters - 1)
        hot = torch.nn.functional.one_hot(self.says, self.n_clusters)
        return torch.where(hot == 1, self.sure[:, None, None], rest)


@pytest.fixture
def samples() -> Samples:
    return Samples(torch.randn(9, 2))


def three_clusters() -> Tensor:
    """Nine samples; the second model calls clusters 1, 2, 0 and errs in the last one."""
    first = torch.arange(9) // 3
    second = (first + 1) % 3
    second[8] = 1
    return torch.stack([first, second], dim=1)


def test_each_network_is_taught_the_pseudo_labels_in_its_own_numbering(samples: Samples) -> None:
    model = Scripted(three_clusters(), 3)
    values = model.agree(samples, confidence=0.5, low=0)
    assert model.pseudo_labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, -1]  # nobody teaches what networks disagree on
    assert model.outputs.tolist() == [[0, 1, 2], [1, 2, 0]]
    assert values["pseudo_labelled"] == pytest.approx(8 / 9)
    assert model.bucket_sizes.tolist() == [[3, 3, 2], [-1] * 3, [-1] * 3]


def test_a_sample_of_which_one_network_is_unsure_gets_no_pseudo_label(samples: Samples) -> None:
    model = Scripted(three_clusters(), 3)
    model.sure[4] = 0.6
    model.agree(samples, confidence=0.7, low=0)
    assert model.pseudo_labels.tolist() == [0, 0, 0, 1, -1, 1, 2, 2, -1]


def test_with_an_empty_bucket_the_best_earlier_pseudo_labels_stay(samples: Samples) -> None:
    model = Scripted(three_clusters(), 3)
    assert model.agree(samples, 0.9, 0)["pseudo_labelled"] == 0  # nobody is sure, and there is nothing earlier
    assert model.teach(samples, 5).tolist() == [0] * 5
    model.agree(samples, 0.5, 0)
    best = model.pseudo_labels.clone()
    model.says = torch.where(model.says == 2, 0, model.says)
    values = model.agree(samples, 0.5, 0)
    assert values["smallest_bucket"] == 0
    assert torch.equal(model.pseudo_labels, best)
    assert (model.bucket_sizes[2] == 0).any()


def test_better_pseudo_labels_replace_worse_ones_and_are_remembered(samples: Samples) -> None:
    model = Scripted(three_clusters(), 3)
    model.agree(samples, 0.5, 0)
    model.says[8, 1] = 0
    model.agree(samples, 0.5, 0)
    assert model.pseudo_labels.tolist() == model.best.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_predictions_do_not_depend_on_what_networks_call_their_clusters(digits_small: Dataset) -> None:
    work = set_up(spec(), digits_small, CPU)
    model = work.model["method"].eval()
    ladders, names = model.ladders, torch.randperm(10)
    with torch.no_grad():  # the networks are the same, but the last one calls its clusters otherwise
        for weight in ladders.up:
            weight[:] = weight[0].clone()
        ladders.up[-1][2] = ladders.up[-1][2][:, names]
    values = model.watch(work.samples)
    assert values["unanimous"] == 1
    alone = ladders.clean(work.samples.x).p[0]
    used = alone.argmax(dim=1).unique()
    found = model.classifier.assign(model.classifier.represent(work.samples.x))
    torch.testing.assert_close(found[:, used], alone[:, used])


def test_the_labels_of_a_finished_run_follow_the_last_alignment(digits_small: Dataset) -> None:
    work, training, listener = trained(spec(cluster_epochs=1, rounds=1), digits_small)
    assert [name for name, _ in listener.values_seen][-1] == "leave", "after the last step all samples are looked at"
    model = work.model["method"]
    found = model.classifier.alignment.clone()
    model.watch(work.samples)
    assert training.step > 0
    assert torch.equal(model.classifier.alignment, found)


def test_codes_are_the_networks_predictions_and_their_mean_is_the_assignment(digits_small: Dataset) -> None:
    work = set_up(spec(), digits_small, CPU)
    model = work.model["method"].eval()
    codes = model.classifier.represent(work.samples.x)
    assert codes.shape == (200, 30)
    p = model.ladders.clean(work.samples.x).p
    torch.testing.assert_close(codes[:, 10:20].exp(), p[1])
    torch.testing.assert_close(model.classifier.assign(codes), p.mean(dim=0))
    assert torch.equal(model.classifier.signatures(codes), p.argmax(dim=2).T)


def test_pseudo_labels_are_taught_by_cross_entropy_to_the_corrupted_pass(samples: Samples) -> None:
    model = Scripted(three_clusters(), 3)
    model.ladders.noise = 0.0
    model.agree(samples, 0.5, 0)
    model.pseudo_labels[:] = torch.tensor([-1] * 8 + [2])  # so that only one row can be drawn
    found = model.teach(samples, 4)
    p = model.ladders.corrupted(samples.x[[8] * 4]).p[:, 0]
    expected = -(p[0, 2].log() + p[1, 0].log()) / 2
    torch.testing.assert_close(found, expected.expand(4))


@pytest.mark.parametrize(("epochs", "rounds"), [(4, 4), (7, 3), (5, 4), (2, 1)])
def test_rounds_are_parts_of_the_training_and_each_but_the_first_finds_pseudo_labels(
    digits_small: Dataset, epochs: int, rounds: int
) -> None:
    _, training, listener = trained(spec(cluster_epochs=epochs, rounds=rounds), digits_small)
    assert training.step == epochs * (200 // 64)
    assert listener.phases == (["alone", "consensus"] if rounds > 1 else ["alone"])
    found = sum(name == "pseudo-labels" for name, _ in listener.values_seen)
    assert found == rounds - 1
    assert (training.model["method"].bucket_sizes >= 0).all()


def test_each_network_steps_as_if_it_were_alone(digits_small: Dataset) -> None:
    work = set_up(spec(), digits_small, CPU)
    assert work.phases[0].players[0].optimiser.epsilon == pytest.approx(1e-8 / 3)
    assert len(work.phases[0].players) == 1


def test_more_disagreement_than_networks_is_refused(blobs: Dataset) -> None:
    with pytest.raises(SpecError, match="with 3 models it may be at most 2"):
        set_up(spec(disagreement=3), blobs, CPU)
