"""Siblings are runs alike but for extensions; strips of both stand together, and it is said whose is whose."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from figure_helpers import pixels, texts

from clustlab.runs import Run
from clustlab.runs.status import now, process_identity
from clustlab.views import ViewError, draw, siblings

GOLDEN = Path(__file__).parents[1] / "golden" / "idec-acai-digits"


def copied(runs: Path, name: str, frames: int = 21, **changes: Any) -> Run:
    """Return a copy of the golden run with its first frames and another spec."""
    path = shutil.copytree(GOLDEN, runs / name, ignore=shutil.ignore_patterns("cache", "checkpoints"))
    spec = json.loads((path / "spec.json").read_text())
    (path / "spec.json").write_text(json.dumps(spec | changes))
    lines = (path / "frames.jsonl").read_text().splitlines(keepends=True)
    (path / "frames.jsonl").write_text("".join(lines[:frames]))
    return Run(path)


@pytest.fixture
def own(runs: Path) -> Run:
    return copied(runs, "own-0001")


def test_siblings_are_alike_but_for_extensions(own: Run, runs: Path) -> None:
    assert siblings(own) == []
    plain = copied(runs, "plain-0001", extensions={}, recording={"probe": 60})
    copied(runs, "seed-0001", extensions={}, seed=7)
    copied(runs, "method-0001", extensions={}, method="dec")
    copied(runs, "same-0001")
    copied(runs, "weight-0001", extensions={"acai": {"weight": 2.0}})
    copied(runs, "other-0001", extensions={"mixing": {}})
    (runs / "empty").mkdir()
    assert [(each.name, each.words) for each in siblings(own)] == [("plain-0001", "without ACAI")]
    found = {each.name: each.words for each in siblings(plain)}
    assert found["own-0001"] == "with ACAI"
    assert {"seed-0001", "method-0001"}.isdisjoint(found)


def test_a_run_that_is_being_trained_is_looked_at_by_itself(own: Run, runs: Path) -> None:
    plain = copied(runs, "plain-0001", extensions={})
    status = json.loads(plain.folder.status.read_text())
    here = {"state": "running", "heartbeat": now(), **process_identity()}
    plain.folder.status.write_text(json.dumps(status | here))
    assert plain.lives
    assert siblings(own) == []


def test_strips_of_both_stand_one_under_the_other_and_say_whose_they_are(own: Run, runs: Path) -> None:
    shorter = copied(runs, "plain-0001", frames=15, extensions={})
    figure = draw(own, "interpolation", beside="plain-0001")
    assert list(figure.layout.yaxis.ticktext) == ["with", "without"] * 4
    said = texts(figure)
    assert f"with ACAI: this run at step {own.frames[-1].step}" in said
    assert f"without ACAI: {shorter.title} at step {shorter.frames[-1].step}" in said
    last = own.frames[-1].strip_labels
    first = next(at for at, labels in enumerate(last) if labels[0] != labels[-1])  # across a border comes first
    raster = pixels(figure)
    row, line = raster.shape[0] // 2, max(1, round(0.05 * 8))
    cell = raster.shape[1] // (own.sample["alpha"].size + 2)
    for at, run in enumerate((own, shorter)):
        shown = raster[at * row + line : at * row + line + 8, cell + line : cell + line + 8, 0]
        strip = run.frames[-1].strips[first][0].astype(np.float32)
        np.testing.assert_array_equal(shown, np.round(strip.clip(0, 1) * 255))
    early = texts(draw(own, "interpolation", 3, beside="plain-0001"))
    assert f"{shorter.title} at step {own.frames[3].step}" in early, "the nearest step of the sibling"


def test_no_other_run_is_taken_for_a_sibling(own: Run, runs: Path) -> None:
    copied(runs, "seed-0001", extensions={}, seed=7)
    for name in ("seed-0001", "../own-0001", ""):
        with pytest.raises(ViewError, match="has no sibling"):
            draw(own, "interpolation", beside=name)
