"""A file that a broken disk or copy left behind is told in a sentence, and takes nothing else with it."""

from __future__ import annotations

import errno
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from clustlab.bench.worker import answer
from clustlab.errors import ClustlabError, RunError
from clustlab.launch import control, launch
from clustlab.launch.inline import start
from clustlab.launch.worker import execute
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

    assert not run.has_result
    control.resume(run, start)
    told = answer(run.folder.path)
    assert (told["state"], told["error"]) == ("finished", "")
    np.testing.assert_array_equal(run.result["labels"], whole.result["labels"])
    assert run.summary()["state"] == "finished"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO, errno.EACCES])
def test_a_result_that_cannot_be_read_now_is_not_taken_for_damaged(
    run: Run, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    content, status = run.folder.result.read_bytes(), run.status

    def refuse(path: Path, *arguments: object, **options: object) -> IO[bytes]:
        if path == run.folder.result:
            raise OSError(number, os.strerror(number), str(path))
        return opened(path, *arguments, **options)

    opened: Any = Path.open
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        with pytest.raises(RunError, match=rf"result\.npz cannot be read \({os.strerror(number)}\)"):
            _ = run.has_result
        assert run.summary()["state"] == status["state"]
        assert "cannot be read" in run.summary()["error"]
        assert execute(run.folder.path) == "failed"
    assert "cannot be read" in run.status["error"]
    assert run.folder.result.read_bytes() == content


def test_a_flipped_bit_anywhere_is_a_sentence_or_harmless(run: Run) -> None:
    """Of the places where archive and arrays describe themselves, a spread of bits."""
    content = run.folder.result.read_bytes()
    places = [at for at in range(len(content)) if at < 200 or at > len(content) - 1500]
    refused = 0
    for at in places[::3]:
        flipped = bytearray(content)
        flipped[at] ^= 1 << (at % 8)
        run.folder.result.write_bytes(flipped)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            refused += not run.has_result
    assert refused > len(places) // 12


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_frame_is_a_sentence(run: Run, damage: Callable[[Path], object]) -> None:
    damage(run.frames[-1].path)
    with pytest.raises(RunError, match="is damaged"):
        run.frames[-1].codes  # noqa: B018
    with pytest.raises(ClustlabError, match="cannot be read"):
        run.figure("latent")


@pytest.mark.parametrize("line", [b"\0", b"\xff\xfe", b"3"], ids=["zeros", "no text", "no record"])
@pytest.mark.parametrize("name", ["frame_index", "scalars"])
def test_a_damaged_line_is_a_sentence(run: Run, name: str, line: bytes) -> None:
    lines = getattr(run.folder, name)
    lines.write_bytes(line + b"\n" + lines.read_bytes())
    read = {"frame_index": lambda: len(run.frames), "scalars": lambda: run.scalars}[name]
    with pytest.raises(RunError, match=rf"{lines.name} is damaged"):
        read()
    assert [each.name for each in list_runs(run.folder.path.parent)] == [run.name]

    run.folder.result.unlink()
    assert execute(run.folder.path) == "failed"
    assert f"{lines.name} is damaged" in run.status["error"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[]", b"{"], ids=["no text", "a list", "cut off"])
def test_a_damaged_description_leaves_a_run_that_can_be_looked_at(run: Run, content: bytes) -> None:
    for path in (run.folder.about, run.folder.status):
        path.write_bytes(content)
    assert (run.about, run.state, run.summary()["state"]) == ({}, "lost", "lost")
    run.folder.spec.write_bytes(content)
    with pytest.raises(RunError, match="cannot be opened"):
        Run(run.folder.path)


def test_a_damaged_run_is_not_taken_home_as_a_whole_one(run: Run, tmp_path: Path) -> None:
    run.folder.result.write_bytes(b"PK")
    export_run(run, tmp_path / "run.zip")
    with pytest.raises(RunError, match="damaged"):
        import_run(tmp_path / "run.zip", tmp_path / "elsewhere")
