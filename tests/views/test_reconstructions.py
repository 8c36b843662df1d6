"""The worst reconstructions beside their samples: of the model kept at the moment, of one before, or of none."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from figure_helpers import pixels, texts

from clustlab.inspection import open_model
from clustlab.runs import Run
from clustlab.runs.writer import RunWriter
from clustlab.views import View, draw
from clustlab.views.kept import remade

GOLDEN = Path(__file__).parents[1] / "golden" / "idec-acai-digits"


@pytest.fixture
def copied(tmp_path: Path) -> Run:
    """The golden run, its model as if it had been kept at the step of frame 18."""
    run = Run(shutil.copytree(GOLDEN, tmp_path / "golden"))
    (kept,) = run.folder.checkpoint_files().values()
    kept.rename(kept.with_name(f"{run.frames[18].step:09d}.pt"))
    return run


def view_of(run: Run, frame: int) -> View:
    return View(run, frame, run.frames[frame].arrays)


def marked(figure: Any) -> list[list[int]]:
    return [trace.customdata.tolist() for trace in figure.data if trace.customdata is not None]


def test_the_worst_stand_beside_what_the_model_of_the_moment_makes_of_them() -> None:
    run = Run(GOLDEN)
    last = run.frames[-1]
    worst = np.argsort(-last.sample_loss, kind="stable")[:10]
    figure = draw(run, "reconstructions")
    assert marked(figure)[0] == worst.tolist() * 3, "x, x̂ and the difference of each"
    assert "The worst of all" in texts(figure)
    assert "x̂ by the model of step 560 (clustering)." in texts(figure)
    decoded, title, exact = remade(view_of(run, last.number), worst)
    assert (title, exact) == ("step 560 (clustering)", True)
    scale = run.about["dataset"]["scale"]
    errors = ((decoded - run.sample["thumbnails"][worst] / 255) ** 2).mean(axis=(1, 2)) / scale**2
    np.testing.assert_allclose(errors, last.sample_loss[worst], rtol=0.05)  # decoded pictures end at black and white
    row = pixels(figure).shape[0] // 3
    line = max(1, round(0.05 * 8))
    shown = pixels(figure)[row + line : row + line + 8, line : line + 8, 0]
    np.testing.assert_array_equal(shown, np.round(decoded[0] * 255))


def test_recorded_reconstructions_stand_below_the_worst_first() -> None:
    run = Run(GOLDEN)
    errors, ends = run.frames[3].sample_loss, run.sample["pairs"].ravel().tolist()
    figure = draw(run, "reconstructions", 3)
    assert marked(figure)[1] == 3 * sorted(ends, key=lambda i: -errors[i])[:10]


def test_where_no_model_is_kept_the_worst_stand_alone_with_the_reason(tmp_path: Path) -> None:
    early = draw(Run(GOLDEN), "reconstructions", 3)
    assert "No model was kept before step 560: their x̂ cannot be asked for." in texts(early)
    assert marked(early)[0] == np.argsort(-Run(GOLDEN).frames[3].sample_loss, kind="stable")[:10].tolist()
    bare = Run(shutil.copytree(GOLDEN, tmp_path / "bare", ignore=shutil.ignore_patterns("*.pt")))
    assert "This run came without its models" in texts(draw(bare, "reconstructions"))


def test_a_checkpoint_that_cannot_be_read_is_told_and_the_rest_drawn(copied: Run) -> None:
    next(iter(copied.folder.checkpoint_files().values())).write_bytes(b"cut off")
    figure = draw(copied, "reconstructions")
    assert "Their x̂ cannot be asked for: " in texts(figure)
    assert len(marked(figure)) == 2


def test_an_earlier_model_encodes_the_samples_itself_and_is_named(copied: Run) -> None:
    last = copied.frames[-1]
    figure = draw(copied, "reconstructions")
    assert f"step {copied.frames[18].step} (clustering), kept before step {last.step}." in texts(figure)
    worst = np.argsort(-last.sample_loss, kind="stable")[:10]
    decoded, _, exact = remade(view_of(copied, last.number), worst)
    assert not exact
    model = open_model(copied)
    np.testing.assert_allclose(decoded, model.decode(model.encode(copied.sample["thumbnails"][worst] / 255)), atol=1e-6)


def test_a_decoder_at_rest_decodes_the_codes_of_the_moment(copied: Run) -> None:
    phases = [phase | {"frozen_decoder": phase["name"] == "cluster"} for phase in copied.about["phases"]]
    RunWriter(copied.folder).about(copied.about | {"phases": phases})
    run = Run(copied.folder.path)
    last = run.frames[-1]
    decoded, _, exact = remade(view_of(run, last.number), np.array([4, 5]))
    assert exact
    np.testing.assert_allclose(decoded, open_model(run).decode(last.codes[[4, 5]]), atol=1e-6)
    assert "kept before" not in texts(draw(run, "reconstructions"))
