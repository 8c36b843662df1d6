from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from clustlab.errors import RunError
from clustlab.projections import ProjectionCache, ProjectionError, follow, project, projection_of, read_layout
from clustlab.projections.__main__ import main
from clustlab.projections.cache import read_problems
from clustlab.runs import Run
from clustlab.runs.writer import RunWriter

Recorded = Callable[..., tuple[Run, RunWriter]]
Drifting = Callable[..., tuple[np.ndarray, np.ndarray]]


def files(run: Run, projection: str = "pca") -> list[str]:
    return sorted(path.name for path in run.folder.projection(projection).glob("*.npz"))


def about(run: Run) -> dict:
    return json.loads((run.folder.projection("pca") / "projection.json").read_text())


def record(step: int) -> dict:
    return {"step": step, "phase": "pretrain", "phase_step": step, "metrics": {}, "values": {}, "terms": {}}


def test_project_writes_one_file_a_frame_and_says_how(recorded: Recorded) -> None:
    run, _ = recorded(4)
    seen: list[tuple[int, int]] = []
    project(run.folder.path, "pca", lambda done, total: seen.append((done, total)))
    assert files(run) == ["000000.npz", "000010.npz", "000020.npz", "000030.npz"]
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    with np.load(run.folder.projection("pca") / "000010.npz", allow_pickle=False) as arrays:
        assert {name: (array.shape, array.dtype.name) for name, array in arrays.items()} == {
            "points": ((60, 2), "float32"),
            "centroids": ((3, 2), "float32"),
        }
    written = about(run)
    assert written["projection"] == "pca"
    assert written["note"]
    assert list(written["stability"]) == files(run)
    assert written["stability"]["000000.npz"] is None
    assert 0 < written["stability"]["000010.npz"] < 0.2


def test_follow_stops_when_told_and_resumes_from_the_last_layout(recorded: Recorded) -> None:
    run, _ = recorded(5)
    follow(run, "pca", stop=lambda: len(files(run)) == 2)
    assert len(files(run)) == 2
    path = run.folder.projection("pca") / "000010.npz"
    with np.load(path) as arrays:
        turned = {name: -array[:, ::-1] for name, array in arrays.items()}
    np.savez(path, **turned)  # whoever resumes from this layout must turn the next frames likewise
    untouched = path.stat().st_mtime_ns
    cache = follow(run, "pca")
    assert cache.done == cache.total == 5
    assert path.stat().st_mtime_ns == untouched
    assert about(run)["stability"]["000020.npz"] < 0.2
    assert all(about(run)["stability"][file] < 0.2 for file in files(run)[3:])


def test_a_live_run_shows_its_newest_frame_first_and_gaps_are_filled(recorded: Recorded, drifting: Drifting) -> None:
    run, writer = recorded(3, state="running")
    cache = ProjectionCache(run, projection_of("pca"))
    assert cache.advance(newest_first=True)
    assert files(run) == ["000020.npz"]
    codes, centroids = drifting(9)
    arrays = {"codes": codes, "centroids": centroids, "labels": np.zeros(len(codes), np.int16)}
    writer.frame(record(90), arrays)
    writer.frame(record(100), arrays)
    cache.advance(newest_first=True)
    assert files(run) == ["000020.npz", "000100.npz"]
    order = []
    while cache.advance(newest_first=True):
        order.append(
            next(file for file in files(run) if file not in order and file not in ("000020.npz", "000100.npz"))
        )
    assert order[0] == "000010.npz"  # before the first: backwards from it
    assert files(run) == ["000000.npz", "000010.npz", "000020.npz", "000090.npz", "000100.npz"]
    stability = about(run)["stability"]
    assert stability["000000.npz"] is None
    assert stability["000100.npz"] == pytest.approx(0, abs=0.02)  # measured anew against the frame that filled the gap


def test_the_frame_asked_for_goes_first_then_the_newest_then_the_gaps(recorded: Recorded) -> None:
    run, _ = recorded(6, state="running")
    cache = ProjectionCache(run, projection_of("pca"))
    order: list[str] = []

    def advance() -> str:
        before = set(files(run))
        assert cache.advance(newest_first=True)
        order.append((set(files(run)) - before).pop())
        return order[-1]

    cache.ask_for(1)
    cache.ask_for(3)  # somebody who scrubs waits for the last place only
    assert advance() == "000030.npz"
    assert advance() == "000050.npz"
    cache.ask_for(4)
    assert advance() == "000040.npz"
    while len(files(run)) < 6:
        advance()
    assert order[3:] == ["000020.npz", "000010.npz", "000000.npz"]
    assert all(about(run)["stability"][file] < 0.2 for file in files(run)[1:])  # chained from its neighbours


@pytest.mark.parametrize("number", [0, 3, 10**9])
def test_asking_for_a_frame_that_is_unknown_or_done_changes_nothing(recorded: Recorded, number: int) -> None:
    run, _ = recorded(3)
    cache = ProjectionCache(run, projection_of("pca"))
    cache.advance(newest_first=False)
    cache.ask_for(number)
    assert cache.advance(newest_first=False)
    assert files(run) == ["000000.npz", "000010.npz"]


def test_follow_goes_on_while_the_run_lives(recorded: Recorded, drifting: Drifting) -> None:
    run, writer = recorded(2, state="running")

    def stop() -> bool:
        if files(run) == ["000000.npz", "000010.npz"]:
            codes, centroids = drifting(2)
            writer.frame(record(20), {"codes": codes, "centroids": centroids, "labels": np.zeros(60, np.int16)})
            writer.status(state="finished")
        return False

    follow(run, "pca", stop=stop)
    assert files(run) == ["000000.npz", "000010.npz", "000020.npz"]


@pytest.mark.parametrize("content", ["[1]", '{"problems": null}', "{"])
def test_a_damaged_description_names_no_problems(recorded: Recorded, content: str) -> None:
    run, _ = recorded(1)
    assert read_problems(run.folder, "pca") == {}
    run.folder.projection("pca").mkdir(parents=True)
    (run.folder.projection("pca") / "projection.json").write_text(content)
    assert read_problems(run.folder, "pca") == {}
    assert follow(run, "pca").done == 1


def test_a_frame_that_diverged_is_left_out_and_named(recorded: Recorded, drifting: Drifting) -> None:
    run, writer = recorded(2)
    codes, centroids = drifting(2)
    for step, broken in ((20, codes * np.nan), (30, codes)):
        writer.frame(record(step), {"codes": broken, "centroids": centroids, "labels": np.zeros(60, np.int16)})
    cache = follow(run, "pca")
    assert files(run) == ["000000.npz", "000010.npz", "000030.npz"]
    assert "60 of 60 codes are not finite" in cache.problems["000020.npz"]
    assert about(run)["problems"] == cache.problems == read_problems(run.folder, "pca")
    assert follow(run, "pca").done == 4


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused_in_a_sentence(recorded: Recorded) -> None:
    run, _ = recorded(1)
    run.folder.path.chmod(0o500)
    with pytest.raises(RunError, match="cannot be written"):
        follow(run, "pca")
    run.folder.path.chmod(0o700)


def test_a_cache_that_is_in_the_way_is_refused_in_a_sentence(recorded: Recorded) -> None:
    run, _ = recorded(1)
    (run.folder.path / "cache").write_text("a file where a folder should be")
    with pytest.raises(RunError, match="cannot be written"):
        follow(run, "pca")


def test_deleting_the_cache_costs_nothing_but_time(recorded: Recorded) -> None:
    run, _ = recorded(2)
    follow(run, "pca")
    before = read_layout(run.folder, "pca", "000010.npz")
    shutil.rmtree(run.folder.path / "cache")
    assert read_layout(run.folder, "pca", "000010.npz") is None
    follow(run, "pca")
    after = read_layout(run.folder, "pca", "000010.npz")
    assert before is not None
    assert after is not None
    np.testing.assert_array_equal(before.points, after.points)


def test_unknown_projections_are_refused(recorded: Recorded) -> None:
    run, _ = recorded(1)
    with pytest.raises(ProjectionError, match="there is no projection “tsne”"):
        follow(run, "tsne")


def test_the_command_line_projects_and_explains(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, _ = recorded(2)
    assert main([str(run.folder.path), "--projection", "pca"]) == 0
    assert "2 frames are in" in capsys.readouterr().err
    assert files(run) == ["000000.npz", "000010.npz"]
    assert main([str(tmp_path / "nowhere"), "--projection", "pca"]) == 1
    assert "is not a run folder" in capsys.readouterr().err
