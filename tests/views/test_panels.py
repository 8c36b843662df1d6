"""Panels are offered where their arrays are, and only there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from view_helpers import MEASURED, K, N, arrays_at, inside_arrays, offered, written

from clustlab.runs import Run, create_run_folder
from clustlab.runs.writer import RunWriter, write_spec
from clustlab.spec import RunSpec
from clustlab.views import PANELS, ViewError, draw, panels


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


def test_panels_are_listed_from_one_look_at_what_was_measured(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    monkeypatch.setattr("clustlab.views.drawing.series_of", lambda run: looks.append(run) or {})
    panels(run)
    assert len(looks) == 1
    assert len(run.frames) > 1


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
