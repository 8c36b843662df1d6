"""A clustlab for the tests: the server in a process of its own, and the runs that it shows."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from browser.laboratory import until

from clustlab.launch import launch
from clustlab.runs import Run, list_runs
from clustlab.spec import RunSpec

__all__ = ["Server", "begun", "end_workers", "projector_stopped", "started"]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Server:
    """A running clustlab: its address, the folder that it shows, its environment and its process."""

    url: str
    runs: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    log: Path

    def end(self) -> None:
        """Ask the server to end, and see that it does so by itself and without a word of complaint."""
        self.process.terminate()
        code = self.process.wait(timeout=20)
        text = self.log.read_text()
        assert code in (0, -15), f"the server ended with {code}:\n{text}"
        assert "Traceback" not in text, text


@contextmanager
def started(folder: Path, runs: Path | None = None) -> Iterator[Server]:
    """Start a server in a folder, with slots of its own; it is asked to end, and must, unless it has ended already."""
    port = _free_port()
    runs = runs or folder / "runs"
    environment = {
        **os.environ,
        "CLUSTLAB_RUNS": str(runs),
        "CLUSTLAB_DATA": str(folder / "data"),
        "CLUSTLAB_SLOT_FOLDER": str(folder / "slots"),
        "CLUSTLAB_SLOTS": "2",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)]
    log = folder / "log.txt"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=stream, stderr=subprocess.STDOUT)
    server = Server(f"http://localhost:{port}", runs, environment, process, log)
    try:
        _wait_until_healthy(process, port, log)
        yield server
        if process.poll() is None:
            server.end()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def end_workers(runs: Path) -> None:
    """End the workers of all runs in a folder at once, without asking them."""
    living = [run for run in list_runs(runs) if run.lives]
    for run in living:
        until(lambda run=run: run.status.get("pid") or not run.lives)
        with suppress(psutil.NoSuchProcess, TypeError):
            psutil.Process(run.status.get("pid")).kill()
        until(lambda run=run: not run.lives)


@contextmanager
def projector_stopped(server: Server, projection: str) -> Iterator[None]:
    """Have the process that projects for a server stand still, as on a machine that has no time for it."""

    def found() -> list[psutil.Process]:
        children = psutil.Process(server.process.pid).children(recursive=True)
        return [child for child in children if child.cmdline()[-2:] == ["--serve", projection]]

    until(found)  # the page starts it when it is opened first
    (projector,) = found()
    projector.suspend()
    try:
        yield
    finally:
        projector.resume()


def begun(server: Server, patch: pytest.MonkeyPatch, **more: Any) -> Run:
    """Start a run in the folder that a server shows; it ends by itself only if told to."""
    for name in ("CLUSTLAB_SLOT_FOLDER", "CLUSTLAB_SLOTS", "PYTHONPATH"):
        patch.setenv(name, server.environment[name])
    fields: dict[str, Any] = {
        "method": "idec",
        "data": "blobs",
        "options": {"cluster_epochs": 100_000, "tolerance": 0, "n_init": 2},
        "network": {"hidden": "16", "latent_dim": 2},
        "training": {"epochs": 30, "threads": 1},
        "recording": {"budget": 0.9, "checkpoint_interval": 0.5},
    }
    return launch(RunSpec.parse({**fields, **more}), server.runs)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return int(listener.getsockname()[1])


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the server ended with {process.returncode}:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"the server did not answer within {seconds:.0f} s:\n{log.read_text()}")
