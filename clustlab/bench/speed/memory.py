"""How much memory a run needs for how many samples: the peak of a process that trains on a file of so many.

``python -m clustlab.bench.speed.memory FILE RUNS THREADS`` is that process; it answers with a line of JSON.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import psutil
from numpy.lib.format import open_memmap

from clustlab.bench.speed.measuring import Measurement, Row, Settings
from clustlab.errors import ClustlabError
from clustlab.launch.slots import SLOTS
from clustlab.spec import RunSpec

__all__ = ["FEATURES", "main", "measurements", "peak", "peak_of_a_run", "write_samples"]

FEATURES = 784
MEGABYTE = 2**20

FEWEST = 1_000
"""Samples of the run that all others are compared with: what is left of it are the libraries."""

CLUSTERS = 10
CHUNK = 10_000


def measurements(settings: Settings) -> list[Measurement]:
    """Return a measurement for each number of samples."""
    return [
        Measurement(f"memory: {n:,} samples", 40 + n / 5_000, functools.partial(_measure, n, settings))
        for n in settings.samples
    ]


def _measure(n: int, settings: Settings) -> list[Row]:
    fewest = _fewest(settings.threads)
    peak_here = peak_of_a_run(n, settings.threads)
    size = n * FEATURES / MEGABYTE
    grown = (peak_here - fewest) / MEGABYTE
    a_feature = grown * MEGABYTE / max(1, n - FEWEST) / FEATURES
    return [
        Row(
            *("memory", "peak of a run", f"{n:,} × {FEATURES} uint8", peak_here / MEGABYTE, "MB"),
            reference=size,
            reference_is="the samples as they lie in the file",
            ratio=peak_here / MEGABYTE / size,
            note=f"{a_feature:.1f} bytes a feature above a run on {FEWEST:,} samples, {fewest / MEGABYTE:.0f} MB",
        )
    ]


@functools.cache
def _fewest(threads: int) -> int:
    return peak_of_a_run(FEWEST, threads)


def peak_of_a_run(n: int, threads: int) -> int:
    """Return the peak resident memory in bytes of a process that trains IDEC for two epochs on so many samples.

    Raises
    ------
    ClustlabError
        If the run does not finish, as where there is not enough memory.
    """
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples.npz"
        write_samples(samples, n)
        # Slots of its own: a queue would be measured instead.
        environment = {**os.environ, "CLUSTLAB_SLOT_FOLDER": str(Path(folder) / "slots"), SLOTS: "1"}
        command = [sys.executable, "-m", "clustlab.bench.speed.memory", str(samples), folder, str(threads)]
        finished = subprocess.run(command, capture_output=True, text=True, env=environment)
    if finished.returncode:
        last = (finished.stderr.strip().splitlines() or ["it was killed, as where memory runs out"])[-1]
        raise ClustlabError(f"a run on {n:,} samples has not finished: {last}")
    return int(json.loads(finished.stdout.splitlines()[-1])["peak"])


def write_samples(path: Path, n: int) -> None:
    """Write n random samples of 784 bytes around ten means as ``.npz``, chunk by chunk to save memory."""
    generator = np.random.default_rng(0)
    means = generator.integers(40, 200, size=(CLUSTERS, FEATURES))
    aside = path.with_suffix(".npy")
    file = open_memmap(aside, mode="w+", dtype=np.uint8, shape=(n, FEATURES))
    for start in range(0, n, CHUNK):
        chosen = means[generator.integers(CLUSTERS, size=min(CHUNK, n - start))]
        file[start : start + CHUNK] = chosen + generator.integers(-40, 40, size=chosen.shape)
    file.flush()
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(aside, "X.npy")
    aside.unlink()


def peak() -> int:
    """Return the peak resident memory of this process in bytes."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    # Linux counts in kilobytes, macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(samples: Path, runs: Path, threads: int) -> None:
    """Train on a file and say how much memory that took."""
    from clustlab.launch.submit import submit
    from clustlab.launch.worker import execute

    spec = RunSpec.parse(
        {
            "method": "idec",
            "data": str(samples),
            "n_clusters": CLUSTERS,
            "options": {"cluster_epochs": 1, "n_init": 1},
            "training": {"epochs": 1, "threads": threads, "device": "cpu"},
        }
    )
    run = submit(spec, runs)
    if execute(run.folder.path) != "finished":
        sys.exit(str(run.status.get("error") or f"its state is {run.state}"))
    print(json.dumps({"peak": peak()}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
