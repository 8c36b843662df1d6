"""Recorded runs side by side: a run against a renamed copy of itself, other data, other probes, other settings."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from clustlab.figures.palette import cluster_colour
from clustlab.projections.cache import ProjectionCache, projection_of
from clustlab.runs import Run, open_run
from clustlab.views import compared_runs
from clustlab.views.compared_figures import FIGURES, draw_compared
from clustlab.views.comparison import classes_of
from clustlab.views.moment import ViewError

GOLDEN = Path(__file__).parents[1] / "golden" / "idec-acai-digits"
NAMES = np.random.default_rng(3).permutation(10)


@pytest.fixture
def first(tmp_path: Path) -> Run:
    shutil.copytree(GOLDEN, tmp_path / "first")
    return open_run(tmp_path / "first")


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Run]:
    """A function that copies the golden run with other frames, another probe, or another spec."""

    def copied(
        frame: Callable[[dict], dict] | None = None, sample: Callable[[dict], dict] | None = None, **spec: object
    ) -> Run:
        folder = tmp_path / f"copy-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(GOLDEN, folder)
        paths = list((folder / "frames").glob("*.npz")) if frame else []
        for path, change in [
            *((path, frame) for path in paths),
            *([(folder / "sample.npz", sample)] if sample else []),
        ]:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
            np.savez(path, **change(arrays))
        written = folder / "spec.json"
        written.write_text(json.dumps(json.loads(written.read_text()) | spec))
        return open_run(folder)

    return copied


def renamed(arrays: dict) -> dict:
    return {**arrays, "labels": NAMES[arrays["labels"]].astype(np.int16), "strip_labels": NAMES[arrays["strip_labels"]]}


def test_a_renamed_copy_has_the_same_colours_and_disagrees_on_nothing(first: Run, changed: Callable[..., Run]) -> None:
    other = changed(renamed)
    found = compared_runs.matching([first, other])
    n = len(first.sample["index"])
    last = len(first.frames) - 1
    assert (found["n_common"], found["frames"]) == (n, [last, last])
    used = np.unique(first.frames[-1].arrays["labels"])
    assert [found["colours"][1][NAMES[j]] for j in used] == [cluster_colour(int(j)) for j in used]
    told = compared_runs.samples([first, other], [last, last])
    assert told["kind"] == "classes"
    assert [group["count"] for group in told["groups"]] == [0, 0]
    assert told["right"][0] == told["right"][1] == told["all"]
    assert told["all"] + told["none"] == n


def test_a_sample_that_only_one_run_gets_is_told_with_its_clusters(first: Run, changed: Callable[..., Run]) -> None:
    labels, y = first.frames[-1].arrays["labels"], first.sample["y"]
    victim = int(np.flatnonzero(classes_of(labels, y, 10)[labels] == y)[0])
    cluster = int(labels[victim])

    def spoilt(arrays: dict) -> dict:
        labels = arrays["labels"].copy()
        labels[victim] = (cluster + 1) % 10
        return {**arrays, "labels": labels}

    frames = [len(first.frames) - 1] * 2
    only, nothing = compared_runs.samples([first, changed(spoilt)], frames)["groups"]
    assert (only["run"], only["count"], nothing["count"]) == (0, 1, 0)
    (sample,) = only["samples"]
    assert sample["row"] == first.sample["index"][victim]
    assert sample["positions"] == [victim, victim]
    assert sample["clusters"] == [cluster, (cluster + 1) % 10]


def test_probes_are_matched_by_the_rows_of_the_data_set(first: Run, changed: Callable[..., Run]) -> None:
    n = len(first.sample["index"])
    half = np.arange(n)[::-2]

    def frame(arrays: dict) -> dict:
        return {name: values[half] if len(values) == n else values for name, values in arrays.items()}

    def sample(arrays: dict) -> dict:
        return {**frame(arrays), "pairs": arrays["pairs"] % len(half)}

    found = compared_runs.matching([first, changed(frame, sample)])
    assert (found["n_common"], found["n"]) == (len(half), [n, len(half)])
    last = len(first.frames) - 1
    assert compared_runs.samples([first, changed(frame, sample)], [last, last])["none"] >= 0


def test_without_classes_the_counterparts_are_compared(first: Run, changed: Callable[..., Run]) -> None:
    def unlabelled(arrays: dict) -> dict:
        return {name: values for name, values in arrays.items() if name != "y"}

    last = len(first.frames) - 1
    told = compared_runs.samples([first, changed(renamed, unlabelled)], [last, last])
    assert told["kind"] == "clusters"
    assert [group["count"] for group in told["groups"]] == [0]


def test_maps_are_aligned_in_projections_that_all_runs_have(first: Run, changed: Callable[..., Run]) -> None:
    turned = np.linalg.qr(np.random.default_rng(4).normal(size=(4, 4)))[0]

    def frame(arrays: dict) -> dict:
        return {**arrays, "codes": arrays["codes"] @ turned, "centroids": arrays["centroids"] @ turned}

    other = changed(frame)
    shutil.rmtree(other.folder.path / "cache", ignore_errors=True)
    assert "pca" not in compared_runs.matching([first, other])["alignments"]
    for run in (first, other):
        cache = ProjectionCache(run, projection_of("pca"))
        while cache.advance(newest_first=False):
            pass
    same, laid = compared_runs.matching([first, other])["alignments"]["pca"]
    np.testing.assert_allclose(same["matrix"], np.eye(2), atol=1e-6)
    matrix = np.array(laid["matrix"])
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(2), atol=0.05)


def test_runs_of_other_data_share_curves_and_options_only(first: Run, changed: Callable[..., Run]) -> None:
    other = changed(data="blobs")
    last = [len(first.frames) - 1] * 2
    assert "different data" in compared_runs.matching([first, other])["sentence"]
    for name in FIGURES:
        if name == "curves":
            assert draw_compared([first, other], name, last, 1.0, True).data
        else:
            with pytest.raises(ViewError, match="different data"):
                draw_compared([first, other], name, last, 1.0, True)
    assert ("data", ["digits", "blobs"]) in compared_runs.settings([first, other])


def test_settings_that_differ_are_named_with_their_values_and_defaults_count(
    first: Run, changed: Callable[..., Run]
) -> None:
    assert compared_runs.settings([first, changed()]) == []
    default = 0.1
    other = changed(options={**first.spec.options, "cluster_weight": 0.7}, seed=99, extensions={})
    rows = dict(compared_runs.settings([first, other]))
    assert rows["cluster weight"] == [first.spec.options.get("cluster_weight", default), 0.7]
    assert rows["seed"] == [first.spec.seed, 99]
    assert rows["joined with"] == ["ACAI", "nothing"]


def test_where_runs_were_trained_is_told_where_it_differs(first: Run, changed: Callable[..., Run]) -> None:
    other = changed()
    assert compared_runs.environment([first, other]) == []
    other.folder.status.write_text(json.dumps({**first.status, "host": "elsewhere"}))
    assert compared_runs.environment([first, other]) == [("computer", [first.status["host"], "elsewhere"])]


def test_figures_are_drawn_at_frames_that_exist(first: Run, changed: Callable[..., Run]) -> None:
    runs = [first, changed(renamed)]
    last = len(first.frames) - 1
    for name in FIGURES:
        assert draw_compared(runs, name, [0, last] if name != "strips" else [last, last], 0.5, False).data
    with pytest.raises(ViewError, match="there is no frame"):
        draw_compared(runs, "curves", [0, last + 1], 0.5, False)
    with pytest.raises(ViewError, match="there are curves, agreement, strips"):
        draw_compared(runs, "nothing", [0, 0], 0.5, False)
