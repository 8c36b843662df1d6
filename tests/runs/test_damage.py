"""A file that a broken disk or copy left behind is told in a sentence, and takes nothing else with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from clustlab.bench.worker import answer
from clustlab.errors import ClustlabError, RunError
from clustlab.launch import launch
from clustlab.runs import Run, list_runs
from clustlab.runs.archive import export_run, import_run
from clustlab.spec import RunSpec

SPEC = RunSpec.parse({"method": "kmeans", "data": "blobs", "training": {"threads": 1}})

DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "a flipped byte": lambda path: path.write_bytes(
        path.read_bytes().replace(b"NUMPY", b"MUMPY")  # of every array, so that whatever is read is damaged
    ),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return launch(SPEC, tmp_path_factory.mktemp("whole"), "inline")


@pytest.fixture
def run(runs: Path, whole: Run) -> Run:
    return Run(shutil.copytree(whole.folder.path, runs / whole.name))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_result_is_a_sentence_and_the_run_can_be_finished_again(
    run: Run, whole: Run, damage: Callable[[Path], object]
) -> None:
    damage(run.folder.result)
    for read in (lambda: run.result, lambda: run.metrics):
        with pytest.raises(RunError, match=rf"{run.name}/result\.npz is damaged"):
            read()
    summary = run.summary()
    assert (summary["state"], summary["metrics"]) == ("damaged", {})
    assert "result.npz is damaged" in summary["error"]
    assert len(run.frames) == len(whole.frames)

    told = answer(run.folder.path)
    assert (told["state"], told["error"]) == ("finished", "")
    np.testing.assert_array_equal(run.result["labels"], whole.result["labels"])
    assert run.summary()["state"] == "finished"


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_frame_is_a_sentence(run: Run, damage: Callable[[Path], object]) -> None:
    damage(run.frames[-1].path)
    with pytest.raises(RunError, match="is damaged"):
        run.frames[-1].codes  # noqa: B018
    with pytest.raises(ClustlabError, match="cannot be read"):
        run.figure("latent")


@pytest.mark.parametrize("name", ["frame_index", "scalars"])
def test_a_damaged_line_is_a_sentence(run: Run, name: str) -> None:
    lines = getattr(run.folder, name)
    lines.write_bytes(b"\0\n" + lines.read_bytes())
    read = {"frame_index": lambda: len(run.frames), "scalars": lambda: run.scalars}[name]
    with pytest.raises(RunError, match=rf"{lines.name} is damaged"):
        read()
    assert [each.name for each in list_runs(run.folder.path.parent)] == [run.name]


def test_a_damaged_run_is_not_taken_home_as_a_whole_one(run: Run, tmp_path: Path) -> None:
    run.folder.result.write_bytes(b"PK")
    export_run(run, tmp_path / "run.zip")
    with pytest.raises(RunError, match="damaged"):
        import_run(tmp_path / "run.zip", tmp_path / "elsewhere")
