"""A few processes that stay and train one run folder after the other: PyTorch is loaded once in each."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clustlab.errors import ClustlabError, LaunchError
from clustlab.launch.slots import SLOTS, slot_count

__all__ = ["Pool"]


class Pool:
    """``jobs`` processes and one thread that waits for each.

    The processes queue for the slots of this machine like every other worker, but count at least as many slots as
    there are processes: who asks for so many at once has decided it.

    Parameters
    ----------
    jobs : int
        Number of processes, at least one.
    prepare : callable
        Given a task, returns the run folder to train; called in the thread that takes the task up, so that no folder
        waits long before somebody works on it. What it refuses (a :class:`ClustlabError`) is that task's answer.
    done : callable
        Given a task and the worker's answer; called in that thread too.
    """

    def __init__(self, jobs: int, prepare: Callable[[Any], Path], done: Callable[[Any, dict[str, Any]], None]) -> None:
        jobs = max(1, jobs)
        self._prepare, self._done = prepare, done
        self._tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._environment = os.environ | {SLOTS: str(max(jobs, slot_count())), "PYTHONUNBUFFERED": "1"}
        self._closed, self._ended = threading.Event(), threading.Event()
        self._serving = jobs
        self._lock = threading.Lock()
        self._failure: BaseException | None = None
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(jobs)]

    def start(self, tasks: list[Any]) -> None:
        """Begin with the tasks, in their order."""
        for task in tasks:
            self._tasks.put(task)
        for thread in self._threads:
            thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait for the end at most so long; return whether it is reached.

        Raises
        ------
        Exception
            What ``prepare`` or ``done`` raised unexpectedly.
        """
        # Not by joining the threads: a join that Ctrl-C interrupts takes a living thread for ended (CPython 3.11).
        ended = self._ended.wait(seconds)
        if ended and self._failure is not None:
            raise self._failure
        return ended

    def close(self) -> None:
        """Begin with no further task."""
        self._closed.set()

    def _serve(self) -> None:
        worker: _Worker | None = None
        try:
            while not self._closed.is_set():
                try:
                    task = self._tasks.get_nowait()
                except queue.Empty:
                    return
                if worker and not worker.lives:
                    worker.end()
                    worker = None
                worker = worker or _Worker(self._environment)
                try:
                    folder = self._prepare(task)
                except ClustlabError as refusal:
                    self._done(task, {"state": "failed", "error": str(refusal), "scores": {}})
                else:
                    self._done(task, worker.ask(folder))
        except BaseException as error:  # handed to whoever waits
            self._failure = error
            self._closed.set()
        finally:
            if worker:
                worker.end()
            with self._lock:
                self._serving -= 1
                if not self._serving:
                    self._ended.set()


class _Worker:
    """One process; its own session, so that Ctrl-C on the terminal does not reach it."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "clustlab.bench.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                text=True,
                start_new_session=True,
                env=environment,
            )
        except OSError as error:
            raise LaunchError(f"no worker could be started ({error.strerror or error})") from error

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def ask(self, folder: Path) -> dict[str, Any]:
        """Return the answer for a run folder; a process that died on it answers so."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(f"{folder}\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = ""
        if line:
            return dict(json.loads(line))
        code = self._process.wait()
        self._complaints.seek(0)
        last = (self._complaints.read().strip().splitlines() or ["it said nothing"])[-1]
        return {"state": "lost", "error": f"the worker ended with status {code}: {last}", "scores": {}}

    def end(self) -> None:
        """Close its input, which ends it, and wait."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):  # it has died with something unread
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._complaints.close()
