"""Projecting for a server: one long-lived child process a projection, asked through its standard input.

The server's process loads no umap and never computes a layout. The first UMAP fit of a process compiles for about
20 seconds; a child that lives as long as the server pays for that once, before anybody asks (:func:`prewarm`).

The two ends speak in lines. To the child: the path of a run folder, optionally followed by a tab and the number of the
frame that somebody waits for. From the child: ``warming up``, then ``ready``.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

from clustlab.errors import ClustlabError
from clustlab.projections.cache import ProjectionCache, projection_of
from clustlab.projections.follow import POLL_SECONDS
from clustlab.projections.layout import Projection
from clustlab.runs.reader import Run, open_run

__all__ = ["prewarm", "request", "serve", "shut_down", "state"]

READY = "ready"
WARMING_UP = "warming up"
NICENESS = 10
"""A map may come a moment later; training and the page may not."""
ONE_THREAD = dict.fromkeys(
    ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


class _Child:
    """A projecting process as its parent sees it."""

    def __init__(self, projection: str) -> None:
        self.state = WARMING_UP
        self._sending = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "clustlab.projections", "--serve", projection],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | ONE_THREAD,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, name=f"projections-{projection}", daemon=True)
        self._listener.start()

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def send(self, line: str) -> None:
        stream = self._process.stdin
        if stream is not None:
            with self._sending, contextlib.suppress(BrokenPipeError):  # died just now; the next request starts another
                stream.write(f"{line}\n")
                stream.flush()

    def end(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(timeout=2)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            self.state = line.strip()


_children: dict[str, _Child] = {}
_lock = threading.Lock()


def request(folder: Path, projection: str, frame: int | None = None) -> None:
    """Ask for the coordinates of a run; returns at once, and asking twice costs nothing.

    The child projects the run that was asked for last before all others, and follows it until it ends. Of each run
    the frame asked for last goes first.

    Parameters
    ----------
    folder : Path
        The run's folder.
    projection : str
        ``umap``, ``pca`` or ``plane``.
    frame : int, optional
        Number of the frame that somebody waits for.

    Raises
    ------
    ProjectionError
        If there is no such projection.
    """
    path = str(folder.resolve())
    _child(projection).send(path if frame is None else f"{path}\t{frame}")


def prewarm(projection: str = "umap") -> None:
    """Start a projection's child, so that it has compiled before somebody asks; returns at once."""
    _child(projection)


def state(projection: str) -> str:
    """Return ``off``, ``warming up`` or ``ready``."""
    with _lock:
        child = _children.get(projection)
        return child.state if child is not None and child.lives else "off"


def shut_down() -> None:
    """End all children; they also end by themselves when this process does, however it does."""
    with _lock:
        while _children:
            _children.popitem()[1].end()


atexit.register(shut_down)


def _child(projection: str) -> _Child:
    projection_of(projection)
    with _lock:
        child = _children.get(projection)
        if child is not None and not child.lives:
            child.end()
            child = None
        if child is None:
            child = _children[projection] = _Child(projection)
        return child


def serve(name: str, requests: IO[str], say: Callable[[str], object], tell: Callable[[str], object]) -> None:
    """Be the child: project the runs whose folders come in, one a line, until the input ends.

    Parameters
    ----------
    name : str
        The projection.
    requests : text stream
        Paths of run folders, each with a frame or without, see the head of this module. Its end means that the parent
        is gone: the process exits at once, also in mid-fit.
    say : callable
        Given ``warming up`` and ``ready``.
    tell : callable
        Given one sentence for every run that cannot be projected.
    """
    with contextlib.suppress(OSError, AttributeError):  # no such call on Windows
        os.nice(NICENESS)
    say(WARMING_UP)
    incoming: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(requests, incoming), daemon=True).start()
    projection = projection_of(name)
    _warm_up(projection)
    say(READY)
    at_work: dict[str, ProjectionCache] = {}  # the run asked for last is the last
    while True:
        worked = _advance_one(at_work, tell)
        _take(incoming, at_work, projection, tell, wait=0.0 if worked else POLL_SECONDS if at_work else None)


def _read(requests: IO[str], incoming: queue.Queue[str]) -> None:
    for line in requests:
        if line.strip():
            incoming.put(line.strip())
    os._exit(0)


def _warm_up(projection: Projection) -> None:
    """Have compiled whatever the first and the second frame of a run would have to wait for."""
    codes = np.random.default_rng(0).normal(size=(64, 4))[:, : 2 if projection.name == "plane" else 4]
    projection.project(codes, codes[:3], projection.project(codes, codes[:3], None))


def _take(
    incoming: queue.Queue[str],
    at_work: dict[str, ProjectionCache],
    projection: Projection,
    tell: Callable[[str], object],
    wait: float | None,
) -> None:
    """Put the runs that were asked for in front; wait (seconds, None for ever) for the first."""
    with contextlib.suppress(queue.Empty):
        line = incoming.get(timeout=wait) if wait != 0 else incoming.get_nowait()
        while True:
            path, frame = _parsed(line)
            try:
                at_work[path] = at_work.pop(path) if path in at_work else ProjectionCache(open_run(path), projection)
                if frame is not None:
                    at_work[path].ask_for(frame)
            except (ClustlabError, OSError) as error:
                tell(f"{Path(path).name}: {error}")
            line = incoming.get_nowait()


def _parsed(line: str) -> tuple[str, int | None]:
    """Path of the run folder and number of the frame that a line asks for."""
    found = re.fullmatch(r"(.+)\t([0-9]{1,9})", line)
    return (found[1], int(found[2])) if found else (line, None)


def _advance_one(at_work: dict[str, ProjectionCache], tell: Callable[[str], object]) -> bool:
    """Project one frame of the run asked for last that has one due; drop runs that ended or cannot be projected."""
    for path in reversed(list(at_work)):
        cache = at_work[path]
        lives = _lives(cache.run)
        try:
            if cache.advance(newest_first=lives):
                return True
        except (ClustlabError, OSError, KeyError, ValueError) as error:  # deleted, damaged or read-only
            tell(f"{Path(path).name}: {error}")
            lives = False
        if not lives:
            del at_work[path]
    return False


def _lives(run: Run) -> bool:
    return run.folder.spec.exists() and run.lives
