"""How much memory a run needs for how many samples: the peak of a process that trains on a file of so many.

What counts is memory of the process's own. Pages of a mapped file that happen to be in memory are the system's to take
back whenever it wants.

``python -m clustlab.bench.speed.memory FILE RUNS THREADS`` is that process; it answers with a line of JSON.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from pathlib import Path

import numpy as np
import psutil
from numpy.lib.format import open_memmap

from clustlab.bench.speed.measuring import Measurement, Row, Settings
from clustlab.errors import ClustlabError
from clustlab.launch.slots import SLOTS
from clustlab.spec import RunSpec

__all__ = ["FEATURES", "Peak", "main", "measurements", "own_memory", "peak_of_a_run", "write_samples"]

FEATURES = 784
MEGABYTE = 2**20

FEWEST = 1_000
"""Samples of the run that all others are compared with: what is left of it are the libraries."""

CLUSTERS = 10
CHUNK = 10_000


def measurements(settings: Settings) -> list[Measurement]:
    """Return a measurement for each number of samples: read into memory, then left in their file."""
    sizes = [(n, ".npz") for n in settings.samples] + [(n, ".npy") for n in settings.mapped]
    return [
        Measurement(
            f"memory: {n:,} samples, {suffix}", 40 + n / 5_000, functools.partial(_measure, n, suffix, settings)
        )
        for n, suffix in sizes
    ]


def _measure(n: int, suffix: str, settings: Settings) -> list[Row]:
    fewest = _fewest(settings.threads)
    peak_here = peak_of_a_run(n, settings.threads, suffix)
    size = n * FEATURES / MEGABYTE
    grown = (peak_here - fewest) / MEGABYTE
    a_feature = grown * MEGABYTE / max(1, n - FEWEST) / FEATURES
    return [
        Row(
            *("memory", "peak of a run", f"{n:,} × {FEATURES} uint8, {suffix}", peak_here / MEGABYTE, "MB"),
            reference=size,
            reference_is="the samples as they lie in the file",
            ratio=peak_here / MEGABYTE / size,
            note=f"{a_feature:.1f} bytes a feature above a run on {FEWEST:,} samples, {fewest / MEGABYTE:.0f} MB",
        )
    ]


@functools.cache
def _fewest(threads: int) -> int:
    return peak_of_a_run(FEWEST, threads)


def peak_of_a_run(n: int, threads: int, suffix: str = ".npz") -> int:
    """Return the peak of its own memory, in bytes, of a process that trains IDEC for two epochs on so many samples.

    Samples in an ``.npz`` are read into memory, those in an ``.npy`` stay in their file.

    Raises
    ------
    ClustlabError
        If the run does not finish, as where there is not enough memory.
    """
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / f"samples{suffix}"
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
    """Write n random samples of 784 bytes around ten means as ``.npy`` or ``.npz``, chunk by chunk to save memory."""
    generator = np.random.default_rng(0)
    means = generator.integers(40, 200, size=(CLUSTERS, FEATURES))
    aside = path.with_suffix(".npy")
    file = open_memmap(aside, mode="w+", dtype=np.uint8, shape=(n, FEATURES))
    for start in range(0, n, CHUNK):
        chosen = means[generator.integers(CLUSTERS, size=min(CHUNK, n - start))]
        file[start : start + CHUNK] = chosen + generator.integers(-40, 40, size=chosen.shape)
    file.flush()
    if path == aside:
        return
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(aside, "X.npy")
    aside.unlink()


class Peak(threading.Thread):
    """Looks at the memory of this process ten times a second, until it is told to end."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.bytes = own_memory()
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.1):
            self.bytes = max(self.bytes, own_memory())

    def end(self) -> int:
        """Return the peak in bytes."""
        self._over.set()
        self.join()
        return max(self.bytes, own_memory())


def own_memory() -> int:
    """Return the bytes in memory that belong to this process alone; elsewhere than on Linux, all that it has there."""
    info = psutil.Process().memory_info()
    return int(info.rss - getattr(info, "shared", 0))


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
    peak = Peak()
    peak.start()
    run = submit(spec, runs)
    if execute(run.folder.path) != "finished":
        sys.exit(str(run.status.get("error") or f"its state is {run.state}"))
    print(json.dumps({"peak": peak.end()}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
