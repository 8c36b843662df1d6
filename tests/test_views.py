"""Panels are offered where their arrays are, drawn from them, and refused in a sentence elsewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clustlab.errors import ClustlabError
from clustlab.projections import project
from clustlab.runs import Run, create_run_folder
from clustlab.runs.writer import RunWriter, write_spec
from clustlab.spec import RunSpec
from clustlab.views import PANELS, View, ViewError, draw, layout_of, panels, thumbnail
from clustlab.views.plane import plane_of

N, K, PAIRS, STEPS = 60, 3, 2, 5
MEASURED = {"label_change": 0.1, "marginal_entropy": 1.0, "conditional_entropy": 0.2}


def inside_arrays(generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Return all that a method may observe of itself, in the shapes of FORMAT.md."""
    shapes = {
        "critic_calibration": (20, 2),
        "explained_variance": (4,),
        "laplacian_eigenvalues": (5,),
        "eigen_images": (4, 8, 8),
        "component_weights": (K,),
        "component_variances": (K, 4),
        "posterior_variances": (N, 4),
        "kl_per_dimension": (4,),
        "kld_parts": (N, 3),
        "prior_samples": (9, 8, 8),
        "style_grid": (K, 5, 8, 8),
        "counts": (K,),
        "staleness": (K,),
        "pull": (N, 4),
        "auxiliary": (N, 4),
        "dual": (N, 4),
        "plane_codes": (N, 2),
        "landscape": (6, 6),
        "landscape_positives": (9, 2),
        "discriminator_logits": (9, 2),
        "pulls": (8, 3, 2),
        "affinity": (12, 12),
        "residuals": (9, 2),
        "principal_angles": (K, K),
        "cluster_weights": (K, 8, 8),
        "weight_norms": (K,),
        "layer_costs": (4, 2),
        "combinators": (4, 2, 10),
        "corrupted_q": (N, K),
        "perturbation": (4, 8, 8),
        "perturbation_divergence": (4, 6, 3),
        "perturbed_q": (4, 3, K),
        "perturbation_radius": (N,),
        "power_cosines": (4, 5),
    }
    arrays = {name: generator.random(shape).astype(np.float32) for name, shape in shapes.items()}
    ranges = {"landscape_range": np.array([0, 1, 0, 1], np.float32), "affinity_rows": np.arange(12, dtype=np.int32)}
    ranges |= {"perturbation_rows": np.array([2, 9, 11, 30], np.int32)}
    ranges |= {"perturbation_multiples": np.array([0, 1, 2], np.float16)}
    pairs = {"pair_rows": np.arange(12, dtype=np.int32), "pair_thresholds": np.array([0.7, 0.4], np.float32)}
    ranges |= pairs | {"pair_similarities": generator.random((12, 12)).astype(np.float16)}
    ensemble = {"signatures": generator.integers(0, K, (N, 4)), "pseudo_labels": generator.integers(-1, K, N)}
    ensemble |= {"bucket_sizes": generator.integers(1, 20, (3, K)), "agreement_thresholds": np.array([1, 3])}
    ranges |= ensemble | {"combinator_units": np.zeros((4, 2), np.int32)}
    return arrays | ranges


def arrays_at(step: int, *, soft: bool) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(step)
    arrays = {
        "codes": generator.normal(size=(N, 4)).astype(np.float32),
        "labels": (np.arange(N) % K).astype(np.int16),
        "centroids": generator.normal(size=(K, 4)).astype(np.float32),
        "model_cluster": np.arange(K, dtype=np.int16),
        "sizes": np.full(K, N // K, np.int32),
        "confidence": generator.random(N).astype(np.float16),
        "sample_loss": generator.random(N).astype(np.float32),
        "decoded_centroids": generator.random((K, 8, 8)).astype(np.float16),
        "strips": generator.random((PAIRS, STEPS, 8, 8)).astype(np.float16),
        "strip_labels": np.array([[0] * STEPS, [0, 0, 1, 1, 1]], np.int16),
    }
    arrays |= inside_arrays(generator)
    if soft:
        q = generator.dirichlet(np.ones(K), size=N)
        arrays |= {"q": q.astype(np.float16), "p": (q**2 / (q**2).sum(axis=1, keepdims=True)).astype(np.float16)}
    return arrays


def written(folder: Path, *, images: bool = True) -> Run:
    run_folder = create_run_folder(folder, "view")
    write_spec(run_folder, RunSpec(method="idec", data="digits").to_json())
    writer = RunWriter(run_folder)
    phases = [{"name": "pretrain", "title": "autoencoder"}, {"name": "cluster", "title": "clustering"}]
    dataset = {"name": "digits", "class_names": ["zero", "one", "two"]}
    writer.about({"title": "IDEC on digits", "phases": phases, "dataset": dataset, "n_clusters": K})
    sample: dict[str, np.ndarray] = {"index": np.arange(N)}
    if images:
        pairs = np.array([[0, 3], [3, 4]])
        sample |= {"thumbnails": np.full((N, 8, 8), 7, np.uint8), "y": np.arange(N) % K, "pairs": pairs}
        sample |= {"alpha": np.linspace(0, 1, STEPS).astype(np.float32)}
    else:
        sample |= {"x": np.zeros((N, 4), np.float32)}
    writer.sample(sample)
    for step in range(0, 150, 10):
        phase = "pretrain" if step < 80 else "cluster"
        term = {"raw": 1 / (1 + step), "weight": 1.0, "weighted": 1 / (1 + step)}
        writer.scalars({"step": step, "phase": phase, "terms": {"reconstruction": term}, "values": MEASURED})
        arrays = arrays_at(step, soft=phase == "cluster")
        if not images:
            arrays = {name: arrays[name] for name in ("codes", "labels", "centroids", "confidence")}
        record = {"step": step, "phase": phase, "phase_step": step, "metrics": {"acc": step / 200}, "terms": {}}
        writer.frame({**record, "values": {}}, arrays)
    writer.status(state="finished", step=140)
    return Run(run_folder.path)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return written(tmp_path_factory.mktemp("views"))


def offered(run: Run, frame: int) -> set[str]:
    return {panel["name"] for panel in panels(run, frame) if panel["available"]}


def test_views_load_neither_torch_nor_streamlit_nor_umap() -> None:
    code = "import sys, clustlab.views; print({'torch', 'streamlit', 'umap'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


def test_panels_are_offered_where_their_arrays_are(run: Run) -> None:
    everything = {panel.name for panel in PANELS}
    assert offered(run, -1) == everything
    assert offered(run, 0) == everything - {panel.name for panel in PANELS if "q" in panel.needs}
    phases = {panel["name"]: panel["from_phase"] for panel in panels(run, 0)}
    assert phases["p-and-q"] == "cluster"
    assert phases["latent"] == "pretrain"


@pytest.fixture(scope="module")
def lacking(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose first frame has every array, and each frame after it all but one."""
    folder = create_run_folder(tmp_path_factory.mktemp("lacking"), "lacking")
    write_spec(folder, RunSpec(method="idec", data="digits").to_json())
    writer = RunWriter(folder)
    writer.sample({"index": np.arange(N), "thumbnails": np.full((N, 8, 8), 7, np.uint8), "y": np.arange(N) % K})
    arrays = arrays_at(0, soft=True)
    for step, name in enumerate(("", *arrays)):
        record = {"step": step, "phase": "cluster", "phase_step": step, "metrics": {}, "terms": {}, "values": {}}
        writer.frame(record, {key: array for key, array in arrays.items() if key != name})
    writer.scalars({"step": 0, "phase": "cluster", "values": MEASURED})
    return Run(folder.path)


def _only(needs: tuple[str, ...], there: set[str]) -> list[set[str]]:
    """Return for each need the arrays that meet it."""
    return [set(need.split(" or ")) & there for need in needs]


def test_a_panel_is_there_exactly_when_its_arrays_are(lacking: Run) -> None:
    inside = {panel.name: panel for panel in PANELS if panel.inside}
    assert {*inside} <= offered(lacking, 0)
    names = set(lacking.frames[0].array_names)
    for frame in list(lacking.frames)[1:]:
        (gone,) = names - set(frame.array_names)
        needing = {name for name, panel in inside.items() if {gone} in _only(panel.needs, names)}
        assert {*inside} - offered(lacking, frame.number) == needing, gone


def test_every_array_that_a_method_may_observe_is_drawn() -> None:
    needed = {name for panel in PANELS for need in panel.needs for name in need.split(" or ")}
    # Drawn where they are, missed by nobody.
    optional = {"component_weights", "landscape_positives", "combinator_units", "agreement_thresholds"}
    assert set(inside_arrays(np.random.default_rng(0))) - needed == optional


@pytest.mark.parametrize(
    ("have", "draws"),
    [
        ({"component_variances"}, {"mixture"}),
        ({"component_covariances"}, {"mixture"}),
        ({"counts"}, {"counting"}),
        ({"staleness"}, {"counting"}),
        ({"auxiliary"}, set()),
    ],
)
def test_one_of_two_arrays_is_enough_where_either_will_do(tmp_path: Path, have: set[str], draws: set[str]) -> None:
    folder = create_run_folder(tmp_path, "either")
    write_spec(folder, RunSpec(method="idec", data="digits").to_json())
    everything = arrays_at(0, soft=False) | {"component_covariances": np.stack([np.eye(4)] * K)}
    arrays = {name: everything[name] for name in {"codes", "labels", "centroids", *have}}
    record = {"step": 0, "phase": "cluster", "phase_step": 0, "metrics": {}, "terms": {}, "values": {}}
    RunWriter(folder).frame(record, arrays)
    either = Run(folder.path)
    assert offered(either, -1) == {"latent", "flows", "spectrum"} | draws
    for name in draws:
        assert len(draw(either, name).data) > 0


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


def test_panels_are_listed_from_one_look_at_what_was_measured(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    monkeypatch.setattr("clustlab.views.drawing.series_of", lambda run: looks.append(run) or {})
    panels(run)
    assert len(looks) == 1
    assert len(run.frames) > 1


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


def test_reconstructions_are_the_ends_of_the_strips(run: Run) -> None:
    marks = [trace.customdata for trace in draw(run, "reconstructions").data if trace.customdata is not None]
    errors = run.frames[-1].sample_loss
    ends = run.sample["pairs"].ravel().tolist()
    assert marks[0].tolist() == 3 * sorted(ends, key=lambda i: -errors[i])
    assert marks[1].tolist() == np.argsort(-errors, kind="stable")[:12].tolist()


def test_panels_speak_to_people(run: Run) -> None:
    for panel in panels(run):
        assert panel["question"].endswith("?")
        assert panel["aid"].endswith(".")
        assert panel["help"].count("$") % 2 == 0


def test_a_run_of_vectors_without_classes_offers_what_it_can(tmp_path: Path) -> None:
    vectors = written(tmp_path, images=False)
    whole_run = {"curves", "vital-signs", "information"}
    assert offered(vectors, -1) == whole_run | {"latent", "story", "flows", "confidence", "spectrum"}
    assert {panel["name"]: panel["from_phase"] for panel in panels(vectors)}["confusion"] is None


def test_a_run_without_frames_offers_nothing_and_says_so(tmp_path: Path) -> None:
    folder = create_run_folder(tmp_path, "empty")
    write_spec(folder, RunSpec(method="idec", data="digits").to_json())
    empty = Run(folder.path)
    assert offered(empty, -1) == set()
    with pytest.raises(ViewError, match="has recorded no frame yet"):
        draw(empty, "latent")


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
