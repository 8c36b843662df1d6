"""The golden run: recorded once, readable for ever; and what ``FORMAT.md`` says is what is there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from clustlab import views
from clustlab.launch.worker import execute
from clustlab.runs import Run, open_run
from clustlab.runs import layout as layout_module
from clustlab.runs.archive import export_run, import_run

GOLDEN = Path(__file__).parents[1] / "golden" / "idec-acai-digits"
FORMAT = (Path(layout_module.__file__).parent / "FORMAT.md").read_text()


@pytest.fixture
def golden() -> Run:
    return open_run(GOLDEN)


def documented(section: str) -> dict[str, tuple[str, str]]:
    """Return shape and dtype of every array in a section of FORMAT.md."""
    text = FORMAT.split(f"## `{section}`")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (\w+) \|", text, flags=re.MULTILINE)
    return {name: (shape, dtype) for name, shape, dtype in rows}


def test_it_opens_and_says_what_it_said_when_it_was_recorded(golden: Run) -> None:
    assert golden.state == "finished"
    assert golden.title == "IDEC + ACAI on Digits 8×8 · seed 0"
    assert golden.spec.method == "idec"
    assert golden.spec.extensions == {"acai": {}}
    assert len(golden.frames) == 21
    assert [frame.phase for frame in golden.frames] == sorted((f.phase for f in golden.frames), reverse=True)
    assert golden.metrics["acc"] == pytest.approx(0.59488, abs=1e-4)
    assert golden.scalars[-1]["step"] == 560
    assert [event["kind"] for event in golden.events][-1] == "finished"


def test_every_array_is_documented_with_its_dtype_and_shape(golden: Run) -> None:
    n, n_clusters, n_pairs, n_alpha = 60, 10, 6, 11
    sizes = {"n": n, "K": n_clusters, "J": 4, "m": n_pairs, "s": n_alpha, "h": 8, "w": 8, "2": 2}
    for section, groups in {
        "sample.npz": [golden.sample],
        "frames/*.npz": [frame.arrays for frame in golden.frames],
    }.items():
        known = documented(section)
        for arrays in groups:
            for name, array in arrays.items():
                shape, dtype = known[name]
                assert array.dtype == dtype, name
                first = re.findall(r"\w+|…", shape.split(" or ")[0])
                expected = [sizes[letter] for letter in first if letter != "…"]
                assert list(array.shape[: len(expected)]) == expected, name
                assert ("…" in first) == (array.ndim > len(expected)), name


def test_it_has_every_array_of_its_time(golden: Run) -> None:
    centroids = {"codes", "labels", "centroids", "model_cluster", "sizes", "confidence", "q", "p"}
    decoded = {"sample_loss", "decoded_centroids", "strips", "strip_labels", "critic_guess"}
    assert set(golden.frames[-1].array_names) == centroids | decoded


def test_what_it_recorded_hangs_together(golden: Run) -> None:
    frame = golden.frames[-1]
    q, p = frame.q.astype(np.float64), frame.p.astype(np.float64)
    np.testing.assert_allclose(q.sum(axis=1), 1, atol=5e-3)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=5e-3)
    assert np.array_equal(q.argmax(axis=1), frame.labels)
    distances = np.square(frame.codes[:, None] - frame.centroids).sum(axis=2)
    np.testing.assert_allclose(q, (1 / (1 + distances)) / (1 / (1 + distances)).sum(axis=1, keepdims=True), atol=2e-3)
    np.testing.assert_allclose(frame.confidence, q.max(axis=1), atol=1e-3)
    index, own = golden.sample["index"], golden.result["labels"]
    assert np.array_equal(frame.model_cluster[frame.labels], own[index])


OFFERED = [panel["name"] for panel in views.panels(open_run(GOLDEN)) if panel["available"]]


def test_it_offers_every_panel_that_any_run_may_have() -> None:
    assert {panel.name for panel in views.PANELS if not panel.inside} <= set(OFFERED)


@pytest.mark.parametrize("panel", OFFERED)
def test_every_panel_it_offers_can_be_drawn_from_it(golden: Run, panel: str) -> None:
    figure = golden.figure(panel)
    assert len(figure.data) > 0


def test_it_survives_a_journey_as_a_zip(golden: Run, tmp_path: Path) -> None:
    export_run(golden, tmp_path / "golden.zip")
    there = import_run(tmp_path / "golden.zip", tmp_path / "runs")
    names = {path.relative_to(GOLDEN).as_posix() for path in GOLDEN.rglob("*") if path.is_file()}
    arrived = {
        path.relative_to(there.folder.path).as_posix() for path in there.folder.path.rglob("*") if path.is_file()
    }
    assert arrived == names
    assert there.metrics == golden.metrics
    assert np.array_equal(there.frames[2].codes, golden.frames[2].codes)


def test_its_checkpoint_still_loads(golden: Run, tmp_path: Path) -> None:
    """Without its result the run is unfinished; going on from its last checkpoint gives the result again."""
    copy = tmp_path / "copy"
    shutil.copytree(GOLDEN, copy)
    (copy / "result.npz").unlink()
    assert execute(copy) == "finished"
    again = open_run(copy).result
    np.testing.assert_allclose(again["codes"], golden.result["codes"], atol=1e-4)
    assert (again["labels"] == golden.result["labels"]).mean() > 0.99
