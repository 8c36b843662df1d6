"""Tables that are filled by real runs, as small as can be."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from interrupted import interrupted

from clustlab import launch
from clustlab.bench import campaign
from clustlab.bench.campaign import fill
from clustlab.bench.grid import Grid
from clustlab.bench.table import Row
from clustlab.errors import DataError
from clustlab.launch.fork import fork
from clustlab.runs import Run, list_runs, open_run
from clustlab.spec import RunSpec, with_settings

TINY = ("training.epochs=2", "cluster_epochs=1", "network.hidden=8", "network.latent_dim=3", "training.batch_size=200")


def filled(grid: Grid, runs: Path, jobs: int = 1) -> list[Row]:
    return fill(grid, runs, runs.parent / "table.csv", jobs, lambda *_: None)


def records(runs: Path) -> list[dict[str, str]]:
    with (runs.parent / "table.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.slow
def test_a_table_is_filled_once_and_its_cells_are_ordinary_runs(runs: Path) -> None:
    grid = Grid(("dec", "kmeans"), ("blobs",), ((), ("acai",)), (1,), settings=TINY)
    rows = filled(grid, runs)
    assert [row.state for row in rows] == ["finished"] * 3 + ["impossible"]
    for record in records(runs)[:3]:
        assert record["acc"]
        assert record["kmeans_acc"] == "1.000000" or record["method"] == "dec"
        assert record["gmm_ari"]
        assert open_run(runs / record["run"]).state == "finished"
    before = (runs.parent / "table.csv").read_bytes()
    assert len(list_runs(runs)) == 3
    protocol = json.loads((runs.parent / "table.protocol.json").read_text())
    assert protocol["trained_with"] == [open_run(runs / rows[0].run).status["versions"]]
    filled(grid, runs)
    assert len(list_runs(runs)) == 3
    assert (runs.parent / "table.csv").read_bytes() == before

    # The second cell of a process has the bits of a run on its own.
    cell = rows[1]
    alone = launch.launch(cell.cell.spec, runs.parent / "alone", "inline")  # type: ignore[arg-type]
    assert np.array_equal(open_run(runs / cell.run).result["codes"], alone.result["codes"])


@pytest.mark.slow
def test_what_goes_wrong_is_a_row_and_the_others_go_on(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data that vanish after they were checked; a run that takes its worker down; one that cannot be submitted."""
    paths = [tmp_path / f"{name}.npz" for name in ("vanishing", "deadly", "refused", "bare")]
    for path in paths:
        np.savez(path, X=np.random.default_rng(0).normal(size=(60, 4)))
    submit = campaign.submit

    def spoiled(spec: RunSpec, folder: Path) -> Run:
        if spec.data == str(paths[2]):
            raise DataError("no")
        run = submit(spec, folder)
        if spec.data == str(paths[0]):
            paths[0].unlink()
        if spec.data == str(paths[1]):
            run.folder.log.mkdir()
        return run

    monkeypatch.setattr(campaign, "submit", spoiled)
    failed, dead, refused, bare = filled(Grid(("kmeans",), tuple(map(str, paths)), n_clusters=3), runs)
    assert (failed.state, failed.note) == ("failed", f"there is no file {paths[0]}")
    assert "the worker ended with status 1: IsADirectoryError" in dead.note
    assert dead.state == "lost"
    assert (refused.state, refused.note, refused.run) == ("failed", "no", "")
    assert bare.state == "finished"
    assert set(bare.scores) == {"silhouette"}  # these data have no classes


@pytest.mark.slow
def test_a_shared_past_is_the_cells_own_and_any_other_is_not(runs: Path) -> None:
    """Pretraining is done once for methods that begin alike; a fork that somebody made elsewhere is no cell."""
    grid = Grid(("dec", "idec"), ("blobs",), ((),), settings=TINY)
    dec, idec = filled(grid, runs)
    assert open_run(runs / idec.run).spec.parent is not None
    assert [row.run for row in filled(grid, runs)] == [dec.run, idec.run]

    lengthen_past(open_run(runs / idec.run), seconds=1000)
    (runs.parent / "table.csv").unlink()
    _, idec = filled(grid, runs)
    assert idec.wall_s > 1000, "pretraining counts"

    other = with_settings(open_run(runs / dec.run).spec, ["learning_rate=0.02"])
    stray = fork(open_run(runs / dec.run), other, runs=runs)
    launch.inline.start(stray.folder.path)
    assert stray.state == "finished"
    (row,) = filled(Grid(("dec",), ("blobs",), settings=(*TINY, "learning_rate=0.02")), runs)
    assert row.run != stray.name


@pytest.mark.slow
def test_damaged_curves_cost_a_cell_nothing_but_its_past_time(runs: Path) -> None:
    """``ae-kmeans`` has no past to count; DEC has that of the run whose pretraining it shares."""
    grid = Grid(("ae-kmeans", "dec"), ("blobs",), settings=TINY)
    for row in filled(grid, runs):
        with open_run(runs / row.run).folder.scalars.open("a") as stream:
            stream.write("no JSON\n")
    (runs.parent / "table.csv").unlink()
    assert [row.state for row in filled(grid, runs)] == ["finished"] * 2


def lengthen_past(run: Run, seconds: float) -> None:
    """Have a run's first record written so much earlier."""
    first, *others = run.folder.scalars.read_text().splitlines()
    record = json.loads(first)
    record["time"] = (datetime.fromisoformat(record["time"]) - timedelta(seconds=seconds)).isoformat()
    run.folder.scalars.write_text("\n".join([json.dumps(record), *others, ""]))


@pytest.mark.slow
def test_an_interrupt_leaves_a_consistent_table_and_the_next_call_goes_on(runs: Path) -> None:
    table = runs.parent / "table.csv"
    words = ["bench", "--method", "ae-kmeans", "--data", "blobs", "--seeds", "2", *("--set", "network.hidden=8")]
    words += ["--set", "training.epochs=20", "--out", str(table), "--runs", str(runs)]
    stopped = interrupted(words, runs)
    assert stopped.returncode == 130, stopped.stderr
    assert [record["state"] for record in records(runs)] == ["stopped", "waiting"]
    (run,) = list_runs(runs)
    assert run.state == "stopped"
    finished = subprocess.run([sys.executable, "-m", "clustlab", *words], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines()[-1] == str(table)
    assert records(runs)[0]["run"] == run.name
    assert [record["state"] for record in records(runs)] == ["finished"] * 2
    kinds = [event["kind"] for event in run.events]
    assert "resumed" in kinds[kinds.index("stopped") :]
