"""Deleting is a move aside: the last one can be brought back for a day, and nothing lists it meanwhile."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clustlab.errors import RunError
from clustlab.runs import Run, list_runs
from clustlab.runs.deletion import KEPT_SECONDS, bring_back, delete_run, last_deleted, remove_old

Record = Callable[..., Run]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def asides(runs: Path) -> list[Path]:
    return [path for path in runs.iterdir() if path.name.startswith(".")]


def test_only_ended_runs_are_deleted(record: Record) -> None:
    live = record(state="running")
    with pytest.raises(RunError, match="stop it before deleting it"):
        delete_run(live)
    ended = record()
    delete_run(ended)
    assert live.folder.path.exists()
    assert not ended.folder.path.exists()


def test_a_deleted_run_is_listed_nowhere_and_comes_back_as_it_was(record: Record, runs: Path) -> None:
    run, other = record(), record()
    before, title = contents(run.folder.path), run.title
    delete_run(run)
    assert [each.name for each in list_runs(runs)] == [other.name]
    deleted = last_deleted(runs)
    assert deleted is not None
    assert (deleted.name, deleted.title) == (run.name, title)
    assert bring_back(deleted).folder.path == run.folder.path
    assert contents(run.folder.path) == before
    assert asides(runs) == []
    assert last_deleted(runs) is None


def test_the_next_deletion_removes_what_was_deleted_before(record: Record, runs: Path) -> None:
    first, second = record(), record()
    delete_run(first)
    delete_run(second)
    (aside,) = asides(runs)
    assert [path.name for path in aside.iterdir()] == [second.name]
    deleted = last_deleted(runs)
    assert deleted is not None
    assert deleted.name == second.name


def test_a_deletion_that_fails_removes_nothing(record: Record, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = record(), record()
    delete_run(first)

    def refuse(path: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with pytest.raises(RunError, match=r"cannot be deleted \(Permission denied\)"):
            delete_run(second)
    assert second.folder.path.is_dir()
    deleted = last_deleted(runs)
    assert deleted is not None
    assert deleted.name == first.name
    assert len(asides(runs)) == 1


def test_after_a_day_a_deleted_run_is_gone(record: Record, runs: Path) -> None:
    delete_run(record())
    remove_old(runs)
    (aside,) = asides(runs)
    long_ago = time.time() - KEPT_SECONDS - 60
    os.utime(aside, (long_ago, long_ago))
    remove_old(runs)
    assert asides(runs) == []


def test_a_run_does_not_come_back_over_another_one(record: Record, runs: Path) -> None:
    run = record()
    delete_run(run)
    deleted = last_deleted(runs)
    assert deleted is not None
    record().folder.path.rename(run.folder.path)
    with pytest.raises(RunError, match="another one has its name"):
        bring_back(deleted)
    assert last_deleted(runs) is not None


def test_coordinates_that_came_too_late_are_in_nobodys_way(record: Record, runs: Path) -> None:
    run = record()
    delete_run(run)
    late = run.folder.projection("pca")
    late.mkdir(parents=True)
    (late / "000050.npz").write_bytes(b"late")
    deleted = last_deleted(runs)
    assert deleted is not None
    bring_back(deleted)
    assert len(run.frames) == 3
    assert not late.exists()
