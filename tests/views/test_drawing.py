"""Panels are drawn from what was recorded, at the frame asked for, and refused in a sentence elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from view_helpers import MEASURED, written

from clustlab.errors import ClustlabError
from clustlab.projections import project
from clustlab.runs import Run, create_run_folder
from clustlab.runs.writer import RunWriter, write_spec
from clustlab.spec import RunSpec
from clustlab.views import PANELS, View, ViewError, draw, layout_of, thumbnail
from clustlab.views.plane import plane_of


def test_a_plane_keeps_covariances_and_follows_the_map(tmp_path: Path) -> None:
    run = written(tmp_path)
    project(run.folder.path, "pca")
    view = View(run, 5, run.frames[5].arrays)
    plane = plane_of(view)
    layout = layout_of(view, "pca")[1]
    np.testing.assert_allclose(plane.points(view.arrays["codes"]), layout.points, atol=1e-4)
    np.testing.assert_allclose(plane.points(view.arrays["centroids"]), layout.centroids, atol=1e-4)
    variances = view.arrays["component_variances"]
    full = np.stack([np.diag(row) for row in variances])
    expected = np.stack([plane.basis.T @ each @ plane.basis for each in full])
    np.testing.assert_allclose(plane.covariances(variances), expected, atol=1e-6)
    np.testing.assert_allclose(plane.covariances(full), expected, atol=1e-6)
    diagonal = np.sqrt(np.diagonal(expected, axis1=1, axis2=2))
    np.testing.assert_allclose(plane.deviations(variances), diagonal, atol=1e-6)


def test_codes_of_two_coordinates_are_their_own_plane(run: Run) -> None:
    view = View(run, 0, run.frames[0].arrays)
    flat = View(run, 0, {name: view.arrays[name][:, :2] for name in ("codes", "centroids")})
    np.testing.assert_array_equal(plane_of(flat).points(flat.arrays["codes"]), flat.arrays["codes"])
    assert plane_of(flat).titles == ("z₁", "z₂")
    line = View(run, 0, {name: view.arrays[name][:, :1] for name in ("codes", "centroids")})
    np.testing.assert_array_equal(plane_of(line).points(line.arrays["codes"])[:, 1], 0)


def test_vital_signs_hold_what_frames_and_hooks_measured(run: Run) -> None:
    drawn = {trace.name for trace in draw(run, "vital-signs", 3).data} - {None}
    assert drawn == {*MEASURED}  # agreement with the classes is no vital sign


@pytest.mark.parametrize("name", [panel.name for panel in PANELS if panel.name != "pair"])  # that one asks a model
def test_every_panel_is_drawn_small_enough_to_send(run: Run, name: str) -> None:
    figure = run.figure(name)
    assert len(figure.data) > 0
    assert len(figure.to_json()) < 400_000


def test_the_figure_shows_the_frame_and_the_sample_asked_for(run: Run) -> None:
    for frame in (9, -1):
        bars = {trace.name: trace.y for trace in draw(run, "p-and-q", frame, selected=11).data if trace.type == "bar"}
        np.testing.assert_array_equal(bars["Q"], run.frames[frame].q[11])
        np.testing.assert_array_equal(bars["P"], run.frames[frame].p[11])


def test_curves_hold_the_whole_run_at_every_frame(run: Run) -> None:
    figure = draw(run, "curves", 3)
    lines = {trace.name: trace for trace in figure.data}
    assert list(lines["reconstruction"].x) == list(range(0, 150, 10))
    np.testing.assert_allclose(lines["ACC"].y, np.arange(0, 150, 10) / 200)
    assert {shape.x0 for shape in figure.layout.shapes if shape.type == "line"} == {30}
    bands = [(shape.x0, shape.x1) for shape in figure.layout.shapes if shape.type == "rect"]
    assert bands == [(0, 70), (70, 140)]


def test_the_history_ends_at_the_frame_shown(run: Run) -> None:
    assert list(draw(run, "strip-history", 2).layout.yaxis.ticktext) == ["step 0", "step 10", "step 20"]
    steps = draw(run, "strip-history").layout.yaxis.ticktext
    assert len(steps) == 8
    assert (steps[0], steps[-1]) == ("step 0", "step 140")


def test_what_is_pointed_at_is_called_by_its_row_in_the_data(tmp_path: Path) -> None:
    run = written(tmp_path)
    rows = 7 * run.sample["index"]
    np.savez(run.folder.sample, **{**run.sample, "index": rows})
    run = Run(run.folder.path)
    heat = draw(run, "p-and-q-all").data[0]
    np.testing.assert_array_equal(np.asarray(heat.customdata)[:, 0], rows[heat.meta["rows"]])
    pairs = draw(run, "pair-matrix")
    assert list(pairs.layout.xaxis.ticktext) == [f"#{row}" for row in rows[pairs.data[0].meta["rows"]]]


def test_the_history_prefers_a_pair_that_changes_cluster(run: Run) -> None:
    def heading(**options: Any) -> str:
        return draw(run, "strip-history", **options).layout.annotations[0].text

    assert heading() == "between samples #3 and #4"
    assert heading(pair=0) == "between samples #0 and #3"


def test_the_map_uses_what_has_been_projected(tmp_path: Path) -> None:
    run = written(tmp_path)
    view = View(run, 14, run.frames[14].arrays)
    assert layout_of(view)[0] == "pca"
    assert all(trace.mode != "lines" for trace in draw(run, "latent").data)
    with pytest.raises(ViewError, match="has not been projected by UMAP yet"):
        draw(run, "latent", projection="umap")
    project(run.folder.path, "pca")
    with np.load(run.folder.projection("pca") / "000140.npz") as cached:
        np.testing.assert_array_equal(layout_of(view, "pca")[1].points, cached["points"])
    assert any(trace.mode == "lines" for trace in draw(run, "latent").data)


def test_a_trail_begins_where_its_phase_does(tmp_path: Path) -> None:
    run = written(tmp_path)
    project(run.folder.path, "pca")

    def trails(frame: int) -> int:
        figure = draw(run, "latent", frame, projection="pca")
        return sum(trace.mode == "lines" for trace in figure.data)

    assert [run.frames[frame].phase for frame in (7, 8, 9)] == ["pretrain", "cluster", "cluster"]
    assert (trails(7) > 0, trails(8), trails(9) > 0) == (True, 0, True)


@pytest.mark.parametrize("name", ["interpolation", "strip-history", "centroids"])
def test_pictures_of_a_frozen_decoder_say_so(tmp_path: Path, name: str) -> None:
    run = written(tmp_path)
    phases = [
        {"name": "pretrain", "title": "autoencoder", "frozen_decoder": False},
        {"name": "cluster", "title": "clustering", "frozen_decoder": True},
    ]
    RunWriter(run.folder).about(run.about | {"phases": phases})
    run = Run(run.folder.path)

    def remarks(frame: int) -> int:
        notes = draw(run, name, frame).layout.annotations
        return sum("decoder is not trained in this phase" in note.text for note in notes)

    assert (remarks(2), remarks(-1)) == (0, 1)


def test_the_thumbnail_is_a_picture_of_the_latest_frame(tmp_path: Path) -> None:
    run = written(tmp_path)
    picture = thumbnail(run)
    assert picture.startswith("data:image/png;base64,")
    assert thumbnail(run) is picture  # drawn once
    write_spec(create_run_folder(tmp_path, "empty"), RunSpec(method="idec", data="digits").to_json())
    empty = next(path for path in tmp_path.iterdir() if path.name.startswith("empty"))
    assert thumbnail(Run(empty)) == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"name": "piechart"}, "there is no figure “piechart”; there are latent, p-and-q"),
        ({"name": "p-and-q", "frame": 0}, "needs q, which step 0 .pretrain. has not recorded; it can show latent"),
        ({"name": "latent", "frame": 15}, "there is no frame 15; the run .* has frames 0 to 14"),
        ({"name": "latent", "selected": 60}, "no sample 60 in the probe; it has samples 0 to 59"),
        ({"name": "latent", "colour": "taste"}, "cannot be coloured by “taste” here; it can be by cluster"),
        ({"name": "latent", "projection": "tsne"}, "there is no projection “tsne”"),
        ({"name": "latent", "size": 3}, "has no option “size”; it has projection, colour"),
        ({"name": "strip-history", "pair": 2}, "there is no pair 2"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(run: Run, arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ClustlabError, match=says):
        draw(run, **arguments)


@pytest.mark.parametrize("colour", ["cluster", "class", "confidence", "loss"])
def test_the_map_can_be_coloured(run: Run, colour: str) -> None:
    figure = draw(run, "latent", colour=colour, projection="pca")
    names = {trace.name for trace in figure.data}
    expected = {"cluster": "cluster 0", "class": "two", "confidence": "confidence", "loss": "reconstruction error"}
    assert expected[colour] in names


def test_new_pairs_are_those_that_the_frame_before_took_for_something_else(run: Run) -> None:
    def kinds(frame: int) -> np.ndarray:
        arrays = run.frames[frame].arrays
        values = arrays["pair_similarities"][np.triu_indices(12, 1)].astype(float)
        upper, lower = arrays["pair_thresholds"].astype(float)
        return np.select([values >= upper, values < lower], [2, 0], 1)

    def counts(frame: int) -> str:
        return draw(run, "new-pairs", frame).layout.annotations[0].text.replace("<br>", " ")

    new = kinds(3) != kinds(2)
    positive, negative = (int((new & (kinds(3) == kind)).sum()) for kind in (2, 0))
    assert f"Since step 20: {positive} new positive (+) and {negative} new negative pairs" in counts(3)
    assert "Since the start" in counts(0)
    assert "Since the start" in counts(8), "a phase begins anew"
    assert run.frames[8].phase != run.frames[7].phase


def test_the_curriculum_spans_all_frames_and_marks_the_one_shown(run: Run) -> None:
    figure = draw(run, "curriculum", 3)
    line = next(each for each in figure.data if each.name == "threshold u")
    assert list(line.x) == list(range(0, 150, 10))
    assert {shape.x0 for shape in figure.layout.shapes} == {30}
