"""Stories of samples and ways between them, of a run that was trained: what is told is what was recorded."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clustlab.figures.p_and_q import least_certain
from clustlab.runs import Run
from clustlab.views import NothingToShow, ViewError, draw


@pytest.fixture(scope="module")
def golden() -> Run:
    return Run(Path(__file__).parents[1] / "golden" / "idec-acai-digits")


def said(figure: Any) -> str:
    return " ".join(str(annotation.text) for annotation in figure.layout.annotations).replace("<br>", " ")


def test_a_story_is_that_of_the_frames(golden: Run) -> None:
    labels = np.array([frame.labels[7] for frame in golden.frames])
    figure = draw(golden, "story", selected=7)
    text = said(figure)
    turned = np.flatnonzero(np.diff(labels)) + 1
    assert f"in cluster {labels[-1]}" in text
    assert f"{len(turned)} change" in text
    for at in turned[-4:]:
        assert f"<b>{labels[at - 1]} → {labels[at]}</b>" in text
    curve = next(trace for trace in figure.data if trace.name == f"q of {labels[-1]}")
    soft = [frame.q[7, labels[-1]] if "q" in frame else np.nan for frame in golden.frames]
    np.testing.assert_allclose(curve.y, np.array(soft, np.float64))
    places = [np.load(golden.folder.projection("pca") / frame.path.name)["points"][7] for frame in golden.frames]
    way = next(trace for trace in figure.data if trace.mode == "lines+markers")
    np.testing.assert_allclose(np.stack([way.x, way.y], axis=1), np.stack(places))
    assert f"q of {labels[-1]}" not in {trace.name for trace in draw(golden, "story", 2, selected=7).data}


def test_a_story_is_told_on_the_map_that_is_asked_for(golden: Run, tmp_path: Path) -> None:
    copy = Run(shutil.copytree(golden.folder.path, tmp_path / "golden"))
    shutil.copytree(copy.folder.projection("pca"), copy.folder.projection("umap"))
    shifted = copy.folder.projection("umap") / copy.frames[-1].path.name
    with np.load(shifted) as layout:
        places = {"points": layout["points"] + 5, "centroids": layout["centroids"] + 5}
    np.savez(shifted, **places)
    for projection, by in (("umap", 5), ("pca", 0)):
        figure = draw(copy, "story", selected=7, projection=projection)
        way = next(trace for trace in figure.data if trace.mode == "lines+markers")
        assert way.x[-1] == pytest.approx(places["points"][7, 0] - 5 + by, abs=1e-5)
        assert projection.upper() in said(figure)
    with pytest.raises(ViewError, match="has not been projected by UMAP yet"):
        draw(golden, "story", projection="umap")


def test_the_neighbours_of_then_are_those_of_the_phase_before(golden: Run) -> None:
    clicked = next(
        t for t in draw(golden, "story", selected=7).data if t.type == "scatter" and t.customdata is not None
    )
    last_of_pretraining = [frame for frame in golden.frames if frame.phase == "pretrain"][-1]
    found = []
    for frame in (last_of_pretraining, golden.frames[-1]):
        distances = np.linalg.norm(frame.codes - frame.codes[7], axis=1)
        found += np.argsort(distances, kind="stable")[1:9].tolist()
    assert clicked.customdata.tolist() == found


def test_without_a_selection_a_story_is_an_example_that_stays_the_same(golden: Run) -> None:
    names = {re.search(r"#\d+", said(draw(golden, "story", frame)))[0] for frame in (0, 5, 20)}  # type: ignore[index]
    assert names == {f"#{golden.sample['index'][least_certain(golden.frames[-1].q)]}"}
    assert "click a point for another" in said(draw(golden, "story"))


def test_a_phase_that_begins_is_a_reason_of_its_own(golden: Run) -> None:
    phases = [frame.phase for frame in golden.frames]
    start = phases.index("cluster")
    labels = np.stack([frame.labels for frame in golden.frames])
    sample = int(np.flatnonzero(labels[start] != labels[start - 1])[0])
    assert "The phase “clustering” began with clusters of its own." in said(
        draw(golden, "story", start, selected=sample)
    )


def test_the_way_between_two_samples_is_asked_of_the_model(golden: Run) -> None:
    a, b = (int(i) for i in golden.sample["pairs"][0])
    figure = draw(golden, "pair", selected=a, other=b)
    rows = golden.sample["index"]
    assert f"#{rows[a]} " in said(figure)
    assert f"#{rows[b]} " in said(figure)
    assert "by the model of step 560 (clustering)" in said(figure)
    hover = next(t for t in figure.data if t.type == "scatter" and t.mode == "markers").hovertext
    clusters = [int(text.split("<br>")[2].removeprefix("cluster ")) for text in hover]
    assert clusters == golden.frames[-1].strip_labels[0].tolist()


def test_a_missing_sample_of_a_pair_is_chosen_and_said(golden: Run) -> None:
    labels, codes = golden.frames[-1].labels, golden.frames[-1].codes.astype(np.float64)
    distances = np.where(labels == labels[3], np.inf, np.linalg.norm(codes - codes[3], axis=1))
    assert f"to #{golden.sample['index'][distances.argmin()]} " in said(draw(golden, "pair", selected=3))
    assert "The nearest of another cluster; shift-click" in said(draw(golden, "pair", selected=3))
    assert "An example: click a sample" in said(draw(golden, "pair"))
    with pytest.raises(ViewError, match="there is no sample 999 in the probe"):
        draw(golden, "pair", selected=3, other=999)


def test_before_the_first_checkpoint_a_sentence_stands_in_place_of_the_way(golden: Run, tmp_path: Path) -> None:
    with pytest.raises(NothingToShow, match="No model was kept before step 560"):
        draw(golden, "pair", 3)
    copy = shutil.copytree(golden.folder.path, tmp_path / "golden", ignore=shutil.ignore_patterns("*.pt"))
    with pytest.raises(NothingToShow, match="came without its models"):
        draw(Run(copy), "pair")


def test_flows_go_from_the_beginning_of_the_phase_to_the_frame(golden: Run) -> None:
    phases = [frame.phase for frame in golden.frames]
    start = phases.index("cluster")
    for frame, origin in ((20, start), (start, start - 1), (3, 0)):
        values = draw(golden, "flows", frame).data[0].link.value
        pairs = list(zip(golden.frames[origin].labels, golden.frames[frame].labels, strict=True))
        assert sorted(values) == sorted(pairs.count(pair) for pair in set(pairs))
    with pytest.raises(NothingToShow, match="first frame"):
        draw(golden, "flows", 0)


def test_centroids_tell_how_far_they_have_moved(golden: Run) -> None:
    start = [frame.phase for frame in golden.frames].index("cluster")
    ways = [np.linalg.norm(golden.frames[20].centroids[4] - golden.frames[i].centroids[4]) for i in (start, 19)]
    printed = next(t.text for t in draw(golden, "centroids").data if t.type == "scatter" and t.mode == "text")
    assert printed[4].endswith(f"<br>moved {ways[0]:.2g}, {ways[1]:.2g}")
    printed = next(t.text for t in draw(golden, "centroids", start).data if t.type == "scatter" and t.mode == "text")
    assert "moved" not in printed[4]


def test_p_and_q_over_time_begins_where_assignments_become_soft(golden: Run) -> None:
    soft = [frame for frame in golden.frames if "q" in frame]
    curve = next(trace for trace in draw(golden, "p-and-q", selected=7).data if trace.name == "p of 1")
    assert list(curve.x) == [frame.step for frame in soft]
    np.testing.assert_allclose(curve.y, np.array([frame.p[7, 1] for frame in soft], np.float64))
    assert not [trace for trace in draw(golden, "p-and-q").data if trace.name == "p of 1"]
