from __future__ import annotations

import pytest
import torch
from torch import Tensor
from training_helpers import small_spec, trained

from clustlab.data import Dataset
from clustlab.methods.base import Pass
from clustlab.methods.dcn import DCNModel
from clustlab.objectives.kmeans import nearest_centroid
from clustlab.training.setup import Work, set_up


def placed(dataset: Dataset, **options: object) -> Work:
    """Set up, centroids placed on an untrained encoder's codes."""
    work = set_up(small_spec("dcn", options=options), dataset, torch.device("cpu"))
    work.phases[1].on_enter()
    return work


@pytest.fixture
def work(digits_small: Dataset) -> Work:
    return placed(digits_small)


def model_of(work: Work) -> DCNModel:
    model: DCNModel = work.model["method"]
    return model


def batch_of(work: Work, rows: slice = slice(0, 64)) -> Pass:
    index = torch.arange(len(work.samples))[rows]
    return Pass(work.phases[1], work.samples.x[index], index)


def test_the_network_steps_on_stored_assignments_not_on_the_nearest(work: Work) -> None:
    model, current = model_of(work), batch_of(work)
    model.labels = torch.full_like(model.labels, 7)
    expected = (current.z - model.centroids[7]).square().sum(dim=1)
    torch.testing.assert_close(work.phases[1].players[0].terms[1].value(current), expected)


def test_the_weight_is_half_of_lambda_with_the_papers_sum_over_features(work: Work) -> None:
    assert work.phases[1].players[0].terms[1].weight == pytest.approx(2 / (2 * 64))


def test_after_a_step_the_batch_is_encoded_and_assigned_anew_and_no_other_sample(work: Work) -> None:
    model, current = model_of(work), batch_of(work)
    with torch.no_grad():
        current.z.add_(100)  # what the pass computed before the step must not be used
    model.labels = torch.full_like(model.labels, -1)
    before = model.centroids.clone()
    work.phases[1].after_step(current)
    codes = model.encode_all(work.samples)[:64]
    torch.testing.assert_close(model.labels[:64], nearest_centroid(codes, before))
    assert (model.labels[64:] == -1).all()
    assert (model.counts - 100).tolist() == torch.bincount(model.labels[:64], minlength=10).tolist()
    assert not model.centroids.requires_grad


def test_centroids_follow_sample_by_sample(work: Work) -> None:
    model = model_of(work)
    codes = model.encode_all(work.samples)[:64]
    labels = nearest_centroid(codes, model.centroids)
    expected, counts = model.centroids.clone(), model.counts.clone()
    for code, cluster in zip(codes, labels.tolist(), strict=True):
        counts[cluster] += 1
        expected[cluster] -= (expected[cluster] - code) / counts[cluster]
    work.phases[1].after_step(batch_of(work))
    torch.testing.assert_close(model.centroids, expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(model.counts, counts)


def test_a_dead_cluster_is_counted_and_begins_anew_with_the_initial_count(work: Work) -> None:
    model = model_of(work)
    model.labels[model.labels == 3] = 4
    model.centroids[3], model.counts[3] = 1e4, 5000.0
    others = model.centroids[torch.arange(10) != 3].clone()
    values = model.review(work.samples, reset_interval=0, reset_counts=False)
    assert values["dead_clusters"] == 1
    assert (model.labels == 3).sum() == 1
    assert model.counts[3] == 100
    assert model.centroids[3].abs().max() < 1e3
    assert torch.equal(model.centroids[torch.arange(10) != 3], others)
    assert model.review(work.samples, reset_interval=0, reset_counts=False)["dead_clusters"] == 0


@pytest.mark.parametrize("reset_counts", [False, True])
def test_k_means_runs_to_its_end_when_a_reset_is_due_and_only_then(work: Work, reset_counts: bool) -> None:
    model = model_of(work)
    model.counts = model.counts + 500
    model.centroids = model.centroids + 0.05 * torch.randn(10, 4, generator=torch.Generator().manual_seed(0))
    moved = model.centroids.clone()
    for _ in range(2):  # at the start, and after one epoch
        model.review(work.samples, 2, reset_counts)
        assert torch.equal(model.centroids, moved)
    model.review(work.samples, 2, reset_counts)
    codes = model.encode_all(work.samples)
    assert torch.equal(model.labels, nearest_centroid(codes, model.centroids))
    for cluster in range(10):
        torch.testing.assert_close(model.centroids[cluster], codes[model.labels == cluster].mean(dim=0))
    assert model.counts[0] == (100 if reset_counts else 600)


def test_assignments_left_behind_are_seen(work: Work) -> None:
    model = model_of(work)
    model.labels[:50] = (model.labels[:50] + 1) % 10
    values = model.review(work.samples, 0, False)
    assert values["label_change"] == pytest.approx(50 / 200)


def test_the_refit_is_kept_apart_from_what_was_learned_online(digits_small: Dataset) -> None:
    options = {"cluster_epochs": 3, "reset_interval": 0}
    work, _, listener = trained(small_spec("dcn", options=options), digits_small)
    model = model_of(work)
    assert [phase.name for phase in work.phases] == ["pretrain", "cluster", "refit"]
    assert not torch.equal(model.refitted, model.centroids)
    assert torch.equal(work.phases[1].centroids(), model.centroids)
    assert torch.equal(work.phases[2].centroids(), model.refitted)
    (values,) = [values for name, values in listener.values_seen if name == "enter" and values]
    assert 0 < values["refit_inertia"] < 1.0001  # k-means with restarts, against centroids that lag behind
    assert 0 <= values["refit_label_change"] < 1


def test_renamed_clusters_do_not_count_as_changed_labels(work: Work) -> None:
    model = model_of(work)
    model.refit(work.samples, 20, 0)
    model.centroids = model.refitted[torch.randperm(10, generator=torch.Generator().manual_seed(0))]
    values = model.refit(work.samples, 20, 0)
    assert values["refit_label_change"] == 0
    assert values["refit_inertia"] == pytest.approx(1, abs=1e-3)


def test_without_a_refit_the_online_centroids_are_the_result(digits_small: Dataset) -> None:
    work = placed(digits_small, refit=False)
    assert [phase.name for phase in work.phases] == ["pretrain", "cluster"]


def test_staleness_is_seen_by_cluster(work: Work) -> None:
    phase, model = work.phases[1], model_of(work)
    staleness: Tensor = phase.observe["staleness"].value(batch_of(work, slice(None)))
    assert staleness.max() < 1e-4
    model.centroids[2] += 0.1
    moved: Tensor = phase.observe["staleness"].value(batch_of(work, slice(None)))
    assert moved.argmax() == 2
    assert moved[2] > 0.01
