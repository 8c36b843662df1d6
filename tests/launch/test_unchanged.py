"""A file that was written anew is other data: nothing that was begun with the old goes on with it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from clustlab.bench.campaign import fill
from clustlab.bench.grid import Grid
from clustlab.data import load
from clustlab.data.mapped import MappedArray
from clustlab.errors import DataError
from clustlab.inspection import open_model
from clustlab.launch import fork, launch
from clustlab.launch.inline import start
from clustlab.runs import Run, list_runs
from clustlab.spec import RunSpec

SMALL = {
    "training": {"epochs": 2, "batch_size": 30, "threads": 1},
    "network": {"hidden": "8", "latent_dim": 3},
}


def written(path: Path, seed: int, shift: int = 0) -> Path:
    """Write data of one shape whose samples follow from the seed, whose classes are exchanged by a shift."""
    x = np.random.default_rng(seed).normal(size=(60, 4)) + np.repeat([[0.0], [8.0], [16.0]], 20, axis=0)
    np.savez(path, X=x, y=(np.repeat([0, 1, 2], 20) + shift) % 3)
    return path


def trained(path: Path, runs: Path, method: str = "dec", **parts: dict[str, object]) -> Run:
    return launch(RunSpec.parse({"method": method, "data": str(path), **parts}), runs, "inline")


def test_samples_and_classes_have_digests_of_their_own(tmp_path: Path) -> None:
    old, same, moved, renamed = (
        load(str(written(tmp_path / f"{at}.npz", seed, shift))).digests
        for at, (seed, shift) in enumerate(((0, 0), (0, 0), (1, 0), (0, 1)))
    )
    assert old == same
    assert (old["samples"] == renamed["samples"], old["classes"] == renamed["classes"]) == (True, False)
    assert (old["samples"] == moved["samples"], old["classes"] == moved["classes"]) == (False, True)


@pytest.mark.parametrize("shift", [0, 1], ids=["other samples", "other classes"])
def test_a_run_neither_goes_on_nor_is_forked_with_other_data(runs: Path, tmp_path: Path, shift: int) -> None:
    path = written(tmp_path / "mine.npz", 0)
    run = trained(path, runs, **SMALL)
    assert run.state == "finished", run.status
    written(path, 1 - shift, shift)
    with pytest.raises(DataError, match=f"{re.escape(str(path))} has changed since {run.name} was begun"):
        fork(run, run.spec)
    assert [each.name for each in list_runs(runs)] == [run.name]

    run.folder.result.unlink()
    about = run.folder.about.read_bytes()
    start(run.folder.path)
    assert run.state == "failed"
    assert f"has changed since {run.name} was begun" in run.status["error"]
    assert run.folder.about.read_bytes() == about


def test_a_mapped_file_has_the_digests_of_the_same_array_in_memory(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(9000, 3)).astype(np.float32)
    np.save(tmp_path / "mapped.npy", x)
    np.savez(tmp_path / "held.npz", X=x)
    mapped, held = load(str(tmp_path / "mapped.npy")), load(str(tmp_path / "held.npz"))
    assert isinstance(mapped.x, MappedArray)
    assert mapped.digests == held.digests
    x[8999, 2] += 1
    np.save(tmp_path / "mapped.npy", x)
    assert load(str(tmp_path / "mapped.npy")).digests != held.digests


def test_a_fork_knows_from_its_first_moment_which_data_its_past_has_seen(runs: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "mine.npz", 0)
    parent = trained(path, runs, **SMALL)
    child = fork(parent, parent.spec)
    assert child.about == {key: parent.about[key] for key in ("dataset", "n_clusters")}
    written(path, 1)
    start(child.folder.path)
    assert f"has changed since {child.name} was begun" in child.status["error"]


@pytest.mark.parametrize("features", [4, 3], ids=["samples of the same shape", "samples of another shape"])
def test_what_a_run_recorded_before_there_were_digests_is_compared_as_far_as_it_goes(
    runs: Path, tmp_path: Path, features: int
) -> None:
    path = written(tmp_path / "mine.npz", 0)
    run = trained(path, runs, **SMALL)
    described = {key: value for key, value in run.about["dataset"].items() if key != "digests"}
    run.folder.about.write_text(json.dumps(run.about | {"dataset": described}))
    run.folder.result.unlink()
    about = run.folder.about.read_bytes()
    with np.load(path) as old:
        np.savez(path, X=old["X"][:, :features], y=old["y"])
    start(run.folder.path)
    assert run.state == ("finished" if features == 4 else "failed")
    assert (run.folder.about.read_bytes() == about) == (features != 4)


def test_a_model_asks_no_other_samples_than_those_it_was_trained_on(runs: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "mine.npz", 0)
    run = trained(path, runs, "kmeans")
    assert len(open_model(run)._samples.x) == 60
    written(path, 1)
    with pytest.raises(DataError, match="mine are not those that the model was trained on"):
        open_model(run)._samples.x  # noqa: B018


@pytest.mark.slow
def test_a_table_takes_over_nothing_from_other_data(runs: Path, tmp_path: Path) -> None:
    path, table = written(tmp_path / "mine.npz", 0), tmp_path / "table.csv"
    grid = Grid(("kmeans",), (str(path),))
    (first,) = fill(grid, runs, table, 1, lambda *_: None)
    written(path, 0, 1)
    (second,) = fill(grid, runs, table, 1, lambda *_: None)
    assert first.state == second.state == "finished"
    assert first.run != second.run
    (third,) = fill(grid, runs, table, 1, lambda *_: None)
    assert third.run == second.run
