"""What tests share: small data, a folder for runs, and a run that was recorded without training."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from clustlab.data import Dataset, load
from clustlab.runs import Run, create_run_folder
from clustlab.runs.writer import RunWriter, write_spec
from clustlab.spec import RunSpec

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded: several threads only wait for one another here


@pytest.fixture(scope="session", autouse=True)
def _own_slots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Slots of the tests' own, so that they do not queue behind what this machine trains besides."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLUSTLAB_SLOT_FOLDER", str(tmp_path_factory.mktemp("slots")))
        yield


@pytest.fixture(autouse=True)
def _own_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page under test leaves its script behind as ``__main__``; processes spawned later would run it."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for runs, which is also the default one."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("CLUSTLAB_RUNS", str(folder))
    return folder


@pytest.fixture(scope="session")
def blobs() -> Dataset:
    return load("blobs")


@pytest.fixture(scope="session")
def digits_small() -> Dataset:
    """The first 200 digits; every class is there."""
    digits = load("digits")
    assert digits.y is not None
    return Dataset("digits-small", "200 digits", digits.x[:200], digits.y[:200], digits.class_names, digits.kind)


@pytest.fixture
def record(runs: Path) -> Callable[..., Run]:
    """A function that writes a run of three frames as a worker would, ``record(state="finished")``."""

    def written(state: str = "finished", name: str = "test") -> Run:
        folder = create_run_folder(runs, name)
        write_spec(folder, RunSpec(method="idec", data="digits").to_json())
        writer = RunWriter(folder)
        generator = np.random.default_rng(0)
        writer.about({"title": "IDEC on digits · seed 0", "n_clusters": 3, "phases": [], "dataset": {"name": "digits"}})
        writer.sample({"index": np.arange(20), "thumbnails": np.zeros((20, 8, 8), np.uint8), "y": np.arange(20) % 3})
        for step in (0, 50, 100):
            place = {"step": step, "phase": "pretrain"}
            writer.scalars({**place, "terms": {"reconstruction": {"raw": 1.0, "weight": 1.0, "weighted": 1.0}}})
            arrays = {
                "codes": generator.normal(size=(20, 2)).astype(np.float32),
                "labels": (np.arange(20) % 3).astype(np.int16),
                "centroids": np.zeros((3, 2), np.float32),
            }
            writer.frame(
                {**place, "phase_step": step, "metrics": {"acc": step / 100}, "values": {}, "terms": {}}, arrays
            )
            (folder.checkpoints / f"{step:09d}.pt").write_bytes(b"weights")
        writer.event("phase", 0, "Pretraining begins")
        folder.log.write_text("worker's output\n")
        if state == "finished":
            writer.result({"labels": np.zeros(20, np.int64), "metrics": np.array(json.dumps({"acc": 1.0}))})
        writer.status(state=state, step=100, phase="pretrain", wall_s=1.0)
        return Run(folder.path)

    return written
