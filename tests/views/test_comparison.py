"""What runs have in common, on cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from clustlab.views.comparison import (
    alignment,
    classes_of,
    common_rows,
    counterparts,
    differences,
    disagreement,
    overlap,
)


def test_common_rows_are_found_wherever_they_lie_in_the_probes() -> None:
    indices = [np.array([9, 2, 5, 7]), np.array([7, 1, 9]), np.array([7, 9, 30])]
    rows, positions = common_rows(indices)
    assert rows.tolist() == [7, 9]
    assert [where.tolist() for where in positions] == [[3, 0], [0, 2], [0, 1]]


def test_probes_without_a_common_row_have_none() -> None:
    rows, positions = common_rows([np.array([1, 2]), np.array([3])])
    assert len(rows) == 0
    assert [len(where) for where in positions] == [0, 0]


def test_a_renamed_clustering_is_matched_perfectly() -> None:
    generator = np.random.default_rng(0)
    reference = generator.integers(0, 6, 200)
    names = generator.permutation(6)
    found = counterparts(overlap(names[reference], reference, 6, 6))
    assert (found[names] == np.arange(6)).all()


def test_most_samples_decide_which_cluster_is_the_counterpart() -> None:
    reference = np.array([0, 0, 0, 1, 1, 1])
    labels = np.array([1, 1, 0, 0, 0, 0])
    assert counterparts(overlap(labels, reference, 2, 2)).tolist() == [1, 0]


def test_clusters_without_a_counterpart_are_told_apart_from_all_of_the_reference() -> None:
    reference = np.array([0, 0, 1, 1])
    more = counterparts(overlap(np.array([3, 2, 1, 1]), reference, 5, 2))
    assert more[1] == 1
    assert 0 in more[[2, 3]]
    assert sorted(more.tolist()) == [0, 1, 2, 3, 4]
    fewer = counterparts(overlap(np.array([0, 0, 0, 0]), reference, 1, 2))
    assert fewer.tolist() in ([0], [1])


def test_a_cluster_that_is_empty_in_both_keeps_its_number() -> None:
    labels = np.array([0, 0, 2])
    assert counterparts(overlap(labels, labels, 3, 3)).tolist() == [0, 1, 2]
    assert counterparts(overlap(labels, np.array([0, 1, 2]), 3, 3))[1] == 3


def test_samples_without_a_cluster_count_nowhere() -> None:
    assert overlap(np.array([-1, 0]), np.array([0, -1]), 1, 1).tolist() == [[0]]


@pytest.mark.parametrize("mirrored", [False, True])
def test_alignment_recovers_a_turn_a_scale_and_a_shift(mirrored: bool) -> None:
    reference = np.random.default_rng(1).normal(size=(50, 2))
    turned = np.array([[0.6, 0.8], [-0.8, 0.6]]) @ np.diag([-1 if mirrored else 1, 1])
    points = 3.5 * reference @ turned + [10, -4]
    points[7] = np.nan  # a sample that could not be placed
    found = alignment(points, reference)
    assert found is not None
    laid = points @ np.array(found["matrix"]) + np.array(found["shift"])
    there = np.isfinite(points).all(axis=1)
    np.testing.assert_allclose(laid[there], reference[there], atol=1e-9)


def test_too_few_points_or_a_single_place_align_nothing() -> None:
    plane = np.random.default_rng(2).normal(size=(5, 2))
    assert alignment(plane[:2], plane[:2]) is None
    assert alignment(np.zeros((5, 2)), plane) is None


def test_classes_of_clusters_are_those_that_accuracy_counts() -> None:
    y = np.array([0, 0, 0, 1, 1, 2])
    labels = np.array([2, 2, 0, 0, 0, 1])
    assert classes_of(labels, y, 4).tolist()[:3] == [1, 2, 0]
    assert classes_of(labels, y, 4)[3] == -1


def test_samples_that_one_run_alone_gets_are_listed_for_it() -> None:
    truth = np.array([0, 1, 2, 0, 1])
    found = disagreement([np.array([0, 1, 0, 1, 1]), np.array([0, 0, 2, 1, 1])], truth)
    assert found["right"] == [3, 3]
    assert (found["all"], found["none"]) == (2, 1)
    assert [each.tolist() for each in found["only"]] == [[1], [2]]


def test_without_classes_samples_whose_clusters_are_no_counterparts_are_listed() -> None:
    found = disagreement([np.array([0, 1, 2]), np.array([0, 1, 1]), np.array([0, 2, 1])])
    assert found["all"] == 1
    assert found["differ"].tolist() == [1, 2]


def test_differences_are_the_settings_that_are_not_the_same_in_all() -> None:
    assert differences([{"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}]) == [("b", [2, 3]), ("c", [None, 4])]
    assert differences([{"a": 1}, {"a": 1}]) == []
