"""Runs whose codes are known, written as a worker would."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from clustlab.runs import Run, create_run_folder
from clustlab.runs.writer import RunWriter, write_spec
from clustlab.spec import RunSpec


def write_frame(writer: RunWriter, step: int, codes: np.ndarray, centroids: np.ndarray) -> None:
    arrays = {
        "codes": codes.astype(np.float32),
        "centroids": centroids.astype(np.float32),
        "labels": np.zeros(len(codes), np.int16),
    }
    record = {"step": step, "phase": "pretrain", "phase_step": step, "metrics": {}, "values": {}, "terms": {}}
    writer.frame(record, arrays)


@pytest.fixture
def drifting() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """``drifting(t, n)``: codes (n, 4) of three groups and their centroids, a little further at each t."""

    def at(t: float, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
        generator = np.random.default_rng(1)
        middles = np.array([[4.0, 0, 0, 0], [0, 3, 0, 0], [0, 0, 2, 1]])
        codes = middles[np.arange(n) % 3] * (1 + 0.05 * t) + generator.normal(size=(n, 4)) * 0.4
        return codes, middles * (1 + 0.05 * t)

    return at


@pytest.fixture
def recorded(
    tmp_path: Path, drifting: Callable[..., tuple[np.ndarray, np.ndarray]]
) -> Callable[..., tuple[Run, RunWriter]]:
    """``recorded(frames, state)``: a run with so many drifting frames, ten steps apart, and its writer."""

    def write(frames: int, state: str = "finished") -> tuple[Run, RunWriter]:
        folder = create_run_folder(tmp_path, "drifting")
        write_spec(folder, RunSpec(method="idec", data="digits").to_json())
        writer = RunWriter(folder)
        for t in range(frames):
            write_frame(writer, 10 * t, *drifting(t))
        writer.status(state=state)
        return Run(folder.path), writer

    return write
